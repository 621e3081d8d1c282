"""How many threads there are to work with, and how many linear algebra takes of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from threadpoolctl import threadpool_limits

Taken = ParamSpec("Taken")
Returned = TypeVar("Returned")


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def one_blas_thread(work: Callable[Taken, Returned]) -> Callable[Taken, Returned]:
    """The same work with linear algebra by one thread of each that asks for it.

    Sums of several threads end in other digits, and in small matrices threads wait for each other longer than they
    work.
    """

    @wraps(work)
    def alone(*args: Taken.args, **kwargs: Taken.kwargs) -> Returned:
        with threadpool_limits(1):
            return work(*args, **kwargs)

    return alone
