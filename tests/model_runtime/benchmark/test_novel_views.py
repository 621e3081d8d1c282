"""Novel views: which photos are kept back, and how pictures compare."""

import numpy as np
import pytest
import torch

from model_runtime.benchmark.novel_views import psnr, render, split, ssim
from model_runtime.training.splat_renderer import Splats


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
