"""Which camera a scene looks through, and at which size: that of its photos, or what was there before them.

Bound to the timeline, a frame each, photos own the scene's camera and size. In a scene that has a camera of the
artist's own they do not: a photo is looked through for as long as it is looked at. What either replaced is kept in the
file and given back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import bpy
from bpy.app.handlers import persistent

from . import find
from .camera_keys import OURS
from .cameras import apply_camera_resolution
from .clip_camera import clip_frames, clip_rate, is_clip
from .marks import BEFORE_BINDING, BEFORE_LOOKING

SIZE = ("resolution_x", "resolution_y", "resolution_percentage", "pixel_aspect_x", "pixel_aspect_y")
SET = "set"
"""Beside what was there: what the add-on set last; anything else is the artist's since."""

MARKERS = "markers"
"""Beside what was there before binding: the names of the markers, by which those are known whose camera was deleted."""

SPAN = ("frame_start", "frame_end", "frame_current")
RATE = ("fps", "fps_base")


def is_bound(collection: bpy.types.Collection, scene: bpy.types.Scene) -> bool:
    """Whether the result's photos are on the timeline of `scene`, bound by the add-on."""
    if BEFORE_BINDING not in scene:
        return False
    cameras = set(find.objects_of(collection, "camera"))
    return any(marker.camera in cameras for marker in scene.timeline_markers)


def is_free(scene: bpy.types.Scene) -> bool:
    """Whether nothing of the artist's goes lost where photos are bound: `scene` has no camera and no marker of theirs,
    and nothing in the file is animated."""
    results = set(map(find.identity, find.results(scene)))
    own = [item for item in scene.objects if find.identity(item) not in results]
    markers = (m for m in scene.timeline_markers if not (m.camera and find.identity(m.camera) in results))
    blocks = [scene, *own, *(item.data for item in own if item.data is not None)]
    animated = any(action.users for action in bpy.data.actions if OURS not in action) or any(map(is_animated, blocks))
    return not any(item.type == "CAMERA" for item in own) and not any(markers) and not animated


def is_animated(block: Any) -> bool:
    """Whether keyframes or drivers of the artist's move it."""
    data = block.animation_data if hasattr(block, "animation_data") else None
    if data is None:
        return False
    drivers = [driver for driver in data.drivers if not driver.data_path.startswith('modifiers["DA3 ')]
    own = data.action is not None and OURS not in data.action
    return own or bool(drivers) or len(data.nla_tracks) > 0


def frame_shape(scene: bpy.types.Scene) -> float:
    """Width by height of what the scene renders when no photo is looked through."""
    size = {name: getattr(scene.render, name) for name in SIZE}
    if looks(scene):
        size.update(scene[BEFORE_LOOKING].to_dict())
    return size["resolution_x"] * size["pixel_aspect_x"] / (size["resolution_y"] * size["pixel_aspect_y"])


def bind(collection: bpy.types.Collection, scene: bpy.types.Scene) -> None:
    """Give the result's cameras a frame each, and the scene the first of them with its size."""
    look_back(scene)
    cameras = find.objects_of(collection, "camera")
    add_to_timeline(scene, cameras)
    take_times(scene, cameras)
    if cameras:
        switch_to(scene, cameras[0])


def unbind(collection: bpy.types.Collection, scene: bpy.types.Scene) -> None:
    """Take the result's cameras off the timeline. Where no other's are on it, what was there before them comes back."""
    look_back(scene)
    leave(scene, find.objects_of(collection, "camera"))


def leave(scene: bpy.types.Scene, cameras: Iterable[bpy.types.Object]) -> None:
    """Let `scene` do without `cameras`, of a result that is taken off the timeline or out of the scene."""
    cameras = set(cameras)
    for marker in [marker for marker in scene.timeline_markers if marker.camera in cameras]:
        scene.timeline_markers.remove(marker)
    if scene.camera in cameras:
        look_back(scene)
    if BEFORE_BINDING in scene and not _bound_markers(scene):
        names = set(scene[BEFORE_BINDING].get(MARKERS, ()))
        for marker in [m for m in scene.timeline_markers if m.camera is None and m.name in names]:
            scene.timeline_markers.remove(marker)
        _give_back(scene, BEFORE_BINDING)
    if scene.camera in cameras:
        scene.camera = marker_camera(scene)
        follow_marker_camera(scene)


def add_to_timeline(scene: bpy.types.Scene, cameras: Sequence[bpy.types.Object]) -> None:
    """One marker per camera, a frame each, from frame 1, or the one after the last marker that already has a camera;
    that of a clip where the clip begins. The scene's end moves out as needed."""
    if BEFORE_BINDING in scene and not _bound_markers(scene):
        del scene[BEFORE_BINDING]  # of photos that were taken away by hand
    _keep(scene, BEFORE_BINDING)
    first = 1 + max((_last_frame(marker) for marker in scene.timeline_markers if marker.camera), default=0)
    frames = [clip_frames(each)[0] if is_clip(each) else first + place for place, each in enumerate(cameras)]
    for frame, camera in zip(frames, cameras, strict=True):
        scene.timeline_markers.new(camera.name, frame=frame).camera = camera
    before = scene[BEFORE_BINDING]
    before[MARKERS] = [*before.get(MARKERS, ()), *(camera.name for camera in cameras)]
    last = max(frames, default=0)
    if last > scene.frame_end:
        scene.frame_end = last
        _remember(scene, frame_end=last)


def take_times(scene: bpy.types.Scene, cameras: Iterable[bpy.types.Object]) -> None:
    """Let the scene's frames and rate be those of the clips that `cameras`, which are bound, show: just these, or where
    others are bound, too, the frames of both."""
    for camera in filter(is_clip, cameras):
        first, last = clip_frames(camera)
        others = [marker for marker in _bound_markers(scene) if marker.camera != camera]
        if others:
            first, last = min(first, scene.frame_start), max(last, scene.frame_end)
        fps = max(1, round(clip_rate(camera)))
        values = {"frame_start": first, "frame_end": last, "fps": fps, "fps_base": fps / clip_rate(camera)}
        for name, value in values.items():
            before = scene[BEFORE_BINDING]
            if name not in before:  # kept by a version that knew no clips
                before[name] = getattr(_owner(scene, name), name)
            setattr(_owner(scene, name), name, value)
        _remember(scene, **values)


def _last_frame(marker: bpy.types.TimelineMarker) -> int:
    """The last frame that belongs to what a marker's camera shows."""
    return clip_frames(marker.camera)[1] if is_clip(marker.camera) else marker.frame


def switch_to(scene: bpy.types.Scene, camera: bpy.types.Object) -> None:
    """Make `camera` the scene's, and its photo's size the scene's; at its frame where it is bound to the timeline, else
    until `look_back`."""
    result = find.result(scene, find.identity(camera))
    if result is not None and is_bound(result, scene):
        look_back(scene)
        # Not `frame_set`, which evaluates all that is new at once: Blender does so before it draws, of all together.
        scene.frame_current, scene.frame_subframe = _frame_to_see(scene, camera), 0.0
        _remember(scene, frame_current=scene.frame_current)
    else:
        _keep(scene, BEFORE_LOOKING)
    scene.camera = camera
    borrow_size(scene, camera)
    scene.render.resolution_percentage = 100
    _remember(scene, resolution_percentage=100)


def _frame_to_see(scene: bpy.types.Scene, camera: bpy.types.Object) -> int:
    """The frame of a bound camera; of a clip the current one, where that shows it."""
    if is_clip(camera):
        first, last = clip_frames(camera)
        return min(max(scene.frame_current, first), last)
    return marker_frame(scene, camera)


def looks(scene: bpy.types.Scene) -> bool:
    """Whether `scene` looks through a photo until `look_back`."""
    return BEFORE_LOOKING in scene


def look_back(scene: bpy.types.Scene) -> None:
    """Give back the camera and the size that `switch_to` replaced, where it did."""
    _give_back(scene, BEFORE_LOOKING)


def marker_frame(scene: bpy.types.Scene, camera: bpy.types.Object) -> int:
    """The frame a marker binds `camera` to; the current one where there is none."""
    frames = [marker.frame for marker in scene.timeline_markers if marker.camera == camera]
    return frames[0] if frames else scene.frame_current


def marker_camera(scene: bpy.types.Scene) -> bpy.types.Object | None:
    """The camera the timeline's markers choose at the current frame, as Blender does: the last one bound before it,
    else the first one after it. None where no marker has a camera."""
    bound = sorted((marker for marker in scene.timeline_markers if marker.camera), key=lambda marker: marker.frame)
    passed = [marker for marker in bound if marker.frame <= scene.frame_current]
    return passed[-1].camera if passed else bound[0].camera if bound else None


@persistent
def follow_marker_camera(scene: bpy.types.Scene, *_: object) -> None:
    """Frame-change handler: the size follows the camera of a bound photo that the timeline's markers choose."""
    camera = marker_camera(scene) if BEFORE_BINDING in scene else None
    if camera is not None and find.result(scene, find.identity(camera)) is not None:
        borrow_size(scene, camera)


def borrow_size(scene: bpy.types.Scene, camera: bpy.types.Object) -> None:
    """Make the size of the photo of `camera` the scene's, until what was there is given back."""
    if apply_camera_resolution(scene, camera):
        _remember(scene, **{name: getattr(scene.render, name) for name in SIZE if name != "resolution_percentage"})


def _remember(scene: bpy.types.Scene, **values: float) -> None:
    """Note what was set, beside what is to be given back."""
    key = BEFORE_LOOKING if looks(scene) else BEFORE_BINDING
    if key in scene and any(scene[key][SET].get(name) != value for name, value in values.items()):
        scene[key][SET].update(values)


def _bound_markers(scene: bpy.types.Scene) -> list[bpy.types.TimelineMarker]:
    return [marker for marker in scene.timeline_markers if marker.camera and find.identity(marker.camera)]


def _keep(scene: bpy.types.Scene, key: str) -> None:
    if key in scene:
        return
    values = {name: getattr(_owner(scene, name), name) for name in (*SIZE, *SPAN, *RATE)}
    scene[key] = {**values, SET: {}}
    if scene.camera is not None:
        scene[key]["camera"] = scene.camera


def _owner(scene: bpy.types.Scene, name: str) -> Any:
    return scene if name in SPAN else scene.render


def _give_back(scene: bpy.types.Scene, key: str) -> None:
    """What the artist has set meanwhile stays."""
    if key not in scene:
        return
    before: Any = scene[key].to_dict()
    del scene[key]
    if scene.camera is None or find.identity(scene.camera):
        camera = before.get("camera")
        scene.camera = camera if camera and camera.name in scene.objects else None
    for name, value in before[SET].items():
        owner = _owner(scene, name)
        if abs(getattr(owner, name) - value) > 1e-6:
            continue
        if name == "frame_current":
            scene.frame_set(before[name])
        else:
            setattr(owner, name, before[name])


def register() -> None:
    bpy.app.handlers.frame_change_post.append(follow_marker_camera)


def unregister() -> None:
    bpy.app.handlers.frame_change_post.remove(follow_marker_camera)
