"""How long Blender's main thread waits while points and splats are placed, and how much memory that takes at most.

.venv/bin/python -m tests.da3_blender.scene.measure_placing [--counts N ...] [--harmonics K] [--json FILE]

As in a job: a scene of as many points and as many splats, hidden behind the points, bound to the timeline; then what
Blender does by itself before it draws. Seconds are of the processor, those of all threads and as the clock has them.
FILE is `docs/benchmark/placing.json` for the page of `bench --speed`.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import pstats
import resource
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import bpy
import numpy as np

from da3_blender.plan.point_cloud import PointPlan
from da3_blender.plan.scene_plan import ScenePlan, plan_scene
from da3_blender.plan.splat_cloud import SplatPlan
from da3_blender.scene import write_scene
from tests.da3_blender.conftest import make_prediction, make_view

PHOTOS = 6


def points(count: int, draw: np.random.Generator) -> PointPlan:
    return PointPlan(
        position=draw.random((count, 3), np.float32),
        color=draw.integers(0, 256, (count, 3), np.uint8),
        confidence=1 + draw.random(count, np.float32),
        confidence_rank=draw.random(count, np.float32),
        footprint=np.full(count, 1e-3, np.float32),
        view=np.sort(draw.integers(0, PHOTOS, count, np.int32)),
        repeated=draw.random(count) < 0.3,
        confidence_threshold=0.1,
    )


def splats(count: int, higher: int, draw: np.random.Generator) -> SplatPlan:
    rotation = draw.normal(size=(count, 4)).astype(np.float32)
    return SplatPlan(
        position=draw.random((count, 3), np.float32),
        scale=1e-3 * draw.random((count, 3), np.float32),
        rotation=rotation / np.linalg.norm(rotation, axis=1, keepdims=True),
        base=draw.random((count, 4), np.float32),
        harmonics=draw.random((higher, count, 3), np.float32),
        confidence=1 + draw.random(count, np.float32),
        view=np.sort(draw.integers(0, PHOTOS, count, np.int32)),
        repeated=draw.random(count) < 0.3,
        source="network",
        left_out=0,
        floater=draw.random(count, np.float32),
        thinning=(draw.random(count, np.float32), draw.random(count, np.float32)),
        confidence_rank=draw.random(count, np.float32),
    )


def plan_of(count: int, higher: int) -> ScenePlan:
    views = [make_view((x, 0.0, 1.6), name=f"view_{x:.1f}.png") for x in np.linspace(-1, 1, PHOTOS)]
    draw = np.random.default_rng(0)
    plan = plan_scene(make_prediction(*views), "many")
    return replace(plan, points=points(count, draw), splats=splats(count, higher, draw))


def measure(count: int, higher: int) -> dict[str, object]:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    plan, scene = plan_of(count, higher), bpy.context.scene
    start, memory = (time.process_time(), time.perf_counter()), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    profile = cProfile.Profile()
    profile.enable()
    write_scene(plan, scene)
    profile.disable()
    written = time.process_time(), time.perf_counter()
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory
    scene.frame_set(scene.frame_current)
    seen = time.process_time(), time.perf_counter()
    cpu, clock = ([b - a for a, b in ((start[k], written[k]), (written[k], seen[k]))] for k in (0, 1))
    print(
        f"{count:,} points and splats: placed in {cpu[0]:.2f} s ({clock[0]:.2f} s by the clock), "
        f"seen after {cpu[1]:.2f} s more ({clock[1]:.2f} s), at most {most / 1024:.0f} MiB more",
        flush=True,
    )
    rows = sorted(pstats.Stats(profile).stats.items(), key=lambda row: -row[1][2])  # pyright: ignore
    for (_, line, name), (_, calls, own, *_) in rows[:6]:
        print(f"    {own:.2f} s in {calls} of {name}:{line}")
    return {
        "points and splats": f"{count:,}",
        "placed, CPU s": f"{cpu[0]:.2f}",
        "placed, clock s": f"{clock[0]:.2f}",
        "before it is drawn, CPU s": f"{cpu[1]:.2f}",
        "memory MB": round(most / 1024),
        "Blender": bpy.app.version_string,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--counts", type=int, nargs="+", default=[100_000, 1_000_000, 5_000_000])
    parser.add_argument("--harmonics", type=int, default=8, help="coefficients of degree 1 and up")
    parser.add_argument("--json", type=Path, help="the figures, added to those that are in the file")
    arguments = parser.parse_args()
    if len(arguments.counts) == 1:
        figures = measure(arguments.counts[0], arguments.harmonics)
        if arguments.json:
            before = json.loads(arguments.json.read_text()) if arguments.json.exists() else []
            arguments.json.write_text(json.dumps([*before, figures], indent=1) + "\n", encoding="utf-8")
        return
    if arguments.json:
        arguments.json.unlink(missing_ok=True)
    for count in arguments.counts:  # a process each, for its memory
        command = [sys.executable, "-m", __spec__.name, "--counts", str(count), "--harmonics", str(arguments.harmonics)]
        subprocess.run([*command, *(["--json", str(arguments.json)] if arguments.json else [])], check=True)


if __name__ == "__main__":
    main()
