"""Run by Blender: writes the cameras and points of .blend files as JSON.

blender --background --python scene_numbers.py -- A.blend B.blend NUMBERS.json
python scene_numbers.py A.blend B.blend NUMBERS.json                              with the bpy package
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import bpy


def numbers(path: str) -> dict[str, Any]:
    bpy.ops.wm.open_mainfile(filepath=path)
    cameras = [item for item in bpy.data.objects if item.type == "CAMERA"]
    return {
        "cameras": {item.name: [list(row) for row in item.matrix_world] for item in cameras},
        "lenses": {item.name: [item.data.lens, item.data.shift_x, item.data.shift_y] for item in cameras},
        "points": [list(v.co) for item in bpy.data.objects if item.type == "MESH" for v in item.data.vertices],
        "size": [bpy.context.scene.render.resolution_x, bpy.context.scene.render.resolution_y],
    }


if __name__ == "__main__":
    *_, first, second, output = sys.argv
    Path(output).write_text(json.dumps([numbers(first), numbers(second)]), encoding="utf-8")
