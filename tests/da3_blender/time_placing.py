"""How long scenes of many points take: planned in a thread, written in Blender's main thread, which waits meanwhile.

.venv/bin/python -m tests.da3_blender.time_placing [MILLIONS ...]
"""

from __future__ import annotations

import sys
import time

import bpy
import numpy as np

from da3_blender.plan.scene_plan import PlanSettings, plan_scene
from da3_blender.scene import write_scene
from tests.da3_blender.conftest import make_prediction, make_view

SIDE = 1000
"""Rows and columns of a photo; each is a million points."""


def measure(photos: int) -> tuple[int, float, float]:
    """Points, seconds to plan them and seconds to write them."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    eyes = np.linspace(-1, 1, photos)
    views = [
        make_view((x, 0.0, 1.6), photo_size=(SIDE, SIDE), detail=1, name=f"view_{number}.png")
        for number, x in enumerate(eyes)
    ]
    began = time.perf_counter()
    plan = plan_scene(make_prediction(*views), "many", settings=PlanSettings(edge_angle=0.0))
    planned = time.perf_counter()
    write_scene(plan, bpy.context.scene)
    written = time.perf_counter()
    assert plan.points is not None
    return len(plan.points.position), planned - began, written - planned


def main() -> None:
    print(f"Blender {bpy.app.version_string}")
    for photos in map(int, sys.argv[1:] or ["1", "5"]):
        points, plan, write = measure(photos)
        print(f"{points:,} points: planned in {plan:.1f} s, written in {write:.2f} s", flush=True)


if __name__ == "__main__":
    main()
