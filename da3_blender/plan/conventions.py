"""OpenCV to Blender and back, written once: cameras, quaternions, colours. Numpy only.

OpenCV cameras look along +z with y down; Blender's look along -z with y up. Intrinsics are in pixels with
pixel centres at +0.5, so the middle of a photo W pixels wide is cx = W / 2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model_runtime.contract.focal_length import DIAGONAL_35MM

SENSOR_WIDTH = 36.0
"""Millimetres. Blender's default, and what artists read focal lengths against."""

SAME_SHAPE = 1e-6
"""Relative difference of two shapes that are the same but for rounding."""

SHEAR_TOLERANCE = 1e-4
"""Cosine between the axes of a camera's matrix that passes for a right angle; Blender keeps single precision."""

CAMERA_AXES = np.diag([1.0, -1.0, -1.0])
"""Columns: Blender's camera axes in OpenCV's camera axes. Its own inverse."""

OPENCV_TO_Z_UP = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
"""Rotates a world laid out like an OpenCV camera (y down, z forward) to Blender's (z up, y forward)."""


@dataclass(frozen=True, eq=False)
class BlenderCamera:
    """What Blender needs to reproduce one pinhole camera; sensor fit is HORIZONTAL, sensor width SENSOR_WIDTH.

    matrix_world: [4,4] float64, camera to world. resolution: (width, height) in pixels.
    pixel_aspect: (x, y), both >= 1. lens in millimetres. shift_x, shift_y in sensor widths.
    """

    matrix_world: np.ndarray
    lens: float
    shift_x: float
    shift_y: float
    resolution: tuple[int, int]
    pixel_aspect: tuple[float, float]

    @property
    def shape(self) -> float:
        """Width by height of what it shows, pixel aspect included."""
        return self.resolution[0] * self.pixel_aspect[0] / (self.resolution[1] * self.pixel_aspect[1])


@dataclass(frozen=True)
class Sensor:
    """How Blender fits a camera's picture into the render's frame: `sensor_fit`, `sensor_height` in millimetres (of
    SENSOR_WIDTH wide), and the shifts in shares of the side that is fitted."""

    fit: str
    height: float
    shift_x: float
    shift_y: float


def film_equivalent(lens: float, sensor: tuple[float, float]) -> float:
    """The lens in millimetres that shows as much along the diagonal on 35 mm film as `lens` on a `sensor` (width,
    height)."""
    return lens * float(DIAGONAL_35MM / np.hypot(*sensor))


def fit_sensor(camera: BlenderCamera, frame: float) -> Sensor:
    """The sensor with which the camera's whole photo lies in the middle of a frame of another shape, as a background
    image that is fitted into it does, and covers a frame of its own shape. frame: width by height."""
    height = SENSOR_WIDTH / camera.shape
    if camera.shape > frame * (1 - SAME_SHAPE):
        return Sensor("HORIZONTAL", height, camera.shift_x, camera.shift_y)
    return Sensor("VERTICAL", height, camera.shift_x * camera.shape, camera.shift_y * camera.shape)


def to_blender_camera(extrinsics: np.ndarray, intrinsics: np.ndarray, photo_size: tuple[int, int]) -> BlenderCamera:
    """The Blender camera of an OpenCV one.

    extrinsics: [4,4] world-to-camera. intrinsics: [3,3] pixels of the photo, without skew. photo_size: (width, height).
    Blender refuses pixel aspects below 1, so the longer focal length keeps aspect 1.
    """
    width, height = photo_size
    fx, fy = float(intrinsics[0, 0]), float(intrinsics[1, 1])
    cx, cy = float(intrinsics[0, 2]), float(intrinsics[1, 2])
    aspect_x, aspect_y = (1.0, fx / fy) if fx >= fy else (fy / fx, 1.0)
    return BlenderCamera(
        matrix_world=camera_to_world(extrinsics),
        lens=fx * SENSOR_WIDTH / width,
        shift_x=(width / 2 - cx) / width,
        shift_y=(cy - height / 2) * (aspect_y / aspect_x) / width,
        resolution=(width, height),
        pixel_aspect=(aspect_x, aspect_y),
    )


def from_blender_camera(camera: BlenderCamera) -> tuple[np.ndarray, np.ndarray]:
    """Extrinsics [4,4] (world-to-camera) and intrinsics [3,3] (pixels): the inverse of `to_blender_camera`."""
    width, height = camera.resolution
    aspect = camera.pixel_aspect[1] / camera.pixel_aspect[0]
    fx = camera.lens * width / SENSOR_WIDTH
    intrinsics = np.array(
        [
            [fx, 0.0, width / 2 - camera.shift_x * width],
            [0.0, fx / aspect, height / 2 + camera.shift_y * width / aspect],
            [0.0, 0.0, 1.0],
        ]
    )
    world_rotation = camera.matrix_world[:3, :3] @ CAMERA_AXES
    extrinsics = np.eye(4)
    extrinsics[:3, :3] = world_rotation.T
    extrinsics[:3, 3] = -world_rotation.T @ camera.matrix_world[:3, 3]
    return extrinsics, intrinsics


def any_blender_camera(
    matrix_world: np.ndarray,
    lens: float,
    shift: tuple[float, float],
    sensor_fit: str,
    sensor_size: tuple[float, float],
    resolution: tuple[int, int],
    pixel_aspect: tuple[float, float] = (1.0, 1.0),
) -> BlenderCamera:
    """A perspective camera of any sensor, as a `BlenderCamera`: what Blender renders with it at `resolution`.

    matrix_world: [4,4], whose scale Blender ignores in cameras. lens and sensor_size (width, height) in millimetres.
    shift: (x, y) as set in Blender, in shares of the side that the sensor is fitted to. sensor_fit: AUTO, HORIZONTAL
    or VERTICAL; AUTO fits the sensor's width to the longer side. Raises ValueError, saying what is wrong with the
    camera, where it is sheared or mirrored or has no size.
    """
    width, height = resolution
    tall = height * pixel_aspect[1] / pixel_aspect[0]  # in units of a pixel's width
    vertical = sensor_fit == "VERTICAL" or (sensor_fit == "AUTO" and tall > width)
    fitted = (tall if vertical else width) / width
    sensor = sensor_size[1] if sensor_fit == "VERTICAL" else sensor_size[0]
    return BlenderCamera(
        matrix_world=_without_scale(matrix_world),
        lens=lens * SENSOR_WIDTH / sensor * fitted,
        shift_x=shift[0] * fitted,
        shift_y=shift[1] * fitted,
        resolution=resolution,
        pixel_aspect=pixel_aspect,
    )


def _without_scale(matrix: np.ndarray) -> np.ndarray:
    matrix = np.array(matrix, dtype=np.float64)
    length = np.linalg.norm(matrix[:3, :3], axis=0)
    if not length.min() > 0:
        raise ValueError("it has a scale of zero")
    axes = matrix[:3, :3] / length
    if np.abs(axes.T @ axes - np.eye(3)).max() > SHEAR_TOLERANCE:
        raise ValueError("it is sheared by the scale of its parents")
    if np.linalg.det(axes) < 0:
        raise ValueError("it is mirrored by a negative scale")
    left, _, right = np.linalg.svd(axes)
    matrix[:3, :3] = left @ right
    return matrix


def camera_to_world(extrinsics: np.ndarray) -> np.ndarray:
    """[4,4] matrix_world of the Blender camera with OpenCV world-to-camera `extrinsics` [4,4]."""
    rotation, translation = extrinsics[:3, :3], extrinsics[:3, 3]
    matrix = np.eye(4)
    matrix[:3, :3] = rotation.T @ CAMERA_AXES
    matrix[:3, 3] = -rotation.T @ translation
    return matrix


def srgb_to_linear(encoded: np.ndarray) -> np.ndarray:
    """Scene-linear values of sRGB-encoded ones in 0..1 (IEC 61966-2-1), any shape."""
    encoded = np.asarray(encoded, dtype=np.float64)
    return np.where(encoded <= 0.04045, encoded / 12.92, ((np.maximum(encoded, 0.0) + 0.055) / 1.055) ** 2.4)


def linear_to_srgb(linear: np.ndarray) -> np.ndarray:
    """sRGB-encoded values of scene-linear ones in 0..1, any shape: the inverse of `srgb_to_linear`."""
    linear = np.asarray(linear, dtype=np.float64)
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * np.maximum(linear, 0.0) ** (1 / 2.4) - 0.055)
