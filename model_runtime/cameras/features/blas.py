"""Linear algebra of features: fast on every processor, and the same on any number of cores."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import numpy as np
from scipy.linalg import get_blas_funcs
from threadpoolctl import threadpool_limits

Taken = ParamSpec("Taken")
Returned = TypeVar("Returned")


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


def product(a: np.ndarray, b: np.ndarray, into: np.ndarray | None = None) -> np.ndarray:
    """[K,N] of a [K,C] and b [C,N], float32. into: [K,N], where it may be written, whatever is there.

    By SciPy's library: NumPy 1 brings one that knows no processor of the last years, and takes three times as long.
    """
    into = np.empty((len(a), b.shape[1]), np.float32) if into is None else into
    (multiply,) = get_blas_funcs(("gemm",), dtype=np.float32)
    # It has matrices by columns, so everything is transposed.
    return multiply(1.0, b.T, a.T, c=into.T, overwrite_c=True).T
