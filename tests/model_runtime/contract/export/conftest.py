"""A scene whose points are known by their pixels: landscape, portrait, off-centre, fx above and below fy."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from scipy.spatial.transform import Rotation

from model_runtime.contract.export.scene import ExportCamera, ExportMesh, ExportPoints, ExportScene
from model_runtime.contract.lens import BROWN, FISHEYE, Lens, straight_camera

SHAPES = (
    ("wide.png", (120, 80), (100.0, 100.0), (60.0, 40.0), (30, 20)),
    ("tall.png", (60, 100), (70.0, 70.0), (24.5, 61.25), (15, 25)),
    ("folder/flat.png", (96, 54), (75.0, 66.0), (50.5, 25.0), (32, 18)),
    ("tall (2).png", (54, 96), (65.0, 78.0), (30.0, 45.0), (18, 32)),
)
POINTS_EACH = 25


def picture(size: tuple[int, int], seed: int = 0) -> bytes:
    """A PNG of noise."""
    file = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def make_scene(folder: Path) -> tuple[ExportScene, np.ndarray]:
    """The scene, with its photos in `folder`, and the pixels [P,2] that show its points: centres of the depth maps'."""
    rng = np.random.default_rng(7)
    cameras, position, view, pixels = [], [], [], []
    for i, (name, size, focal, middle, map_size) in enumerate(SHAPES):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture(size, i))
        intrinsics = np.array([[focal[0], 0, middle[0]], [0, focal[1], middle[1]], [0, 0, 1.0]])
        extrinsics = np.eye(4)
        extrinsics[:3, :3] = Rotation.random(random_state=rng).as_matrix()
        extrinsics[:3, 3] = rng.normal(size=3)
        cameras.append(ExportCamera(name, size, intrinsics, extrinsics, map_size, path, match_error=0.5))
        place = rng.choice(map_size[0] * map_size[1], POINTS_EACH, replace=False)
        cell = np.stack((place % map_size[0], place // map_size[0]), axis=-1)
        pixel = (cell + 0.5) * size / map_size
        rays = np.c_[pixel, np.ones(POINTS_EACH)] @ np.linalg.inv(intrinsics).T
        depth = rng.uniform(1, 4, (POINTS_EACH, 1))
        position.append((depth * rays - extrinsics[:3, 3]) @ extrinsics[:3, :3])
        view.append(np.full(POINTS_EACH, i, np.int32))
        pixels.append(pixel)
    count = POINTS_EACH * len(SHAPES)
    points = ExportPoints(
        np.concatenate(position).astype(np.float32),
        rng.integers(0, 256, (count, 3)).astype(np.uint8),
        rng.uniform(1, 3, count).astype(np.float32),
        np.concatenate(view),
    )
    corners = np.float32([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    colors = np.uint8([[255, 0, 0], [0, 255, 0], [0, 0, 255], [128, 128, 128]])
    mesh = ExportMesh(corners, np.int32([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]]), colors)
    return ExportScene(tuple(cameras), points, mesh, metric=True), np.concatenate(pixels)


@pytest.fixture
def seen(tmp_path: Path) -> SimpleNamespace:
    """scene; pixels: [P,2] that show its points."""
    scene, pixels = make_scene(tmp_path / "photos")
    return SimpleNamespace(scene=scene, pixels=pixels, picture=picture)


def lens_camera(camera: ExportCamera, model: str, coefficients: tuple[float, ...]) -> ExportCamera:
    """The camera of a photo of the same size and place that a lens bends, with its straightened plate."""
    lens = Lens(model, camera.size, camera.intrinsics, np.array(coefficients))
    straight = straight_camera(lens)
    return ExportCamera(
        camera.name,
        straight.size,
        straight.intrinsics,
        camera.extrinsics,
        camera.map_size,
        camera.photo,
        picture(straight.size),
        lens=lens,
    )


@pytest.fixture
def bent(seen: SimpleNamespace) -> SimpleNamespace:
    """The same, each photo bent by a lens of another kind."""
    lenses = (
        (BROWN, (-0.1, 0.02, 0.001, -0.002)),
        (BROWN, (-0.1, 0.02, 0.001, -0.002, 0.003, 0.01, 0.002, 0.001)),
        (FISHEYE, (0.02, -0.01, 0.002, 0.0)),
        (BROWN, (0.05, 0.0, 0.0, 0.0)),
    )
    cameras = tuple(lens_camera(camera, *lens) for camera, lens in zip(seen.scene.cameras, lenses, strict=True))
    return SimpleNamespace(scene=ExportScene(cameras, seen.scene.points, seen.scene.mesh))
