"""A DA3 scene changed in place: what was made anew goes into the objects that are there.

Names, transforms, parents, materials, modifiers and their values, collections and animation stay the artist's.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import bpy
import numpy as np

from model_runtime.contract.messages import JobError

from ..plan.scene_plan import ScenePlan
from ..plan.similarity import Similarity, align_poses
from ..plan.transform import transform_plan
from . import find, locks, plates, viewing, visibility
from .camera_keys import drop_keys, is_keyed
from .cameras import put_behind
from .clip_camera import is_clip, key_frames, take_over_camera
from .clip_update import exchange_key_frames, exchange_photo, onto_clip
from .copies import make_single_user
from .edits import edited_parts, keep_beside, set_free
from .marks import (
    DEPTH,
    ID,
    INDEX,
    KEY_PICTURES,
    MATCH_ERROR,
    METRIC,
    PART,
    PHOTOS,
    PIXEL_ASPECT,
    RIG,
    ROLE,
    ROLES,
    SETTING,
    VIEW,
    WRITTEN,
)
from .materials import POINTS
from .movie_clips import clip_behind, take_over_clip
from .own_groups import follow_groups
from .placement import frame_to_world, own_change, put, stand_like, written
from .remove import check_changeable, purge, remove_objects
from .splats.convert import convert, why_kept
from .splats.follow import settle
from .surfaces import photo_behind
from .transform import animated
from .write import SceneObjects, add_child, describe, take_out, write_parts

STILL = 1e-6
"""A scene that would move by less than this share of its depth is not moved."""

NOT_ALWAYS = (MATCH_ERROR, "da3_licence_accepted", "da3_checkpoint_revision", "da3_checkpoint_sha256")
"""What only some models and cameras tell about a scene; a later one may not."""

CLIP = "\0clip"
"""What no photo is called."""

Photo = tuple[str, int]
"""A photo's name and, because several may be called the same, which of those it is."""


def update_scene(plan: ScenePlan, collection: bpy.types.Collection, scene: bpy.types.Scene) -> SceneObjects:
    """Change the result with the top collection `collection` into what `plan` says; returns its objects.

    The plan is brought to the cameras of the photos that were there before, so that the scene stays where, and as
    large as, it is. Objects are matched by role and photo; what has no match is added beside the others or removed.
    All is made before anything is changed; what was edited by hand is kept beside (`edits`). Raises JobError where the
    scene cannot be changed now.
    """
    before = find.parts_of(collection)
    check_changeable(collection, (item for items in before.values() for item in items))
    notes = [why_kept(item) for item in convert(before["splats"])]
    before = find.parts_of(collection)
    settle(before["splats"])
    plan = brought_in_place(plan, collection)
    bound = viewing.is_bound(collection, scene)
    made = write_parts(plan, collection.name, uuid.uuid4().hex, scene, bound)
    try:
        make_single_user(item for items in before.values() for item in items)
        beside = [(item.name, keep_beside(item).name) for item in edited_parts(collection)]
        bare = {each for each in before["camera"] if photo_behind(each) is None and clip_behind(each) is None}
        added, gone = _exchange(before, find.parts_of(made.collection))
        bare -= set(gone)
        seen_through_gone = scene.camera in gone
        remove_objects(gone)
        sibling = _typical_sibling(collection)
        for item in added:
            _join(item, collection, sibling)
        _hold_by_rig(collection)
        if plan.in_world and sibling is not None:
            _stand_as_known(collection, frame_to_world(sibling))
    finally:
        take_out(made.collection)
    visibility.follow(collection, added)
    plates.follow(collection, [*bare, *(item for item in added if item.type == "CAMERA")])
    notes += [f"The geometry of {name} was edited by hand; that is kept, hidden, in {kept}." for name, kept in beside]
    if unlocked := locks.drop_of_bent(find.objects_of(collection, "camera")):
        notes.append(f"Not locked any more, since their photos are straightened now: {', '.join(unlocked)}.")
    if animated(collection):
        notes.append("Animated objects keep their keyframes, which were made for the scene before.")
    plan = replace(plan, notes=(*plan.notes, *notes))
    for key in [key for key, _ in collection.items() if key in NOT_ALWAYS or key.startswith(SETTING)]:
        del collection[key]
    describe(collection, plan)
    visibility.apply_to_clouds(collection)
    if plan.standard_view:
        scene.view_settings.view_transform = "Standard"
    parts = find.parts_of(collection)
    if bound:
        viewing.add_to_timeline(scene, [item for item in added if item.type == "CAMERA"])
        viewing.take_times(scene, parts["camera"])
    if bound and seen_through_gone and scene.camera is None:
        viewing.switch_to(scene, parts["camera"][0])
    elif scene.camera in parts["camera"] and (bound or viewing.looks(scene)):
        viewing.borrow_size(scene, scene.camera)
    surfaces = (*parts["mesh"], *parts["sheet"])
    return SceneObjects(collection, tuple(parts["camera"]), _first(parts["points"]), _first(parts["splats"]), surfaces)


def brought_in_place(plan: ScenePlan, collection: bpy.types.Collection) -> ScenePlan:
    """`plan` in the frame of the result `collection`, by the cameras of the photos that both have; unchanged where
    they share none. Its unit is then the result's. A plan in Blender's world stays there, wherever the result is."""
    if plan.in_world:
        return _within_world(plan, collection)
    similarity = _onto_cameras(plan, collection)
    if similarity is None:
        return plan
    metric = bool(collection.get(METRIC))
    notes = plan.notes
    if plan.provenance.get("metric") and not metric:
        larger = 1 / similarity.scale
        notes = (
            *notes,
            f"The scene kept its size; in meters, as the model sees it, it is {larger:.3g} times as large.",
        )
    plan = replace(plan, provenance={**plan.provenance, "metric": metric}, notes=notes)
    reach = np.diag([plan.typical_depth] * 3 + [1.0])
    if np.abs((similarity.matrix - np.eye(4)) @ reach).max() <= STILL * plan.typical_depth:
        return plan
    return transform_plan(plan, similarity)


def _onto_cameras(plan: ScenePlan, collection: bpy.types.Collection) -> Similarity | None:
    """What brings the cameras of `plan` best to those that the result has of the same photos; None without any."""
    cameras = find.objects_of(collection, "camera")
    if plan.track is not None or any(map(is_clip, cameras)):
        return onto_clip(plan, cameras, collection.get(DEPTH, plan.typical_depth))
    there = {photo: items[0] for photo, items in _by_photo(cameras).items()}
    photos = list(_numbered(camera.name for camera in plan.cameras))
    pairs = [
        (camera.camera.matrix_world, written(there[photo]))
        for photo, camera in zip(photos, plan.cameras, strict=True)
        if photo in there
    ]
    if not pairs:
        return None
    source, target = (np.array(poses) for poses in zip(*pairs, strict=True))
    return align_poses(source, target, plan.typical_depth, collection.get(DEPTH, plan.typical_depth))


def _within_world(plan: ScenePlan, collection: bpy.types.Collection) -> ScenePlan:
    """`plan`, which stands in Blender's world, in the frame that the objects of the result share.

    Where a single camera is known, which tells nothing about size, the result keeps the size it has, about that camera.
    """
    item = _typical_sibling(collection)
    if item is None:
        return plan
    try:
        inside = transform_plan(plan, Similarity.from_matrix(np.linalg.inv(frame_to_world(item))))
    except ValueError as error:
        sentence = "The DA3 scene is scaled unevenly or mirrored, so it cannot stand at the known cameras."
        raise JobError("scene-edited", sentence, "Clear its scale, or make a new scene.") from error
    known = [camera.camera.matrix_world[:3, 3] for camera in inside.cameras if camera.source == "given"]
    similarity = _onto_cameras(inside, collection)
    if len(known) != 1 or len(plan.cameras) == 1 or similarity is None:
        return inside
    inside = replace(inside, provenance={**inside.provenance, "metric": bool(collection.get(METRIC))})
    return transform_plan(inside, Similarity.of(similarity.scale, about=known[0]))


def _stand_as_known(collection: bpy.types.Collection, frame: np.ndarray) -> None:
    """Let locked cameras stand where they were known to, in the result's `frame` [4,4]: what the artist did to one of
    them is in that already."""
    for camera in locks.locked(collection).values():
        if locks.lock_of(camera) == locks.CAMERA:
            around = frame_to_world(camera) @ np.linalg.inv(own_change(camera))
            put(camera, written(camera), np.linalg.inv(around) @ frame)


def _exchange(
    before: dict[str, list[bpy.types.Object]], made: dict[str, list[bpy.types.Object]]
) -> tuple[list[bpy.types.Object], list[bpy.types.Object]]:
    """Let objects of `before` take over what was made for the same role and photo. Returns what was made for none of
    them, and those that nothing was made for."""
    added, gone = [], []
    for role in ROLES:
        old = _by_photo(before[role])
        for photo, (fresh,) in _by_photo(made[role]).items():
            kept = [item for item in old.pop(photo, []) if _takes(item, fresh)]
            for item in kept:
                _take_over(item, fresh)
            if not kept:
                added.append(fresh)
        gone += [item for items in old.values() for item in items]
    return added, gone


def _takes(item: bpy.types.Object, fresh: bpy.types.Object) -> bool:
    """Whether `item` can take over; one that was converted to another type is the artist's own from now on."""
    if item.type == fresh.type:
        return True
    set_free(item)
    return False


def _take_over(kept: bpy.types.Object, fresh: bpy.types.Object) -> None:
    for key, value in fresh.items():
        if key.startswith("da3_") and key not in (ID, WRITTEN):
            kept[key] = value
    if kept.type == "CAMERA":
        _take_over_pose(kept, fresh)
        _take_over_lens(kept, fresh)
        return
    if kept.type == "EMPTY":
        return
    if kept.data != fresh.data:  # they are the same where a linked duplicate came first
        _take_over_geometry(kept.data, fresh.data)
    follow_groups(kept, fresh)


def _take_over_pose(kept: bpy.types.Object, fresh: bpy.types.Object) -> None:
    """Where the camera stands, or moves with its clip."""
    if is_keyed(kept) and not is_keyed(fresh):
        drop_keys(kept)
    if is_keyed(fresh):
        take_over_camera(kept, fresh)
    else:
        put(kept, written(fresh))


def _take_over_lens(kept: bpy.types.Object, fresh: bpy.types.Object) -> None:
    data: Any = kept.data
    for name in ("sensor_fit", "sensor_width", "sensor_height", "lens", "shift_x", "shift_y"):
        setattr(data, name, getattr(fresh.data, name))
    before = key_frames(kept) if is_clip(kept) else []
    for key in [key for key, _ in data.items() if key.startswith("da3_")]:
        del data[key]
    for key, value in fresh.data.items():
        if key.startswith("da3_"):
            data[key] = dict(value) if key == KEY_PICTURES else value
    if is_clip(kept):
        take_over_clip(data, fresh.data)
        exchange_key_frames(kept, before)
        return
    image, shown = photo_behind(fresh), data.background_images
    if image is None:
        return
    if not shown:
        put_behind(data, image, tuple(data[PIXEL_ASPECT]))
    elif shown[0].image is None:
        shown[0].image = image
    elif shown[0].image != image:
        exchange_photo(kept, shown[0].image, image)


def _take_over_geometry(old: Any, new: Any) -> None:
    """Put `new` in the place of `old`, for all its users, with its name, materials and the artist's properties."""
    _keep_materials(old, new)
    for key, value in old.items():
        if not key.startswith("da3_"):
            new[key] = value
    name = old.name
    old.user_remap(new)
    bpy.data.batch_remove([old])
    new.name = name


def _keep_materials(old: Any, new: Any) -> None:
    """Where meshes have a material per photo, the one that the photo had; else all, in their order."""
    if PHOTOS not in new:
        for material in old.materials:
            new.materials.append(material)
        return
    had = dict(zip(str(old.get(PHOTOS, "")).split("\n"), old.materials, strict=False))
    for slot, photo in enumerate(new[PHOTOS].split("\n")):
        material = had.get(photo)
        if material is not None and material.name != POINTS:  # which stands in for a photo that was missing
            fresh, new.materials[slot] = new.materials[slot], material
            purge([fresh])


def _join(item: bpy.types.Object, collection: bpy.types.Collection, sibling: bpy.types.Object | None) -> None:
    """Make `item` one of the result's objects, parented and moved as `sibling` is, in the collection of its part."""
    home = item.users_collection[0]
    part = next((child for child in collection.children_recursive if child.get(PART) == home[PART]), None)
    # Linked there before it leaves here, so that it stays hidden in view layers where it is.
    (part or add_child(collection, home[PART])).objects.link(item)
    home.objects.unlink(item)
    item[ID] = collection[ID]
    if sibling is not None and not is_clip(item):
        stand_like(item, sibling)


def _hold_by_rig(collection: bpy.types.Collection) -> None:
    """Let a clip's camera that was added be the child of the rig that the result keeps, not of the one made with it."""
    parts = find.parts_of(collection)
    for camera in filter(is_clip, parts["camera"]):
        held = camera.parent is not None and camera.parent.get(ROLE) == RIG
        if held and camera.parent not in parts[RIG] and parts[RIG]:
            camera.parent = parts[RIG][0]


def _typical_sibling(collection: bpy.types.Collection) -> bpy.types.Object | None:
    """One of those objects that the artist treated alike most often."""
    parts = find.parts_of(collection).values()
    items = [item for items in parts for item in items if not is_clip(item)]
    treated = [(item.parent, tuple(np.round(own_change(item), 4).ravel())) for item in items]
    if not items:
        return None
    return items[treated.index(Counter(treated).most_common(1)[0][0])]


def _by_photo(items: Iterable[bpy.types.Object]) -> dict[Photo, list[bpy.types.Object]]:
    """Objects by their photo; the artist's copies of one go with it."""
    items = list(items)
    places = sorted({_place(item) for item in items})
    photos = dict(zip(places, _numbered(name for _, name in places), strict=True))
    result: dict[Photo, list[bpy.types.Object]] = {}
    for item in items:
        result.setdefault(photos[_place(item)], []).append(item)
    return result


def _place(item: bpy.types.Object) -> tuple[int, str]:
    """The place and name of an item's photo; the same of all clips, of which a result has one."""
    return (0, CLIP) if is_clip(item) else (item.get(INDEX, 0), item.get(VIEW, ""))


def _numbered(names: Iterable[str]) -> Iterator[Photo]:
    seen: Counter[str] = Counter()
    for name in names:
        yield name, seen[name]
        seen[name] += 1


def _first(items: list[bpy.types.Object]) -> bpy.types.Object | None:
    return items[0] if items else None
