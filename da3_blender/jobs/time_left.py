"""How long a job still takes. Its stages do not cost what their share of the progress says, so the last job tells."""

from __future__ import annotations

import numpy as np

TYPICAL = ((0.0, 0.0), (0.1, 0.1), (0.2, 0.13), (0.3, 0.65), (0.4, 0.88), (0.9, 0.93), (1.0, 1.0))
"""(progress, share of the time) until a job has been seen: as the example's six photos go, whose features take most."""

EARLY = 0.05
"""Share of the time, and SOON seconds, before which nobody can tell."""

SOON = 2.0


class TimeLeft:
    """Told the progress of one job after another, in 0..1 and in seconds of any one clock."""

    def __init__(self) -> None:
        self._curve = np.array(TYPICAL)
        self._seen: list[tuple[float, float]] = []
        self._began = self._last_at = 0.0
        self._last: float | None = None

    def begin(self, now: float) -> None:
        """A job begins."""
        self._seen, self._began, self._last = [(0.0, 0.0)], now, None

    def at(self, progress: float, now: float) -> float | None:
        """Seconds left, None while nobody can tell. It rises no faster than the clock goes on."""
        elapsed = now - self._began
        self._seen.append((progress, elapsed))
        share = float(np.interp(progress, *self._curve.T))
        if share < EARLY or elapsed < SOON:
            return None
        left = elapsed * (1 - share) / share
        if self._last is not None:
            left = min(left, self._last + now - self._last_at)
        self._last, self._last_at = left, now
        return left

    def finish(self, now: float) -> None:
        """The job has ended well: the next one is expected to go like it."""
        total = now - self._began
        if total > 0:
            progress, elapsed = np.array([*self._seen, (1.0, total)]).T
            self._curve = np.column_stack([progress, elapsed / total])
