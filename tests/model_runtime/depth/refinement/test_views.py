"""Points of one map in another, against the same points projected by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from model_runtime.depth.refinement.views import MapCamera, matching_view, seen_by
from model_runtime.geometry.arrays import Array, Device, as_numpy
from tests.model_runtime.depth.room import Camera, cast, look

WIDE, TALL = (36, 48), (40, 30)
NEAR_BORDER = 2e-3
"""Pixels within which float32 may take the neighbour."""


def moved(camera: Camera, shift: np.ndarray) -> Camera:
    extrinsics = camera.extrinsics.copy()
    extrinsics[:3, 3] -= extrinsics[:3, :3] @ shift
    return replace(camera, extrinsics=extrinsics)


@pytest.mark.parametrize("shift", [0.0, 1e6])
@pytest.mark.parametrize("swapped", [False, True])
def test_points_fall_where_they_are_projected(shift: float, swapped: bool, sent: Callable[..., Array]) -> None:
    """A landscape and a portrait photo of different sizes, maps of other sizes and shapes than either."""
    shots = [
        (look((-0.8, 0, 0), (0, 0.3, 4), (640, 480), 500.0), WIDE),
        (look((0.7, -0.4, 0.5), (-0.6, 0.1, 4), (300, 400), 330.0), TALL),
    ]
    (camera, size), (other, other_size) = reversed(shots) if swapped else shots
    depth, _ = cast(camera, size)
    pixels, their_depth = other.project(camera.points(depth))
    pixels = pixels * (other_size[1], other_size[0]) / other.photo
    inside = ((pixels >= 0) & (pixels < (other_size[1], other_size[0]))).all(-1)

    far = np.array([shift, -shift, 0.5 * shift])
    maps = [moved(camera, far).map(size), moved(other, far).map(other_size)]
    sight = seen_by(maps[0], sent(np.log(depth)), maps[1])
    assert as_numpy(sight.depth) == pytest.approx(their_depth, rel=1e-5)
    clear = (np.abs(pixels - np.round(pixels)) > NEAR_BORDER).all(-1)
    assert clear.mean() > 0.98 and 0.3 < inside.mean() < 0.95
    assert (as_numpy(sight.inside) == inside)[clear].all()
    column, row = np.floor(pixels).astype(int)[clear & inside].T
    assert (as_numpy(sight.index)[clear & inside] == row * other_size[1] + column).all()


def test_what_is_behind_a_camera_or_beside_it_is_not_seen_and_its_index_is_one(sent: Callable[..., Array]) -> None:
    camera, behind = look((0, 0, 0), (0, 0, 1)), look((0, 0, 9), (0, 0, 20))
    aside = look((0, 0, 0), (1, 0, 0.0001))
    for other in (behind, aside):
        sight = seen_by(camera.map(WIDE), sent(np.full(WIDE, np.log(4.0))), other.map(TALL))
        assert not sight.inside.any()
        assert sight.index.min() >= 0 and sight.index.max() < TALL[0] * TALL[1]


def test_rays_go_through_the_centres_of_pixels(sent: Callable[..., Array]) -> None:
    camera = MapCamera.of_photo((2, 4), (400, 100), np.array([[200.0, 0, 190], [0, 50, 40], [0, 0, 1]]), np.eye(4))
    rays = camera.rays(sent(0.0))
    assert rays[0, 0].tolist() == pytest.approx([(x - 190) / 200 for x in (50, 150, 250, 350)])
    assert rays[1, :, 0].tolist() == pytest.approx([(y - 40) / 50 for y in (25, 75)])
    assert (rays[2] == 1).all()


def test_depth_is_brought_to_the_size_of_the_compared_picture(device: Device) -> None:
    """Depth that grows by the same factor from column to column does so at twice the pixels, too."""
    depth = np.tile(2.0 * 1.1 ** np.arange(12), (9, 1))
    grey = np.arange(18 * 24, dtype=np.uint32).reshape(18, 24).astype(np.uint8)
    camera = MapCamera((18, 24), np.diag((20.0, 20, 1)), np.eye(4))
    view = matching_view(grey, depth, camera, device)
    at = (np.arange(24) + 0.5) / 2 - 0.5
    assert np.exp(as_numpy(view.log_depth))[:, 1:-1] == pytest.approx(
        np.tile(2.0 * 1.1**at, (18, 1))[:, 1:-1], rel=1e-5
    )
    assert (as_numpy(view.grey) * 255).round().astype(np.uint8).tolist() == grey.tolist()
