"""What every data set is read into: scenes of photos with true cameras, and with true depth and surface where known."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import trimesh
from PIL import Image
from scipy.ndimage import map_coordinates

from model_runtime.benchmark.reconstruction import SEED, Judge, Protocol
from model_runtime.contract.messages import JobError, Photo

INDOORS = Protocol(cell=4 / 512, truncation=0.04, threshold=0.05)
"""Metres; of 7Scenes and HiRoom in the released evaluation of Depth Anything 3."""


@dataclass(frozen=True, eq=False)
class TruthView:
    """One photo of a test scene.

    extrinsics: [4,4] float64 world-to-camera. intrinsics: [3,3] float64, pixels of the photo, centres at +0.5.
    depth: reads the true depth [H,W] along z, 0 where unknown; None where a data set has none.
    distortion: [4] OpenCV's k1, k2, p1, p2 of the photo's file; `read_photo` takes it out.
    """

    photo: Path
    extrinsics: np.ndarray
    intrinsics: np.ndarray
    depth: Callable[[], np.ndarray] | None = None
    distortion: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class TruthScene:
    """surface: reads true points [Q,3], world; None where a data set has none. judge: which points are compared, all
    by default. group: what the scene is counted with in tables beside all scenes together (`plain` or `textured`
    walls), or empty.
    """

    dataset: str
    name: str
    views: tuple[TruthView, ...]
    protocol: Protocol
    surface: Callable[[], np.ndarray] | None = None
    judge: Judge | None = None
    group: str = ""

    @property
    def extrinsics(self) -> np.ndarray:
        """[N,4,4]"""
        return np.stack([view.extrinsics for view in self.views])

    @property
    def intrinsics(self) -> np.ndarray:
        """[N,3,3]"""
        return np.stack([view.intrinsics for view in self.views])


def missing(what: str, path: Path) -> JobError:
    return JobError("dataset-missing", f"{what}: {path} is missing.", "Check the folder given for this data set.")


def require(path: Path, what: str) -> Path:
    """The path, which must exist."""
    if not path.exists():
        raise missing(what, path)
    return path


def scene_folders(root: Path, inside: str, what: str) -> list[Path]:
    """The folders of `root`, by name, that hold the file or folder `inside`; at least one."""
    found = sorted(path.parents[inside.count("/")] for path in require(root, what).glob(f"*/{inside}"))
    if not found:
        raise missing(f"{what}: no scene found", root / "*" / inside)
    return found


def pinhole(fx: float, fy: float, cx: float, cy: float) -> np.ndarray:
    return np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]], np.float64)


def evenly_chosen(scene: TruthScene, most: int) -> TruthScene:
    """The scene with at most `most` of its views, spread evenly over their order."""
    if len(scene.views) <= most:
        return scene
    chosen = np.linspace(0, len(scene.views) - 1, most).round().astype(int)
    return replace(scene, views=tuple(scene.views[i] for i in chosen))


def depth_from_png(path: Path, unit: float, unknown: int = 0) -> np.ndarray:
    """[H,W] float32 from a 16-bit PNG whose values are multiplied by `unit`; 0 where the value is `unknown`."""
    values = np.asarray(Image.open(path))
    return np.where(values == unknown, 0, values * np.float32(unit)).astype(np.float32)


def surface_points(path: Path, count: int) -> np.ndarray:
    """[count,3] points spread over the mesh of a file, or the points [P,3] of a file without faces."""
    mesh = trimesh.load(path, process=False)
    if isinstance(mesh, trimesh.Trimesh) and len(mesh.faces):
        return np.asarray(trimesh.sample.sample_surface(mesh, count, seed=SEED)[0])
    return np.asarray(mesh.vertices, np.float64)  # type: ignore[union-attr]


def read_photos(views: Sequence[TruthView]) -> tuple[Photo, ...]:
    """The photos as a request wants them, without lens distortion; numbered, since names must differ."""
    return tuple(Photo(f"{i:03} {view.photo.name}", _read_photo(view)) for i, view in enumerate(views, 1))


def _read_photo(view: TruthView) -> bytes:
    if view.distortion is None:
        return require(view.photo, "photo").read_bytes()
    pixels = np.asarray(Image.open(require(view.photo, "photo")).convert("RGB"))
    file = io.BytesIO()
    Image.fromarray(undistorted(pixels, view.intrinsics, view.distortion)).save(file, "PNG")
    return file.getvalue()


def undistorted(pixels: np.ndarray, intrinsics: np.ndarray, distortion: np.ndarray) -> np.ndarray:
    """[H,W,3] uint8 as a pinhole camera with the same intrinsics would have taken it (bilinear; the photo's rim is
    repeated where the pinhole sees beyond it). distortion: k1, k2, p1, p2 of Brown's model.
    """
    k1, k2, p1, p2 = distortion
    height, width = pixels.shape[:2]
    u, v = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    x, y = (u - intrinsics[0, 2]) / intrinsics[0, 0], (v - intrinsics[1, 2]) / intrinsics[1, 1]
    square = x * x + y * y
    radial = 1 + k1 * square + k2 * square * square
    moved_x = x * radial + 2 * p1 * x * y + p2 * (square + 2 * x * x)
    moved_y = y * radial + p1 * (square + 2 * y * y) + 2 * p2 * x * y
    column = moved_x * intrinsics[0, 0] + intrinsics[0, 2] - 0.5
    row = moved_y * intrinsics[1, 1] + intrinsics[1, 2] - 0.5
    channels = [map_coordinates(pixels[..., k], (row, column), order=1, mode="nearest") for k in range(3)]
    return np.stack(channels, -1)
