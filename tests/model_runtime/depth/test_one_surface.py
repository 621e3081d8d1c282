"""Views of one plane, and of a step with a ramp strung over it: what is repeated, and what is left."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.spatial import KDTree

from model_runtime.contract.messages import View
from model_runtime.depth.one_surface import repeated_pixels
from tests.model_runtime.depth.room import WALL, Camera, cast, look

SIZE = (48, 64)
CPU = torch.device("cpu")


def found_repeated(views: list[View]) -> list[np.ndarray]:
    """By numpy; torch must say the same but where a point falls onto the border of two pixels."""
    by_numpy, by_torch = (repeated_pixels(views, device) for device in (None, CPU))
    for one, same in zip(by_numpy, by_torch, strict=True):
        assert (one != same).mean() < 0.01
    return by_numpy


def view_of(camera: Camera, depth: np.ndarray) -> View:
    flat = np.ones(depth.shape, np.float32)
    color = np.zeros((*depth.shape, 3), np.uint8)
    depth = depth.astype(np.float32)
    return View("", camera.photo, depth, flat, flat < 0, color, camera.extrinsics, camera.intrinsics)


def wall_views(cameras: list[Camera]) -> list[View]:
    views = []
    for camera in cameras:
        depth, what = cast(camera, SIZE)
        assert (what == WALL).all()
        views.append(view_of(camera, depth))
    return views


CAMERAS = [look((-0.4, -1.5, 0), (-0.3, -1.5, 5)), look((0.5, -1.4, 0.3), (0.3, -1.6, 5))]
THIRD = look((0.0, -2.2, -0.8), (0.2, -1.5, 5), (240, 320))


@pytest.fixture
def views() -> list[View]:
    return wall_views(CAMERAS)


def points(camera: Camera, view: View) -> np.ndarray:
    return camera.points(view.depth.astype(np.float64))


def shared(cameras: list[Camera], views: list[View], border: float = 8) -> list[np.ndarray]:
    """[h,w] bool for each view: pixels whose point is so many pixels inside the photo of another."""
    masks = []
    for one, view in zip(cameras, views, strict=True):
        mask = np.zeros(view.depth.shape, bool)
        for other in cameras:
            if other is not one:
                pixels, depth = other.project(points(one, view))
                mask |= ((pixels > border) & (pixels < np.array(other.photo) - border)).all(-1) & (depth > 0)
        masks.append(mask)
    return masks


def assert_covered(cameras: list[Camera], views: list[View], repeated: list[np.ndarray]) -> None:
    """No point of any view is farther than two pixels' footprints from one that is kept."""
    kept = [points(c, v)[~r] for c, v, r in zip(cameras, views, repeated, strict=True)]
    tree = KDTree(np.concatenate(kept))
    for camera, view in zip(cameras, views, strict=True):
        apart, _ = tree.query(points(camera, view).reshape(-1, 3))
        footprint = view.depth.ravel() / view.map_intrinsics.diagonal()[:2].min()
        assert (apart < 2 * footprint).all()


def test_two_views_of_a_plane_are_one_surface(views: list[View]) -> None:
    repeated = found_repeated(views)
    both = shared(CAMERAS, views)
    count, together = sum(int(r[b].sum()) for r, b in zip(repeated, both, strict=True)), sum(int(b.sum()) for b in both)
    assert together > 0.6 * 2 * views[0].depth.size
    assert 0.45 < count / together < 0.6
    for mine, any_other in zip(repeated, shared(CAMERAS, views, -0.01), strict=True):
        assert not mine[~any_other].any()
    assert_covered(CAMERAS, views, repeated)


def test_three_views_of_different_sizes_are_one_surface() -> None:
    cameras = [*CAMERAS, THIRD]
    upright, _ = cast(THIRD, (64, 48))
    views = [*wall_views(CAMERAS), view_of(THIRD, upright)]
    repeated = found_repeated(views)
    both = shared(cameras, views)
    assert sum(int(r[b].sum()) for r, b in zip(repeated, both, strict=True)) > 0.5 * sum(int(b.sum()) for b in both)
    assert_covered(cameras, views, repeated)


@pytest.mark.parametrize("seed", range(2))
def test_what_is_left_out_falls_into_a_pixel_that_stays(seed: int) -> None:
    """Confidence that differs from pixel to pixel, so that views take turns in being better."""
    rng = np.random.default_rng(seed)
    cameras = [*CAMERAS, THIRD, look((0.2, -1.3, -0.4), (0.1, -1.5, 5))]
    views = [view_of(camera, cast(camera, SIZE)[0]) for camera in cameras]
    views = [replace(view, confidence=1 + 3 * rng.random(SIZE, np.float32)) for view in views]
    repeated = found_repeated(views)
    assert 0.4 < np.mean(repeated) < 0.75
    for camera, view, mine in zip(cameras, views, repeated, strict=True):
        held = np.zeros(SIZE, bool)
        for other, theirs in zip(cameras, repeated, strict=True):
            if other is not camera:
                pixels, _ = other.project(points(camera, view))
                column, row = np.floor(pixels * SIZE[::-1] / other.photo).astype(int).transpose(2, 0, 1)
                inside = (column >= 0) & (column < SIZE[1]) & (row >= 0) & (row < SIZE[0])
                held |= inside & ~theirs[row.clip(0, SIZE[0] - 1), column.clip(0, SIZE[1] - 1)]
        assert held[mine].mean() > 0.999  # but for pixels whose border float32 may pass
    assert_covered(cameras, views, repeated)


def test_the_surer_view_keeps_what_both_show(views: list[View]) -> None:
    for surer in (0, 1):
        told = list(views)
        told[surer] = replace(views[surer], confidence=3 * views[surer].confidence)
        repeated = found_repeated(told)
        assert not repeated[surer].any()
        other = 1 - surer
        assert repeated[other][shared(CAMERAS, views)[other]].all()
        assert_covered(CAMERAS, told, repeated)


def test_the_nearer_view_keeps_what_both_show() -> None:
    """As sure as each other, but one has twice as many pixels for a length."""
    cameras = [look((0, -1.5, 0), (0, -1.5, 5)), look((0.2, -1.5, 2.5), (0.2, -1.5, 5))]
    views = wall_views(cameras)
    far, near = found_repeated(views)
    assert not near.any() and far[shared(cameras, views)[0]].all()


def test_the_longer_lens_keeps_what_both_show() -> None:
    cameras = [look((x, -1.6, 0), (x, -1.6, 5), focal=focal) for x, focal in ((0.0, 280.0), (0.4, 500.0))]
    views = wall_views(cameras)
    wide, long = found_repeated(views)
    assert not long.any() and wide[shared(cameras, views)[0]].all()


@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_views_that_disagree_repeat_nothing(views: list[View], factor: float) -> None:
    wrong = [views[0], replace(views[1], depth=(factor * views[1].depth).astype(np.float32))]
    assert not any(repeated.any() for repeated in found_repeated(wrong))


def test_a_view_alone_and_views_that_share_nothing_repeat_nothing(views: list[View]) -> None:
    (alone,) = found_repeated(views[:1])
    assert alone.shape == SIZE and alone.dtype == bool and not alone.any()
    away = views[1].extrinsics.copy()
    away[0, 3] += 500
    for repeated in found_repeated([views[0], replace(views[1], extrinsics=away)]):
        assert not repeated.any()


def test_sky_and_transparent_parts_stand_for_nobody(views: list[View]) -> None:
    nowhere = np.ones(SIZE, bool)
    sure = replace(views[1], confidence=3 * views[1].confidence)
    for hidden in (replace(sure, sky=nowhere), replace(sure, opaque=~nowhere)):
        repeated = found_repeated([views[0], hidden])
        assert not repeated[0].any()


@pytest.mark.filterwarnings("error")
def test_depth_that_is_none_stands_for_nobody(views: list[View]) -> None:
    depth = views[1].depth.copy()
    depth[:, :10], depth[:, 10:20] = 0, np.inf
    sure = replace(views[1], depth=depth, confidence=3 * views[1].confidence)
    repeated = found_repeated([views[0], sure])[0]
    pixels, _ = CAMERAS[1].project(points(CAMERAS[0], views[0]))
    column = pixels[..., 0] * SIZE[1] / CAMERAS[1].photo[0]
    inside = shared(CAMERAS, views)[0]
    assert not repeated[inside & (column < 19.5)].any()
    assert repeated[inside & (column > 21)].all()


PROFILE = np.array([(-20.0, 4.0), (-0.15, 4.0), (0.0, 2.0), (20.0, 2.0)])
"""(x, z) of a wall, a ramp of a few pixels and a nearer wall, the same at every height."""


def profile_depth(camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    """Depth [h,w] of the profile, and whether it is the ramp's, for a camera that looks along z."""
    rays, eye = camera.rays(SIZE), camera.centre
    depth, ramp = np.full(SIZE, np.inf), np.zeros(SIZE, bool)
    for i, (one, other) in enumerate(pairwise(PROFILE)):
        across = other - one
        # eye + t * ray = one + s * across, in x and z.
        determinant = rays[..., 2] * across[0] - rays[..., 0] * across[1]
        t = ((one[1] - eye[2]) * across[0] - (one[0] - eye[0]) * across[1]) / determinant
        s = (rays[..., 2] * (eye[0] - one[0]) - rays[..., 0] * (eye[2] - one[1])) / determinant
        hit = (s >= 0) & (s <= 1) & (t > 0) & (t < depth)
        depth[hit], ramp[hit] = t[hit], i == 1
    return depth, ramp


def inner(ramp: np.ndarray) -> np.ndarray:
    """Pixels of the ramp whose neighbours in the row are of it, too."""
    mask = ramp.copy()
    mask[:, 1:-1] = ramp[:, 1:-1] & ramp[:, :-2] & ramp[:, 2:]
    return mask


def test_flying_pixels_stand_for_nobody() -> None:
    """Both views have the same ramp, and the surer one's would be better; it is no surface."""
    cameras = [look((x, 0, 0), (x, 0, 5)) for x in (-0.06, -0.22)]
    depths, ramps = zip(*(profile_depth(camera) for camera in cameras), strict=True)
    views = [view_of(camera, depth) for camera, depth in zip(cameras, depths, strict=True)]
    views[1] = replace(views[1], confidence=3 * views[1].confidence)
    repeated, better = found_repeated(views)
    pixels, _ = cameras[1].project(points(cameras[0], views[0]))
    column, row = np.floor(pixels * 0.2).astype(int).transpose(2, 0, 1)
    inside = (column >= 0) & (column < SIZE[1]) & (row >= 0) & (row < SIZE[0])
    there = np.where(inside, inner(ramps[1])[row.clip(0, SIZE[0] - 1), column.clip(0, SIZE[1] - 1)], False)
    assert there.sum() == 2 * SIZE[0]
    assert not repeated[there].any() and not better.any()
    elsewhere = shared(cameras, views)[0] & ~ramps[0]
    assert repeated[elsewhere].mean() > 0.95
