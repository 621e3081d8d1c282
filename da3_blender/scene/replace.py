"""An object in the place of another, with data of another type: Blender lets no object change the type of its data."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import bpy

TURNS = ("rotation_mode", "rotation_quaternion", "rotation_axis_angle", "rotation_euler")
"""In this order: setting the mode changes the others."""

NOT_COPIED = {
    *("name", "data", "matrix_world", "matrix_local", "matrix_basis", "dimensions", "parent_bone", "tag"),
    *("active_material", "active_material_index", "active_shape_key_index", "asset_data", "is_runtime_data"),
    *("active_selection_set", "use_mesh_mirror_x", "use_mesh_mirror_y", "use_mesh_mirror_z", *TURNS),
}
"""Of an object's properties: those that are others' in another form, and those that point clouds have not."""

GROUPS = ("display", "cycles", "light_linking", "lineart")
"""Of an object's properties: those with properties of their own."""


def replaced(old: bpy.types.Object, data: Any) -> bpy.types.Object:
    """A new object of `data` in the place of `old`, with all else that it had, but for NLA tracks, modifiers that are
    no node groups, vertex groups and physics."""
    name = old.name
    new = bpy.data.objects.new(name, data)
    try:
        _copy(old, new)
    except BaseException:
        bpy.data.objects.remove(new)
        raise
    hidden = [(layer, old.hide_get(view_layer=layer)) for layer in _layers(old)]
    chosen = [layer for layer in _layers(old) if old.select_get(view_layer=layer)]
    old.user_remap(new)
    bpy.data.objects.remove(old)
    new.name = name
    for layer, is_hidden in hidden:
        new.hide_set(is_hidden, view_layer=layer)
    for layer in chosen:
        new.select_set(True, view_layer=layer)
    return new


def _copy(old: bpy.types.Object, new: bpy.types.Object) -> None:
    for key in TURNS:
        setattr(new, key, getattr(old, key))
    _copy_properties(old, new)
    if old.parent_type == "BONE":
        new.parent_bone = old.parent_bone
    new.matrix_parent_inverse = old.matrix_parent_inverse.copy()
    for group in GROUPS:
        if getattr(old, group, None) is not None:
            _copy_properties(getattr(old, group), getattr(new, group))
    for key, value in old.items():
        if key not in GROUPS:  # which older versions keep among them
            new[key] = value
    for slot, before in zip(new.material_slots, old.material_slots, strict=True):
        slot.link = before.link
        slot.material = before.material
    for constraint in old.constraints:
        new.constraints.copy(constraint)
    for modifier in old.modifiers:
        _copy_modifier(modifier, new)
    _copy_animation(old, new)


def _layers(item: bpy.types.Object) -> Iterator[bpy.types.ViewLayer]:
    return (layer for scene in bpy.data.scenes for layer in scene.view_layers if item.name in layer.objects)


def _copy_properties(old: Any, new: Any) -> None:
    """All that can be set of a structure of Blender's, and that has not what it should have already."""
    for each in old.bl_rna.properties:
        if not each.is_readonly and each.identifier not in NOT_COPIED and each.identifier != "rna_type":
            with suppress(AttributeError, TypeError):  # what objects of another kind have not
                value = getattr(old, each.identifier)
                if getattr(new, each.identifier) != value:
                    setattr(new, each.identifier, value)


def _copy_modifier(old: bpy.types.Modifier, item: bpy.types.Object) -> None:
    """A node group's modifier with its values, whatever they are called."""
    new: Any = item.modifiers.new(old.name, "NODES")
    _copy_properties(old, new)
    before: Any = old
    if not hasattr(before, "properties"):  # before Blender 5.2
        for key, value in before.items():
            # Newer versions keep what is true or false as numbers.
            new[key] = bool(value) if isinstance(new.get(key), bool) else value
        return
    for side in ("inputs", "outputs"):
        inside, into = getattr(before.properties, side), getattr(new.properties, side)
        for each in inside.bl_rna.properties:
            if each.type == "POINTER" and each.identifier != "rna_type":
                _copy_properties(getattr(inside, each.identifier), getattr(into, each.identifier))


def _copy_animation(old: bpy.types.Object, new: bpy.types.Object) -> None:
    before: Any = old.animation_data
    if before is None:
        return
    animation: Any = new.animation_data_create()
    animation.action = before.action
    if getattr(before, "action_slot", None) is not None:
        animation.action_slot = before.action_slot
    for key in ("action_extrapolation", "action_blend_type", "action_influence"):
        setattr(animation, key, getattr(before, key))
    for driver in before.drivers:
        animation.drivers.from_existing(src_driver=driver)
