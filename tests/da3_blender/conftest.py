"""Analytic scenes as predictions: a floor and a wall, ray-cast exactly, so that every depth and colour is known;
a worker that needs no torch, and photos for it."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import da3_blender
from da3_blender.plan.scene_plan import PlanSettings, ScenePlan, plan_scene
from da3_blender.runtime.worker_command import RuntimeSettings
from model_runtime.contract.messages import CheckpointInfo, Gaussians, Prediction, View

FLOOR_COLOR = (180, 120, 60)
WALL_COLOR = (40, 90, 200)


def rotation_about(axis: tuple[float, float, float], degrees: float) -> np.ndarray:
    """[3,3] by Rodrigues' formula."""
    x, y, z = np.asarray(axis) / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = np.radians(degrees)
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def look_at(eye: np.ndarray, target: np.ndarray) -> np.ndarray:
    """[4,4] world-to-camera (OpenCV) of an unrolled camera in a z-up world."""
    forward = (target - eye) / np.linalg.norm(target - eye)
    right = np.cross(forward, (0, 0, 1))
    right /= np.linalg.norm(right)
    extrinsics = np.eye(4)
    extrinsics[:3, :3] = np.stack([right, np.cross(forward, right), forward])
    extrinsics[:3, 3] = -extrinsics[:3, :3] @ eye
    return extrinsics


def cast_room(extrinsics: np.ndarray, intrinsics: np.ndarray, photo_size: tuple[int, int], shape: tuple[int, int]):
    """Depth [h,w] and colour [h,w,3] of a floor z = 0 and a wall y = 4 in a z-up world."""
    height, width = shape
    u = (np.arange(width) + 0.5) * photo_size[0] / width
    v = (np.arange(height) + 0.5) * photo_size[1] / height
    pixel = np.stack([*np.meshgrid(u, v), np.ones(shape)], axis=-1)
    direction = pixel @ np.linalg.inv(intrinsics).T @ extrinsics[:3, :3]
    eye = -extrinsics[:3, :3].T @ extrinsics[:3, 3]
    with np.errstate(divide="ignore"):
        floor = np.where(direction[..., 2] < 0, -eye[2] / direction[..., 2], np.inf)
        wall = np.where(direction[..., 1] > 0, (4 - eye[1]) / direction[..., 1], np.inf)
    depth = np.minimum(floor, wall)
    color = np.where((floor < wall)[..., None], FLOOR_COLOR, WALL_COLOR).astype(np.uint8)
    return depth.astype(np.float32), color


def make_view(
    eye: tuple[float, float, float] = (0.0, 0.0, 1.6),
    target: tuple[float, float, float] = (0.0, 4.0, 1.0),
    photo_size: tuple[int, int] = (640, 480),
    focal: tuple[float, float] = (520.0, 520.0),
    principal: tuple[float, float] | None = None,
    world: np.ndarray | None = None,
    name: str = "view.png",
    detail: int = 10,
) -> View:
    """One view of the room; `world` [4,4] is a rigid motion of the room before it is seen, for tilted predictions.
    The depth map has a `detail`-th of the photo's pixels."""
    width, height = photo_size
    cx, cy = principal or (width / 2, height / 2)
    intrinsics = np.array([[focal[0], 0, cx], [0, focal[1], cy], [0, 0, 1.0]])
    extrinsics = look_at(np.array(eye), np.array(target))
    shape = (round(height / detail), round(width / detail))
    depth, color = cast_room(extrinsics, intrinsics, photo_size, shape)
    confidence = 1 + np.linspace(0, 1, depth.size, dtype=np.float32).reshape(shape)
    if world is not None:
        extrinsics = extrinsics @ np.linalg.inv(world)
    return View(name, photo_size, depth, confidence, np.zeros(shape, bool), color, extrinsics, intrinsics)


def make_prediction(*views: View, gaussians: Gaussians | None = None, source: str = "network") -> Prediction:
    checkpoint = CheckpointInfo("da3-tiny", "da3-tiny", "Apache-2.0", True)
    return Prediction(views or (make_view(),), gaussians, checkpoint, source)


def make_gaussians(
    means: np.ndarray,
    scales: float | np.ndarray = 0.1,
    rotations: np.ndarray | None = None,
    opacities: float | np.ndarray = 1.0,
    colors: np.ndarray | tuple[float, float, float] = (0.5, 0.5, 0.5),
    degree: int = 0,
    source: str = "network",
) -> Gaussians:
    """Splats with display colours in 0..1 and no view dependence."""
    means = np.atleast_2d(np.asarray(means, dtype=np.float32))
    count = len(means)
    harmonics = np.zeros((count, 3, (degree + 1) ** 2), dtype=np.float32)
    harmonics[:, :, 0] = (np.asarray(colors) - 0.5) * np.sqrt(4 * np.pi)
    return Gaussians(
        means=means,
        scales=np.broadcast_to(np.asarray(scales, dtype=np.float32), (count, 3)).copy(),
        rotations=np.tile(np.float32([1, 0, 0, 0]), (count, 1)) if rotations is None else np.float32(rotations),
        opacities=np.broadcast_to(np.asarray(opacities, dtype=np.float32), (count,)).copy(),
        harmonics=harmonics,
        confidence=np.ones(count, np.float32),
        view_index=np.zeros(count, np.int32),
        source=source,
    )


@pytest.fixture(scope="session")
def room() -> SimpleNamespace:
    """The makers above; test modules are imported on their own and cannot import this file."""
    return SimpleNamespace(
        view=make_view,
        prediction=make_prediction,
        gaussians=make_gaussians,
        rotation_about=rotation_about,
        look_at=look_at,
        cast=cast_room,
        floor_color=FLOOR_COLOR,
        wall_color=WALL_COLOR,
    )


@pytest.fixture
def kitchen_plan(room: SimpleNamespace) -> ScenePlan:
    """Two photos with points, splats and sheets."""
    views = [room.view(name=name) for name in ("a.jpg", "b.jpg")]
    prediction = room.prediction(*views, gaussians=room.gaussians(np.zeros((4, 3))))
    return plan_scene(prediction, "kitchen", settings=PlanSettings(sheets=True))


@pytest.fixture
def empty_scene() -> Iterator[object]:
    """A Blender file with nothing in it but its scene; skips where there is no bpy."""
    bpy = pytest.importorskip("bpy")
    bpy.ops.wm.read_factory_settings(use_empty=True)
    yield bpy.context.scene
    bpy.ops.wm.read_factory_settings(use_empty=True)


@pytest.fixture
def fake_worker(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The words that start fake_worker.py, which can import what it needs."""
    script = Path(__file__).with_name("fake_worker.py")
    monkeypatch.setenv("PYTHONPATH", str(script.parents[2]))
    return [sys.executable, str(script)]


@pytest.fixture
def two_photos(tmp_path: Path) -> Path:
    """A folder with a.png and b.png, of the size that the fake worker gives its views."""
    for name in ("a.png", "b.png"):
        Image.new("RGB", (100, 75)).save(tmp_path / name)
    return tmp_path


@pytest.fixture
def addon(empty_scene: object) -> Iterator[None]:
    """The add-on is switched on."""
    da3_blender.register()
    yield
    da3_blender.unregister()


@pytest.fixture
def addon_scene(empty_scene: object, fake_worker: list[str], monkeypatch: pytest.MonkeyPatch, addon: None) -> object:
    """An empty scene of a Blender with the add-on, whose buttons reach the fake worker."""
    settings = RuntimeSettings("command", command=shlex.join(fake_worker))
    monkeypatch.setattr("da3_blender.preferences.chosen_runtime", lambda: settings)
    return empty_scene
