"""The reference itself: single splats in closed form, two by hand, harmonics by scipy, and the worker's renderer."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from scipy.special import sph_harm_y

from tests.da3_blender.scene.splats import reference_splatter as reference
from tests.da3_blender.scene.splats.reference_splatter import Camera, Splats

FOCAL = 100.0
GREY = np.zeros((1, 3, 1))


def camera(width: int = 64, height: int = 48, extrinsics: np.ndarray | None = None) -> Camera:
    intrinsics = np.array([[FOCAL, 0, width / 2], [0, FOCAL, height / 2], [0, 0, 1]])
    return Camera(np.eye(4) if extrinsics is None else extrinsics, intrinsics, (height, width))


def one(mean, scale, quaternion=(1, 0, 0, 0), opacity=0.8, harmonics=GREY) -> Splats:
    return Splats(*(np.array([value], float) for value in (mean, scale, quaternion)), harmonics, np.array([opacity]))


def test_a_sphere_on_the_axis_is_a_round_gaussian():
    picture, coverage = reference.render(one((0, 0, 10), (0.5, 0.5, 0.5)), camera())
    variance = (FOCAL * 0.5 / 10) ** 2 + 0.3
    y, x = np.mgrid[:48, :64] + 0.5
    squared = ((x - 32) ** 2 + (y - 24) ** 2) / variance
    expected = np.where(squared <= 9, 0.8 * np.exp(-squared / 2), 0)
    np.testing.assert_allclose(coverage, expected, atol=1e-12)
    np.testing.assert_allclose(picture, np.repeat(0.5 * expected[..., None], 3, 2), atol=1e-12)
    # The integral of a Gaussian cut at r standard deviations: 2 pi variance (1 - exp(-r^2 / 2)).
    assert coverage.sum() == pytest.approx(0.8 * 2 * np.pi * variance * (1 - np.exp(-4.5)), rel=2e-3)


def test_a_turned_flat_splat_keeps_its_moments():
    """Turned 30 degrees about the axis of sight: the picture's covariance is turned, shares of it known by hand."""
    angle = np.radians(30)
    splat = one((0, 0, 10), (0.6, 0.3, 0.0), (np.cos(angle / 2), 0, 0, np.sin(angle / 2)))
    _, coverage = reference.render(splat, camera(128, 96))
    y, x = np.mgrid[:96, :128] + 0.5
    offset = np.stack([x - 64, y - 48], -1)
    moments = np.einsum("hw,hwi,hwj->ij", coverage, offset, offset) / coverage.sum()
    wide, narrow = 36.0, 9.0
    cosine, sine = np.cos(angle), np.sin(angle)
    turned = np.array(
        [
            [wide * cosine**2 + narrow * sine**2, (wide - narrow) * cosine * sine],
            [(wide - narrow) * cosine * sine, wide * sine**2 + narrow * cosine**2],
        ]
    ) + 0.3 * np.eye(2)
    cut = 1 - 4.5 * np.exp(-4.5) / (1 - np.exp(-4.5))  # what the cut at 3 leaves of the variance
    np.testing.assert_allclose(moments, cut * turned, rtol=5e-3)


def test_beside_the_axis_the_footprint_leans_outwards():
    """A sphere at slope t has variance (f s / z)^2 (1 + t^2) along the slope and (f s / z)^2 across it."""
    _, covariance, _ = reference.projected(one((2.0, 0, 10), (0.5, 0.5, 0.5)), camera())
    np.testing.assert_allclose(covariance[0], np.diag([25 * 1.04 + 0.3, 25.3]), atol=1e-12)


def test_far_outside_the_affine_camera_follows_no_more():
    _, covariance, _ = reference.projected(one((50.0, 0, 10), (0.5, 0.5, 0.5)), camera())
    np.testing.assert_allclose(covariance[0, 0, 0], 25 * (1 + (1.3 * 0.32) ** 2) + 0.3, rtol=1e-12)


def test_nearer_by_z_covers_farther_whatever_the_order():
    red, blue = (np.array([[[r], [0], [b]]]) / 0.28209479177387814 for r, b in ((0.5, -0.5), (-0.5, 0.5)))
    near = one((0, 0, 9), (5, 5, 5), opacity=0.6, harmonics=red)
    far = one((0, 0, 11), (5, 5, 5), opacity=1.0, harmonics=blue)
    for order in ((near, far), (far, near)):
        both = Splats(*(np.concatenate(arrays) for arrays in zip(*(vars(s).values() for s in order), strict=True)))
        picture, coverage = reference.render(both, camera(63, 47))
        np.testing.assert_allclose(picture[23, 31], (0.6, 0.5 * 0.6 + 0.5 * 0.4 * 0.99, 0.4 * 0.99), atol=1e-6)
        assert coverage[23, 31] == pytest.approx(1 - 0.4 * 0.01, abs=1e-6)


def test_behind_the_camera_is_nothing():
    assert reference.render(one((0, 0, -10), (5, 5, 5)), camera())[1].max() == 0


@pytest.mark.parametrize("degree", range(5))
def test_harmonics_are_scipys(degree):
    directions = np.random.default_rng(degree).normal(size=(20, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    polar, azimuth = np.arccos(directions[:, 2]), np.arctan2(directions[:, 1], directions[:, 0])
    band = reference.harmonic_basis(directions, degree)[:, degree**2 :]
    for order in range(-degree, degree + 1):
        value = sph_harm_y(degree, abs(order), polar, azimuth)
        expected = value.real if order == 0 else np.sqrt(2) * (value.real if order > 0 else value.imag)
        np.testing.assert_allclose(band[:, degree + order], expected, atol=1e-12)


def test_quaternions_turn_as_scipys():
    turns = Rotation.random(10, random_state=0)
    np.testing.assert_allclose(
        reference.rotation_matrices(turns.as_quat(scalar_first=True)), turns.as_matrix(), atol=1e-12
    )


def test_the_workers_renderer_agrees():
    torch = pytest.importorskip("torch")
    from model_runtime.splats import renderer

    rng = np.random.default_rng(1)
    extrinsics = np.eye(4)
    extrinsics[:3, :3], extrinsics[:3, 3] = Rotation.from_rotvec((0.2, -0.3, 0.1)).as_matrix(), (0.1, 0.2, 6)
    splats = Splats(
        rng.uniform(-2, 2, (300, 3)),
        rng.uniform(0.02, 0.4, (300, 3)),
        Rotation.random(300, random_state=2).as_quat(scalar_first=True),
        rng.normal(0, 0.3, (300, 3, 9)),
        rng.uniform(0.1, 1, 300),
    )
    view = camera(extrinsics=extrinsics)
    picture, coverage = reference.render(splats, view)
    tensors = renderer.Splats(*(torch.from_numpy(value) for value in vars(splats).values()))
    theirs, covered = renderer.render_splats(
        tensors, torch.from_numpy(view.extrinsics), torch.from_numpy(view.intrinsics), view.size
    )
    # It also draws the corners of a splat's box, fainter than exp(-4.5): that is all they differ in.
    assert reference.psnr(theirs.numpy().transpose(1, 2, 0), picture) > 45
    assert np.abs(covered.numpy() - coverage).max() < 0.03
