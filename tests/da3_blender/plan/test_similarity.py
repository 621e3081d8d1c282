"""Similarities against matrices, and the one between two sets of cameras against the one they were made with."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from da3_blender.plan.similarity import MOST_CAMERAS, Similarity, align_poses

TURN = Rotation.from_euler("zyx", (100, -35, 60), degrees=True).as_matrix()
MOVE = Similarity(0.4, TURN, np.array([10.0, -2.0, 5.0]))
POINTS = np.random.default_rng(0).normal(size=(20, 3))


def poses(count: int, spread: float = 1.0, seed: int = 1) -> np.ndarray:
    """Cameras-to-world [N,4,4] that look everywhere."""
    random = np.random.default_rng(seed)
    made = np.tile(np.eye(4), (count, 1, 1))
    made[:, :3, :3] = Rotation.from_rotvec(random.normal(size=(count, 3))).as_matrix()
    made[:, :3, 3] = spread * random.normal(size=(count, 3))
    return made


def moved(cameras: np.ndarray) -> np.ndarray:
    """`MOVE` of cameras, by plain matrices: their axes stay of length 1."""
    result = MOVE.matrix @ cameras
    result[:, :3, :3] /= 0.4
    return result


def assert_same(found: Similarity, wanted: Similarity, tolerance: float = 1e-9) -> None:
    np.testing.assert_allclose(found.matrix, wanted.matrix, atol=tolerance)


def test_points_and_matrix_agree():
    homogeneous = np.concatenate([POINTS, np.ones((20, 1))], axis=1)
    np.testing.assert_allclose(MOVE.points(POINTS), (homogeneous @ MOVE.matrix.T)[:, :3])
    single = MOVE.points(POINTS.astype(np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, MOVE.points(POINTS), atol=1e-5)
    np.testing.assert_allclose(MOVE.points(np.array([[1, 2, 3]])), MOVE.points(np.array([[1.0, 2, 3]])))


def test_one_after_the_other_and_back():
    other = Similarity(3.0, TURN @ TURN, np.array([0.0, 1.0, 0.0]))
    np.testing.assert_allclose((other @ MOVE).matrix, other.matrix @ MOVE.matrix)
    np.testing.assert_allclose(MOVE.inverse().matrix, np.linalg.inv(MOVE.matrix), atol=1e-12)


def test_about_a_point():
    about = np.array([3.0, 2.0, 1.0])
    around = Similarity.of(2.0, TURN, about)
    np.testing.assert_allclose(around.points(about), about)
    np.testing.assert_allclose(around.points(about + np.eye(3)[0]) - about, 2 * TURN[:, 0])
    assert_same(Similarity.of(), Similarity(1.0, np.eye(3), np.zeros(3)))


def test_from_matrix():
    assert_same(Similarity.from_matrix(MOVE.matrix), MOVE)
    with pytest.raises(ValueError, match="unevenly"):
        Similarity.from_matrix(np.diag([1.0, 1.0, 2.0, 1.0]))
    for bad in (np.diag([1.0, 1.0, -1.0, 1.0]), np.diag([1.0, 1.0, 0.0, 1.0])):
        with pytest.raises(ValueError, match="mirrors or flattens"):
            Similarity.from_matrix(bad)


def test_pose_turns_and_moves_but_does_not_scale():
    (camera,) = poses(1)
    np.testing.assert_allclose(MOVE.pose(camera), moved(camera[None])[0])


@pytest.mark.parametrize("count", [2, 3, 10, MOST_CAMERAS + 50])
def test_exact_cameras(count):
    cameras = poses(count)
    assert_same(align_poses(cameras, moved(cameras), 3.0, 99.0), MOVE, 1e-6)


def test_one_camera_takes_its_scale_from_depth():
    cameras = poses(1)
    assert_same(align_poses(cameras, moved(cameras), 5.0, 2.0), MOVE, 1e-9)


def test_cameras_in_one_place_take_their_scale_from_depth():
    cameras = poses(6, spread=1e-6)
    assert_same(align_poses(cameras, moved(cameras), 5.0, 2.0), MOVE, 1e-4)


def test_cameras_on_a_line():
    cameras = poses(4)
    cameras[:, :3, 3] = np.arange(4)[:, None] * [1.0, 0.5, 0]
    assert_same(align_poses(cameras, moved(cameras), 5.0, 99.0), MOVE, 1e-6)


def test_a_few_that_are_elsewhere_do_not_count():
    cameras = poses(12)
    target = moved(cameras)
    target[:3] = poses(3, spread=20, seed=7)
    assert_same(align_poses(cameras, target, 3.0, 1.2), MOVE, 1e-3)


def test_noise_averages_out_as_in_scipy():
    """Rotation against scipy's least-squares mean, scale and place against what made the cameras."""
    cameras, random = poses(60), np.random.default_rng(5)
    target = moved(cameras)
    target[:, :3, :3] = Rotation.from_rotvec(random.normal(scale=0.02, size=(60, 3))).as_matrix() @ target[:, :3, :3]
    target[:, :3, 3] += random.normal(scale=0.01, size=(60, 3))
    found = align_poses(cameras, target, 3.0, 1.2)
    mean = Rotation.from_matrix(target[:, :3, :3] @ cameras[:, :3, :3].swapaxes(1, 2)).mean()
    assert (Rotation.from_matrix(found.rotation) * mean.inv()).magnitude() < 0.01
    assert found.scale == pytest.approx(0.4, rel=0.01)
    np.testing.assert_allclose(found.translation, MOVE.translation, atol=0.01)
