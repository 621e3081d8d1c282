"""How two chunks relate that have photos in common: the same pixel of a photo is the same point in both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model_runtime.geometry.cameras import invert_extrinsics
from model_runtime.geometry.pose_graph import Edge
from model_runtime.geometry.robust_similarity import robust_similarity, weighted_median
from model_runtime.geometry.similarity import Similarity, align_cameras
from model_runtime.prediction.chunks.chunk import ChunkOutput, Seam

GRID = 32
"""Cells in a row, and in a column, of a photo's depth map: one pixel at random is looked at in each."""
FEWEST_PIXELS = 16
"""Of a photo; fewer tell nothing of its depth."""
CAMERA_SHARE = 0.1
"""Weight of a photo's cameras beside that of its pixels: they decide what a bare wall leaves open."""
SUREST = 3.0
"""Times the photo's median confidence from which more confidence counts no more."""
INDEPENDENT = 2.0
"""Errors of a photo that are independent of each other: those of its many pixels are not."""
LEAST_DEVIATION = 1e-4
"""Relative to depth; chunks that agree better are not believed more."""
BENT_SHIFT, BENT_TURN, BENT_SCALE = 0.02, 0.01, 0.02
"""How far a chunk's own world may be bent between two seams, one standard deviation: in depths, radians, log scale. No
seam shows that, but loops and known cameras do, and then all seams must give way a little, rather than one a lot."""
ASSUMED_DEVIATION = 0.2
"""Relative to depth, where cameras alone relate two chunks."""


@dataclass(frozen=True, eq=False)
class PhotoEvidence:
    """What both chunks say of one photo. ratio: median depth in the first over depth in the second, None without depth.

    points_first, points_second: [M,3] the same points in both worlds. depth: [M] in the first, along z; weight: [M].
    """

    ratio: float | None
    points_first: np.ndarray
    points_second: np.ndarray
    depth: np.ndarray
    weight: np.ndarray


@dataclass(frozen=True, eq=False)
class FoundSeam:
    """The seam, and what the pose graph is told of it. ratios: place of a common photo to `PhotoEvidence.ratio`."""

    seam: Seam
    edge: Edge
    ratios: dict[int, float]


def find_seam(first: ChunkOutput, second: ChunkOutput, numbers: tuple[int, int]) -> FoundSeam | None:
    """How the second chunk's world lies in the first's; None where they have no photo in common.

    numbers: what the chunks are called in the seam and the edge.
    """
    common = [place for place in first.places if place in set(second.places)]
    if not common:
        return None
    pairs = [(place, first.places.index(place), second.places.index(place)) for place in common]
    evidence = [photo_evidence(first, i, second, j, place) for place, i, j in pairs]
    ratios = {place: each.ratio for place, each in zip(common, evidence, strict=True) if each.ratio is not None}
    if ratios:
        found = robust_similarity(
            np.concatenate([each.points_second for each in evidence]),
            np.concatenate([each.points_first for each in evidence]),
            np.concatenate([each.weight for each in evidence]),
            np.concatenate([each.depth for each in evidence]),
            seed=common[0],
        )
        if found is not None and found.determined:
            size = sum(len(each.depth) for each in evidence)
            certainty = INDEPENDENT * len(common) / size / max(found.deviation, LEAST_DEVIATION) ** 2
            far = float(np.median(np.concatenate([each.depth for each in evidence]))) / float(found.similarity.scale)
            information = _if_bent(found.information * certainty, far)
            edge = Edge(*numbers, as_matrix(found.similarity), information, found.frame)
            return FoundSeam(Seam(*numbers, len(common), found.residual, found.inliers), edge, ratios)
    return _by_cameras(first, second, numbers, pairs, ratios)


def photo_evidence(first: ChunkOutput, i: int, second: ChunkOutput, j: int, seed: int) -> PhotoEvidence:
    """Sampled pixels of photo `i` of the first chunk, which is `j` of the second, and its cameras as points: their
    centres and, as far off as the photo's depth, what lies on their axes."""
    rng = np.random.default_rng(seed)
    at = (np.stack(np.meshgrid(np.arange(GRID), np.arange(GRID)), -1).reshape(-1, 2) + rng.random((GRID**2, 2))) / GRID
    depth, sure, points = _sampled(first, i, at)
    other_depth, other_sure, other_points = _sampled(second, j, at)
    usable = (depth > 0) & (other_depth > 0)
    weight = np.sqrt(sure * other_sure) * usable
    centres = np.zeros((0, 3)), np.zeros((0, 3))
    ratio, reach = None, np.zeros(0)
    if usable.sum() >= FEWEST_PIXELS and weight.sum() > 0:
        ratio = weighted_median(depth[usable] / other_depth[usable], weight[usable])
        far = weighted_median(other_depth[usable], weight[usable])
        centres = _camera_points(first, i, ratio * far), _camera_points(second, j, far)
        reach = np.full(len(centres[0]), ratio * far)
    else:
        usable[:] = False
    camera_weight = np.full(len(reach), CAMERA_SHARE * weight[usable].sum() / max(len(reach), 1))
    return PhotoEvidence(
        ratio,
        np.concatenate((points[usable], centres[0])),
        np.concatenate((other_points[usable], centres[1])),
        np.concatenate((depth[usable], reach)),
        np.concatenate((weight[usable], camera_weight)),
    )


def camera_to_world(extrinsics: np.ndarray) -> np.ndarray:
    """[...,4,4] of world-to-camera [...,4,4], float64."""
    return invert_extrinsics(np.asarray(extrinsics, np.float64))


def as_matrix(similarity: Similarity) -> np.ndarray:
    """[4,4] float64."""
    matrix = np.eye(4)
    matrix[:3, :3] = float(similarity.scale) * similarity.rotation
    matrix[:3, 3] = similarity.translation
    return matrix


def _if_bent(information: np.ndarray, far: float) -> np.ndarray:
    """The inverse covariance [7,7] of a seam where what it relates may be bent, too; far: depth in its own unit."""
    bent = np.diag(np.square([BENT_SHIFT * far] * 3 + [BENT_TURN] * 3 + [BENT_SCALE]))
    return np.linalg.solve(np.eye(7) + information @ bent, information)


def _sampled(chunk: ChunkOutput, i: int, at: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Depth [M] (0 for none), confidence [M] in units of its median, and world points [M,3] at places [M,2] 0..1."""
    height, width = chunk.depths[i].shape
    x, y = np.minimum((at * [width, height]).astype(int), [width - 1, height - 1]).T
    depth = np.asarray(chunk.depths[i][y, x], np.float64)
    sure = np.asarray(chunk.confidences[i][y, x], np.float64)
    usable = np.isfinite(depth) & (depth > 0) & np.isfinite(sure) & (sure > 0)
    depth = np.where(usable, depth, 0)
    middle = np.median(sure[usable]) if usable.any() else 1.0
    sure = np.where(usable, np.minimum(sure / middle, SUREST), 0)
    rays = np.stack((x + 0.5, y + 0.5, np.ones(len(x))), 1) @ np.linalg.inv(chunk.intrinsics[i]).T
    pose = camera_to_world(chunk.extrinsics[i])
    return depth, sure, (rays * depth[:, None]) @ pose[:3, :3].T + pose[:3, 3]


def _camera_points(chunk: ChunkOutput, i: int, reach: float) -> np.ndarray:
    """[4,3]: the camera's centre, and what is `reach` off along its axes."""
    pose = camera_to_world(chunk.extrinsics[i])
    return pose[:3, 3] + reach * np.concatenate((np.zeros((1, 3)), pose[:3, :3].T))


def _by_cameras(
    first: ChunkOutput,
    second: ChunkOutput,
    numbers: tuple[int, int],
    pairs: list[tuple[int, int, int]],
    ratios: dict[int, float],
) -> FoundSeam:
    """Where depth tells nothing: by the common photos' cameras alone; of one place the scale stays."""
    mine = np.asarray(first.extrinsics, np.float64)[[i for _, i, _ in pairs]]
    other = np.asarray(second.extrinsics, np.float64)[[j for _, _, j in pairs]]
    fallback = float(np.median(list(ratios.values()))) if ratios else 1.0
    similarity = align_cameras(other, mine, fallback)
    frame = camera_to_world(other[0])
    reach = max(float(np.linalg.norm(camera_to_world(other)[:, :3, 3] - frame[:3, 3], axis=1).max()), 1e-3)
    spread = ASSUMED_DEVIATION * np.array([reach, reach, reach, 1, 1, 1, 1])
    edge = Edge(*numbers, as_matrix(similarity), np.diag(1 / spread**2), frame)
    return FoundSeam(Seam(*numbers, len(pairs), float("nan"), 0.0), edge, ratios)
