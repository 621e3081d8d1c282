"""Photos that are decoded several at once, as many as there are cores and memory for."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Condition
from typing import TypeVar

from model_runtime.contract.memory import available_memory

AHEAD = 2
"""For each core, of what is done before it is asked for."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_order(work: Callable[[Item], Result], items: Iterable[Item], threads: int) -> Generator[Result]:
    """What `work` makes of each, in their order; the next ones are worked on meanwhile, in other threads.

    Raises what `work` raises, at its place. What is begun ends before the generator does, and nothing more begins.
    """
    with ThreadPoolExecutor(threads, "photos") as pool:
        begun: deque[Future[Result]] = deque()
        try:
            for item in items:
                begun.append(pool.submit(work, item))
                if len(begun) > threads * AHEAD:
                    yield begun.popleft().result()
            while begun:
                yield begun.popleft().result()
        finally:
            for future in begun:
                future.cancel()


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
