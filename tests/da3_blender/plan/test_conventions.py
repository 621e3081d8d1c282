"""OpenCV and Blender say the same about a camera, a rotation, a colour."""

from __future__ import annotations

import numpy as np
import pytest

from da3_blender.plan import conventions
from model_runtime.contract.quaternions import quaternion_from_matrix, rotate_quaternions


@pytest.mark.parametrize(
    ("size", "focal", "principal"),
    [
        ((640, 480), (500.0, 500.0), (320.0, 240.0)),
        ((480, 640), (700.0, 650.0), (200.0, 350.0)),
        ((4000, 3000), (2500.0, 3100.0), (2100.0, 1300.0)),
    ],
)
def test_camera_round_trip(room, size, focal, principal):
    view = room.view(eye=(1, -2, 1.5), target=(0.5, 3, 0.2), photo_size=size, focal=focal, principal=principal)
    camera = conventions.to_blender_camera(view.extrinsics, view.intrinsics, size)
    extrinsics, intrinsics = conventions.from_blender_camera(camera)
    np.testing.assert_allclose(extrinsics, view.extrinsics, atol=1e-12)
    np.testing.assert_allclose(intrinsics, view.intrinsics, atol=1e-9)
    assert min(camera.pixel_aspect) == 1


def test_camera_looks_where_opencv_does():
    matrix = conventions.camera_to_world(np.eye(4))
    np.testing.assert_array_equal(matrix[:3, :3] @ (0, 0, -1), (0, 0, 1))
    np.testing.assert_array_equal(matrix[:3, :3] @ (0, 1, 0), (0, -1, 0))


@pytest.mark.parametrize("degrees", [0.0, 30.0, 120.0, 180.0])
def test_quaternion_of_a_known_rotation(room, degrees):
    axis = np.array([1, 2, -2]) / 3
    quaternion = quaternion_from_matrix(room.rotation_about((1, 2, -2), degrees))
    half = np.radians(degrees) / 2
    expected = np.array([np.cos(half), *(np.sin(half) * axis)])
    assert abs(quaternion @ expected) == pytest.approx(1, abs=1e-12)


def test_rotated_quaternions_turn_as_matrices_do(room):
    first, second = room.rotation_about((0, 1, 1), 50), room.rotation_about((3, -1, 0.5), 100)
    turned = rotate_quaternions(second, quaternion_from_matrix(first)[None])[0]
    expected = quaternion_from_matrix(second @ first)
    assert abs(turned @ expected) == pytest.approx(1, abs=1e-6)


def test_srgb_known_values_and_round_trip():
    # 188 / 255 is the byte that stands for half the light; 0.04045 is the end of the straight part.
    np.testing.assert_allclose(
        conventions.srgb_to_linear([0, 0.04045, 188 / 255, 1]), [0, 0.0031308, 0.5029, 1], atol=1e-4
    )
    values = np.linspace(0, 1, 256)
    np.testing.assert_allclose(conventions.linear_to_srgb(conventions.srgb_to_linear(values)), values, atol=1e-7)
