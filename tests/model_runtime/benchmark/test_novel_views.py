"""Novel views: which photos are kept back, and how pictures compare."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from model_runtime.benchmark.datasets.scene import TruthView
from model_runtime.benchmark.novel_views import psnr, render, score_targets, split, splits, ssim
from model_runtime.splats.make import ARRAYS
from model_runtime.splats.renderer import Splats
from model_runtime.splats.surface import surface_splats


def test_every_eighth_photo_is_a_target():
    centres = np.random.default_rng(0).normal(size=(20, 3))
    inputs, targets = split(centres)
    assert targets == [0, 8, 16]
    assert len(inputs) == 12
    assert not set(inputs) & set(targets)


def test_inputs_are_the_farthest_from_each_other():
    """Thirty places on a line: after the first, the far end, then the middle."""
    centres = np.zeros((30, 3))
    centres[:, 0] = np.arange(30)
    inputs, _ = split(centres)
    assert {1, 29, 15} <= set(inputs)
    assert np.diff(inputs).max() <= 4


def test_of_few_photos_each_is_a_target_once():
    centres = np.random.default_rng(0).normal(size=(9, 3))
    assert splits(centres) == [split(centres)]
    few = splits(centres[:6])
    assert [targets for _, targets in few] == [[i] for i in range(6)]
    assert all(sorted(inputs + targets) == list(range(6)) for inputs, targets in few)


def photo_of_a_wall(path: Path, left: float) -> TruthView:
    """A wall at depth 2 in front of a camera `left` pixels, and as many 50ths of a metre, further to the right."""
    y, x = np.mgrid[:60, :80] + 0.5
    x = x + left
    paint = np.stack([np.sin(x / 6), np.sin(x / 9 + y / 7), np.cos(y / 5 - x / 8)], -1)
    Image.fromarray((127.5 + 100 * paint).round().astype(np.uint8)).save(path)
    extrinsics = np.eye(4)
    extrinsics[0, 3] = -left / 50
    return TruthView(path, extrinsics, np.array([[100.0, 0, 40], [0, 100, 30], [0, 0, 1]]))


def test_a_wall_is_shown_from_between_its_photos(tmp_path: Path):
    """Splats in a world a quarter as large; what the nearer photo shows is known: the wall three pixels aside."""
    views = [photo_of_a_wall(tmp_path / f"{left}.png", left) for left in (0, 8, 5)]
    predicted = np.stack([view.extrinsics for view in views[:2]])
    predicted[:, :3, 3] /= 4
    everywhere = np.ones((60, 80), bool)
    first, second = (
        surface_splats(
            0.5 * everywhere,
            1.0 * everywhere,
            np.asarray(Image.open(view.photo)),
            camera,
            view.intrinsics,
            everywhere,
        )
        for view, camera in zip(views[:2], predicted, strict=True)
    )
    both = replace(first, **{name: np.concatenate([getattr(first, name), getattr(second, name)]) for name in ARRAYS})
    (quality,) = score_targets(both, predicted, views[:2], views[2:])
    near, truth = (np.asarray(Image.open(view.photo)) / 255 for view in views[1:])
    assert quality.nearest_psnr == pytest.approx(psnr(near, truth), abs=1e-3)
    assert quality.nearest_ssim == pytest.approx(ssim(near, truth), abs=1e-3)
    assert quality.psnr > 25
    assert quality.ssim > 0.9
    # Without the second photo's splats the last five of the 80 columns are black, but for the rims of splats.
    (half,) = score_targets(first, predicted, views[:2], views[2:])
    black = np.where(np.arange(80)[:, None] < 75, truth, 0)
    assert psnr(black, truth) < half.psnr < psnr(black, truth) + 1.5


def test_psnr_of_a_known_error():
    truth = np.full((32, 32, 3), 0.5)
    assert psnr(truth + 0.1, truth) == pytest.approx(20.0)
    assert psnr(truth, truth) == np.inf


def test_ssim_of_flat_pictures():
    """Without variance only the term of the means is left: (2ab + c) / (a² + b² + c), c = 0.01²."""
    a, b = 0.4, 0.6
    expected = (2 * a * b + 1e-4) / (a * a + b * b + 1e-4)
    assert ssim(np.full((32, 32, 3), a), np.full((32, 32, 3), b)) == pytest.approx(expected, abs=1e-6)


def test_a_picture_is_the_same_in_strips():
    """One splat across the border between two strips, 100 rows high: brightest at its centre, and smooth there."""
    splats = Splats(
        torch.tensor([[0.0, 0.0, 2.0]]),
        torch.full((1, 3), 0.2),
        torch.tensor([[1.0, 0, 0, 0]]),
        torch.full((1, 3, 1), 0.5 / 0.28209479),
        torch.tensor([0.9]),
    )
    intrinsics = torch.tensor([[100.0, 0, 40], [0, 100, 48], [0, 0, 1]])
    picture = render(splats, torch.eye(4), intrinsics, (100, 80))
    assert picture.shape == (100, 80, 3)
    assert np.abs(picture[47, 40] - picture[48, 40]).max() < 1e-5
    assert picture[48, 40, 0] == pytest.approx(0.9, abs=0.01)
