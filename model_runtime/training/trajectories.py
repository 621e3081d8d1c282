"""Where the cameras of a synthetic room stand: orbits, hand-held walks and pans, with a controlled amount of motion.

Frames: rooms have z up; cameras follow OpenCV (x right, y down, z forward); extrinsics are world-to-camera.
"""

from dataclasses import dataclass

import numpy as np

from model_runtime.training.scenes import Scene

CLEARANCE = 0.3
"""Metres that a camera keeps from every surface."""


@dataclass(frozen=True)
class Motion:
    """How far the views of a scene may lie apart: turn in radians, baseline as a share of the distance looked at."""

    turn: float
    baseline: float

    @staticmethod
    def of_difficulty(difficulty: float) -> "Motion":
        return Motion(np.radians(8 + 34 * difficulty), 0.08 + 0.4 * difficulty)


def look_at(position: np.ndarray, target: np.ndarray, roll: float = 0.0) -> np.ndarray:
    """Camera-to-world matrix [4,4] at `position` looking at `target`, world z up, turned by `roll` radians."""
    forward = (target - position) / np.linalg.norm(target - position)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    down = np.cross(forward, right)
    c, s = np.cos(roll), np.sin(roll)
    pose = np.eye(4)
    pose[:3, 0] = c * right + s * down
    pose[:3, 1] = c * down - s * right
    pose[:3, 2] = forward
    pose[:3, 3] = position
    return pose


def is_free(scene: Scene, position: np.ndarray, clearance: float = CLEARANCE) -> bool:
    """Whether a camera at `position` stays `clearance` metres off every solid and inside the room."""
    local = np.einsum("sji,sj->si", scene.axes, position - scene.centres)
    beyond = np.abs(local) - scene.half_sizes
    inside_room = bool((beyond[0] < -clearance).all())
    return inside_room and bool((beyond[1:] > clearance).any(axis=1).all())


def _rotate_about_z(vector: np.ndarray, angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([c * vector[0] - s * vector[1], s * vector[0] + c * vector[1], vector[2]])


def _base(rng: np.random.Generator, scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    """A free standpoint and a point to look at, at least a metre away where the room allows it."""
    half = scene.room_half_size
    top = 2 * half[2]
    low, high = np.array([*(CLEARANCE - half[:2]), 0.5]), np.array([*(half[:2] - CLEARANCE), min(1.9, top - 0.35)])
    position = (low + high) / 2
    for _ in range(40):
        position = rng.uniform(low, high)
        if is_free(scene, position):
            break
    target = np.array([0.0, 0.0, 0.6])
    for _ in range(10):
        target = np.array([*rng.uniform(-0.9, 0.9, 2) * half[:2], rng.uniform(0.1, 1.5)])
        if np.linalg.norm((target - position)[:2]) > 1.2:
            break
    return position, target


def _candidate(
    rng: np.random.Generator, style: str, position: np.ndarray, target: np.ndarray, motion: Motion
) -> tuple[np.ndarray, np.ndarray]:
    """Standpoint and target of one more view."""
    arm = position - target
    reach = max(float(np.linalg.norm(arm)), 0.8)
    if style == "orbit":
        turned = _rotate_about_z(arm, rng.uniform(-motion.turn, motion.turn))
        moved = target + turned * rng.uniform(1 - motion.baseline / 2, 1 + motion.baseline / 2)
        moved[2] += rng.uniform(-0.3, 0.3) * motion.baseline * reach
        return moved, target + rng.uniform(-0.06, 0.06, 3) * reach
    if style == "pan":
        turned = _rotate_about_z(-arm, rng.uniform(-motion.turn, motion.turn))
        moved = position + rng.normal(size=3) * 0.25 * motion.baseline * reach
        turned[2] += np.tan(rng.uniform(-0.3, 0.3) * motion.turn) * reach
        return moved, moved + turned
    moved = position + rng.uniform(-1, 1, 3) * [1, 1, 0.35] * motion.baseline * reach
    return moved, target + rng.uniform(-0.5, 0.5, 3) * motion.turn * reach


def sample_poses(rng: np.random.Generator, scene: Scene, views: int, difficulty: float = 1.0) -> np.ndarray:
    """World-to-camera extrinsics [views,4,4] of one way of photographing the room; larger `difficulty`, more motion."""
    style = ("orbit", "handheld", "handheld", "pan")[int(rng.integers(4))]
    motion = Motion.of_difficulty(difficulty * rng.uniform(0.3, 1.0))
    position, target = _base(rng, scene)
    poses = []
    for _ in range(views):
        place, aim = position, target
        for _ in range(12):
            candidate = _candidate(rng, style, position, target, motion)
            if is_free(scene, candidate[0]) and np.linalg.norm((candidate[1] - candidate[0])[:2]) > 0.3:
                place, aim = candidate
                break
        poses.append(look_at(place, aim, rng.normal() * np.radians(2.5)))
    return np.linalg.inv(np.stack(poses))


def sample_intrinsics(
    rng: np.random.Generator, views: int, height: int, width: int, field_of_view: tuple[float, float] = (45.0, 90.0)
) -> np.ndarray:
    """Pinhole matrices [views,3,3] in pixels: one camera for a scene, sometimes zooming a little between views.

    field_of_view: range in degrees along the longer side, uniform in the angle.
    """
    angle = np.radians(rng.uniform(*field_of_view))
    zoom = np.exp(rng.normal(size=views) * 0.05) if rng.random() < 0.2 else np.ones(views)
    focal = max(height, width) / 2 / np.tan(angle / 2) * zoom
    intrinsics = np.zeros((views, 3, 3))
    intrinsics[:, 0, 0] = intrinsics[:, 1, 1] = focal
    intrinsics[:, 0, 2], intrinsics[:, 1, 2], intrinsics[:, 2, 2] = width / 2, height / 2, 1
    return intrinsics
