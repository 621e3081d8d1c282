"""Writes a finished result into its scene, whatever the artist is doing meanwhile, as one undo step."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import bpy

from ..plan.size_and_place import placed_beside
from ..runtime.manager import LOOK_THREAD
from ..runtime.models import MODELS_THREAD
from ..scene import arrival, find, write_scene
from ..scene.marks import ID, REQUEST
from ..scene.standing import standing
from ..scene.update import update_scene
from .manager import CannotPlace, NotNow
from .state import Result
from .stored_request import tell_left_out


def place(result: Result) -> str:
    """Write `result` into the scene it was made for, with an undo step; returns its `da3_id`.

    Raises NotNow while the artist is dragging something or a render runs, CannotPlace where the scene is gone, or the
    result that it should update.
    """
    scene, updated = find.scene_of(result.target.scene_uid), result.target.collection_id
    if scene is None:
        raise CannotPlace(f"Its scene '{result.target.scene_name}' is not there any more.")
    if updated and find.result(scene, updated) is None:
        raise CannotPlace("The DA3 scene that it should update is not there any more.")
    _refuse_while_busy()
    return _write_with_undo(result, scene)


def write(result: Result, scene: bpy.types.Scene) -> str:
    """Write `result` into `scene`, into the result it updates where that is there; returns its `da3_id`."""
    updated = find.result(scene, result.target.collection_id)
    if updated is None:
        plan = placed_beside(result.plan, standing(scene))
        wanted = result.target.set_frame_range
        leaves_time = result.target.clip is not None and not wanted
        made = write_scene(plan, scene, bound=False if leaves_time else None, take_time=wanted)
    else:
        made = update_scene(result.plan, updated, scene)
    if result.target.request_text:
        made.collection[REQUEST] = result.target.request_text
        tell_left_out(made.collection, scene.da3, result.plan.left_out)
    return made.collection[ID]


def _refuse_while_busy() -> None:
    if bpy.app.is_job_running("RENDER"):
        raise NotNow("The scene is ready and waits for the render to end.")
    for window in bpy.context.window_manager.windows:
        if any("UNDO" in operator.bl_options for operator in window.modal_operators):
            raise NotNow("The scene is ready and waits until you have finished what you are doing.")
    # `_any_window` overrides the context, whose names Blender with Python 3.11 reads without the interpreter's lock:
    # a crash where another thread runs Python during an undo step. Workers' threads only wait by now.
    looking = any(thread.name in (LOOK_THREAD, MODELS_THREAD) for thread in threading.enumerate())
    if looking and sys.version_info < (3, 12):
        raise NotNow("The scene is ready and waits until the runtime and its models have been looked at.")


def _write_with_undo(result: Result, scene: bpy.types.Scene) -> str:
    with _any_window(), _object_mode():
        made = write(result, scene)
        collection = find.result(scene, made)
        if not bpy.app.background and collection is not None:
            arrival.arrive(collection, scene, new=not result.target.collection_id)
            bpy.ops.ed.undo_push(message=f"DA3 {result.plan.name}")
    return made


@contextmanager
def _any_window() -> Iterator[None]:
    """Timers run without a window, which undo steps and modes need."""
    if bpy.context.window is not None:
        yield
        return
    with bpy.context.temp_override(window=bpy.context.window_manager.windows[0]):
        yield


@contextmanager
def _object_mode() -> Iterator[None]:
    """Undo steps of other modes keep only what is edited there, so the step is made in Object Mode."""
    active = bpy.context.view_layer.objects.active
    if active is None or active.mode == "OBJECT":
        yield
        return
    edited, mode = active.session_uid, active.mode
    bpy.ops.object.mode_set(mode="OBJECT")
    try:
        yield
    finally:
        active = bpy.context.view_layer.objects.active
        if active is not None and active.session_uid == edited:  # an update may have removed it
            bpy.ops.object.mode_set(mode=mode)
