"""Where cameras stand and how they look: as people photograph rooms, streets and things, with a controlled amount of
motion between the views.

Frames: scenes have z up; cameras follow OpenCV (x right, y down, z forward); extrinsics are world-to-camera.
"""

from dataclasses import dataclass

import numpy as np

from model_runtime.training.world.solids import SHELL, Scene

CLEARANCE = 0.15
"""Metres that a camera keeps from every surface."""
STYLES = ("orbit", "orbit", "handheld", "handheld", "walk", "pan")
SUBJECT_SHARE = 0.6
"""Share of the photos that are of one thing; the others show the place."""
FIELD_OF_VIEW = (35.0, 62.0, 100.0)
"""Degrees: least, most common and largest horizontal field of view; upright photos get PORTRAIT_FIELD."""
PORTRAIT_FIELD = (35.0, 50.0, 75.0)


@dataclass(frozen=True)
class Motion:
    """How far the views of a scene may lie apart: turn in radians, baseline as a share of the distance looked at."""

    turn: float
    baseline: float

    @staticmethod
    def of_difficulty(difficulty: float) -> "Motion":
        return Motion(np.radians(8 + 62 * difficulty), 0.08 + 0.62 * difficulty)


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
    """Whether a camera at `position` stays `clearance` metres off the bounding box of every solid, and inside a room
    where there is one."""
    local = np.einsum("sji,sj->si", scene.axes, position - scene.centres)
    beyond = np.abs(local) - scene.half_sizes
    first = 0
    if scene.kinds[0] == SHELL:
        first = 1
        if not (beyond[0] < -clearance).all():
            return False
    return bool((beyond[first:] > clearance).any(axis=1).all())


def _rotate_about_z(vector: np.ndarray, angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([c * vector[0] - s * vector[1], s * vector[0] + c * vector[1], vector[2]])


def _of_subject(rng: np.random.Generator, scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    """A standpoint for a photo of one thing, which about fills the frame, and the thing's place."""
    *point, radius = scene.focus[int(rng.integers(len(scene.focus)))]
    target = np.asarray(point)
    distance = max(0.3, radius * rng.uniform(1.4, 4.0))
    around, up = rng.uniform(0, 2 * np.pi), np.radians(rng.uniform(0, 55))
    arm = np.array([np.cos(up) * np.cos(around), np.cos(up) * np.sin(around), np.sin(up)])
    return target + distance * arm, target


def _of_place(rng: np.random.Generator, scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    """A standpoint for a photo of the place, and a spot some way off to look at."""
    low, high = scene.stand
    position = rng.uniform(low, high)
    if rng.random() < 0.7:
        # Near the edge of the room, where people step back to.
        side = int(rng.integers(2))
        position[side] = (low, high)[int(rng.integers(2))][side] * rng.uniform(0.8, 1.0)
    position[2] = min(high[2], max(low[2], 1.45 + 0.3 * rng.normal())) if rng.random() < 0.7 else position[2]
    target = np.array([0.0, 0.0, 0.6])
    for _ in range(10):
        point = scene.focus[int(rng.integers(len(scene.focus)))]
        target = point[:3] + rng.normal(size=3) * 0.3
        if np.linalg.norm((target - position)[:2]) > 1.2:
            break
    return position, target


def _allowed(scene: Scene, position: np.ndarray, target: np.ndarray) -> bool:
    low, high = scene.stand
    inside = bool((position >= low).all() and (position <= [*high[:2], max(high[2], target[2] + 1.0)]).all())
    return inside and is_free(scene, position) and bool(np.linalg.norm((target - position)[:2]) > 0.15)


def _base(rng: np.random.Generator, scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    choose = _of_subject if rng.random() < SUBJECT_SHARE else _of_place
    for attempt in range(60):
        position, target = (choose if attempt < 25 else _of_place)(rng, scene)
        if _allowed(scene, position, target):
            return position, target
    return _fallback(scene)


def _fallback(scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    """The standpoint of a grid that is farthest from all solids, looking at the scene's middle."""
    low, high = scene.stand
    grid = np.stack(np.meshgrid(*(np.linspace(low[k], high[k], 7) for k in range(3))), -1).reshape(-1, 3)
    local = np.einsum("sji,gsj->gsi", scene.axes, grid[:, None] - scene.centres)
    gap = (np.abs(local) - scene.half_sizes).max(-1)
    first = int(scene.kinds[0] == SHELL)
    position = grid[int(gap[:, first:].min(1).argmax())]
    return position, np.array([0.01, 0.01, 0.5]) - 0.2 * position * [1, 1, 0]


def _candidate(
    rng: np.random.Generator, style: str, position: np.ndarray, target: np.ndarray, motion: Motion, heading: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Standpoint and target of one more view."""
    arm = position - target
    reach = max(float(np.linalg.norm(arm)), 0.3)
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
    if style == "walk":
        moved = position + heading * rng.uniform(-1.2, 1.2) * motion.baseline * reach
        return moved, moved - arm + rng.uniform(-0.25, 0.25, 3) * motion.turn * reach
    moved = position + rng.uniform(-1, 1, 3) * [1, 1, 0.35] * motion.baseline * reach
    return moved, target + rng.uniform(-0.5, 0.5, 3) * motion.turn * reach


def sample_poses(rng: np.random.Generator, scene: Scene, views: int, difficulty: float = 1.0) -> np.ndarray:
    """World-to-camera extrinsics [views,4,4] of one way of photographing the scene; more `difficulty`, more motion."""
    style = STYLES[int(rng.integers(len(STYLES)))]
    motion = Motion.of_difficulty(difficulty * rng.uniform(0.3, 1.0))
    position, target = _base(rng, scene)
    heading = np.array([*rng.normal(size=2), 0.1 * rng.normal()])
    heading /= np.linalg.norm(heading)
    poses = []
    for _ in range(views):
        place, aim = position, target
        for _ in range(12):
            candidate = _candidate(rng, style, position, target, motion, heading)
            if _allowed(scene, *candidate):
                place, aim = candidate
                break
        poses.append(look_at(place, aim, rng.normal() * np.radians(2.5)))
    return np.linalg.inv(np.stack(poses))


def sample_intrinsics(rng: np.random.Generator, views: int, height: int, width: int) -> np.ndarray:
    """Pinhole matrices [views,3,3] in pixels: one camera for a scene, sometimes zooming a little between views."""
    angle = np.radians(rng.triangular(*(PORTRAIT_FIELD if height > width else FIELD_OF_VIEW)))
    zoom = np.exp(rng.normal(size=views) * 0.05).clip(0.9, 1.1) if rng.random() < 0.2 else np.ones(views)
    # A zoom never leaves the range of angles.
    low, high = (2 * np.arctan(np.tan(angle / 2) / z) for z in (zoom.max(), zoom.min()))
    if low < np.radians(FIELD_OF_VIEW[0]) or high > np.radians(FIELD_OF_VIEW[2]):
        zoom = np.ones(views)
    focal = width / 2 / np.tan(angle / 2) * zoom
    intrinsics = np.zeros((views, 3, 3))
    intrinsics[:, 0, 0] = intrinsics[:, 1, 1] = focal
    intrinsics[:, 0, 2], intrinsics[:, 1, 2], intrinsics[:, 2, 2] = width / 2, height / 2, 1
    return intrinsics
