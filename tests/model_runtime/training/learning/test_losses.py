"""Losses against numbers worked out by hand."""

import math

import pytest
import torch

from model_runtime.network.camera_numbers import encode_camera
from model_runtime.training.learning.losses import (
    LossWeights,
    Predictions,
    confidence_weighted,
    gradient_loss,
    loss_terms,
)
from model_runtime.training.learning.targets import Targets, make_targets
from model_runtime.training.rendering.views import ViewBatch, ViewGenerator
from model_runtime.training.world.textures import make_texture_bank


@pytest.fixture(scope="module")
def batch() -> ViewBatch:
    return ViewGenerator(5, make_texture_bank(variants=1)).batch(0, 2, 2, (28, 42))


def perfect(targets: Targets) -> Predictions:
    camera = encode_camera(targets.extrinsics, targets.intrinsics, (28, 42))
    ones = torch.ones_like
    return Predictions(targets.depth, ones(targets.depth), targets.ray, ones(targets.ray_depth), camera)


def test_confidence_weighted_by_hand():
    error, confidence = torch.tensor([1.0, 2.0, 9.0]), torch.tensor([2.0, 1.0, 5.0])
    valid = torch.tensor([True, True, False])
    expected = ((2 * 1 - 0.1 * math.log(2)) + (1 * 2 - 0)) / 2
    assert float(confidence_weighted(error, confidence, valid, 0.1)) == pytest.approx(expected, rel=1e-6)


def test_best_confidence_is_reward_over_error():
    error = torch.tensor([0.02])
    confidences = torch.linspace(1.1, 20, 2000)
    losses = confidences * error - 0.1 * confidences.log()
    assert float(confidences[losses.argmin()]) == pytest.approx(0.1 / 0.02, abs=0.05)


def test_gradient_loss_by_hand():
    truth = torch.zeros(6, 6)
    depth = torch.arange(6.0).expand(6, 6)
    valid = torch.ones(6, 6, dtype=torch.bool)
    # Along a row: 1 between neighbours and 4 over four pixels; nothing down a column; mean of the two scales.
    assert float(gradient_loss(depth, truth, valid)) == pytest.approx((1 + 4) / 2)
    assert float(gradient_loss(truth + 3, truth, valid)) == 0


def test_the_truth_costs_nothing_but_interpolation(batch: ViewBatch):
    targets = make_targets(batch)
    terms = loss_terms(perfect(targets), targets, LossWeights())
    for name in ("depth", "ray", "translation", "rotation", "field_of_view", "gradient"):
        assert float(terms[name]) == pytest.approx(0, abs=1e-5), name
    assert float(terms["point"]) < 0.05


def test_camera_term_by_hand(batch: ViewBatch):
    targets = make_targets(batch)
    truth = perfect(targets)
    camera = truth.camera.clone()
    camera[..., 0] += 0.3
    camera[..., 7:] += 0.1
    wrong = Predictions(truth.depth, truth.depth_conf, truth.ray, truth.ray_conf, camera)
    terms = loss_terms(wrong, targets, LossWeights(translation=2.0, rotation=3.0, field_of_view=5.0))
    assert float(terms["translation"]) == pytest.approx(2 * 0.3 / 3, rel=1e-4)
    assert float(terms["rotation"]) == pytest.approx(0, abs=1e-6)
    assert float(terms["field_of_view"]) == pytest.approx(5 * 0.1, rel=1e-4)


def test_terms_do_not_depend_on_the_size_of_the_world(batch: ViewBatch):
    extrinsics = batch.extrinsics.clone()
    extrinsics[..., :3, 3] *= 5
    larger = ViewBatch(batch.images, batch.depth * 5, extrinsics, batch.intrinsics)
    targets = make_targets(batch)
    noisy = perfect(targets)
    torch.manual_seed(0)
    noisy = Predictions(
        noisy.depth * 1.2,
        noisy.depth_conf * 2,
        noisy.ray + 0.1 * torch.randn_like(noisy.ray),
        noisy.ray_conf,
        noisy.camera,
    )
    here, there = (loss_terms(noisy, make_targets(b), LossWeights()) for b in (batch, larger))
    for name, value in here.items():
        assert float(there[name]) == pytest.approx(float(value), rel=1e-3, abs=1e-5), name
