"""Which splats are repeated, of splats whose pixel can be told: by opacity from the network, by colour on surfaces."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from threading import get_ident

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from model_runtime.cameras.settle import SettledCameras, settle_cameras
from model_runtime.contract.messages import Gaussians, View
from model_runtime.network.output import GaussianSplats, Output
from model_runtime.photos.canvas import Placement
from model_runtime.photos.prepare import PreparedPhoto
from model_runtime.prediction.job_folder import FileRows
from model_runtime.prediction.views import make_views
from model_runtime.splats import make
from model_runtime.splats.head import HeadSplats, fewer, head_splats
from model_runtime.splats.make import make_gaussians
from model_runtime.splats.surface import ARRAYS, SH_BAND_0

CANVAS = 28
PLACEMENTS = (Placement((56, 28), (28, 14), (CANVAS, CANVAS)), Placement((28, 56), (14, 28), (CANVAS, CANVAS)))
SHAPES = ((14, 28), (28, 14))
PIXELS = 2 * CANVAS * CANVAS


def numbers(i: int) -> np.ndarray:
    """[h,w], the number of each pixel of photo i on the canvas, after those of the photos before it."""
    return PLACEMENTS[i].crop(np.arange(CANVAS**2).reshape(CANVAS, CANVAS)) + i * CANVAS**2


def prepared() -> list[PreparedPhoto]:
    photos = []
    for i, placement in enumerate(PLACEMENTS):
        number = numbers(i)
        color = np.stack((number // 256, number % 256, 0 * number), -1).astype(np.uint8)
        photos.append(PreparedPhoto(f"{i}.png", placement, color, b"", None))
    opaque = np.ones(SHAPES[1], bool)
    opaque[::3, 1] = False
    photos[1] = replace(photos[1], opaque=opaque)
    return photos


def network_output(with_splats: bool) -> Output:
    """Depth 2 seen by two cameras that stand aside each other; sky in a corner, splats that are no numbers here and
    there."""
    extrinsics = torch.eye(4)[:3].repeat(1, 2, 1, 1)
    extrinsics[0, 1, 0, 3] = -0.1
    sky = torch.zeros(1, 2, CANVAS, CANVAS)
    sky[..., :11, :9] = 1
    means = torch.rand(1, PIXELS, 3, generator=torch.Generator().manual_seed(1)) + torch.tensor([0, 0, 2.0])
    means[0, ::7, 1] = torch.nan
    splats = GaussianSplats(
        means=means,
        scales=torch.full((1, PIXELS, 3), 0.01),
        rotations=torch.tensor([1.0, 0, 0, 0]).expand(1, PIXELS, 4),
        harmonics=torch.zeros(1, PIXELS, 3, 4),
        opacities=torch.arange(PIXELS)[None] / PIXELS,
        world_scale=torch.ones(1),
    )
    return Output(
        depth=torch.full((1, 2, CANVAS, CANVAS), 2.0),
        sky=sky,
        extrinsics=extrinsics,
        intrinsics=torch.tensor([[40.0, 0, 14], [0, 40, 14], [0, 0, 1]]).repeat(1, 2, 1, 1),
        gaussians=splats if with_splats else None,
    )


def settle(output: Output) -> tuple[list[PreparedPhoto], SettledCameras, list[View]]:
    photos = prepared()
    cameras, _ = settle_cameras(output, photos, None, 1.0)
    views = [
        replace(view, repeated=np.random.default_rng(i).random(view.depth.shape) < 0.4)
        for i, view in enumerate(make_views(output, photos, cameras, 1.0))
    ]
    return photos, cameras, views


def pixel_of(splats: Gaussians) -> np.ndarray:
    """[G], numbers of the pixels they came from."""
    if splats.source == "network":
        return np.round(splats.opacities * PIXELS).astype(int)
    color = np.round((splats.harmonics[:, :, 0] * SH_BAND_0 + 0.5) * 255).astype(int)
    return color[:, 0] * 256 + color[:, 1]


@pytest.mark.parametrize("source", ["network", "surface"])
def test_splats_are_repeated_as_their_pixels_are(source: str) -> None:
    output = network_output(source == "network")
    photos, cameras, views = settle(output)
    splats = make_gaussians(output, photos, views, cameras)
    assert splats.source == source and splats.repeated is not None
    of_pixel, shown = np.zeros(PIXELS, bool), np.zeros(PIXELS, bool)
    for i, view in enumerate(views):
        assert view.repeated is not None and 0 < view.shown.mean() < 1
        of_pixel[numbers(i)], shown[numbers(i)] = view.repeated, view.shown
    if source == "network":
        shown[::7] = False
    pixels = pixel_of(splats)
    assert pixels.tolist() == np.flatnonzero(shown).tolist()
    assert splats.repeated.dtype == bool and (splats.repeated == of_pixel[pixels]).all()
    assert (splats.view_index == pixels // CANVAS**2).all()


@pytest.mark.parametrize("source", ["network", "surface"])
def test_nothing_is_said_of_splats_where_views_do_not_tell(source: str) -> None:
    output = network_output(source == "network")
    photos, cameras, views = settle(output)
    for unknown in ([0, 1], [1]):
        told = [replace(view, repeated=None) if i in unknown else view for i, view in enumerate(views)]
        assert make_gaussians(output, photos, told, cameras).repeated is None


def test_depth_that_is_none_becomes_no_splat_and_shifts_no_other() -> None:
    output = network_output(False)
    photos, cameras, views = settle(output)
    depth = views[0].depth.copy()
    depth[5:8, 12:15] = np.nan
    views[0] = replace(views[0], depth=depth)
    splats = make_gaussians(output, photos, views, cameras)
    of_pixel = np.zeros(PIXELS, bool)
    for i, view in enumerate(views):
        of_pixel[numbers(i)] = view.repeated
    assert splats.repeated is not None and len(splats.means) == len(splats.repeated)
    assert (splats.repeated == of_pixel[pixel_of(splats)]).all()


def as_numpy_output(output: Output) -> Output:
    def arrays(fields: dict[str, object]) -> dict[str, object]:
        return {name: each.numpy() if isinstance(each, torch.Tensor) else each for name, each in fields.items()}

    assert output.gaussians is not None
    splats = GaussianSplats(**arrays(vars(output.gaussians)))  # pyright: ignore[reportArgumentType]
    return Output(**arrays(vars(output)) | {"gaussians": splats})  # pyright: ignore[reportArgumentType]


def test_a_network_that_returns_arrays_gives_the_splats_of_one_that_returns_tensors() -> None:
    output = network_output(True)
    photos, cameras, views = settle(output)
    ours, theirs = (make_gaussians(each, photos, views, cameras) for each in (output, as_numpy_output(output)))
    for name in ARRAYS:
        assert np.array_equal(getattr(ours, name), getattr(theirs, name)), name


@pytest.mark.parametrize("source", ["network", "surface"])
def test_views_side_by_side_give_what_one_after_the_other_gives(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    output = network_output(source == "network")
    photos, cameras, views = settle(output)
    asked: list[int] = []
    found = []
    for threads in (1, 4):
        monkeypatch.setattr(make, "cores", lambda threads=threads: threads)
        found.append(make_gaussians(output, photos, views, cameras, go_on=lambda: asked.append(get_ident())))
    for name in (*ARRAYS, "repeated"):
        assert np.array_equal(getattr(found[0], name), getattr(found[1], name)), name
    assert asked == [get_ident()] * 4


def test_a_photo_whose_camera_the_network_could_not_place_has_no_splats() -> None:
    output = network_output(True)
    photos, cameras, views = settle(output)
    assert output.extrinsics is not None
    lost = replace(output, extrinsics=torch.cat([output.extrinsics[:, :1], output.extrinsics[:, 1:] * torch.nan], 1))
    splats = make_gaussians(lost, photos, views, cameras)
    assert (splats.view_index == 0).all()
    assert len(splats.means) == (make_gaussians(output, photos, views, cameras).view_index == 0).sum()


def test_moved_splats_lie_at_their_pixels_and_are_turned_with_their_camera() -> None:
    """The prediction's camera stands elsewhere, turned; a splat goes where it was on the picture, and so does what is
    seen of it."""
    output = network_output(True)
    photos, cameras, views = settle(output)
    turn = Rotation.from_euler("xyz", [20, -30, 50], degrees=True)
    moved = np.eye(4)
    moved[:3, :3], moved[:3, 3] = turn.as_matrix(), [0.3, -0.2, 0.5]
    elsewhere = replace(cameras, extrinsics=cameras.extrinsics @ np.linalg.inv(moved))
    here, there = (make_gaussians(output, photos, views, each) for each in (cameras, elsewhere))
    assert there.means == pytest.approx(here.means @ turn.as_matrix().T + moved[:3, 3], abs=1e-5)
    rotations = turn * Rotation.from_quat(here.rotations, scalar_first=True)
    angle = (rotations.inv() * Rotation.from_quat(there.rotations, scalar_first=True)).magnitude()
    assert angle.max() < 1e-5
    assert there.scales == pytest.approx(here.scales, rel=1e-5)


def test_splats_that_were_kept_for_later_are_those_of_the_output(tmp_path: Path) -> None:
    """As of photos that the network looked at in chunks."""
    output = network_output(True)
    photos, cameras, views = settle(output)
    head = head_splats(output)
    assert head is not None
    rows = FileRows(tmp_path / "splats.values", HeadSplats)
    for splats in head:
        rows.append(fewer(splats, CANVAS, CANVAS**2))
    kept = make_gaussians(replace(output, gaussians=None), photos, views, cameras, rows.all())
    at_once = make_gaussians(output, photos, views, cameras)
    for name in (*ARRAYS, "repeated"):
        assert np.array_equal(getattr(kept, name), getattr(at_once, name)), name
    some = fewer(head[1], CANVAS, 100)
    assert 80 < len(some.pixel) < 120
    assert np.round(some.opacities * PIXELS).astype(int).tolist() == (CANVAS**2 + some.pixel).tolist()
