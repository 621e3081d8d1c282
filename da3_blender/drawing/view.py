"""How a picture of splats is looked at, and where the objects stand in it, as numbers for the GPU. Numpy only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ..plan.splat_affine import turn_of


@dataclass(frozen=True)
class View:
    """world_to_view [4,4]: into the camera's frame, which looks along -z, without a scale. window [4,4]: from there
    into the clip space, as Blender's projection matrices. size: (width, height) in pixels. planes: [P,4] in the world;
    what is below zero on one is not shown."""

    world_to_view: np.ndarray
    window: np.ndarray
    size: tuple[int, int]
    planes: np.ndarray = field(default_factory=lambda: np.zeros((0, 4)))


@dataclass(frozen=True)
class Placed:
    """Where an object's splats stand. matrix [4,4] into the world; selected, active: how it is marked, 0..1."""

    matrix: np.ndarray
    shown: bool = True
    selected: float = 0.0
    active: float = 0.0


def object_texels(view: View, placed: Sequence[Placed]) -> np.ndarray:
    """[T,4] float32 for the shader's `objects`: OBJECT_TEXELS each, then the planes in the camera's frame."""
    to_view = view.world_to_view.astype(np.float64)
    rows = []
    for item in placed:
        to_camera = to_view @ item.matrix
        sight = (to_view[:3, :3] @ turn_of(item.matrix[:3, :3])).T
        marks = np.array([[float(item.shown)], [item.selected], [item.active]])
        rows += [to_camera[:3], np.hstack([sight, marks])]
    rows.append(view.planes @ np.linalg.inv(to_view))
    return np.concatenate(rows).astype(np.float32)


def depth_rows(view: View, placed: Sequence[Placed]) -> np.ndarray:
    """[N,4] float32: what takes a splat of each object to the camera's z, negative in front of it."""
    return np.array([(view.world_to_view[2] @ item.matrix) for item in placed], np.float32).reshape(-1, 4)
