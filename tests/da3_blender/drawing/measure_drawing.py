"""How near drawn splats come to the reference, and what drawing costs.

    python -m tests.da3_blender.drawing.measure_drawing [--near N ...] [--fast N ...]

In a Python that has `bpy`, without a window. Two tables of made rooms:

- near: PSNR of `Painter`'s picture, of its colours and of its coverage, against the float64 reference at 320 x 240;
  `16 bits`: of what viewports draw.
- fast, at 1280 x 720, harmonics of degree 2: milliseconds of the main thread. `read`: the splats from object to
  GPU, once; `ask` and `take`: what there is to do for a new order, while another process finds it in `order`; `draw`:
  until the GPU is done, on the clock; `lasting` and `peak`: memory for drawing, and while it is read, in shares of the
  splats' own data.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

import bpy
import gpu
import numpy as np

from da3_blender.drawing import canvas
from da3_blender.drawing.atlas import make_atlas, order_texture
from da3_blender.drawing.exact import Painter, camera_view, start_gpu
from da3_blender.drawing.order_process import OrderProcess
from da3_blender.drawing.view import Placed, depth_rows
from tests.da3_blender.scene.splats import reference_splatter as reference
from tests.da3_blender.scene.splats.made_rooms import made_room, room_camera
from tests.da3_blender.scene.splats.renders import stand_camera, stand_splats

NEAR, FAST = (2_000, 50_000, 300_000), (100_000, 1_000_000, 4_000_000)
TIMES = 3
"""How often what is timed is done; the best counts."""


def near(count: int) -> str:
    splats, camera = made_room(count), room_camera(320, 240)
    expected, alpha = reference.render(splats, camera)
    scene = fresh(splats, camera)
    graph = bpy.context.evaluated_depsgraph_get()
    whole = Painter().paint(graph, scene.camera)
    atlas, order, view = prepared(scene, graph)
    half = canvas.Canvas(view.size)
    half.draw(atlas, [Placed(np.eye(4))], view, order_texture(order), len(order))
    decibels = (
        reference.psnr(whole[..., :3], expected),
        reference.psnr(whole[..., 3], alpha),
        reference.psnr(half.read()[::-1, :, :3], expected),
    )
    return " | ".join([f"{count:,}".replace(",", " "), *(f"{value:.1f}" for value in decibels)])


def fresh(splats: reference.Splats, camera: reference.Camera) -> bpy.types.Scene:
    bpy.ops.wm.read_homefile(use_empty=True)
    scene = bpy.context.scene
    assert scene is not None
    stand_splats(splats, scene)
    stand_camera(camera, scene)
    bpy.context.view_layer.update()
    return scene


def prepared(scene: bpy.types.Scene, graph: bpy.types.Depsgraph):
    """The atlas of the scene's splats, their order for its camera, and how that looks."""
    from da3_blender.drawing.sorting import back_to_front

    atlas, positions = make_atlas([item.evaluated_get(graph).data for item in scene.objects if item.type != "CAMERA"])
    view = camera_view(graph, scene.camera)
    (row,) = depth_rows(view, [Placed(np.eye(4))]).tolist()
    return atlas, back_to_front(positions, [(0, atlas.count, row)]), view


def fast(count: int, folder: str) -> str:
    scene = fresh(made_room(count), room_camera(1280, 720))
    graph = bpy.context.evaluated_depsgraph_get()
    (item,) = (item for item in scene.objects if item.type != "CAMERA")
    data = item.evaluated_get(graph).data
    reset_peak()
    before = memory("VmRSS")
    work = time.thread_time()
    atlas, positions = make_atlas([data])
    read = time.thread_time() - work
    share = 4 * (14 + 3 * atlas.terms) * count / 2**20
    lasting, peak = ((memory(kind) - before) / share for kind in ("VmRSS", "VmHWM"))
    view, placed = camera_view(graph, scene.camera), [Placed(np.eye(4))]
    (row,) = depth_rows(view, placed).tolist()
    orders = OrderProcess(parent=folder)
    kept = orders.keep(positions)
    order = order_texture(np.zeros(0, np.float32))
    asks, takes, found = [], [], []
    for _ in range(TIMES + 1):  # the first starts the program
        work, clock = time.thread_time(), time.perf_counter()
        orders.ask(0, kept, [(0, count, row)])
        asks.append(time.thread_time() - work)
        while True:
            work = time.thread_time()
            answer = orders.poll()
            if answer is not None:
                break
            time.sleep(0.002)
        order = order_texture(answer[2])
        takes.append(time.thread_time() - work)
        found.append(time.perf_counter() - clock)
    orders.close()
    target, draws = canvas.Canvas(view.size), []
    for _ in range(TIMES):
        clock = time.perf_counter()
        target.draw(atlas, placed, view, order, count)
        target.read()
        draws.append(time.perf_counter() - clock)
    times = (read, min(asks[1:]), min(takes[1:]), min(found[1:]), min(draws))
    cells = [f"{1000 * value:.1f}" if value < 0.1 else f"{1000 * value:.0f}" for value in times]
    return " | ".join([f"{count:,}".replace(",", " "), *cells, f"{lasting:.2f}", f"{peak:.2f}"])


def memory(kind: str) -> float:
    """MiB that this process has now, or has had at most; Linux only."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(kind))


def reset_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--near", type=int, nargs="*", default=NEAR)
    parser.add_argument("--fast", type=int, nargs="*", default=FAST)
    options = parser.parse_args()
    start_gpu()
    print(f"Blender {bpy.app.version_string}, {gpu.platform.backend_type_get()}, {gpu.platform.renderer_get()}")
    print("splats | colours, dB | coverage, dB | 16 bits, dB")
    for count in options.near:
        print(near(count), flush=True)
    print("splats | read | ask | take | order | draw | lasting | peak")
    for count in options.fast:
        print(fast(count, bpy.app.tempdir), flush=True)
    sys.stdout.flush()
    os._exit(0)  # Blender's package does not always end well


if __name__ == "__main__":
    main()
