"""One layer of splats from several photos, on a wall whose place and paint are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from model_runtime.contract.messages import View
from model_runtime.contract.progress import SILENT
from model_runtime.splats.beyond import pull_push
from model_runtime.splats.merge import FINE_SIDE, merged_splats
from model_runtime.splats.optimise import optimised_splats
from model_runtime.splats.renderer import render_splats, tensors

WALL = 3.0
"""The plane z of the wall."""
SIZE = (36, 48)
PHOTO = (480, 360)
HIGH = (360, 480)
FOCAL = 400.0


def paint(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """[...,3] in 0..255 of points on the wall."""
    return np.stack([128 + 90 * np.sin(3 * x), 128 + 90 * np.cos(4 * y), 128 + 60 * np.sin(2 * x + y)], -1)


def picture(aside: float, size: tuple[int, int]) -> np.ndarray:
    """[h,w,3] uint8: the wall seen by a camera that looks straight at it from `aside` on the x axis."""
    height, width = size
    scale = width / PHOTO[0]
    x = (np.arange(width) + 0.5 - width / 2) / (FOCAL * scale) * WALL + aside
    y = (np.arange(height) + 0.5 - height / 2) / (FOCAL * scale) * WALL
    return paint(*np.meshgrid(x, y)).round().astype(np.uint8)


def view(aside: float) -> View:
    extrinsics = np.eye(4)
    extrinsics[0, 3] = -aside
    depth = np.full(SIZE, WALL, np.float32)
    intrinsics = np.array([[FOCAL, 0, PHOTO[0] / 2], [0, FOCAL, PHOTO[1] / 2], [0, 0, 1]])
    return View(
        "a", PHOTO, depth, np.ones(SIZE, np.float32), np.zeros(SIZE, bool), picture(aside, SIZE), extrinsics, intrinsics
    )


def photos() -> list[np.ndarray]:
    return [picture(aside, HIGH) for aside in (0.0, 0.6)]


@pytest.fixture(scope="module")
def views() -> list[View]:
    return [view(0.0), view(0.6)]


def test_a_wall_that_two_photos_show_becomes_one_layer_on_it(views: list[View]) -> None:
    splats = merged_splats(views, photos())
    inner = np.abs(splats.means[:, 2] - WALL) < 0.01 * WALL / 2
    x = splats.means[inner, 0]
    pixel = WALL / FOCAL * PHOTO[0] / FINE_SIDE
    wide = (PHOTO[0] / FOCAL * WALL + 0.6) * PHOTO[1] / FOCAL * WALL
    assert splats.source == "merged"
    assert abs(inner.sum() * pixel**2 / wide - 1) < 0.05
    assert x.min() < -1.75 and x.max() > 2.35


def test_the_budget_holds_with_what_is_guessed_behind(views: list[View]) -> None:
    for budget in (1000, len(merged_splats(views, photos()).means) - 100):
        splats = merged_splats(views, photos(), budget)
        on_the_wall = np.abs(splats.means[:, 2] - WALL) < 0.01 * WALL / 2
        assert len(splats.means) <= budget
        assert on_the_wall.sum() > 0.4 * budget


def test_new_views_are_covered_and_right_beyond_the_rims_of_the_photos(views: list[View]) -> None:
    splats = tensors(merged_splats(views, photos()))
    extrinsics = torch.eye(4)
    extrinsics[0, 3] = 0.4
    shown, coverage = render_splats(splats, extrinsics, torch.from_numpy(_small(views[0])).float(), SIZE)
    truth = torch.from_numpy(picture(-0.4, SIZE)).permute(2, 0, 1) / 255
    seen = slice(8, None)
    assert float(coverage.min()) > 0.8
    assert float((shown - truth)[..., seen].abs().mean()) < 0.03


def _small(one: View) -> np.ndarray:
    return one.map_intrinsics


def test_colours_of_photos_exposed_differently_meet_in_the_middle(views: list[View]) -> None:
    dark = [np.full((*HIGH, 3), value, np.uint8) for value in (100, 140)]
    splats = merged_splats(views, dark)
    shared = (splats.means[:, 0] > -0.8) & (splats.means[:, 0] < 1.4) & (np.abs(splats.means[:, 2] - WALL) < 0.01)
    colour = 255 * (0.5 + 0.28209479 * splats.harmonics[shared, :, 0])
    assert np.abs(colour - 120).max() < 2.5


def test_nothing_is_guessed_where_a_photo_shows_sky(views: list[View]) -> None:
    sky = np.zeros(SIZE, bool)
    sky[:10] = True
    cut = [replace(one, sky=sky) for one in views]
    splats = merged_splats(cut, photos())
    tops = splats.means[:, 1].min()
    assert len(splats.means) < len(merged_splats(views, photos()).means)
    assert tops > (10 - SIZE[0] / 2) / SIZE[0] * PHOTO[1] / FOCAL * WALL


def test_holes_take_what_lies_beside_them() -> None:
    values, weight = np.zeros((1, 9, 14), np.float32), np.zeros((9, 14), np.float32)
    values[0, :, :4], weight[:, :4] = 3.0, 1.0
    values[0, :, 4:6], weight[:, 4:6] = 5.0, 2.0
    filled = pull_push(values, weight)[0]
    assert np.array_equal(filled[:, :6], values[0, :, :6])
    assert float(filled[:, 6:].min()) > 3.0 and float(filled[:, 6:].max()) <= 5.0


def test_splats_are_made_to_look_like_the_photos_and_the_same_each_time(
    views: list[View], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("model_runtime.splats.optimise.ROUNDS", ((96, 12),))
    wrong = [replace(one, depth=one.depth * np.float32(1.03)) for one in views]
    before = merged_splats(wrong, [photo // 20 * 19 for photo in photos()])
    after, again = (optimised_splats(before, wrong, photos(), SILENT) for _ in range(2))
    assert np.array_equal(after.means, again.means) and np.array_equal(after.harmonics, again.harmonics)
    errors = [_error(splats, views) for splats in (before, after)]
    assert errors[1] < 0.5 * errors[0]
    assert np.allclose(np.linalg.norm(after.rotations, axis=1), 1, atol=1e-5)


def _error(splats, views: list[View]) -> float:
    """Mean error of a view between those that the splats were made from."""
    extrinsics = torch.eye(4)
    extrinsics[0, 3] = -0.3
    shown, _ = render_splats(tensors(splats), extrinsics, torch.from_numpy(_small(views[0])).float(), SIZE)
    truth = torch.from_numpy(picture(0.3, SIZE)).permute(2, 0, 1) / 255
    return float((shown - truth).abs().mean())


def test_photos_that_show_nothing_have_no_splats_to_improve(views: list[View]) -> None:
    empty = [replace(one, sky=np.ones(SIZE, bool)) for one in views]
    one_empty = [views[0], empty[1]]
    nothing, half = (merged_splats(each, photos()) for each in (empty, one_empty))
    assert len(nothing.means) == 0 and set(half.view_index) == {0}
    assert len(optimised_splats(nothing, empty, photos(), SILENT).means) == 0


def test_a_job_can_be_stopped_between_steps(views: list[View]) -> None:
    told: list[str] = []

    class Stopped(Exception):
        pass

    def report(stage: str, fraction: float, sentence: str) -> None:
        told.append(sentence)
        if len(told) == 3:
            raise Stopped

    merged = merged_splats(views, photos())
    with pytest.raises(Stopped):
        optimised_splats(merged, views, photos(), type(SILENT)(report))
    assert told == ["Making splats look like a."] * 3


def test_splats_that_cannot_be_made_better_stay_as_they_are(views: list[View], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("model_runtime.splats.optimise.ROUNDS", ((48, 1),))
    monkeypatch.setattr(
        "model_runtime.splats.optimise.RATES",
        dict.fromkeys(("depth", "maps", "aside", "scale", "turn", "opacity", "color"), 5.0),
    )
    before = merged_splats(views, photos())
    after = optimised_splats(before, views, photos(), SILENT)
    assert np.array_equal(before.means, after.means) and np.array_equal(before.harmonics, after.harmonics)
