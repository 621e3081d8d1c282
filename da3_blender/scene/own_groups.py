"""Node groups of the add-on on objects: those of older versions become today's, with the values that the artist set."""

from __future__ import annotations

import re
from typing import Any

import bpy

from .meshes import add_nodes, input_value, set_input
from .remove import purge
from .splats.lens import follow_scene

OWN_GROUP = re.compile(r"DA3 (Points|Splats|Splat Filter) (?:degree \d+ )?v\d+")
"""Names of the node groups that show points and splats, of all versions of the add-on."""

STAND_INS, FILTER = "Splats", "Splat Filter"


def follow_groups(kept: bpy.types.Object, fresh: bpy.types.Object) -> None:
    """Let `kept` show through the node groups that `fresh` has of the same kinds: those of splats of another degree, or
    of this version. Values, animation and the artist's own groups stay; what the artist removed does not come back."""
    wanted = {kind: (modifier, group) for modifier, group, kind in own_modifiers(fresh)}
    for modifier, group, kind in own_modifiers(kept):
        values = {name: input_value(modifier, name) for name in _inputs(group)}
        if kind == STAND_INS and "Shown" in values and FILTER in wanted:
            # One group did both. It becomes the filter, whose first inputs are its own: animation goes on.
            _put(modifier, wanted[FILTER][1], values)
            modifier.name = wanted[FILTER][0].name
            if STAND_INS in wanted:
                _add_after(kept, modifier, *wanted[STAND_INS], values)
        elif kind in wanted and group != wanted[kind][1]:
            _put(modifier, wanted[kind][1], values)
        else:
            continue
        purge([group])
    for modifier, _, kind in own_modifiers(kept):
        if kind == STAND_INS:
            follow_scene(modifier)


def own_modifiers(item: bpy.types.Object) -> list[tuple[bpy.types.NodesModifier, bpy.types.NodeTree, str]]:
    """The modifiers of `item` with a node group of the add-on, the groups and their kinds."""
    own = []
    for modifier in item.modifiers:
        group = modifier.node_group if isinstance(modifier, bpy.types.NodesModifier) else None
        found = None if group is None else OWN_GROUP.fullmatch(group.name)
        if found is not None:
            own.append((modifier, group, found[1]))
    return own


def _inputs(group: bpy.types.NodeTree) -> set[str]:
    """The inputs that artists set; what drivers set is hidden."""
    sockets = [item for item in group.interface.items_tree if item.item_type == "SOCKET" and item.in_out == "INPUT"]
    return {item.name for item in sockets if item.socket_type != "NodeSocketGeometry" and not item.hide_in_modifier}


def _put(modifier: bpy.types.NodesModifier, group: bpy.types.NodeTree, values: dict[str, Any]) -> None:
    """Let `modifier` have `group`, with those of `values` that it has inputs for."""
    modifier.node_group = group
    for name in sorted(_inputs(group) & values.keys()):
        set_input(modifier, name, values[name])


def _add_after(
    item: bpy.types.Object,
    modifier: bpy.types.NodesModifier,
    pattern: bpy.types.NodesModifier,
    group: bpy.types.NodeTree,
    values: dict[str, Any],
) -> None:
    """Another modifier right after `modifier`, of `group`, shown where `pattern` is."""
    added = add_nodes(item, group)
    added.show_viewport, added.show_render = pattern.show_viewport, pattern.show_render and modifier.show_render
    _put(added, group, values)
    places = [each.name for each in item.modifiers]
    item.modifiers.move(len(places) - 1, places.index(modifier.name) + 1)
