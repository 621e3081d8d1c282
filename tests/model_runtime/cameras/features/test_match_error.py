"""The error shown to the artist, in pixels of the original photo, against a reprojection written anew with scipy."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.spatial.transform import Rotation

from model_runtime.cameras.sources import FoundCameras, find_cameras
from model_runtime.contract.messages import Photo
from model_runtime.contract.progress import SILENT
from model_runtime.photos.feature_photo import WORKING_SIDE
from model_runtime.photos.prepare import prepare_photos

FACTOR = 5
ORIENTATION = 0x0112
TURNED_LEFT = 6
"""EXIF orientation of a photo whose pixels are stored a quarter turn anticlockwise from upright."""


@pytest.fixture(scope="module")
def found(room: Any) -> FoundCameras:
    """From two files larger than features are looked for at, whose pixels lie on their side."""
    files = []
    for i in (1, 2):
        upright = np.kron(room.photos[i], np.ones((FACTOR, FACTOR, 1), np.uint8))
        exif = Image.Exif()
        exif[ORIENTATION] = TURNED_LEFT
        file = io.BytesIO()
        Image.fromarray(np.rot90(upright)).save(file, "PNG", exif=exif)
        files.append(Photo(f"{i}.png", file.getvalue()))
    photos, _ = prepare_photos(files, 56, SILENT, with_features=True)
    assert all(
        p.feature is not None and max(p.feature.size) > max(p.feature.grey.shape) == WORKING_SIDE for p in photos
    )
    cameras = find_cameras("features", False, photos, SILENT)
    assert isinstance(cameras, FoundCameras)
    return cameras


def test_it_is_what_scipy_finds(found: FoundCameras) -> None:
    assert found.sparse is not None and found.known is not None
    errors = []
    for view, point, pixel in zip(found.sparse.view, found.sparse.point, found.sparse.pixel, strict=True):
        pose, k = found.known.extrinsics[view], found.known.intrinsics[view]
        x, y, z = Rotation.from_matrix(pose[:3, :3]).apply(found.sparse.points[point]) + pose[:3, 3]
        errors.append(np.hypot(k[0, 0] * x / z + k[0, 2] - pixel[0], k[1, 1] * y / z + k[1, 2] - pixel[1]))
    assert len(errors) > 200
    assert found.match_error == pytest.approx(np.median(errors), rel=1e-6)
    assert 0 < found.match_error < FACTOR


def test_its_pixels_are_those_of_the_upright_photo(room: Any, found: FoundCameras) -> None:
    """What one photo shows at a feature, moved by the true depth and cameras, is at the feature in the other."""
    assert found.sparse is not None
    order = np.lexsort((found.sparse.view, found.sparse.point))
    first, second = found.sparse.pixel[order].reshape(-1, 2, 2).transpose(1, 0, 2) / FACTOR
    column, row = first.astype(int).T
    rays = np.column_stack((first, np.ones(len(first)))) @ np.linalg.inv(room.intrinsics[1]).T
    seen = rays * room.depth[1][row, column][:, None]
    motion = room.extrinsics[2] @ np.linalg.inv(room.extrinsics[1])
    landed = (seen @ motion[:3, :3].T + motion[:3, 3]) @ room.intrinsics[2].T
    assert np.median(np.linalg.norm(landed[:, :2] / landed[:, 2:] - second, axis=1)) < 0.5
    assert np.ptp(second[:, 0]) > 0.5 * room.photos.shape[2]
