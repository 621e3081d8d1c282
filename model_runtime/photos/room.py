"""Memory for photos that are decoded side by side."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

from model_runtime.contract.memory import available_memory


class Room:
    """Memory for photos at full size. One that is alone always has room: whether it fits is for others to say."""

    def __init__(self) -> None:
        self._taken = 0
        self._changed = Condition()

    @contextmanager
    def taken(self, memory: int) -> Iterator[None]:
        """Waits until there are as many bytes beside those that others have taken."""
        with self._changed:
            # What others have taken counts twice where it is in use already: rather fewer at once than too many.
            self._changed.wait_for(lambda: not self._taken or self._taken + memory <= available_memory())
            self._taken += memory
        try:
            yield
        finally:
            with self._changed:
                self._taken -= memory
                self._changed.notify_all()
