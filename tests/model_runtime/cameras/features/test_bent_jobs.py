"""Whole jobs of photos whose lens bends lines: the prediction is of the straightened photos, and tells their lens."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import map_coordinates

from model_runtime.cameras.sources import OwnScene
from model_runtime.contract.lens import BROWN, pixel_centres, seen_from_straight, straight_camera
from model_runtime.contract.messages import Cameras, JobError, Prediction, Request
from model_runtime.prediction.predictor import Predictor

from .test_jobs import found_with, png, poses, prepared, silent
from .test_other_cameras import brown

K1, SIZE = -0.2, (288, 216)


@pytest.fixture(scope="module")
def request_(room: Any, shoot: Callable[..., np.ndarray], tiny_checkpoint: Path) -> Request:
    pictures = [shoot(pose, room.intrinsics[0], brown(K1)) for pose in room.extrinsics]
    photos = tuple(png(f"{i}.png", pixels) for i, pixels in enumerate(pictures))
    return Request(photos, checkpoint=str(tiny_checkpoint), camera_source="features", lens="k1", gaussians=False)


def test_the_lens_is_told(room: Any, prediction: Prediction, errors_of: Callable[..., np.ndarray]) -> None:
    settings = prediction.settings
    told = {key: settings[key] for key in ("lens", "principal_point", "focal_length")}
    assert told == {"lens": "brown k1", "principal_point": "middle", "focal_length": "shared"}
    assert errors_of(poses(prediction.views), room.extrinsics).max() < 0.6
    for view in prediction.views:
        assert view.lens is not None and (view.lens.model, view.lens.size) == (BROWN, SIZE)
        assert view.lens.coefficients[0] == pytest.approx(K1, abs=0.02)
        assert view.lens.intrinsics[0, 0] == pytest.approx(room.intrinsics[0, 0, 0], rel=0.015)
        straight = straight_camera(view.lens)
        assert view.photo_size == straight.size and min(np.subtract(view.photo_size, SIZE)) > 0
        np.testing.assert_allclose(view.intrinsics, straight.intrinsics)
        assert view.match_error is not None and 0 < view.match_error < 0.5  # pixels of the photo as it is
    assert prediction.match_error is not None and 0 < prediction.match_error < 0.5


def test_the_plate_is_the_straight_picture(prediction: Prediction) -> None:
    for view in prediction.views:
        assert view.lens is not None and view.opaque is not None
        plate = np.asarray(Image.open(io.BytesIO(view.plate)).convert("L")).astype(float)
        assert plate.shape == view.photo_size[::-1]
        seen = seen_from_straight(view.lens, straight_camera(view.lens), pixel_centres(view.photo_size))
        away = np.maximum(-seen, seen - SIZE).max(-1)
        assert plate[~(away < 4)].max() < 12
        rows, columns = (
            np.minimum((np.arange(n) + 0.5) / n * side, side - 1).astype(int)
            for n, side in zip(view.opaque.shape, plate.shape, strict=True)
        )
        coarse, pixel = away[np.ix_(rows, columns)], max(plate.shape) / max(view.opaque.shape)
        assert not view.opaque[~(coarse < 2 * pixel)].any() and view.opaque[coarse < -2 * pixel].all()


def test_points_land_on_the_plates_pixels_that_show_them(
    room: Any, shoot: Callable[..., np.ndarray], prediction: Prediction
) -> None:
    """The plate is what a pinhole with the view's camera would have taken: its pixels show what their rays hit."""
    for view, pose in zip(prediction.views, room.extrinsics, strict=True):
        plate = np.asarray(Image.open(io.BytesIO(view.plate)).convert("L")).astype(float)
        pinhole = shoot(pose, room.intrinsics[0]).astype(float)[..., 0]
        at = pixel_centres(SIZE)[30:-30:3, 30:-30:3]
        rays = (at - room.intrinsics[0, :2, 2]) / room.intrinsics[0, 0, 0]
        there = rays * view.intrinsics.diagonal()[:2] + view.intrinsics[:2, 2]
        shown = map_coordinates(plate, (there - 0.5).transpose(2, 0, 1)[::-1], order=1)
        assert np.corrcoef(shown.ravel(), pinhole[30:-30:3, 30:-30:3].ravel())[0, 1] > 0.95


def test_a_pinhole_that_is_asked_for_leaves_the_photos_alone(predictor: Predictor, request_: Request) -> None:
    plain = predictor.predict(replace(request_, lens="pinhole"), silent)
    assert plain.settings["lens"] == "pinhole"
    for view in plain.views:
        assert view.lens is None and view.photo_size == SIZE and view.opaque is None


def test_refined_cameras_have_their_lens_solved(
    room: Any, shoot: Callable[..., np.ndarray], errors_of: Callable[..., np.ndarray]
) -> None:
    """Of a lens that bends little enough for pinholes to explain the matches at first, from a network's good guess."""
    pictures = [shoot(pose, room.intrinsics[0], brown(-0.06)) for pose in room.extrinsics]
    scene = OwnScene(
        Cameras(room.extrinsics, room.intrinsics * [[1.04, 1, 1], [1, 1.04, 1], [1, 1, 1]]), list(room.depth)
    )
    found = found_with(scene, "network", True, prepared(replace(room, photos=np.stack(pictures))))
    assert found.source == "refined" and found.lens_settings["lens"] == "brown k1" and found.known is not None
    assert (errors_of(found.known.extrinsics, room.extrinsics).max(0) < (0.4, 1.5)).all()  # four photos tell no more
    for lens, intrinsics in zip(found.lenses, found.known.intrinsics, strict=True):
        assert lens is not None and lens.coefficients[0] == pytest.approx(-0.06, abs=0.025)
        np.testing.assert_allclose(intrinsics, straight_camera(lens).intrinsics)


def test_a_lens_that_there_is_not_is_refused(predictor: Predictor, request_: Request) -> None:
    with pytest.raises(JobError) as caught:
        predictor.predict(replace(request_, lens="wobbly"), silent)
    assert "wobbly" in str(caught.value) and caught.value.failure.advice
