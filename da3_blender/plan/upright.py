"""Which way is up, and where the floor is: the rigid motion that stands a prediction on Blender's ground. Numpy only.

Photographs are seldom rolled, so the cameras' right vectors lie nearly in the horizontal plane: up is the direction
they all avoid. A floor near that up, where there is one, then says it better.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from model_runtime.contract.messages import View

from .conventions import OPENCV_TO_Z_UP
from .point_cloud import unproject

DAMPING = 0.05
"""Square of the sine of the angle the right vectors must span to outweigh the cameras' own up."""

GRID = 48
"""Rows and columns of points per view that the floor is sought among."""

MOST_POINTS = 30_000
"""Of all views' grids, an even choice: more would only cost time."""

TRIALS = 300
FLOOR_SHARE = 0.04
"""Of all points, the least that may make a floor."""

BELOW_SHARE = 0.05
"""Of all points, the most that may lie below a floor; a table top has more."""

TOLERANCE = 0.015
"""Of the median distance between a camera and its points: how far a point of the floor may lie off it."""


@dataclass(frozen=True, eq=False)
class Floor:
    """A plane `normal . x = offset` with unit normal [3] pointing up."""

    normal: np.ndarray
    offset: float


def upright_motion(
    views: tuple[View, ...],
    upright: bool,
    centre: bool,
    keep_frame: bool,
    rotations: np.ndarray | None = None,
) -> np.ndarray:
    """[4,4] rigid motion from the prediction's world to Blender's, z up.

    upright: turn camera-up and floor to +z, and the first camera to look along +y. Without it the frame stays, but
    for OpenCV's axes becoming Blender's; `keep_frame` (cameras that were given) leaves even those.
    centre: put the floor (or the lowest points) at z = 0 and the middle of the points at x = y = 0.
    rotations: [N,3,3] world-to-camera of all cameras that tell what up is, where there are more than the views'.
    """
    points, normals, scale = _oriented_points(views)
    rotation = np.eye(3) if keep_frame else OPENCV_TO_Z_UP
    floor = None
    if upright:
        seen = np.stack([view.extrinsics[:3, :3] for view in views]) if rotations is None else rotations
        up, certainty = camera_up(seen)
        floor = find_floor(points, normals, up, 15.0 + 25.0 * (1.0 - certainty), TOLERANCE * scale)
        rotation = _stand(floor.normal if floor else up, views[0].extrinsics[:3, :3])
    motion = np.eye(4)
    motion[:3, :3] = rotation
    if centre and len(points):
        turned = points @ rotation.T
        ground = floor.offset if floor else np.percentile(turned[:, 2], 1)
        motion[:3, 3] = -np.array([*np.median(turned[:, :2], axis=0), ground])
    return motion


def camera_up(rotations: np.ndarray) -> tuple[np.ndarray, float]:
    """Up [3] and its certainty 0..1 from world-to-camera rotations [N,3,3].

    Least squares over the right vectors, reweighted so that a few rolled photos do not count. Where all look the same
    way, pitch cannot be told from them and the cameras' own up decides: certainty 0.
    """
    right = rotations[:, 0]
    up = -rotations[:, 1].mean(axis=0)
    if np.linalg.norm(up) < 0.1:  # photos turned every way
        up = -rotations[0, 1]
    # A little of "against the view" gives photos straight down, whose own up lies in the ground, a way to find theirs.
    up = up - 0.01 * rotations[:, 2].mean(axis=0)
    weights = np.ones(len(right))
    for _ in range(10):
        # A damped step from the cameras' own up towards what the right vectors say; they cannot say what they do not
        # span, and there the step is none.
        scatter = (right * weights[:, None]).T @ right / weights.sum()
        up = np.linalg.solve(scatter + DAMPING * np.eye(3), up)
        up /= np.linalg.norm(up)
        weights = 1.0 / np.maximum(np.abs(right @ up), 0.02)
    spread = np.linalg.eigvalsh(right.T @ right / len(right))[1]
    return up, float(np.clip(spread / 0.1, 0.0, 1.0))


def find_floor(
    points: np.ndarray, normals: np.ndarray, up: np.ndarray, within: float, tolerance: float
) -> Floor | None:
    """The largest plane facing up within `within` degrees of `up` that hardly anything lies below, or None.

    points, normals: [P,3], the normals facing the cameras. tolerance: distance from the plane, world units.
    RANSAC (Fischler and Bolles 1981) from one oriented point at a time, seeded, then least squares.
    """
    facing = np.flatnonzero(normals @ up > np.cos(np.radians(within)))
    if len(facing) < max(FLOOR_SHARE * len(points), 10):
        return None
    best, best_count = None, FLOOR_SHARE * len(points)
    for index in np.random.default_rng(0).choice(facing, size=TRIALS):
        floor = _refine(points[facing], normals[index], float(normals[index] @ points[index]), 2 * tolerance)
        height = points @ floor.normal - floor.offset
        on_floor = int(np.count_nonzero(np.abs(height[facing]) < tolerance))
        lies_below = np.count_nonzero(height < -3 * tolerance) > BELOW_SHARE * len(points)
        if on_floor > best_count and not lies_below and floor.normal @ up > np.cos(np.radians(within)):
            best, best_count = floor, on_floor
    return best and _refine(points[facing], best.normal, best.offset, tolerance)


def _refine(points: np.ndarray, normal: np.ndarray, offset: float, tolerance: float) -> Floor:
    """Least squares over the points near the plane."""
    near = points[np.abs(points @ normal - offset) < tolerance]
    if len(near) < 3:
        return Floor(normal, offset)
    middle = near.mean(axis=0)
    fitted = np.linalg.eigh((near - middle).T @ (near - middle))[1][:, 0]
    fitted = fitted if fitted @ normal > 0 else -fitted
    return Floor(fitted, float(fitted @ middle))


def _stand(up: np.ndarray, first_camera: np.ndarray) -> np.ndarray:
    """[3,3] rotation that turns `up` to +z and the first camera's viewing direction to the +y side."""
    for heading in (first_camera[2], -first_camera[1]):
        forward = heading - (heading @ up) * up
        if np.linalg.norm(forward) > 0.1:
            break
    forward = forward / np.linalg.norm(forward)
    return np.stack([np.cross(forward, up), forward, up])


def _oriented_points(views: tuple[View, ...]) -> tuple[np.ndarray, np.ndarray, float]:
    """Points [P,3] and unit normals [P,3] facing their camera on a coarse grid, and the median depth."""
    points, normals, depths = [], [], []
    for view in views:
        height, width = view.depth.shape
        row = np.unique(np.linspace(0, height - 1, GRID).astype(int))
        column = np.unique(np.linspace(0, width - 1, GRID).astype(int))
        usable = view.usable
        tame = replace(view, depth=np.where(usable, view.depth, 0.0))  # the sky's depth may be infinite
        grid = unproject(tame, *np.meshgrid(row, column, indexing="ij"))
        usable = usable[np.ix_(row, column)]
        normal = np.cross(np.gradient(grid, axis=0), np.gradient(grid, axis=1))
        length = np.linalg.norm(normal, axis=-1, keepdims=True)
        usable &= length[..., 0] > 0
        normal /= np.where(length > 0, length, 1.0)
        centre = -view.extrinsics[:3, :3].T @ view.extrinsics[:3, 3]
        normal *= np.sign(np.sum(normal * (centre - grid), axis=-1, keepdims=True))
        points.append(grid[usable])
        normals.append(normal[usable])
        depths.append(view.depth[np.ix_(row, column)][usable])
    depth = np.concatenate(depths)
    chosen = np.arange(len(depth))
    if len(depth) > MOST_POINTS:
        chosen = np.random.default_rng(0).choice(len(depth), size=MOST_POINTS, replace=False)
    scale = float(np.median(depth)) if len(depth) else 1.0
    return np.concatenate(points)[chosen], np.concatenate(normals)[chosen], scale
