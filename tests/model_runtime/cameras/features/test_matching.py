"""Which features look alike, against distances of whole numbers; and linear algebra as matching takes it."""

from __future__ import annotations

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from model_runtime.cameras.features.blas import one_blas_thread, product
from model_runtime.cameras.features.matching import MAX_RATIO, ROWS_AT_ONCE, match_descriptors


def descriptors(count: int, seed: int) -> np.ndarray:
    """Of things that are the same for every seed, in another order, seen with noise."""
    words = np.random.default_rng(0).gamma(0.6, 1.0, (1500, 128))
    words *= 512 / np.linalg.norm(words, axis=1, keepdims=True)
    rng = np.random.default_rng(seed)
    noisy = words[rng.permutation(len(words))[:count]] + rng.normal(0, 12, (count, 128))
    return np.clip(np.round(noisy), 0, 255).astype(np.uint8)


def expected(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """By all distances, in whole numbers; where some are equal, the first."""
    distance = np.square(a[:, None].astype(np.int64) - b.astype(np.int64)).sum(2)
    nearest = distance.argmin(1)
    first, second = np.sort(distance, axis=1)[:, :2].T
    mutual = distance.argmin(0)[nearest] == np.arange(len(a))
    rows = np.flatnonzero(mutual & (first < MAX_RATIO**2 * second))
    return np.stack((rows, nearest[rows]), axis=1)


@pytest.mark.parametrize("counts", [(ROWS_AT_ONCE + 30, 400), (ROWS_AT_ONCE, 900), (2, 700)])
def test_matches_are_mutual_and_clear(counts: tuple[int, int]) -> None:
    a, b = (descriptors(count, seed) for seed, count in enumerate(counts))
    found = match_descriptors(a, b)
    assert found.dtype == np.uint32 and np.array_equal(found, expected(a, b))
    assert len(found) > 30 or min(counts) == 2


def test_of_features_that_are_all_alike_one_is_matched() -> None:
    """Also where they come in different blocks of rows."""
    a, b = descriptors(ROWS_AT_ONCE + 30, 0), descriptors(400, 1)
    a[[5, 40, ROWS_AT_ONCE + 7]] = b[3]
    b[11] = b[12] = a[20]
    found = match_descriptors(a, b)
    assert np.array_equal(found, expected(a, b))
    assert [5, 3] in found.tolist() and not np.isin(found[:, 0], (20, 40, ROWS_AT_ONCE + 7)).any()


@pytest.mark.parametrize("counts", [(0, 0), (0, 5), (1, 5), (5, 1)])
def test_hardly_any_features_match_nothing(counts: tuple[int, int]) -> None:
    a, b = (descriptors(count, seed) for seed, count in enumerate(counts))
    assert match_descriptors(a, b).shape == (0, 2)


def test_products_are_those_of_numpy() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(70, 130)).astype(np.float32), rng.normal(size=(50, 130)).astype(np.float32)
    into = np.full((70, 50), np.nan, np.float32)
    found = product(a, b.T, into)
    assert np.shares_memory(found, into)
    np.testing.assert_allclose(found, a.astype(np.float64) @ b.T, atol=1e-4)
    np.testing.assert_array_equal(product(a, np.ascontiguousarray(b.T)), into)


def test_one_thread_ends_with_the_work() -> None:
    def threads() -> list[int]:
        return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]

    before = threads()
    assert before and set(one_blas_thread(threads)()) == {1}

    @one_blas_thread
    def fail() -> None:
        raise ValueError

    with pytest.raises(ValueError):
        fail()
    assert threads() == before
