"""A painted room seen from inside, whose cameras and depths are known exactly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, map_coordinates
from scipy.spatial.transform import Rotation

from model_runtime.cameras.features.matching import Matches, match_photos
from model_runtime.contract.messages import Prediction, Request
from model_runtime.contract.progress import SILENT
from model_runtime.photos.feature_photo import FeaturePhoto, feature_photo
from model_runtime.prediction.predictor import Predictor

VIEWS, HEIGHT, WIDTH, FOCAL = 4, 216, 288, 240.0
HALF_SIZES = np.array([2.0, 1.3, 2.5])
TEXELS_PER_METRE = 120


@dataclass(frozen=True, eq=False)
class Room:
    """photos: [N,h,w,3] uint8. depth: [N,h,w]. extrinsics: [N,4,4]. intrinsics: [N,3,3] pixels."""

    photos: np.ndarray
    depth: np.ndarray
    extrinsics: np.ndarray
    intrinsics: np.ndarray


@pytest.fixture(scope="session")
def paint() -> np.ndarray:
    """[6,texels,texels], the walls."""
    rng = np.random.default_rng(5)
    paint = np.sum([s * gaussian_filter(rng.normal(size=(6, 640, 640)), (0, s, s)) for s in (3.5, 7, 16)], axis=0)
    return 0.5 + 0.18 * paint / paint.std()


@pytest.fixture(scope="session")
def shoot(paint: np.ndarray) -> Callable[..., np.ndarray]:
    """A photo [h,w,3] of the room by a camera [4,4], [3,3]; `bend` as in `render`."""
    return lambda extrinsics, intrinsics, bend=None: render(extrinsics, intrinsics, paint, bend)[0]


@pytest.fixture(scope="session")
def room(paint: np.ndarray) -> Room:
    """Four hand-held photos of a far corner, taken by one camera."""
    intrinsics = np.array([[FOCAL, 0, WIDTH / 2], [0, FOCAL, HEIGHT / 2], [0, 0, 1]])
    extrinsics = np.tile(np.eye(4), (VIEWS, 1, 1))
    for i in range(VIEWS):
        rotation = Rotation.from_euler("yxz", [30 - 9 * i, 4 * (i % 2), 2 * i], degrees=True).as_matrix()
        extrinsics[i, :3, :3] = rotation
        extrinsics[i, :3, 3] = -rotation @ (-0.6 + 0.45 * i, 0.2 * (i % 2), -1.2 + 0.15 * i)
    pictures = [render(pose, intrinsics, paint) for pose in extrinsics]
    photos, depth = (np.stack(arrays) for arrays in zip(*pictures, strict=True))
    return Room(photos, depth, extrinsics, np.tile(intrinsics, (VIEWS, 1, 1)))


def render(
    extrinsics: np.ndarray,
    intrinsics: np.ndarray,
    paint: np.ndarray,
    bend: Callable[[np.ndarray], np.ndarray] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Photo and depth of the inside of a box; each wall has its own picture, [6,texels,texels].

    bend: from where a distorting lens shows a direction to where a pinhole would, both [h,w,2] at focal length 1.
    """
    x, y = np.meshgrid(np.arange(WIDTH) + 0.5, np.arange(HEIGHT) + 0.5)
    seen = np.stack((x, y, np.ones_like(x)), axis=-1) @ np.linalg.inv(intrinsics).T
    if bend is not None:
        seen[..., :2] = bend(seen[..., :2])
    rays = seen @ extrinsics[:3, :3]
    origin = -extrinsics[:3, :3].T @ extrinsics[:3, 3]
    reach = (np.sign(rays) * HALF_SIZES - origin) / rays
    axis = reach.argmin(-1)
    depth = reach.min(-1)
    hit = origin + depth[..., None] * rays
    grey = np.empty(depth.shape)
    for wall in range(6):
        along, side = [(1, 2), (0, 2), (0, 1)][wall // 2], (-1, 1)[wall % 2]
        here = (axis == wall // 2) & (np.sign(rays[..., wall // 2]) == side)
        texels = [(hit[here][:, a] + HALF_SIZES[a]) * TEXELS_PER_METRE for a in along]
        grey[here] = map_coordinates(paint[wall], texels, order=1, mode="nearest")
    pixels = np.round(np.clip(grey, 0, 1) * 255).astype(np.uint8)
    return np.repeat(pixels[..., None], 3, axis=-1), depth


@pytest.fixture(scope="session")
def feature_photos(room: Room) -> list[FeaturePhoto]:
    return [feature_photo(f"{i}.png", pixels) for i, pixels in enumerate(room.photos)]


@pytest.fixture(scope="session")
def matches(feature_photos: list[FeaturePhoto]) -> Matches:
    return match_photos(feature_photos, SILENT)


def relative_errors(found: np.ndarray, true: np.ndarray) -> np.ndarray:
    """[pairs,2] degrees between found and true relative rotations and directions of translation; cameras [N,4,4]."""
    errors = []
    for i in range(len(true)):
        for j in range(i):
            a, b = (cameras[i] @ np.linalg.inv(cameras[j]) for cameras in (found, true))
            turn = Rotation.from_matrix(a[:3, :3] @ b[:3, :3].T).magnitude()
            cosine = a[:3, 3] @ b[:3, 3] / np.linalg.norm(a[:3, 3]) / np.linalg.norm(b[:3, 3])
            errors.append((np.degrees(turn), np.degrees(np.arccos(np.clip(cosine, -1, 1)))))
    return np.array(errors)


@pytest.fixture(scope="session")
def errors_of() -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    return relative_errors


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return Predictor()


@pytest.fixture(scope="module")
def prediction(predictor: Predictor, request_: Request) -> Prediction:
    """Of the request that a module has."""
    return predictor.predict(request_, lambda *_: None)
