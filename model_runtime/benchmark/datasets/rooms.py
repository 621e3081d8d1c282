"""Scenes rendered by `examples/benchmark_rooms` (and the photos of `examples/living_room`, which have no depth)."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import numpy as np

from model_runtime.benchmark.datasets.scene import TruthScene, TruthView, require
from model_runtime.benchmark.fusion import DepthView, view_points
from model_runtime.benchmark.reconstruction import Protocol
from model_runtime.contract.messages import JobError

PROTOCOL = Protocol(cell=0.02, truncation=0.08, threshold=0.05, farthest=10.0, points=200_000)
"""Metres. Coarser than for the published sets: 6 photos of 504 pixels have no detail below 1 cm, and 200,000 points lie
2 cm apart on the 60 to 80 square metres of a room's surfaces. Nothing true is farther than 8 m.
"""


def read(root: Path) -> list[TruthScene]:
    """All scenes in a folder, or the one scene that the folder is."""
    if (root / "cameras.json").is_file():
        return [_scene(root)]
    folders = sorted(path.parent for path in root.glob("*/cameras.json"))
    if not folders:
        raise JobError(
            "dataset-missing",
            f"The test scenes are not in {root}.",
            "Render them with: python examples/benchmark_rooms (needs bpy; about half an hour on two cores).",
        )
    return [_scene(folder) for folder in folders]


def _scene(folder: Path) -> TruthScene:
    described = json.loads((folder / "cameras.json").read_text(encoding="utf-8"))
    views = tuple(_view(folder, camera) for camera in described["cameras"])
    surface = None if any(view.depth is None for view in views) else partial(_seen_surface, views)
    return TruthScene("rooms", folder.name, views, PROTOCOL, surface, group=described.get("walls", ""))


def _view(folder: Path, camera: dict) -> TruthView:
    return TruthView(
        photo=require(folder / camera["photo"], "rendered room"),
        extrinsics=np.array(camera["extrinsics"], np.float64),
        intrinsics=np.array(camera["intrinsics"], np.float64),
        depth=partial(np.load, require(folder / camera["depth"], "rendered room")) if "depth" in camera else None,
    )


def _seen_surface(views: tuple[TruthView, ...]) -> np.ndarray:
    """The points [Q,3] that the photos' pixels show: what no photo sees cannot be asked for."""
    return np.concatenate(
        [view_points(DepthView(v.depth(), v.intrinsics, v.extrinsics)) for v in views if v.depth is not None]
    )
