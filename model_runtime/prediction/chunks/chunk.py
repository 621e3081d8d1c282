"""What goes into joining chunks of photos, and what comes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from model_runtime.geometry.similarity import Similarity


@dataclass(frozen=True, eq=False)
class ChunkOutput:
    """What the network saw in n of a job's photos, looking at them together: a world of its own, in a unit of its own.

    places: [n] which of the job's photos these are, none twice. depths, confidences: per photo [h,w], along the
    camera's z; not finite or not positive is no depth. The arrays may be mapped from disk: only samples are read.
    extrinsics: [n,4,4] world-to-camera. intrinsics: [n,3,3] in pixels of the depths.
    """

    places: tuple[int, ...]
    depths: Sequence[np.ndarray]
    confidences: Sequence[np.ndarray]
    extrinsics: np.ndarray
    intrinsics: np.ndarray

    def __post_init__(self) -> None:
        n = len(self.places)
        sizes = {n, len(self.depths), len(self.confidences), len(self.extrinsics), len(self.intrinsics)}
        if n == 0 or sizes != {n} or len(set(self.places)) != n:
            raise ValueError(f"A chunk of photos {self.places} must have a depth, a confidence and a camera for each.")


@dataclass(frozen=True)
class Seam:
    """Where two chunks meet. first, second: of `chunks`, then of `loops`, counted on.

    photos: that both have. residual: what their points are apart, median, relative to depth. inliers: share of points
    that agree. apart: how far the joined world leaves the two from how they fit best, in standard deviations.
    kept: False where that is so far that this seam was overruled by others.
    """

    first: int
    second: int
    photos: int
    residual: float
    inliers: float
    apart: float = 0.0
    kept: bool = True


@dataclass(frozen=True, eq=False)
class Joined:
    """One world of N photos.

    extrinsics: [N,4,4] world-to-camera. owner: [N] the chunk whose depth (and intrinsics) a photo takes, that in which
    it is most central. depth_scale: [N] what this depth is multiplied by to be in the world's unit.
    similarities: from each chunk's world (then each loop's) to this one. seams: how well they fit.
    notes: sentences for the artist.
    """

    extrinsics: np.ndarray
    depth_scale: np.ndarray
    owner: np.ndarray
    similarities: tuple[Similarity, ...]
    seams: tuple[Seam, ...]
    notes: tuple[str, ...] = field(default=())
