"""HiRoom, in the folders of the Depth Anything 3 benchmark.

<root>/selected_scene_list_val.txt                  one scene path a line, e.g. house/floor/room; optional
<root>/data/<scene path>/image/<frame>.<ext>
<root>/data/<scene path>/pose/<frame>.npy           [4,4] world-to-camera
<root>/data/<scene path>/cam_K.npy                  [3,3], shared by all frames
<root>/data/<scene path>/depth/<frame>.png          16 bits for 0..100 m, optional
<root>/data/<scene path>/aliasing_mask/<frame>.png  not 0 where the depth is not valid, optional
<root>/fused_pcd/<scene path with - for />.ply      last three parts of the path, optional
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from model_runtime.benchmark.datasets.scene import (
    INDOORS,
    TruthScene,
    TruthView,
    depth_from_png,
    missing,
    require,
    surface_points,
)

SCENE_LIST = "selected_scene_list_val.txt"
DEPTH_UNIT = 100 / 65535


def read(root: Path) -> list[TruthScene]:
    data = require(root / "data", "HiRoom")
    if (root / SCENE_LIST).is_file():
        paths = (root / SCENE_LIST).read_text(encoding="utf-8").split()
    else:
        paths = sorted(path.parent.relative_to(data).as_posix() for path in data.rglob("cam_K.npy"))
    if not paths:
        raise missing("HiRoom: no scene found", data)
    return [_scene(root, path) for path in paths]


def _scene(root: Path, path: str) -> TruthScene:
    folder = root / "data" / path
    intrinsics = np.load(require(folder / "cam_K.npy", "HiRoom")).astype(np.float64)
    views = []
    for photo in sorted(require(folder / "image", "HiRoom").iterdir()):
        frame = photo.name.split(".")[0]
        depth, pose = folder / "depth" / f"{frame}.png", folder / "pose" / f"{frame}.npy"
        if pose.is_file():
            mask = folder / "aliasing_mask" / f"{frame}.png"
            read_depth = partial(_depth, depth, mask) if depth.is_file() else None
            views.append(TruthView(photo, np.load(pose).astype(np.float64), intrinsics, read_depth))
    cloud = root / "fused_pcd" / ("-".join(path.split("/")[-3:]) + ".ply")
    surface = partial(surface_points, cloud, INDOORS.points) if cloud.is_file() else None
    return TruthScene("hiroom", path, tuple(views), INDOORS, surface)


def _depth(path: Path, mask: Path) -> np.ndarray:
    depth = depth_from_png(path, DEPTH_UNIT)
    if mask.is_file():
        depth[np.asarray(Image.open(mask)) > 0] = 0
    return depth
