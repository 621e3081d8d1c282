"""Every loss term against the formulas of the paper, written out in numpy with plain loops."""

import math

import numpy as np
import pytest
import torch

from model_runtime.training.learning.losses import LossWeights, Predictions, loss_terms
from model_runtime.training.learning.targets import Targets, make_targets
from model_runtime.training.rendering.views import ViewBatch, ViewGenerator
from model_runtime.training.world.textures import make_texture_bank

SIZE = (28, 42)
WEIGHTS = LossWeights(1.5, 2.5, 0.5, 3.0, 7.0, 0.25, 1.25, 0.2)


@pytest.fixture(scope="module")
def batch() -> ViewBatch:
    """Two scenes of two views with a hole in the depth of one."""
    made = ViewGenerator(5, make_texture_bank(variants=1)).batch(0, 2, 2, SIZE, 0.2)
    made.depth[0, 1, 3:9, 5:20] = 0
    return made


@pytest.fixture(scope="module")
def prediction() -> Predictions:
    noise = torch.Generator().manual_seed(0)

    def random(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=noise)

    return Predictions(
        random(2, 2, *SIZE).exp(),
        1 + random(2, 2, *SIZE).exp(),
        random(2, 2, 16, 24, 6),
        1 + random(2, 2, 16, 24).exp(),
        random(2, 2, 9),
    )


@pytest.fixture(scope="module")
def terms(batch: ViewBatch, prediction: Predictions) -> dict[str, float]:
    found = loss_terms(prediction, make_targets(batch), WEIGHTS)
    return {name: float(value) for name, value in found.items()}


@pytest.fixture(scope="module")
def truth(batch: ViewBatch) -> dict[str, np.ndarray]:
    """Depth, camera-to-world poses relative to view 0 and points, divided by the mean norm of the valid points."""
    depth = batch.depth.double().numpy()
    extrinsics, intrinsics = batch.extrinsics.double().numpy(), batch.intrinsics.double().numpy()
    to_world = np.empty((2, 2, 4, 4))
    points = np.empty((2, 2, *SIZE, 3))
    for b, v in np.ndindex(2, 2):
        to_world[b, v] = extrinsics[b, 0] @ np.linalg.inv(extrinsics[b, v])
        for y, x in np.ndindex(*SIZE):
            camera = np.linalg.inv(intrinsics[b, v]) @ (x + 0.5, y + 0.5, 1) * depth[b, v, y, x]
            points[b, v, y, x] = to_world[b, v, :3, :3] @ camera + to_world[b, v, :3, 3]
    for b in range(2):
        scale = np.linalg.norm(points[b], axis=-1)[depth[b] > 0].mean()
        to_world[b, :, :3, 3] /= scale
        depth[b] /= scale
    return {"depth": depth, "to_world": to_world, "intrinsics": intrinsics}


def test_depth_term(terms: dict[str, float], truth: dict[str, np.ndarray], prediction: Predictions):
    total, count = 0.0, 0
    for index in np.ndindex(truth["depth"].shape):
        if truth["depth"][index] > 0:
            confidence = float(prediction.depth_conf[index])
            error = abs(float(prediction.depth[index]) - truth["depth"][index])
            total += confidence * error - WEIGHTS.certainty * math.log(confidence)
            count += 1
    assert count < truth["depth"].size
    assert terms["depth"] == pytest.approx(WEIGHTS.depth * total / count, rel=1e-4)


def true_rays(truth: dict[str, np.ndarray]) -> np.ndarray:
    """[2,2,16,24,6]: direction and origin through the centres of a grid of 8 cells for each patch of 14 pixels."""
    rays = np.empty((2, 2, 16, 24, 6))
    for b, v, row, column in np.ndindex(2, 2, 16, 24):
        pixel = ((column + 0.5) * 14 / 8, (row + 0.5) * 14 / 8, 1)
        pose = truth["to_world"][b, v]
        rays[b, v, row, column, :3] = pose[:3, :3] @ np.linalg.inv(truth["intrinsics"][b, v]) @ pixel
        rays[b, v, row, column, 3:] = pose[:3, 3]
    return rays


def test_ray_term(terms: dict[str, float], truth: dict[str, np.ndarray], prediction: Predictions):
    error = np.abs(prediction.ray.numpy() - true_rays(truth)).mean(-1)
    confidence = prediction.ray_conf.numpy()
    expected = (confidence * error - WEIGHTS.certainty * np.log(confidence)).mean()
    assert terms["ray"] == pytest.approx(WEIGHTS.ray * expected, rel=1e-4)


def test_point_term(terms: dict[str, float], truth: dict[str, np.ndarray], prediction: Predictions):
    rays, total, count = true_rays(truth), 0.0, 0
    sampled = torch.nn.functional.interpolate(prediction.depth, (16, 24), mode="bilinear").numpy()
    said = prediction.ray.numpy()
    for b, v, row, column in np.ndindex(2, 2, 16, 24):
        depth = truth["depth"][b, v, int((row + 0.5) * 14 / 8), int((column + 0.5) * 14 / 8)]
        if depth > 0:
            point = said[b, v, row, column, 3:] + sampled[b, v, row, column] * said[b, v, row, column, :3]
            total += np.abs(point - rays[b, v, row, column, 3:] - depth * rays[b, v, row, column, :3]).mean()
            count += 1
    assert terms["point"] == pytest.approx(WEIGHTS.point * total / count, rel=1e-4)


def test_camera_terms(terms: dict[str, float], truth: dict[str, np.ndarray], prediction: Predictions):
    from scipy.spatial.transform import Rotation

    expected = {"translation": [], "rotation": [], "field_of_view": []}
    for b, v in np.ndindex(2, 2):
        said, pose, k = prediction.camera[b, v].numpy(), truth["to_world"][b, v], truth["intrinsics"][b, v]
        xyzw = Rotation.from_matrix(pose[:3, :3]).as_quat(canonical=True)
        angles = 2 * np.arctan((SIZE[0] / 2 / k[1, 1], SIZE[1] / 2 / k[0, 0]))
        expected["translation"].append(np.abs(said[:3] - pose[:3, 3]).mean())
        expected["rotation"].append(np.abs(said[3:7] - xyzw).mean())
        expected["field_of_view"].append(np.abs(said[7:] - angles).mean())
    for name, values in expected.items():
        assert terms[name] == pytest.approx(getattr(WEIGHTS, name) * np.mean(values), rel=1e-3), name


def test_gradient_term(terms: dict[str, float], truth: dict[str, np.ndarray], prediction: Predictions):
    error = prediction.depth.numpy() - truth["depth"]
    valid = truth["depth"] > 0
    expected = 0.0
    for step in (1, 4):
        for axis in (2, 3):
            near = [slice(None)] * 4
            far = list(near)
            near[axis], far[axis] = slice(0, -step), slice(step, None)
            both = valid[tuple(near)] & valid[tuple(far)]
            expected += np.abs(error[tuple(far)] - error[tuple(near)])[both].mean() / 2
    assert terms["gradient"] == pytest.approx(WEIGHTS.gradient * expected, rel=1e-4)


def test_nothing_is_learnt_from_where_there_is_no_depth(batch: ViewBatch, prediction: Predictions):
    depth, confidence = (getattr(prediction, name).clone().requires_grad_() for name in ("depth", "depth_conf"))
    said = Predictions(depth, confidence, prediction.ray, prediction.ray_conf, prediction.camera)
    terms = loss_terms(said, make_targets(batch), WEIGHTS)
    (terms["depth"] + terms["gradient"]).backward()
    hole = batch.depth == 0
    assert depth.grad is not None and confidence.grad is not None
    assert torch.all(depth.grad[hole] == 0) and torch.all(confidence.grad[hole] == 0)
    assert torch.isfinite(depth.grad).all() and torch.all(depth.grad[~hole] != 0)


def test_a_scene_without_any_depth_keeps_finite_targets(batch: ViewBatch):
    empty = ViewBatch(batch.images, torch.zeros_like(batch.depth), batch.extrinsics, batch.intrinsics)
    targets: Targets = make_targets(empty)
    assert not targets.valid.any()
    assert torch.isfinite(targets.ray).all() and torch.isfinite(targets.extrinsics).all()


def test_everything_is_made_on_the_device_of_its_inputs(batch: ViewBatch, prediction: Predictions):
    # A tensor made on torch's default device, which is another here, could not be mixed with the inputs.
    with torch.device("meta"):
        terms = loss_terms(prediction, make_targets(batch), WEIGHTS)
    assert all(value.device.type == "cpu" for value in terms.values())
