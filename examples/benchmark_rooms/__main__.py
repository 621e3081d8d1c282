"""Models the benchmark's test scenes, photographs them with Cycles and writes photos, cameras and depth.

    python examples/benchmark_rooms [folder] [--scenes study dining ...] [--samples 8] [--scale 1.0]

Needs bpy, numpy and Pillow. The folder (`.cache/benchmark_rooms` of this checkout by default) then holds, for each
scene, `photo_1.jpg` ..., `depth_1.npy` ... and `cameras.json`. The cameras are those of `examples/living_room`:
world-to-camera extrinsics (OpenCV axes, metres) and intrinsics (pixels, centres at +0.5). Depth is [h,w] float32
along the camera's z axis, exact: one ray is cast through the centre of each pixel. Scenes that are complete stay as
they are, so an interrupted run goes on where it stopped.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix, Vector
from mathutils.bvhtree import BVHTree

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "living_room_model"))

from scenes import SCENES, Scene

WIDTH, HEIGHT, SENSOR = 504, 378, 36.0
COARSE_DETAIL = 1.0
FOLDER = Path(__file__).resolve().parents[2] / ".cache" / "benchmark_rooms"


def light(scene: Scene) -> None:
    world = bpy.data.worlds.new("sky")
    world.use_nodes = True
    world.node_tree.nodes["Background"].inputs["Color"].default_value = (0.85, 0.92, 1.0, 1)
    world.node_tree.nodes["Background"].inputs["Strength"].default_value = scene.sky
    bpy.context.scene.world = world
    for at, aim, watts, size in scene.lights:
        lamp = bpy.data.lights.new("lamp", "AREA")
        lamp.energy, lamp.size, lamp.color = watts, size, (1.0, 0.95, 0.88)
        ob = bpy.data.objects.new("lamp", lamp)
        bpy.context.scene.collection.objects.link(ob)
        ob.matrix_world = looking(at, aim)
        ob.visible_camera = False


def looking(at: object, aim: object) -> Matrix:
    """Camera-to-world matrix (Blender's axes) at one point and towards another, level."""
    rotation = (Vector(aim) - Vector(at)).to_track_quat("-Z", "Y").to_matrix().to_4x4()
    return Matrix.Translation(at) @ rotation


def simplify_materials() -> None:
    """Takes out what costs most of the rendering time and shows nothing at this size: bumps and fine noise."""
    for material in bpy.data.materials:
        nodes = material.node_tree.nodes
        for node in [n for n in nodes if n.type == "BUMP"]:
            nodes.remove(node)
        for node in nodes:
            if node.type == "TEX_NOISE":
                node.inputs["Detail"].default_value = min(node.inputs["Detail"].default_value, COARSE_DETAIL)


def set_up_render(samples: int, scale: float) -> None:
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    cycles = scene.cycles
    cycles.samples, cycles.adaptive_threshold, cycles.use_denoising = samples, 0.05, True
    cycles.max_bounces, cycles.sample_clamp_indirect = 2, 3.0
    cycles.use_fast_gi, cycles.ao_bounces_render = True, 1
    cycles.caustics_reflective = cycles.caustics_refractive = False
    scene.render.use_persistent_data = True
    scene.render.resolution_x, scene.render.resolution_y = WIDTH, HEIGHT
    scene.render.resolution_percentage = round(100 * scale)
    scene.render.image_settings.file_format = "JPEG"
    scene.render.image_settings.quality = 95
    scene.view_settings.view_transform = "AgX"
    scene.view_settings.look = "AgX - Medium High Contrast"


def intrinsics(lens: float, width: int, height: int) -> np.ndarray:
    focal = lens / SENSOR * width
    return np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])


def surface() -> BVHTree:
    """All triangles of the scene, modifiers applied, in world space."""
    vertices, triangles, count = [], [], 0
    depsgraph = bpy.context.evaluated_depsgraph_get()
    for instance in depsgraph.object_instances:
        if instance.object.type != "MESH":
            continue
        mesh = instance.object.data
        mesh.calc_loop_triangles()
        points, corners = np.empty(len(mesh.vertices) * 3), np.empty(len(mesh.loop_triangles) * 3, np.int32)
        mesh.vertices.foreach_get("co", points)
        mesh.loop_triangles.foreach_get("vertices", corners)
        to_world = np.array(instance.matrix_world)
        vertices.append(points.reshape(-1, 3) @ to_world[:3, :3].T + to_world[:3, 3])
        triangles.append(corners.reshape(-1, 3) + count)
        count += len(mesh.vertices)
    return BVHTree.FromPolygons(
        np.concatenate(vertices).tolist(), np.concatenate(triangles).tolist(), all_triangles=True
    )


def true_depth(tree: BVHTree, to_world: np.ndarray, k: np.ndarray, width: int, height: int) -> np.ndarray:
    """Depth along z [height,width] in metres, of the rays through the pixels' centres; 0 where they meet nothing."""
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    rays = np.stack([x, y, np.ones_like(x)], -1).reshape(-1, 3) @ np.linalg.inv(k).T
    lengths = np.linalg.norm(rays, axis=1)
    directions = rays / lengths[:, None] @ to_world[:3, :3].T
    origin = Vector(to_world[:3, 3])
    distances = [tree.ray_cast(origin, direction)[3] or 0.0 for direction in directions.tolist()]
    return (np.array(distances) / lengths).reshape(height, width).astype(np.float32)


def photograph(scene: Scene, folder: Path, samples: int, scale: float) -> None:
    """Builds the scene, then writes its photos and depth; `cameras.json` comes last and marks it complete."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene.furnish()
    light(scene)
    simplify_materials()
    set_up_render(samples, scale)
    width, height = (int(size * round(100 * scale) / 100) for size in (WIDTH, HEIGHT))
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.data.lens, camera.data.sensor_width, camera.data.clip_start = scene.lens, SENSOR, 0.05
    bpy.context.scene.collection.objects.link(camera)
    bpy.context.scene.camera = camera
    folder.mkdir(parents=True, exist_ok=True)
    k, tree = intrinsics(scene.lens, width, height), surface()
    entries = []
    for number, (at, aim) in enumerate(scene.standpoints, 1):
        camera.matrix_world = looking(at, aim)
        bpy.context.view_layer.update()
        to_world = np.array(camera.matrix_world) @ np.diag([1.0, -1.0, -1.0, 1.0])
        photo, depth = f"photo_{number}.jpg", f"depth_{number}.npy"
        np.save(folder / depth, true_depth(tree, to_world, k, width, height))
        bpy.context.scene.render.filepath = str(folder / photo)
        bpy.ops.render.render(write_still=True)
        entry = {"photo": photo, "depth": depth, "width": width, "height": height}
        entries.append(entry | {"extrinsics": np.linalg.inv(to_world).tolist(), "intrinsics": k.tolist()})
    text = json.dumps({"walls": scene.walls, "cameras": entries}, indent=1)
    part = folder / "cameras.json.part"
    part.write_text(text + "\n", encoding="utf-8")
    os.replace(part, folder / "cameras.json")


def main() -> None:
    names = [scene.name for scene in SCENES]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=FOLDER)
    parser.add_argument("--scenes", nargs="*", choices=names, default=names, metavar="SCENE", help=", ".join(names))
    parser.add_argument("--samples", type=int, default=8)
    parser.add_argument("--scale", type=float, default=1.0, help="fraction of the full size, for trials")
    arguments = parser.parse_args()
    for scene in SCENES:
        folder = arguments.folder / scene.name
        if scene.name not in arguments.scenes or (folder / "cameras.json").is_file():
            continue
        start = time.perf_counter(), time.process_time()
        photograph(scene, folder, arguments.samples, arguments.scale)
        spent = time.perf_counter() - start[0], time.process_time() - start[1]
        print(f"{scene.name}: {spent[0]:.0f} s, {spent[1]:.0f} s of one core", flush=True)


if __name__ == "__main__":
    main()
