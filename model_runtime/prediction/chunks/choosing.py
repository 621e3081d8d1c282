"""Which photos the network looks at together, where their cameras are known: those that see the same things."""

from __future__ import annotations

import math

import numpy as np
import scipy.sparse

from model_runtime.cameras.features.result import SparsePoints

MOST_OVERLAP = 20
"""Photos that two chunks have in common at most, where cameras are the network's own; else it is half of a chunk."""


def chunks_by_sight(extrinsics: np.ndarray, sparse: SparsePoints | None, at_once: int) -> list[list[int]]:
    """The places of all N photos, each in one chunk of at most `at_once`, as even in size as can be.

    extrinsics: [N,4,4] world-to-camera. sparse: points that the photos see, or None: then photos that look from near
    each other in one direction belong together.
    """
    count = len(extrinsics)
    shared = _by_poses(extrinsics) if sparse is None or not len(sparse.view) else _by_points(sparse, count)
    np.fill_diagonal(shared, 0)
    left = np.ones(count, bool)
    chunks: list[list[int]] = []
    number = math.ceil(count / at_once)
    for i in range(number):
        size = int(left.sum()) // (number - i) + (int(left.sum()) % (number - i) > 0)
        chunks.append(_grown(shared, left, size))
        left[chunks[-1]] = False
    return chunks


def chunks_in_order(count: int, at_once: int) -> list[list[int]]:
    """The places of photos that follow each other, in chunks of at most `at_once`, each with the end of the last."""
    if count <= at_once:
        return [list(range(count))]
    overlap = min(at_once // 2, MOST_OVERLAP)
    number = math.ceil((count - overlap) / (at_once - overlap))
    ends = np.round(np.linspace(at_once, count, number)).astype(int)
    return [list(range(max(0, end - at_once), end)) for end in ends.tolist()]


def _grown(shared: np.ndarray, left: np.ndarray, size: int) -> list[int]:
    """A chunk of photos that are `left` [N] bool, from the one that shares least with the others on: at the rim, so
    that no islands remain."""
    free = left.copy()
    start = int(np.where(free, shared[:, free].sum(1), np.inf).argmin())
    chunk, free[start] = [start], False
    ties = shared[start].copy()
    while len(chunk) < size:
        # Of photos that share nothing with the chunk the next one in order.
        order = 1e-9 / (1 + np.abs(np.arange(len(left)) - chunk[-1]))
        best = int(np.where(free, ties + order, -1).argmax())
        chunk.append(best)
        free[best] = False
        ties += shared[best]
    return sorted(chunk)


def _by_points(sparse: SparsePoints, count: int) -> np.ndarray:
    """[N,N] points that two photos both see, as a share of what the one that sees fewer sees."""
    seen = scipy.sparse.csr_matrix(
        (np.ones(len(sparse.view), np.float32), (sparse.view, sparse.point)), (count, len(sparse.points))
    )
    seen.data[:] = 1
    both = (seen @ seen.T).toarray()
    own = np.maximum(both.diagonal(), 1)
    return both / np.minimum(own[:, None], own)


def _by_poses(extrinsics: np.ndarray) -> np.ndarray:
    """[N,N] in 0..1: the cosine between two lines of sight, less the farther apart the cameras stand."""
    centres = -np.einsum("nji,nj->ni", extrinsics[:, :3, :3], extrinsics[:, :3, 3])
    apart = np.linalg.norm(centres[:, None] - centres, axis=2)
    reach = max(float(np.median(apart)), 1e-12)
    axes = extrinsics[:, 2, :3]
    return np.exp(-apart / reach) * np.clip(axes @ axes.T, 0, 1)
