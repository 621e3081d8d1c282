"""The points as a binary PLY (http://paulbourke.net/dataformats/ply): position, colour, confidence, and the number of
the photo that each came from, -1 for none."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .scene import ExportScene
from .settings import ExportSettings

FILE = "points.ply"
ROW = np.dtype([("position", "<f4", 3), ("color", "u1", 3), ("confidence", "<f4"), ("view", "<i4")])
PROPERTIES = (
    *("float x", "float y", "float z"),
    *("uchar red", "uchar green", "uchar blue"),
    *("float confidence", "int view"),
)


def write(scene: ExportScene, folder: Path, _: ExportSettings) -> None:
    points = scene.points
    rows = np.empty(len(points.position), ROW)
    for name in ROW.names or ():
        rows[name] = getattr(points, name)
    head = ["ply", "format binary_little_endian 1.0", f"element vertex {len(rows)}"]
    head += [f"property {each}" for each in PROPERTIES]
    (folder / FILE).write_bytes("\n".join([*head, "end_header", ""]).encode() + rows.tobytes())
