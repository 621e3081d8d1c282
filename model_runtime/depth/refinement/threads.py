"""Pieces of work side by side: numpy and torch let other threads of Python run while they calculate."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from model_runtime.geometry.arrays import Device

S = TypeVar("S")
T = TypeVar("T")


def cores(device: Device) -> int:
    """How many pieces of work go side by side: one for each core that this process may use; one on a GPU."""
    if device is not None and device.type != "cpu":
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def side_by_side(work: Callable[[S], T], pieces: Sequence[S], threads: int) -> Iterator[T]:
    """What comes of each piece, in their order; what has not begun when the caller stops is left undone."""
    if threads == 1 or len(pieces) == 1:
        yield from map(work, pieces)
        return
    pool = ThreadPoolExecutor(threads)
    try:
        yield from pool.map(work, pieces)
    finally:
        pool.shutdown(cancel_futures=True)
