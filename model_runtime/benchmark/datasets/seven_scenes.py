"""7Scenes (Shotton et al. 2013), in the folders of the Depth Anything 3 benchmark.

    <root>/<scene>/seq-01/frame-000000.{color.png,depth.png,pose.txt}     seq-02 for stairs
    <root>/meshes/<scene>.ply                                            optional

Poses are camera-to-world; depth is in millimetres, 65535 where unknown. `<root>` may also be the folder above.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from model_runtime.benchmark.datasets.scene import (
    INDOORS,
    TruthScene,
    TruthView,
    depth_from_png,
    missing,
    pinhole,
    require,
    surface_points,
)

SCENES = ("chess", "fire", "heads", "office", "pumpkin", "redkitchen", "stairs")
INTRINSICS = (585.0, 585.0, 320.0, 240.0)
"""The nominal ones that come with the data set."""
UNKNOWN_DEPTH = 65535


def read(root: Path) -> list[TruthScene]:
    root = root / "7Scenes" if (root / "7Scenes").is_dir() else root
    scenes = [_scene(root, name) for name in SCENES if (root / name).is_dir()]
    if not scenes:
        raise missing("7Scenes: no scene found", root / SCENES[0])
    return scenes


def _scene(root: Path, name: str) -> TruthScene:
    folder = require(root / name / ("seq-02" if name == "stairs" else "seq-01"), "7Scenes")
    views = []
    for photo in sorted(folder.glob("frame-*.color.png")):
        frame = photo.name.removesuffix(".color.png")
        depth, pose = folder / f"{frame}.depth.png", folder / f"{frame}.pose.txt"
        if pose.is_file():
            read_depth = partial(depth_from_png, depth, 1e-3, UNKNOWN_DEPTH) if depth.is_file() else None
            views.append(TruthView(photo, np.linalg.inv(np.loadtxt(pose)), pinhole(*INTRINSICS), read_depth))
    mesh = root / "meshes" / f"{name}.ply"
    surface = partial(surface_points, mesh, INDOORS.points) if mesh.is_file() else None
    return TruthScene("7scenes", name, tuple(views), INDOORS, surface)
