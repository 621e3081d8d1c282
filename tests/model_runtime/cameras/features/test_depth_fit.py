"""Depths that are wrong in known ways brought to the points that features find in the painted room."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from model_runtime.cameras.depth_scales import depth_scales
from model_runtime.cameras.features.mapping import map_photos
from model_runtime.cameras.features.matching import Matches
from model_runtime.cameras.features.result import FeatureCameras
from model_runtime.cameras.features.tracks import select
from model_runtime.cameras.settle import SettledCameras
from model_runtime.contract.progress import SILENT
from model_runtime.depth.fit import fit_depths
from model_runtime.geometry.similarity import Similarity
from model_runtime.network.config import METRIC_FOCAL
from model_runtime.network.output import Output
from model_runtime.photos.canvas import Placement
from model_runtime.photos.prepare import PreparedPhoto
from model_runtime.prediction.views import make_views

FACTORS = np.array([0.5, 1.0, 3.0, 2.0])
SIZE = (112, 84)


@pytest.fixture(scope="module")
def mapped(matches: Matches) -> FeatureCameras:
    return map_photos(matches, SILENT)


@pytest.fixture(scope="module")
def unit(room: Any, mapped: FeatureCameras) -> float:
    """Units of the features' world in a metre."""
    centres = (np.linalg.inv(e)[:, :3, 3] for e in (mapped.extrinsics, room.extrinsics))
    return float(np.divide(*(np.linalg.norm(c - c[0], axis=1).sum() for c in centres)))


def looked_up(room: Any) -> np.ndarray:
    """[N,84,112] the room's depths at the pixels of the network's maps."""
    rows, columns = (
        ((np.arange(n) + 0.5) * full / n).astype(int) for n, full in zip((84, 112), room.depth.shape[1:], strict=True)
    )
    return room.depth[:, rows[:, None], columns]


def fitted_depths(
    room: Any, mapped: FeatureCameras, depths: np.ndarray, metric: bool, view: int | None = None
) -> tuple[SettledCameras, np.ndarray]:
    height, width = room.photos[0].shape[:2]
    small = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    placement = Placement((width, height), SIZE, (SIZE[0] + 28, SIZE[1]))
    photos = [PreparedPhoto(f"{i}.png", placement, small, b"", None) for i in range(len(depths))]
    canvas = np.pad(depths, ((0, 0), (0, 0), (14, 14)), constant_values=99.0)
    identity = Similarity(torch.tensor(1.0).double(), torch.eye(3).double(), torch.zeros(3).double())
    cameras = SettledCameras(mapped.extrinsics, mapped.intrinsics, np.ones(len(depths)), identity)
    depth = torch.from_numpy(canvas.astype(np.float32))[None]
    output = Output(depth=depth, metric_focal=METRIC_FOCAL if metric else None)
    sparse = mapped.sparse if view is None else select(mapped.sparse, mapped.sparse.view != view)
    fitted = fit_depths(output, photos, cameras, sparse)
    assert fitted is not None
    return fitted, np.stack([seen.depth for seen in make_views(output, photos, fitted, 1.0)])


def test_every_view_has_its_scale(room: Any, mapped: FeatureCameras, unit: float) -> None:
    """True depths, each view's at its own scale: one scale afterwards, that of the cameras; also without points."""
    depths = [depth * factor for depth, factor in zip(room.depth, FACTORS, strict=True)]
    sizes = [(room.depth.shape[2], room.depth.shape[1])] * len(depths)
    sparse = select(mapped.sparse, mapped.sparse.view != 3)
    scales = depth_scales(depths, sizes, mapped.extrinsics, sparse)
    assert scales is not None
    assert scales[:3] * FACTORS[:3] == pytest.approx([unit] * 3, rel=0.04)
    assert scales[3] == pytest.approx(np.median(scales[:3]))
    assert depth_scales(depths, sizes, mapped.extrinsics, select(sparse, sparse.view < 0)) is None


def test_true_depths_are_hardly_touched(room: Any, mapped: FeatureCameras, unit: float) -> None:
    truth = looked_up(room)
    _, depths = fitted_depths(room, mapped, truth * FACTORS[:, None, None], metric=False)
    scale = float(np.median(depths / truth))
    assert scale == pytest.approx(unit, rel=0.04)
    assert np.abs(depths / (truth * scale) - 1).max() < 0.01


def test_warped_depths_are_mended(room: Any, mapped: FeatureCameras, unit: float) -> None:
    truth = looked_up(room)
    u = (np.arange(SIZE[0]) + 0.5) / SIZE[0]
    warped = truth**0.6 * np.exp(0.3 * np.cos(4 * u)) * FACTORS[:, None, None]
    fitted, depths = fitted_depths(room, mapped, warped, metric=False, view=3)
    scaled = warped * fitted.depth_scale[:, None, None]
    seen = slice(1, 3)  # points lie all over these
    before, after = (np.abs(d[seen] / (truth[seen] * unit) - 1).mean() for d in (scaled, depths))
    assert before > 0.2 and after < 0.05
    assert depths[3] == pytest.approx(scaled[3], rel=1e-5), "no points, so no more than a scale"


def test_metres_stay_metres(room: Any, mapped: FeatureCameras, unit: float) -> None:
    """The world is scaled to the depths of a metric network as a whole."""
    truth = looked_up(room)
    fitted, depths = fitted_depths(room, mapped, truth * [[[0.97]], [[1.0]], [[1.02]], [[1.0]]], metric=True)
    assert fitted.extrinsics[:, :3, 3] == pytest.approx(mapped.extrinsics[:, :3, 3] / unit, rel=0.04)
    assert (fitted.extrinsics[:, :3, :3] == mapped.extrinsics[:, :3, :3]).all()
    assert np.abs(depths / truth - 1).mean() < 0.04
