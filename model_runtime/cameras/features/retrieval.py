"""Which photos look alike, told by their own features: nothing is downloaded, and no pair is matched.

Vectors of locally aggregated descriptors (Jegou et al. 2010) over words that are the photos' own.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_matrix

from model_runtime.cameras.features.blas import one_blas_thread, product
from model_runtime.cameras.features.memory import PhotoFeatures

WORDS = 256
"""Means of descriptors. In furnished rooms 64 do as well; where all is painted alike 256 find a sixth more."""

STEPS = 5
"""Of k-means."""

MOST_LEARNT, MOST_USED = 100_000, 1024
"""Descriptors of all photos that words are learnt from, and of each photo, the largest, that tell what it is like."""

ROWS_AT_ONCE = 4096
SHORTEST = 1e-12
SEED = 0


@one_blas_thread
def likeness(features: Sequence[PhotoFeatures]) -> np.ndarray:
    """[N,N] float32, how alike photos are: 1 for the same, about 0 for photos of different things.

    The same on any number of cores. A photo without features is like none.
    """
    vectors = _vectors([each.descriptors[:MOST_USED] for each in features])
    return product(vectors, vectors.T)


def _vectors(descriptors: Sequence[np.ndarray]) -> np.ndarray:
    """[N,WORDS*128] of unit length: what the descriptors [K,128] uint8 of each photo are besides their words."""
    words = _words(np.concatenate(list(descriptors)))
    vectors = np.zeros((len(descriptors), *words.shape), np.float32)
    for i, some in enumerate(descriptors):
        values = some.astype(np.float32)
        nearest = _nearest(values, words)
        vectors[i] = _sums(values - words[nearest], nearest, len(words))
    # Every word counts alike: one that a pattern repeats would drown the others.
    return _of_unit_length(_of_unit_length(vectors).reshape(len(vectors), -1))


def _words(descriptors: np.ndarray) -> np.ndarray:
    """[WORDS,128] float32, k-means of a sample; fewer where there are fewer descriptors."""
    order = np.random.default_rng(SEED).permutation(len(descriptors))
    sample = descriptors[order[:MOST_LEARNT]].astype(np.float32)
    words = sample[:WORDS].copy()
    for _ in range(STEPS):
        nearest = _nearest(sample, words)
        counts = np.bincount(nearest, minlength=len(words))[:, None]
        words = np.where(counts > 0, _sums(sample, nearest, len(words)) / np.maximum(counts, 1), words)
    return words


def _nearest(values: np.ndarray, words: np.ndarray) -> np.ndarray:
    """[K], the number of the word next to each of [K,128]."""
    half = np.square(words).sum(1) / 2
    parts = [
        (half - product(values[start : start + ROWS_AT_ONCE], words.T)).argmin(1)
        for start in range(0, len(values), ROWS_AT_ONCE)
    ]
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


def _sums(values: np.ndarray, number: np.ndarray, count: int) -> np.ndarray:
    """[count,128] float32, the values [K,128] added up by their number [K]."""
    one = np.ones(len(number), np.float32)
    return csr_matrix((one, (number, np.arange(len(number)))), shape=(count, len(number))) @ values


def _of_unit_length(vectors: np.ndarray) -> np.ndarray:
    """[...,C], those of no length as they are."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), SHORTEST)
