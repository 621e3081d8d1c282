"""All frames of a clip adjusted together with the points that they see: bundle adjustment (Triggs et al. 2000)."""

from __future__ import annotations

import numpy as np
import pycolmap

from model_runtime.cameras.features.adjust import adjust
from model_runtime.cameras.features.result import SparsePoints
from model_runtime.cameras.features.tracks import triangulate
from model_runtime.clips.observing import Sight
from model_runtime.geometry.similarity import align_cameras

CELLS = 6
"""Along each side of the picture, of the grid in which points are chosen, so that they are spread over it."""

MOST_SEEN, LEAST_SEEN = 14, 3
"""Points in a cell of it, those that most frames see: more take longer and tell the same. Fewer in very long clips."""

MOST_IN_ALL = 500_000
"""Observations of all frames, each of which takes about a kilobyte while they are adjusted."""

ROUNDS = 2
STEPS = 30


def errors(poses: np.ndarray, points: np.ndarray, sight: Sight) -> np.ndarray:
    """[M], on the plane, between where points are seen and where cameras [F,4,4] would see them; inf behind them."""
    pose = poses[sight.frame]
    at = np.einsum("mij,mj->mi", pose[:, :3, :3], points[sight.point]) + pose[:, :3, 3]
    with np.errstate(all="ignore"):
        away = np.linalg.norm(at[:, :2] / at[:, 2:] - sight.plane, axis=1)
    return np.where((at[:, 2] > 0) & np.isfinite(away), away, np.inf)


def adjust_frames(
    poses: np.ndarray, points: np.ndarray, sight: Sight, rest: Sight, focal: float
) -> tuple[np.ndarray, np.ndarray]:
    """Cameras [F,4,4] and points [P,3] that agree best with what is seen, in the same world.

    rest: what is seen of other points, which follow the cameras. Frames that see nothing stay as they are.
    focal: pixels of a length of 1 on the plane. Observations count less from twice the typical error on (Cauchy loss),
    which is told anew in each round.
    """
    sight = sight.chosen(seen_twice(sight.point))
    first, used = poses, np.unique(sight.frame)
    for _ in range(ROUNDS):
        loss = 2 * focal * float(np.median(errors(poses, points, sight)))
        poses, points = _adjusted(poses, points, sight, focal, loss)
    points = _placed_anew(poses, points, rest)
    back = align_cameras(poses[used], first[used])
    moved = poses.copy()
    moved[used] = back.extrinsics(poses[used])
    return moved, back.points(points)


def best_seen(sight: Sight) -> np.ndarray:
    """Numbers of the observations that are enough for all frames: points that many see, spread over the picture."""
    often = np.bincount(sight.point)[sight.point]
    low, high = sight.plane.min(0), sight.plane.max(0)
    cell = np.minimum((sight.plane - low) / np.maximum(high - low, 1e-9) * CELLS, CELLS - 1).astype(np.int64)
    group = (sight.frame * CELLS + cell[:, 1]) * CELLS + cell[:, 0]
    order = np.lexsort((-often, group))
    rank = np.arange(len(order)) - np.searchsorted(group[order], group[order])
    most = MOST_IN_ALL // max(1, CELLS**2 * len(np.unique(sight.frame)))
    chosen = order[rank < min(max(most, LEAST_SEEN), MOST_SEEN)]
    return chosen[seen_twice(sight.point[chosen])]


def seen_twice(point: np.ndarray) -> np.ndarray:
    """[M] bool, observations of points [M] that two frames and more see: one alone tells nothing of a camera."""
    return np.bincount(point)[point] >= 2


def _placed_anew(poses: np.ndarray, points: np.ndarray, sight: Sight) -> np.ndarray:
    """Points [P,3] with those that are seen twice and more placed where these cameras see them."""
    sight = sight.chosen(seen_twice(sight.point))
    numbers, point = np.unique(sight.point, return_inverse=True)
    if not len(numbers):
        return points
    one = np.tile(np.eye(3), (len(poses), 1, 1))
    seen = SparsePoints(points[numbers], sight.frame, point, sight.plane)
    moved = points.copy()
    moved[numbers] = triangulate(poses, one, seen).points
    return moved


def _adjusted(
    poses: np.ndarray, points: np.ndarray, sight: Sight, focal: float, loss: float
) -> tuple[np.ndarray, np.ndarray]:
    model, numbers = _as_model(poses, points, sight, focal)
    adjust(model, loss, STEPS, refine_lens=False)
    moved, placed = poses.copy(), points.copy()
    for number in model.reg_image_ids():
        moved[number - 1, :3] = model.image(number).cam_from_world().matrix()
    for number, point in numbers.items():
        placed[point] = model.point3D(number).xyz
    return moved, placed


def _as_model(
    poses: np.ndarray, points: np.ndarray, sight: Sight, focal: float
) -> tuple[pycolmap.Reconstruction, dict[int, int]]:
    """COLMAP's model, numbers of images are frames plus 1; and of its points which of ours they are."""
    model = pycolmap.Reconstruction()
    camera = pycolmap.Camera(model="SIMPLE_PINHOLE", camera_id=1, width=2, height=2, params=[focal, 0.0, 0.0])
    model.add_camera_with_trivial_rig(camera)
    place = np.empty(len(sight.frame), np.int64)
    order = np.argsort(sight.frame, kind="stable")
    for mine in np.split(order, np.flatnonzero(np.diff(sight.frame[order])) + 1):
        place[mine] = np.arange(len(mine))
        frame = int(sight.frame[mine[0]])
        keypoints = sight.plane[mine] * focal
        image = pycolmap.Image(name=f"{frame:06}", keypoints=keypoints, camera_id=1, image_id=frame + 1)
        model.add_image_with_trivial_frame(image, pycolmap.Rigid3d(poses[frame, :3]))
    numbers = {}
    order = np.argsort(sight.point, kind="stable")
    for mine in np.split(order, np.flatnonzero(np.diff(sight.point[order])) + 1):
        elements = [pycolmap.TrackElement(int(sight.frame[m]) + 1, int(place[m])) for m in mine]
        point = int(sight.point[mine[0]])
        numbers[model.add_point3D(points[point], pycolmap.Track(elements))] = point
    return model, numbers
