"""Opens a .blend and draws exact pictures of its splats."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable

import bpy
from mathutils import Matrix, Vector

from model_runtime.contract.messages import JobError

from ..drawing.exact import depth_ahead
from ..drawing.sequence import PictureSettings, Sequence, frame_file
from .blend_file import quietly, reason
from .ending import wait_if_ending
from .recovery import failure_of


def draw_pictures(options: argparse.Namespace, tell: Callable[[str], None]) -> None:
    """Open the file and draw its pictures; `tell` is given a line for each. Raises JobError."""
    try:
        with quietly():
            bpy.ops.wm.open_mainfile(filepath=str(options.file.resolve()), load_ui=False)
    except RuntimeError as error:
        sentence = f"{options.file} cannot be opened: {reason(error)}."
        raise JobError("blend-unreadable", sentence, "Give a .blend that this Blender can open.") from error
    scene = _chosen_scene(options)
    frames = options.frames or range(scene.frame_start, scene.frame_end + 1, scene.frame_step)
    if options.turntable:
        frames = range(1, options.turntable + 1)
        _turn(scene, options.turntable)
    settings = PictureSettings(options.format, options.background, not options.no_meshes, options.overwrite)
    sequence = Sequence(scene, frames, options.folder, settings)
    view_layer = scene.view_layers[0]
    more = True
    while more:
        frame = frames[sequence.done]
        more = sequence.step(view_layer)
        tell(f"{sequence.done} of {len(frames)}: {frame_file(options.folder, frame, options.format)}")


def _chosen_scene(options: argparse.Namespace) -> bpy.types.Scene:
    """The scene that is drawn, with the camera and the size that were asked for. Raises JobError."""
    scene = bpy.data.scenes.get(options.scene) if options.scene else bpy.context.scene
    if scene is None:
        names = ", ".join(each.name for each in bpy.data.scenes)
        raise JobError("bad-request", f"There is no scene {options.scene}.", f"Give one of {names}.")
    if options.camera:
        camera = scene.objects.get(options.camera)
        if camera is None or camera.type != "CAMERA":
            names = ", ".join(item.name for item in scene.objects if item.type == "CAMERA")
            raise JobError("bad-request", f"There is no camera {options.camera}.", f"Give one of {names}.")
        scene.timeline_markers.clear()
        scene.camera = camera
    if options.resolution:
        scene.render.resolution_x, scene.render.resolution_y = options.resolution
        scene.render.resolution_percentage = 100
    return scene


def _turn(scene: bpy.types.Scene, count: int) -> None:
    """Give the scene a camera that goes once around, upright, in frames 1 to `count`: around the place as far ahead of
    the camera as the splats' median depth. Raises JobError."""
    scene.timeline_markers.clear()
    if scene.camera is None:
        raise JobError("no-camera", "The scene has no camera.", "Add one, or give --camera.")
    view_layer = scene.view_layers[0]
    view_layer.update()
    start = scene.camera.evaluated_get(view_layer.depsgraph).matrix_world.copy()
    camera = bpy.data.objects.new("turntable", scene.camera.data)
    scene.collection.objects.link(camera)
    pivot = start @ Vector((0, 0, -depth_ahead(view_layer.depsgraph, start)))
    for index in range(count):
        turn = Matrix.Rotation(index * math.tau / count, 4, "Z")
        camera.matrix_world = Matrix.Translation(pivot) @ turn @ Matrix.Translation(-pivot) @ start
        camera.rotation_mode = "QUATERNION"
        for path in ("location", "rotation_quaternion", "scale"):
            camera.keyframe_insert(path, frame=index + 1)
    scene.camera = camera


def run(options: argparse.Namespace) -> int:
    """`draw_pictures` for a command line: tells on standard error what went wrong, and returns the exit status."""
    try:
        draw_pictures(options, lambda line: print(line, flush=True))
    except Exception as error:
        wait_if_ending()
        failure = failure_of(error)
        parts = [failure.log, f"{failure.code}: {failure.sentence}", failure.advice]
        print("\n".join(part for part in parts if part), file=sys.stderr)
        return 1
    return 0
