"""How far a job is: told while it goes on, which is also where it can be stopped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Report = Callable[[str, float, str], None]
"""Told stage, fraction of the whole job and a sentence, as in `messages.Progress`; raises to stop the job."""


@dataclass(frozen=True)
class Span:
    """A part of a job, from one fraction of the whole to another, that is called to tell how far it is.

    stage: what it is called.
    """

    report: Report
    stage: str = ""
    start: float = 0.0
    end: float = 1.0

    def __call__(self, done: float, sentence: str) -> None:
        """Tell that this share of the part is done. Raises what `report` raises to stop the job."""
        self.report(self.stage, self._at(done), sentence)

    def part(self, start: float, end: float, stage: str | None = None) -> Span:
        """What lies between two shares of this part; of the same stage where none is named."""
        return Span(self.report, self.stage if stage is None else stage, self._at(start), self._at(end))

    def _at(self, share: float) -> float:
        return self.start + (self.end - self.start) * share


def never_falling(report: Report) -> Report:
    """`report` with fractions that never fall, whichever way a job takes."""
    reached = 0.0

    def rising(stage: str, fraction: float, sentence: str) -> None:
        nonlocal reached
        reached = max(reached, fraction)
        report(stage, reached, sentence)

    return rising


def _ignore(stage: str, fraction: float, sentence: str) -> None:
    pass


SILENT = Span(_ignore)
"""For work that nobody watches."""
