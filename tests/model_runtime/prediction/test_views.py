"""Outputs of an imaginary network that errs in nothing but its frame, scale and sizes: the truth must come back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from model_runtime.cameras.settle import ASSUMED_FOCAL_35MM, settle_cameras
from model_runtime.contract.messages import Cameras, Gaussians, JobError, View
from model_runtime.network.config import METRIC_FOCAL
from model_runtime.network.output import GaussianSplats, Output
from model_runtime.photos.canvas import Placement
from model_runtime.photos.prepare import PreparedPhoto
from model_runtime.prediction.views import make_views
from model_runtime.splats.make import make_gaussians

CANVAS = 84
PLACEMENTS = (
    Placement((800, 600), (84, 70), (CANVAS, CANVAS)),
    Placement((600, 800), (56, 84), (CANVAS, CANVAS)),
    Placement((500, 500), (84, 84), (CANVAS, CANVAS)),
)
PLANE = 5.0
"""The scene is the wall z = 5 of the given frame, which every camera faces more or less."""

TURN = Rotation.from_euler("xyz", [20, -35, 60], degrees=True).as_matrix()
SHIFT = np.array([3.0, -2, 1])
SHRINK = 0.25
"""The network's world is SHRINK * TURN @ x + SHIFT of the given one."""


def prepared() -> list[PreparedPhoto]:
    return [
        PreparedPhoto(f"{i}.jpg", p, np.full((p.size[1], p.size[0], 3), 40 * i, np.uint8), b"", None)
        for i, p in enumerate(PLACEMENTS)
    ]


def given_cameras(centres: np.ndarray) -> Cameras:
    extrinsics = np.tile(np.eye(4), (len(centres), 1, 1))
    for i, centre in enumerate(centres):
        rotation = Rotation.from_euler("xy", [4.0 * i - 3, 5.0 - 6 * i], degrees=True).as_matrix()
        extrinsics[i, :3, :3] = rotation
        extrinsics[i, :3, 3] = -rotation @ centre
    # Square pixels of the canvas, centred, as a camera head predicts them.
    canvas = np.array([[70.0, 0, CANVAS / 2], [0, 75.0, CANVAS / 2], [0, 0, 1]])
    return Cameras(extrinsics, np.stack([p.intrinsics_to_photo(canvas) for p in PLACEMENTS[: len(centres)]]))


def wall(extrinsics: np.ndarray, intrinsics: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, ...]:
    """Depth of the wall at pixels x, y, and origin and direction (z = 1 in the camera) of their rays."""
    rotation = extrinsics[:3, :3]
    centre = -rotation.T @ extrinsics[:3, 3]
    direction = np.stack((x, y, np.ones_like(x)), axis=-1) @ np.linalg.inv(intrinsics).T @ rotation
    return (PLANE - centre[2]) / direction[..., 2], np.broadcast_to(centre, direction.shape), direction


def grid(cells: int) -> tuple[np.ndarray, np.ndarray]:
    positions = (np.arange(cells) + 0.5) * CANVAS / cells
    x, y = np.meshgrid(positions, positions)
    return x, y


def perfect_output(cameras: Cameras, world_scale: float = 1.0) -> Output:
    """What a faultless network would say of these cameras in a world of its own."""
    count = len(cameras.extrinsics)
    depths, rays, poses, canvases, means = [], [], [], [], []
    for pose, k, placement in zip(cameras.extrinsics, cameras.intrinsics, PLACEMENTS, strict=False):
        canvas = placement.intrinsics_to_canvas(k)
        depth, origin, direction = wall(pose, canvas, *grid(CANVAS))
        depths.append(depth * SHRINK)
        points = (origin + depth[..., None] * direction) @ (SHRINK * TURN).T + SHIFT
        _, ray_origin, ray_direction = wall(pose, canvas, *grid(CANVAS // 14 * 8))
        moved_origin = ray_origin @ (SHRINK * TURN).T + SHIFT
        rays.append(np.concatenate((ray_direction @ TURN.T, moved_origin), axis=-1))
        rotation = pose[:3, :3] @ TURN.T
        moved = np.concatenate((rotation, (SHRINK * pose[:3, 3] - rotation @ SHIFT)[:, None]), axis=1)
        poses.append(moved)
        canvases.append(canvas)
        # The Gaussian head's world has the same axes, with everything scaled about the origin.
        means.append(points.reshape(-1, 3) * world_scale)
    splats = CANVAS * CANVAS * count
    harmonics = torch.zeros(1, splats, 3, 4, dtype=torch.float32)
    harmonics[..., 3] = 1.0  # brighter along -x of the network's world
    gaussians = GaussianSplats(
        means=tensor(np.concatenate(means)),
        scales=torch.full((1, splats, 3), 0.01 * world_scale),
        rotations=torch.tensor([1.0, 0, 0, 0]).expand(1, splats, 4),
        harmonics=harmonics,
        opacities=torch.full((1, splats), 0.5),
        world_scale=torch.tensor([world_scale]),
    )
    return Output(
        depth=tensor(np.stack(depths)),
        depth_conf=tensor(np.stack(depths)) + 1,
        ray=tensor(np.stack(rays)),
        ray_conf=torch.ones(1, count, 48, 48),
        extrinsics=tensor(np.stack(poses)),
        intrinsics=tensor(np.stack(canvases)),
        gaussians=gaussians,
    )


def tensor(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(array.astype(np.float32))[None]


def settle(output: Output, given: Cameras | None, ray_scale: float = 1.0):
    photos = prepared()[: output.depth.shape[1]]
    cameras, notes = settle_cameras(output, photos, given, 1.0)
    return photos, cameras, make_views(output, photos, cameras, ray_scale), notes


def view_points(view: View) -> np.ndarray:
    """[h,w,3] by the view's camera, from photo pixels."""
    height, width = view.depth.shape
    x = (np.arange(width) + 0.5) * view.photo_size[0] / width
    y = (np.arange(height) + 0.5) * view.photo_size[1] / height
    pixels = np.stack((*np.meshgrid(x, y), np.ones((height, width))), axis=-1)
    seen = pixels @ np.linalg.inv(view.intrinsics).T * view.depth[..., None]
    return (seen - view.extrinsics[:3, 3]) @ view.extrinsics[:3, :3]


CENTRES = np.array([[0.0, 0, 0], [1.0, 0.2, -0.3], [0.4, -0.9, 0.5]])


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("world_scale", [1.0, 2.5])
def test_a_faultless_network_in_another_frame_gives_the_given_scene(count: int, world_scale: float) -> None:
    given = given_cameras(CENTRES[:count])
    output = perfect_output(given, world_scale)
    photos, cameras, views, notes = settle(output, given)
    assert notes == []
    for i, view in enumerate(views):
        assert (view.extrinsics == given.extrinsics[i]).all() and (view.intrinsics == given.intrinsics[i]).all()
        points = view_points(view)
        assert np.abs(points[..., 2] - PLANE).max() < 1e-3
        assert view.ray is not None
        width, height = PLACEMENTS[i].size
        assert view.ray.shape[:2] == (height * 8 // 14, width * 8 // 14)
        x = (np.arange(view.ray.shape[1]) + 0.5) * view.photo_size[0] / view.ray.shape[1]
        y = (np.arange(view.ray.shape[0]) + 0.5) * view.photo_size[1] / view.ray.shape[0]
        _, origin, direction = wall(given.extrinsics[i], given.intrinsics[i], *np.meshgrid(x, y))
        assert np.abs(view.ray[..., :3] - direction).max() < 1e-4
        assert np.abs(view.ray[..., 3:] - origin).max() < 1e-3

    splats = make_gaussians(output, photos, views, cameras)
    assert splats.source == "network"
    expected = np.concatenate([view_points(view).reshape(-1, 3) for view in views])
    assert np.abs(splats.means - expected).max() < 1e-3
    pixels = [
        view.depth.ravel() / PLACEMENTS[i].intrinsics_to_canvas(view.intrinsics).diagonal()[:2].mean()
        for i, view in enumerate(views)
    ]
    scales = np.hypot(0.01 / SHRINK, 0.3**0.5 * np.concatenate(pixels))
    assert np.abs(splats.scales - scales[:, None]).max() < 1e-5
    back = Rotation.from_matrix(TURN.T)
    turned = Rotation.from_quat(splats.rotations[:, [1, 2, 3, 0]])
    assert (back.inv() * turned).magnitude().max() < 1e-4
    # Band 1 is (-y, z, -x) * 0.4886 of a direction, so its coefficients turn like the vector (-c3, -c1, c2).
    assert np.abs(splats.harmonics[:, 0, [3, 1, 2]] * (-1, -1, 1) - TURN.T @ (-1, 0, 0)).max() < 1e-4


def test_splats_stay_on_corrected_depths() -> None:
    given = given_cameras(CENTRES)
    output = perfect_output(given)
    photos, cameras, plain, _ = settle(output, given)
    rng = np.random.default_rng(3)
    factors = tuple(rng.uniform(0.5, 2, view.depth.shape).astype(np.float32) for view in plain[:2])
    cameras = replace(cameras, depth_correction=(*factors, None))
    views = make_views(output, photos, cameras, 1.0)
    for view, before, factor in zip(views, plain, (*factors, 1.0), strict=True):
        assert view.depth == pytest.approx(before.depth * factor, rel=1e-6)
    splats = make_gaussians(output, photos, views, cameras)
    expected = np.concatenate([view_points(view).reshape(-1, 3) for view in views])
    assert np.abs(splats.means - expected).max() < 1e-3
    pixels = np.concatenate([view.depth.ravel() / 72.5 for view in views])
    grown = 0.01 / SHRINK * np.concatenate([*(factor.ravel() for factor in factors), np.ones(plain[2].depth.size)])
    assert splats.scales == pytest.approx(np.tile(np.hypot(grown, 0.3**0.5 * pixels)[:, None], 3), rel=1e-4)


def test_one_view_and_static_cameras_keep_the_networks_scale() -> None:
    for centres in (CENTRES[:1], np.tile(CENTRES[1], (3, 1))):
        given = given_cameras(centres)
        output = perfect_output(given)
        _, _, views, _ = settle(output, given)
        for i, view in enumerate(views):
            assert (view.extrinsics == given.extrinsics[i]).all()
            cut = PLACEMENTS[i].crop(output.depth[0, i].numpy())
            assert np.abs(view.depth - cut).max() < 1e-5
            assert view.ray is not None
            assert view.ray[0, 0, 3:] == pytest.approx(centres[i], abs=1e-4)


def test_a_network_that_misses_the_given_cameras_leaves_the_scale_to_their_distance() -> None:
    """Its own cameras hardly move, as those of an untrained network do."""
    given = given_cameras(CENTRES * 20)
    output = perfect_output(given_cameras(CENTRES * 1e-3))
    _, cameras, views, notes = settle(output, given)
    assert len(notes) == 1 and "hardly agree" in notes[0]
    assert cameras.depth_scale == pytest.approx([1.0] * 3)
    origins = np.stack([view.ray[0, 0, 3:] for view in views if view.ray is not None])
    assert origins.mean(0) == pytest.approx(20 * CENTRES.mean(0), abs=1e-3)


def test_collinear_cameras_keep_their_up() -> None:
    given = given_cameras(np.array([[0.0, 0, 0], [0.5, 0, 0], [1.5, 0, 0]]))
    _, _, views, _ = settle(perfect_output(given), given)
    for view in views:
        assert np.abs(view_points(view)[..., 2] - PLANE).max() < 1e-3


def test_given_focal_lengths_pull_splats_to_their_pixels() -> None:
    """The network misjudges the field of view; splats and points still agree in the given cameras."""
    given = given_cameras(CENTRES)
    output = perfect_output(given)
    wider = replace(given, intrinsics=given.intrinsics * np.array([[1.3], [1.2], [1.0]]))
    wider.intrinsics[:, :2, 2] = given.intrinsics[:, :2, 2] + 9
    photos, cameras, views, _ = settle(output, wider)
    splats = make_gaussians(output, photos, views, cameras)
    expected = np.concatenate([view_points(view).reshape(-1, 3) for view in views])
    assert np.abs(splats.means - expected).max() < 1e-3


def test_without_given_cameras_the_world_is_the_networks() -> None:
    cameras = given_cameras(CENTRES)
    output = perfect_output(cameras)
    photos, settled, views, _ = settle(output, None)
    for i, view in enumerate(views):
        assert output.extrinsics is not None
        assert np.abs(view.extrinsics[:3] - output.extrinsics[0, i].numpy()).max() < 1e-6
        assert np.abs(view.intrinsics - cameras.intrinsics[i]).max() < 1e-3
        truth = (view_points(view) - SHIFT) @ TURN / SHRINK
        assert np.abs(truth[..., 2] - PLANE).max() < 1e-3
    splats = make_gaussians(output, photos, views, settled)
    expected = np.concatenate([view_points(view).reshape(-1, 3) for view in views])
    assert np.abs(splats.means - expected).max() < 1e-3


def test_ray_origins_follow_a_scale_that_only_depth_has() -> None:
    output = perfect_output(given_cameras(CENTRES))
    _, _, plain, _ = settle(output, None)
    _, _, scaled, _ = settle(output, None, ray_scale=3.0)
    for a, b in zip(plain, scaled, strict=True):
        assert a.ray is not None and b.ray is not None
        assert np.abs(b.ray[..., :3] - a.ray[..., :3]).max() == 0
        assert np.abs(b.ray[..., 3:] - 3 * a.ray[..., 3:]).max() < 1e-5


def depth_only(sky: bool = False) -> Output:
    sky_map = torch.zeros(1, 3, CANVAS, CANVAS)
    if sky:
        sky_map[..., :20, :] = 0.9
    return Output(depth=torch.full((1, 3, CANVAS, CANVAS), 6.0), sky=sky_map)


def test_a_metric_network_is_in_metres_by_the_focal_length() -> None:
    given = given_cameras(CENTRES)
    output = replace(depth_only(), metric_focal=METRIC_FOCAL)
    _, _, views, _ = settle(output, given)
    for view in views:
        assert view.depth == pytest.approx(np.full(view.depth.shape, 6.0 * 72.5 / 300))
    photos = prepared()
    photos[0] = replace(photos[0], focal_35mm=50.0)
    cameras, notes = settle_cameras(output, photos, None, 1.0)
    assert notes[0].endswith("for 0.jpg; the focal length is from their EXIF data.")
    assert notes[1].endswith("for 1.jpg, 2.jpg; the focal length is assumed to be 32 mm (35 mm equivalent).")
    assert "does not relate" in notes[2]
    focals = [50.0, ASSUMED_FOCAL_35MM, ASSUMED_FOCAL_35MM]
    for i, (focal, placement) in enumerate(zip(focals, PLACEMENTS, strict=True)):
        expected = focal * np.hypot(*placement.photo) / np.hypot(36, 24)
        assert cameras.intrinsics[i, 0, 0] == pytest.approx(expected)
        stretch = (placement.size[0] / placement.photo[0] + placement.size[1] / placement.photo[1]) / 2
        assert cameras.depth_scale[i] == pytest.approx(expected * stretch / 300)
    assert (cameras.extrinsics == np.eye(4)).all()


def test_sky_is_told_and_gets_no_splats() -> None:
    photos, cameras, views, _ = settle(depth_only(sky=True), given_cameras(CENTRES))
    splats = make_gaussians(depth_only(sky=True), photos, views, cameras)
    assert splats.source == "surface"
    for i, view in enumerate(views):
        top = 20 - PLACEMENTS[i].top
        assert view.sky[:top].all() and not view.sky[top:].any()
        assert (splats.view_index == i).sum() == (~view.sky).sum()
        assert (view.confidence == 1).all() and view.ray is None
        mine = splats.means[splats.view_index == i]
        assert np.abs(mine - view_points(view)[~view.sky]).max() < 1e-4
    assert isinstance(splats, Gaussians)


def test_a_dead_field_of_view_is_replaced_and_told() -> None:
    output = perfect_output(given_cameras(CENTRES))
    assert output.intrinsics is not None
    output.intrinsics[0, 1, 0, 0] = 1e9
    _, cameras, _, notes = settle(output, None)
    assert len(notes) == 1 and "1.jpg" in notes[0]
    expected = ASSUMED_FOCAL_35MM * 1000 / np.hypot(36, 24)
    assert cameras.intrinsics[1].diagonal()[:2] == pytest.approx((expected, expected))


def test_depth_that_is_no_number_is_refused_by_name() -> None:
    output = depth_only()
    output.depth[0, 2, 40, 40] = torch.nan
    with pytest.raises(JobError) as caught:
        settle(output, given_cameras(CENTRES))
    assert caught.value.failure.code == "not-finite" and "2.jpg" in caught.value.failure.sentence
