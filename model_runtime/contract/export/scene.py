"""What is exported: cameras with their photos, points and a surface, as plain data in Blender's world (z up).

Nothing changes it: every writer takes it and leaves it as it is, so the order of exports never matters.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from model_runtime.contract.lens import Lens, Pinhole, distort, to_pixels

NO_VIEW = -1

OPENGL_AXES = np.diag([1.0, -1.0, -1.0])
"""Columns: the axes of a camera that looks along -z with y up, as Blender's, Nuke's, USD's and glTF's do, in OpenCV's
axes. Its own inverse."""

Y_UP = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
"""Turns a world with z up to one with y up."""


@dataclass(frozen=True, eq=False)
class ExportCamera:
    """The camera of one photo.

    name: the photo's. size: (width, height) in pixels of the picture that the camera sees as a pinhole.
    intrinsics: [3,3] float64, pixels of that picture, centres at +0.5. extrinsics: [4,4] float64, world-to-camera,
    OpenCV axes. map_size: (width, height) of the photo's depth map, (0, 0) where it is not known.
    photo: the photo's file, or None. plate: file bytes of the picture where the photo's file shows another, else empty.
    turned: whether the photo's file shows it upright only to programs that heed its EXIF orientation.
    lens: of the original photo, where it bends lines. match_error: as in `View`.
    """

    name: str
    size: tuple[int, int]
    intrinsics: np.ndarray
    extrinsics: np.ndarray
    map_size: tuple[int, int] = (0, 0)
    photo: Path | None = None
    plate: bytes = b""
    turned: bool = False
    lens: Lens | None = None
    match_error: float | None = None

    @property
    def pinhole(self) -> Pinhole:
        return Pinhole(self.size, self.intrinsics)

    @property
    def to_world(self) -> np.ndarray:
        """[4,4] of the camera with OpenGL's axes, camera to world: Blender's matrix_world."""
        rotation, translation = self.extrinsics[:3, :3], self.extrinsics[:3, 3]
        matrix = np.eye(4)
        matrix[:3, :3] = rotation.T @ OPENGL_AXES
        matrix[:3, 3] = -rotation.T @ translation
        return matrix


@dataclass(frozen=True, eq=False)
class ExportTrack:
    """The one moving camera of a clip, over F frames.

    name: the camera's. frames: [F] int64, one after the other. size, intrinsics: as of `ExportCamera`, of the clip as
    the camera sees it, without what its lens bends. extrinsics: [F,4,4] float64. rate: frames a second.
    """

    name: str
    frames: np.ndarray
    size: tuple[int, int]
    intrinsics: np.ndarray
    extrinsics: np.ndarray
    rate: float

    @property
    def cameras(self) -> list[ExportCamera]:
        """What the camera is in each of the frames."""
        return [ExportCamera(self.name, self.size, self.intrinsics, pose) for pose in self.extrinsics]


@dataclass(frozen=True, eq=False)
class ExportPoints:
    """P points. position: [P,3] float32. color: [P,3] uint8, sRGB-encoded. confidence: [P] float32.
    view: [P] int32, index into the cameras of the photo that a point comes from, NO_VIEW for none of them."""

    position: np.ndarray
    color: np.ndarray
    confidence: np.ndarray
    view: np.ndarray


@dataclass(frozen=True, eq=False)
class ExportMesh:
    """Surfaces. vertices: [V,3] float32. triangles: [T,3] int32, counter-clockwise seen from where the cameras are.
    colors: [V,3] uint8, sRGB-encoded."""

    vertices: np.ndarray
    triangles: np.ndarray
    colors: np.ndarray


def no_points() -> ExportPoints:
    return ExportPoints(
        np.empty((0, 3), np.float32), np.empty((0, 3), np.uint8), np.empty(0, np.float32), np.empty(0, np.int32)
    )


@dataclass(frozen=True, eq=False)
class ExportScene:
    """metric: whether the world's unit is the metre. frame_rate: of photos that are frames of a film. provenance: what
    made the scene, JSON-able. repeated: further points, which another photo shows better: only the depth maps of their
    photos need them. track: of a clip; the cameras are then those of its key frames."""

    cameras: tuple[ExportCamera, ...]
    points: ExportPoints = field(default_factory=no_points)
    mesh: ExportMesh | None = None
    metric: bool = False
    frame_rate: float = 24.0
    provenance: dict[str, object] = field(default_factory=dict[str, object])
    repeated: ExportPoints = field(default_factory=no_points)
    track: ExportTrack | None = None


def in_camera(camera: ExportCamera, points: np.ndarray) -> np.ndarray:
    """[P,3] float64, the world's points [P,3] in the camera's OpenCV axes."""
    return points.astype(np.float64) @ camera.extrinsics[:3, :3].T + camera.extrinsics[:3, 3]


def project(camera: ExportCamera, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[P,2] pixels of the camera's picture that show the world's points [P,3], and their depth [P] along the camera's
    axis; NaN for what is not before the camera."""
    seen = in_camera(camera, points)
    return to_pixels(camera.intrinsics, plane_of(seen)), seen[:, 2]


def project_original(camera: ExportCamera, points: np.ndarray) -> np.ndarray:
    """[P,2] pixels of the original photo, as its lens bends it, that show the world's points [P,3]; NaN for nothing."""
    if camera.lens is None:
        return project(camera, points)[0]
    return distort(camera.lens, plane_of(in_camera(camera, points)))


def plane_of(seen: np.ndarray) -> np.ndarray:
    """[P,2] (x / z, y / z) of points [P,3] in a camera's axes; NaN for what is not before it."""
    depth = np.where(seen[:, 2] > 0, seen[:, 2], np.nan)
    return seen[:, :2] / depth[:, None]


def linear(colors: np.ndarray) -> np.ndarray:
    """float64 scene-linear values in 0..1 of sRGB-encoded uint8 ones (IEC 61966-2-1), any shape."""
    encoded = np.arange(256) / 255
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)[colors]
