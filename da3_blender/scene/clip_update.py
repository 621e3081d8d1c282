"""What an update exchanges of photos and clips: the images that show them, and how a clip's camera brings its plan to
the result that is there."""

from __future__ import annotations

import bpy
import numpy as np

from ..plan.scene_plan import ScenePlan
from ..plan.similarity import Similarity, align_poses
from .camera_keys import is_keyed
from .cameras import MADE_HERE
from .clip_camera import KeyFrame, is_clip, key_frames, poses
from .marks import ID
from .projection import projects_from
from .remove import purge
from .surfaces import photo_behind


def onto_clip(plan: ScenePlan, cameras: list[bpy.types.Object], depth: float) -> Similarity | None:
    """What brings the camera of the plan's clip best to that of the clip which the result shows, in the frames that
    both have; None where either is none. depth: how far what the result's sees typically is."""
    clip = next(filter(is_clip, cameras), None)
    if plan.track is None or clip is None:
        return None
    frames, target = poses(clip)
    wanted = plan.track.frames
    if plan.track.still or not is_keyed(clip):  # a pose tells for all frames
        pairs = [(plan.track.matrices[0], target[0])]
    else:
        places = {round(frame): place for place, frame in enumerate(frames)}
        pairs = [
            (matrix, target[places[round(frame)]])
            for frame, matrix in zip(wanted, plan.track.matrices, strict=True)
            if round(frame) in places
        ]
    if not pairs:
        return None
    source, there = (np.array(each) for each in zip(*pairs, strict=True))
    return align_poses(source, there, plan.typical_depth, depth)


def exchange_key_frames(camera: bpy.types.Object, before: list[KeyFrame]) -> None:
    """Let what shows the key frames that a clip's camera had `before` show the new images of these."""
    now = {key.name: key.image for key in key_frames(camera)}
    for key in before:
        image = now.get(key.name)
        if key.image is not None and image is not None and image != key.image:
            exchange_photo(camera, key.image, image)
    purge([key.image for key in before if key.image is not None and key.name not in now])


def exchange_photo(camera: bpy.types.Object, old: bpy.types.Image, image: bpy.types.Image) -> None:
    """Let what shows the photo of a result's camera show another image of it: backgrounds, materials of its surfaces
    and projections. Of a plate that the add-on made everything else follows, too, unless another result shows it; any
    other image may be the photo itself, and what the artist shows it with keeps it."""
    name = old.name
    for background in camera.data.background_images:
        if background.image == old:
            background.image = image
    mine = [item for item in bpy.data.objects if item.get(ID) == camera.get(ID)]
    shown = {slot.material for item in mine for slot in item.material_slots if slot.material is not None}
    for material in shown | {each for each in bpy.data.materials if projects_from(each, camera)}:
        for node in [] if material.node_tree is None else material.node_tree.nodes:
            if isinstance(node, bpy.types.ShaderNodeTexImage) and node.image == old:
                node.image = image
    others = [item for item in bpy.data.objects if item.type == "CAMERA" and item not in mine]
    elsewhere = {image for item in others for image in (photo_behind(item), *_key_images(item))}
    if old.get(MADE_HERE) and old not in elsewhere:
        old.user_remap(image)
    purge([old])
    if name not in bpy.data.images:
        image.name = name


def _key_images(item: bpy.types.Object) -> list[bpy.types.Image]:
    return [key.image for key in key_frames(item) if key.image is not None] if is_clip(item) else []
