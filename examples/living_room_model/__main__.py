"""Models a furnished living room, photographs it with Cycles and writes the photos beside their true cameras.

    python examples/living_room_model [folder] [--samples 28] [--photos 1 2 ...] [--scale 1.0] [--blend room.blend]

Needs bpy, numpy and Pillow. The folder then holds `living_room_1.jpg` ... and `cameras.json`: for each photo its size,
world-to-camera extrinsics (OpenCV axes, metres) and intrinsics (pixels, centres at +0.5).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import bpy
import furniture
import numpy as np
import paint
import surfaces as su
from mathutils import Vector
from shapes import box, lathe, panel, place

WIDTH, HEIGHT = 800, 600
LENS, SENSOR = 25.0, 36.0
ROOM = 5.0, 4.6, 2.6
"""The room in metres: x from the window to the shelf, y from the photographer to the sofa, z up."""

STANDPOINTS = (
    ((4.12, 0.62, 1.45), (1.55, 3.3, 0.72)),
    ((3.62, 0.42, 1.52), (1.85, 3.4, 0.74)),
    ((3.02, 0.36, 1.38), (2.15, 3.4, 0.76)),
    ((2.45, 0.40, 1.50), (2.55, 3.4, 0.74)),
    ((1.86, 0.38, 1.42), (2.85, 3.4, 0.76)),
    ((1.32, 0.55, 1.54), (3.2, 3.3, 0.74)),
)
"""Where each photo is taken from and what it looks at, metres."""


def shell() -> None:
    """Floor, walls, ceiling, skirting; the window's opening is left free in the wall at x = 0."""
    x, y, z = ROOM
    place(box("floor", (x, y, 0.1), 0.001), su.planks("oak boards", (0.66, 0.47, 0.3)), (x / 2, y / 2, -0.05))
    white = su.plain("white paint", (0.9, 0.89, 0.86), 0.9, 60, 0.04)
    cream = su.plain("wall paint", (0.84, 0.79, 0.7), 0.9, 4, 0.06)
    paper = su.painted("wallpaper", paint.wallpaper(), "xz", 0.85, 0.9)
    place(box("ceiling", (x, y, 0.1), 0.001), white, (x / 2, y / 2, z + 0.05))
    place(box("back wall", (x, 0.1, z), 0.001), paper, (x / 2, y + 0.05, z / 2))
    place(box("near wall", (x, 0.1, z), 0.001), cream, (x / 2, -0.05, z / 2))
    place(box("shelf wall", (0.1, y, z), 0.001), cream, (x + 0.05, y / 2, z / 2))
    low, high, near, far = 0.75, 2.2, 1.5, 3.3
    for size, at in (
        ((0.1, y, low), (-0.05, y / 2, low / 2)),
        ((0.1, y, z - high), (-0.05, y / 2, (z + high) / 2)),
        ((0.1, near, high - low), (-0.05, near / 2, (high + low) / 2)),
        ((0.1, y - far, high - low), (-0.05, (y + far) / 2, (high + low) / 2)),
    ):
        place(box("window wall", size, 0.001), cream, at)
    for size, at in (
        ((x, 0.02, 0.1), (x / 2, y - 0.01, 0.05)),
        ((0.02, y, 0.1), (0.01, y / 2, 0.05)),
        ((0.02, y, 0.1), (x - 0.01, y / 2, 0.05)),
    ):
        place(box("skirting", size, 0.004), white, at)
    window(low, high, near, far, white)


def window(low: float, high: float, near: float, far: float, paint_: bpy.types.Material) -> None:
    """Frame, sill, curtains and the garden outside."""
    middle, wide, tall = (near + far) / 2, far - near, high - low
    for z in (low + 0.025, high - 0.025):
        place(box("frame", (0.06, wide, 0.05)), paint_, (-0.05, middle, z))
    for y in (near + 0.025, middle, far - 0.025):
        place(box("frame", (0.06, 0.05, tall)), paint_, (-0.05, y, (low + high) / 2))
    place(box("bar", (0.03, wide, 0.025)), paint_, (-0.05, middle, low + tall * 0.66))
    place(box("sill", (0.2, wide + 0.1, 0.03), 0.008), paint_, (0.05, middle, low - 0.015))
    for y, seed in ((near - 0.12, 1), (far + 0.12, 2)):
        furniture.curtain((0.11, y, 2.42), 0.5, 2.36, seed)
    rod = lathe("curtain rod", [(0.013, -1.35), (0.013, 1.35)], 16)
    place(rod, su.plain("rod", (0.2, 0.17, 0.14), 0.4, metallic=0.8), (0.11, middle, 2.43), (90, 0, 0))
    outside = place(
        panel("garden", 9, 5), su.painted("garden", paint.garden(), glow=2.6), (-3, middle + 1.5, 1.6), (0, 0, 90)
    )
    outside.visible_shadow = outside.visible_diffuse = False
    furniture.plant((0.07, near + 0.4, low), 0.9, 15, 31, 0.42)


def furnish() -> None:
    furniture.seat("sofa", 1.95, 3, (2.35, 4.06, 0), 0, (0.2, 0.36, 0.42))
    furniture.seat("armchair", 0.68, 1, (0.95, 2.75, 0), 62, (0.72, 0.5, 0.25))
    furniture.throw_pillow(paint.stripes(3, furniture.WARM, True), 0.42, (1.62, 3.98, 0.68), (-22, 8, 6))
    furniture.throw_pillow(paint.abstract(5, furniture.WARM)[:440], 0.4, (3.0, 3.98, 0.68), (-22, -10, -8))
    furniture.throw_pillow(paint.stripes(8, furniture.COOL, False), 0.36, (2.74, 3.9, 0.66), (-26, 12, 4))
    furniture.throw_pillow(paint.stripes(18, furniture.COOL, True), 0.36, (1.0, 2.74, 0.66), (-20, 6, 62))
    furniture.blanket((3.36, 3.98, 0.63), 0)
    rug = su.painted("rug", paint.rug(), "xy", roughness=1.0)
    place(box("rug", (2.7, 1.95, 0.014), 0.006), rug, (2.45, 2.5, 0.007), (0, 0, 2))
    furniture.coffee_table((2.45, 2.55, 0.014))
    furniture.bookshelf((4.82, 2.75, 0), -90)
    furniture.floor_lamp((3.95, 4.2, 0))
    furniture.plant((0.62, 4.12, 0), 1.15, 22, 5)
    black, oak = (0.09, 0.08, 0.08), (0.6, 0.42, 0.25)
    furniture.framed_picture(paint.landscape(4), 0.95, 0.7, (2.35, 4.6, 1.62), 0, oak)
    furniture.framed_picture(paint.abstract(11, furniture.WARM), 0.48, 0.64, (1.42, 4.6, 1.64), 0, black)
    furniture.framed_picture(paint.abstract(23, furniture.COOL), 0.48, 0.64, (3.28, 4.6, 1.62), 0, black)
    furniture.framed_picture(paint.landscape(33), 0.6, 0.45, (5.0, 4.1, 1.6), -90, oak)
    furniture.framed_picture(paint.abstract(35, furniture.COOL), 0.4, 0.52, (0, 4.05, 1.75), 90, oak)
    basket = [(0, 0.01), (0.17, 0), (0.21, 0.12), (0.2, 0.3), (0.215, 0.31), (0.19, 0.3), (0.2, 0.12), (0, 0.03)]
    wicker = su.painted("wicker", paint.stripes(50, furniture.WARM[:2], True), "xz", 0.12)
    place(lathe("basket", basket), wicker, (4.3, 3.88, 0))
    pouf = [(0, 0.01), (0.22, 0.0), (0.29, 0.1), (0.3, 0.2), (0.26, 0.33), (0.16, 0.37), (0, 0.375)]
    place(lathe("pouf", pouf), su.painted("pouf", paint.stripes(60, furniture.WARM, False), "xy", 0.5), (3.85, 2.35, 0))


def light() -> None:
    """Sun and sky through the window, the lamp, and a soft fill from behind the photographer."""
    world = bpy.data.worlds.new("sky")
    world.use_nodes = True
    background = world.node_tree.nodes["Background"]
    background.inputs["Color"].default_value = (0.65, 0.8, 1.0, 1)
    background.inputs["Strength"].default_value = 1.2
    bpy.context.scene.world = world
    for kind, at, aim, energy, rgb, size in (
        ("SUN", (-4, 1.6, 4), (1.6, 2.9, 0.2), 16.0, (1.0, 0.9, 0.76), 0.012),
        ("AREA", (-0.15, 2.4, 1.5), (3, 2.4, 0.9), 110.0, (0.86, 0.93, 1.0), 1.7),
        ("AREA", (2.6, 0.5, 2.5), (2.5, 2.6, 0.6), 42.0, (1.0, 0.93, 0.84), 2.2),
        ("POINT", (3.95, 4.2, 1.48), (3.95, 4.2, 0), 16.0, (1.0, 0.75, 0.48), 0.05),
    ):
        lamp = bpy.data.lights.new(kind, kind)
        lamp.energy, lamp.color = energy, rgb
        setattr(lamp, {"SUN": "angle", "AREA": "size", "POINT": "shadow_soft_size"}[kind], size)
        ob = bpy.data.objects.new(kind, lamp)
        bpy.context.scene.collection.objects.link(ob)
        ob.location = at
        ob.rotation_euler = (Vector(aim) - Vector(at)).to_track_quat("-Z", "Y").to_euler()
        ob.visible_camera = False


def photographers() -> list[bpy.types.Object]:
    cameras = []
    for number, (at, aim) in enumerate(STANDPOINTS, 1):
        data = bpy.data.cameras.new(f"photographer {number}")
        data.lens, data.sensor_width, data.clip_start = LENS, SENSOR, 0.05
        ob = bpy.data.objects.new(data.name, data)
        bpy.context.scene.collection.objects.link(ob)
        ob.location = at
        ob.rotation_euler = (Vector(aim) - Vector(at)).to_track_quat("-Z", "Y").to_euler()
        cameras.append(ob)
    bpy.context.view_layer.update()
    return cameras


def true_camera(ob: bpy.types.Object) -> dict[str, object]:
    """The camera as cameras.json keeps it: OpenCV world-to-camera and pixel intrinsics."""
    to_world = np.array(ob.matrix_world) @ np.diag([1.0, -1.0, -1.0, 1.0])
    focal = LENS / SENSOR * WIDTH
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "extrinsics": np.linalg.inv(to_world).round(9).tolist(),
        "intrinsics": [[focal, 0.0, WIDTH / 2], [0.0, focal, HEIGHT / 2], [0.0, 0.0, 1.0]],
    }


def set_up_render(samples: int, scale: float) -> None:
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.samples = samples
    scene.cycles.use_denoising = True
    scene.cycles.sample_clamp_indirect = 4.0
    scene.cycles.max_bounces, scene.cycles.adaptive_threshold = 6, 0.04
    scene.render.use_persistent_data = True
    scene.render.resolution_x, scene.render.resolution_y = WIDTH, HEIGHT
    scene.render.resolution_percentage = round(100 * scale)
    scene.render.image_settings.file_format = "JPEG"
    scene.render.image_settings.quality = 90
    scene.view_settings.view_transform = "AgX"
    scene.view_settings.look = "AgX - Medium High Contrast"
    scene.view_settings.exposure = 0.55


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=Path(__file__).parents[1] / "living_room")
    parser.add_argument("--samples", type=int, default=28)
    parser.add_argument("--photos", type=int, nargs="*", help="numbers of the photos to take; all by default")
    parser.add_argument("--scale", type=float, default=1.0, help="fraction of the full size, for trials")
    parser.add_argument("--blend", type=Path, help="also save the room as a .blend")
    arguments = parser.parse_args()
    bpy.ops.wm.read_factory_settings(use_empty=True)
    shell()
    furnish()
    light()
    cameras = photographers()
    set_up_render(arguments.samples, arguments.scale)
    folder: Path = arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    if arguments.blend:
        bpy.ops.wm.save_as_mainfile(filepath=str(arguments.blend.resolve()))
    entries = []
    for number, ob in enumerate(cameras, 1):
        name = f"living_room_{number}.jpg"
        entries.append({"photo": name, **true_camera(ob)})
        if not arguments.photos or number in arguments.photos:
            bpy.context.scene.camera = ob
            bpy.context.scene.render.filepath = str(folder / name)
            bpy.ops.render.render(write_still=True)
    about = (
        "extrinsics: world-to-camera, OpenCV axes (x right, y down, z forward), metres; "
        "intrinsics: pixels, pixel centres at +0.5"
    )
    text = json.dumps({"about": about, "cameras": entries}, indent=1)
    (folder / "cameras.json").write_text(text + "\n", encoding="utf-8")


main()
