"""Measured depth is as bad as it says, and a teacher's depth finds its scale and shift in it all the same."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from model_runtime.network.monocular_head import DepthAndSky
from model_runtime.training.learning.initialise import fresh_monocular
from model_runtime.training.learning.noisy_depth import NoisyDepth, camera_rays, surface_normals
from model_runtime.training.learning.pseudo_labels import align_teacher, teacher_depth
from model_runtime.training.learning.teacher import TINY_TEACHER, teacher_terms
from model_runtime.training.rendering.views import ViewBatch, ViewGenerator

SIZE = (56, 70)
CLEAN = NoisyDepth(
    reach=1e6, grazing=0, glossy=0, holes=0, outliers=0, sigma=0, step=1e-9, bleeding=0, bend=0, density=1
)
K = np.array([[60.0, 0, 35], [0, 60, 28], [0, 0, 1]])


@pytest.fixture(scope="module")
def batch() -> ViewBatch:
    return ViewGenerator(0).batch(0, 4, 2, SIZE, 0.3)


def plane(slope: float) -> np.ndarray:
    """Depth [H,W] of the plane z = 2 + slope * x seen by K."""
    return (2 / (1 - slope * camera_rays(K, *SIZE)[..., 0])).astype(np.float32)


def test_without_faults_depth_stays():
    depth = plane(0.3)
    np.testing.assert_allclose(CLEAN.measure(depth, K), depth, rtol=1e-5)


def test_nothing_is_measured_beyond_reach_or_at_grazing_angles():
    depth = plane(0.5)
    near = replace(CLEAN, reach=2.2).measure(depth, K)
    assert np.array_equal(near > 0, depth < 2.2)
    # The plane's normal is (slope, 0, -1): its cosine with the ray through a pixel, in closed form.
    rays = camera_rays(K, *SIZE)
    cosine = np.abs(rays @ (0.5, 0, -1)) / np.sqrt(1.25) / np.linalg.norm(rays, axis=-1)
    seen = replace(CLEAN, grazing=0.8).measure(depth, K) > 0
    inside = (slice(2, -2), slice(2, -2))
    sure = np.abs(cosine - 0.8) > 0.01
    assert np.array_equal(seen[inside][sure[inside]], (cosine > 0.8)[inside][sure[inside]])


def test_a_glossy_plane_is_gone():
    step = np.where(np.arange(SIZE[1]) < 20, 1.0, 2.0).astype(np.float32) * np.ones(SIZE, np.float32)
    measured = [replace(CLEAN, glossy=1, seed=seed).measure(step, K) for seed in range(8)]
    larger_gone = [(depth[:, 24:] == 0).all() and (depth[:, :16] > 0).all() for depth in measured]
    assert sum(larger_gone) >= 6


def test_quanta_holes_and_points_have_the_size_they_say():
    depth = plane(0.3)
    inverse = 1 / replace(CLEAN, step=0.02).measure(depth, K).astype(float)
    np.testing.assert_allclose(inverse / 0.02, np.round(inverse / 0.02), atol=1e-3)
    holes = replace(CLEAN, holes=0.3).measure(depth, K) == 0
    assert holes.mean() == pytest.approx(0.3, abs=0.01)
    points = replace(CLEAN, density=0.05).measure(depth, K) > 0
    assert points.mean() == pytest.approx(0.05, abs=4 * (0.05 * 0.95 / depth.size) ** 0.5)


def test_noise_grows_with_the_square_of_depth():
    flat = np.full(SIZE, 3.0, np.float32)
    error = replace(CLEAN, sigma=0.01).measure(flat, K) - flat
    assert error.std() == pytest.approx(0.09, rel=0.1)


def test_normals_of_a_plane():
    points = plane(0.5)[..., None] * camera_rays(K, *SIZE)
    normals = surface_normals(points)[2:-2, 2:-2]
    np.testing.assert_allclose(np.abs(normals @ (0.5, 0, -1)) / np.sqrt(1.25), 1, atol=1e-4)


def test_a_view_keeps_its_faults_wherever_it_comes_back(batch: ViewBatch):
    noise = NoisyDepth()
    swapped = ViewBatch(
        *(value.flip(0, 1) for value in (batch.images, batch.depth, batch.extrinsics, batch.intrinsics))
    )
    assert torch.equal(noise.of(swapped).flip(0, 1), noise.of(batch))


def test_scale_and_shift_are_found_in_bad_depth(batch: ViewBatch):
    measured = NoisyDepth(bend=0).of(batch)
    exact = batch.depth
    labels = align_teacher((exact - 0.15) / 4, measured)
    # One view looks at nothing within the reach of a depth camera, and so has no label.
    blind = (measured == 0).flatten(2).all(2)
    assert blind.sum() == 1
    known = (exact > 0) & ~blind[..., None, None]
    error = ((labels - exact).abs() / exact)[known]
    raw = ((measured - exact).abs() / exact)[known & (measured > 0)]
    assert float(error.mean()) < 0.5 * float(raw.mean())
    assert float(error.median()) < 0.03


def test_a_view_that_the_teacher_cannot_explain_keeps_its_measurements(batch: ViewBatch):
    measured = NoisyDepth().of(batch)
    measured[0, 1] = 0
    guess = batch.depth.clone()
    guess[1, 0] = (3 * torch.randn(SIZE, generator=torch.Generator().manual_seed(0))).exp()
    labels = align_teacher(guess, measured)
    assert torch.equal(labels[0, 1], measured[0, 1])
    assert torch.equal(labels[1, 0], measured[1, 0])
    assert (labels[2] > 0).float().mean() > (measured[2] > 0).float().mean()


def test_the_teacher_sees_every_view_for_itself(batch: ViewBatch):
    teacher = fresh_monocular(TINY_TEACHER, 0).eval()
    depth = teacher_depth(teacher, batch.images[:2])
    alone = teacher_depth(teacher, batch.images[1:2, 1:])
    assert depth.shape == (2, 2, *SIZE)
    torch.testing.assert_close(depth[1, 1], alone[0, 0], rtol=1e-4, atol=1e-5)


def test_the_teachers_loss_knows_no_scale_and_leaves_the_sky_to_the_sky():
    depth = torch.from_numpy(plane(0.4))[None].repeat(2, 1, 1)
    depth[1, :10] = 0
    sky = (depth == 0).float()
    guess = depth.where(depth > 0, 7.0) * torch.tensor([3.0, 0.2])[:, None, None]
    terms = teacher_terms(DepthAndSky(guess, sky), depth)
    assert [float(value) for value in terms.values()] == pytest.approx([0, 0, 0], abs=1e-6)
    # One pixel of the first view is e times too far: the mean of all valid log errors is one over their number.
    guess[0, 30, 30] *= np.e
    terms = teacher_terms(DepthAndSky(guess, 1 - sky), depth)
    assert float(terms["depth"]) == pytest.approx(1 / float((depth > 0).sum()), rel=1e-4)
    assert float(terms["sky"]) == pytest.approx(1)
