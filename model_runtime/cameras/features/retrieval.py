"""Which photos look alike, told by their own features: nothing is downloaded, and no pair is matched.

Vectors of locally aggregated descriptors (Jegou et al. 2010) over words that are the photos' own.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from model_runtime.cameras.features.memory import PhotoFeatures

WORDS = 256
"""Means of descriptors. In furnished rooms 64 do as well; where all is painted alike 256 find a sixth more."""

STEPS = 5
"""Of k-means."""

MOST_LEARNT, MOST_USED = 100_000, 1024
"""Descriptors of all photos that words are learnt from, and of each photo, the largest, that tell what it is like."""

ROWS_AT_ONCE = 4096
SEED = 0


def likeness(features: Sequence[PhotoFeatures]) -> np.ndarray:
    """[N,N] float32, how alike photos are: 1 for the same, about 0 for photos of different things.

    The same on any number of cores. A photo without features is like none.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # sums of several threads end in other digits
    try:
        vectors = _vectors([torch.from_numpy(each.descriptors[:MOST_USED]) for each in features])
        return (vectors @ vectors.T).numpy()
    finally:
        torch.set_num_threads(threads)


def _vectors(descriptors: Sequence[Tensor]) -> Tensor:
    """[N,WORDS*128] of unit length: what the descriptors [K,128] uint8 of each photo are besides their words."""
    words = _words(torch.cat(list(descriptors)))
    vectors = torch.zeros(len(descriptors), *words.shape)
    for vector, some in zip(vectors, descriptors, strict=True):
        values = some.float()
        nearest = _nearest(values, words)
        vector.index_add_(0, nearest, values - words[nearest])
    # Every word counts alike: one that a pattern repeats would drown the others.
    return functional.normalize(functional.normalize(vectors, dim=2).flatten(1), dim=1)


def _words(descriptors: Tensor) -> Tensor:
    """[WORDS,128], k-means of a sample; fewer where there are fewer descriptors."""
    generator = torch.Generator().manual_seed(SEED)
    sample = descriptors[torch.randperm(len(descriptors), generator=generator)[:MOST_LEARNT]].float()
    words = sample[:WORDS].clone()
    for _ in range(STEPS):
        nearest = _nearest(sample, words)
        sums = torch.zeros_like(words).index_add_(0, nearest, sample)
        counts = torch.bincount(nearest, minlength=len(words))[:, None]
        words = torch.where(counts > 0, sums / counts.clamp(min=1), words)
    return words


def _nearest(values: Tensor, words: Tensor) -> Tensor:
    """[K], the number of the word next to each of [K,128]."""
    lengths = words.square().sum(1)
    parts = [
        torch.addmm(lengths.expand(len(rows), -1), rows, words.T, alpha=-2).argmin(1)
        for rows in values.split(ROWS_AT_ONCE)
        if len(rows)
    ]
    return torch.cat(parts) if parts else torch.zeros(0, dtype=torch.long)
