"""Pose accuracy against errors that are known beforehand."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from model_runtime.benchmark.pose import THRESHOLDS, area_under_recall, folded_angles, pair_errors, pose_auc


def camera(rotation_degrees: tuple[float, float, float], centre: tuple[float, float, float]) -> np.ndarray:
    """World-to-camera from XYZ Euler angles of the camera in the world and its centre."""
    to_world = np.eye(4)
    to_world[:3, :3] = Rotation.from_euler("xyz", rotation_degrees, degrees=True).as_matrix()
    to_world[:3, 3] = centre
    return np.linalg.inv(to_world)


def ring(count: int = 6) -> np.ndarray:
    angles = np.linspace(0, 100, count)
    return np.stack([camera((5, a, 0), (np.sin(a / 57), 0.1 * a / 57, np.cos(a / 57))) for a in angles])


def test_true_cameras_score_one_in_any_frame_and_scale():
    true = ring()
    frame = camera((20, 30, 40), (3, 2, 1))
    moved = true @ frame
    moved[:, :3, 3] *= 2.5
    assert pose_auc(moved, true) == {threshold: 1.0 for threshold in THRESHOLDS}


@pytest.mark.parametrize("degrees", [0.4, 7.5])
def test_error_is_the_angle_a_camera_was_turned_by(degrees):
    true = ring(2)
    turn = np.eye(4)
    turn[:3, :3] = Rotation.from_rotvec([0, 0, np.radians(degrees)]).as_matrix()
    turned = true.copy()
    turned[1] = turn @ true[1]
    # The baseline seen from view 0 stays (the centre did not move), so that only the rotation is wrong.
    relative = true[1] @ np.linalg.inv(true[0])
    error = pair_errors(turned, true)
    direction = folded_angles((turn @ relative)[None, :3, 3], relative[None, :3, 3])
    assert error[0] == pytest.approx(max(degrees, direction[0]), abs=1e-6)
    assert error[0] >= degrees - 1e-9


def test_translation_error_is_the_angle_between_baselines():
    true = np.stack([camera((0, 0, 0), (0, 0, 0)), camera((0, 0, 0), (1, 0, 0))])
    ours = np.stack([camera((0, 0, 0), (0, 0, 0)), camera((0, 0, 0), (np.cos(0.2), np.sin(0.2), 0))])
    assert pair_errors(ours, true)[0] == pytest.approx(np.degrees(0.2), abs=1e-9)


def test_opposite_baselines_count_as_equal():
    true = np.stack([camera((0, 0, 0), (0, 0, 0)), camera((0, 0, 0), (1, 0, 0))])
    ours = np.stack([camera((0, 0, 0), (0, 0, 0)), camera((0, 0, 0), (-1, 0, 0))])
    assert pair_errors(ours, true)[0] == pytest.approx(0, abs=1e-9)


def test_a_baseline_without_length_is_90_degrees_off():
    true = np.stack([camera((0, 0, 0), (0, 0, 0)), camera((0, 0, 0), (1, 0, 0))])
    ours = np.stack([camera((0, 0, 0), (0, 0, 0))] * 2)
    assert pair_errors(ours, true)[0] == 90


def test_relative_poses_follow_the_paper():
    """Of world-to-camera matrices made relative to view 0, inv(W_i) W_j: the third camera alone is turned, and the
    pair of the first two stays right."""
    true = ring(3)
    ours = true.copy()
    ours[2, :3, :3] = Rotation.from_rotvec([0.1, 0, 0]).as_matrix() @ true[2, :3, :3]
    seen, expected = ours @ np.linalg.inv(ours[0]), true @ np.linalg.inv(true[0])
    a, b = np.linalg.inv(seen[1]) @ seen[2], np.linalg.inv(expected[1]) @ expected[2]
    rotation = np.degrees(Rotation.from_matrix(a[:3, :3].T @ b[:3, :3]).magnitude())
    cosine = abs(a[:3, 3] @ b[:3, 3]) / np.linalg.norm(a[:3, 3]) / np.linalg.norm(b[:3, 3])
    errors = pair_errors(ours, true)
    assert errors[0] == pytest.approx(0, abs=1e-6)
    assert errors[2] == pytest.approx(max(rotation, np.degrees(np.arccos(cosine))), abs=1e-6)


def test_area_counts_whole_degrees():
    """Errors 0.5, 1.5 and 40 degrees: recall is 1/3 below 1 degree, 2/3 below 2 and 3."""
    assert area_under_recall(np.array([0.5, 1.5, 40]), 3) == pytest.approx((1 / 3 + 2 / 3 + 2 / 3) / 3)


def test_photos_without_a_camera_count_as_wrong():
    true = ring(4)
    ours = true.copy()
    ours[0] = np.nan
    errors = pair_errors(ours, true)
    assert np.isinf(errors[:3]).all()
    assert np.allclose(errors[3:], 0, atol=1e-6)
    assert pose_auc(ours, true)[30] == pytest.approx(0.5)


def test_no_camera_at_all_scores_nothing():
    assert pose_auc(np.full((3, 4, 4), np.nan), ring(3))[30] == 0
