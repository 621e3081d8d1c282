"""Short ways to write node trees in code. Works the same for geometry and shader trees."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import bpy

Operand = Any
"""A socket to link from, or a plain value."""


class Builder:
    """Adds nodes to one tree; every method takes sockets or plain values and returns output sockets."""

    def __init__(self, tree: bpy.types.NodeTree) -> None:
        self.tree = tree

    def node(self, kind: str, inputs: dict[str | int, Operand] | None = None, **properties: object) -> Any:
        """A node of type `kind` with its properties set, then its inputs, by name or index, linked or set."""
        node = self.tree.nodes.new(kind)
        for name, value in properties.items():
            if getattr(node, name) != value:  # whatever is set makes Blender look at the whole tree
                setattr(node, name, value)
        for key, value in (inputs or {}).items():
            self.feed(node.inputs[key], value)
        return node

    def feed(self, socket: Any, value: Operand) -> None:
        if isinstance(value, bpy.types.NodeSocket):
            self.tree.links.new(value, socket)
        else:
            socket.default_value = value

    def math(self, operation: str, first: Operand, second: Operand = 0.0) -> Any:
        return self.node("ShaderNodeMath", {0: first, 1: second}, operation=operation).outputs[0]

    def vector(self, operation: str, first: Operand, second: Operand = (0.0, 0.0, 0.0)) -> Any:
        """Vector result of a vector operation; for SCALE, `second` is the factor."""
        key = "Scale" if operation == "SCALE" else 1
        return self.node("ShaderNodeVectorMath", {0: first, key: second}, operation=operation).outputs["Vector"]

    def scalar(self, operation: str, first: Operand, second: Operand = (0.0, 0.0, 0.0)) -> Any:
        """Number result of a vector operation: DOT_PRODUCT, LENGTH or DISTANCE."""
        return self.node("ShaderNodeVectorMath", {0: first, 1: second}, operation=operation).outputs["Value"]

    def combine(self, x: Operand, y: Operand, z: Operand) -> Any:
        return self.node("ShaderNodeCombineXYZ", {0: x, 1: y, 2: z}).outputs[0]

    def separate(self, vector: Operand) -> Sequence[Any]:
        return self.node("ShaderNodeSeparateXYZ", {0: vector}).outputs


class Number:
    """A number that one can calculate with; every + - * becomes a Math node once its value is asked for."""

    def __init__(self, nodes: Builder, make: Callable[[], Any]) -> None:
        """make: returns the socket."""
        self._nodes, self._make = nodes, make

    @cached_property
    def value(self) -> Any:
        return self._make()

    def __add__(self, other: Number | float) -> Number:
        return self._calculate("ADD", other)

    def __sub__(self, other: Number | float) -> Number:
        return self._calculate("SUBTRACT", other)

    def __mul__(self, other: Number | float) -> Number:
        return self._calculate("MULTIPLY", other)

    def _calculate(self, operation: str, other: Number | float) -> Number:
        def make() -> Any:
            return self._nodes.math(operation, self.value, other.value if isinstance(other, Number) else other)

        return Number(self._nodes, make)


def named(nodes: Builder, name: str, kind: str = "FLOAT_VECTOR") -> Any:
    """The values of a named attribute; zeros where there is none."""
    return nodes.node("GeometryNodeInputNamedAttribute", {"Name": name}, data_type=kind).outputs["Attribute"]


def named_or(nodes: Builder, name: str, missing: Operand) -> Any:
    """The values of a named attribute of numbers; `missing` where there is none."""
    outputs = nodes.node("GeometryNodeInputNamedAttribute", {"Name": name}, data_type="FLOAT").outputs
    return switch(nodes, "FLOAT", outputs["Exists"], missing, outputs["Attribute"])


def store(nodes: Builder, geometry: Any, name: str, value: Any, kind: str = "FLOAT_VECTOR") -> Any:
    """`geometry` with `value` as a named attribute of its points."""
    return nodes.node(
        "GeometryNodeStoreNamedAttribute", {"Geometry": geometry, "Name": name, "Value": value}, data_type=kind
    ).outputs[0]


def switch(nodes: Builder, kind: str, choice: Operand, no: Operand, yes: Operand) -> Any:
    """`yes` where `choice` is true, else `no`; what a choice for all leaves out is not reckoned."""
    inputs: dict[str | int, Operand] = {"Switch": choice, "False": no, "True": yes}
    return nodes.node("GeometryNodeSwitch", inputs, input_type=kind).outputs[0]


def group(name: str, kind: str, build: Callable[[Builder], None]) -> bpy.types.NodeTree:
    """The node group `name` of type `kind`, built by `build` unless this file already has it.

    Names carry a version, so that an older file's group is never mistaken for today's.
    """
    tree = bpy.data.node_groups.get(name)
    if tree is None:
        tree = bpy.data.node_groups.new(name, kind)
        build(Builder(tree))
        arrange(tree)
    return tree


def socket(tree: bpy.types.NodeTree, name: str, kind: str, in_out: str = "INPUT", **properties: object) -> None:
    """Add a socket to a group's interface, e.g. kind `Float`; properties such as default_value, min_value."""
    item = tree.interface.new_socket(name, in_out=in_out, socket_type=f"NodeSocket{kind}")
    for key, value in properties.items():
        setattr(item, key, value)


def arrange(tree: bpy.types.NodeTree) -> None:
    """Put the nodes in columns from inputs to outputs, so that whoever opens the tree can read it."""
    column = {node.name: 0 for node in tree.nodes}
    links = [(link.from_node.name, link.to_node.name) for link in tree.links]
    for _ in column:
        changed = False
        for before, after in links:
            if column[after] <= column[before]:
                column[after], changed = column[before] + 1, True
        if not changed:
            break
    filled: dict[int, int] = {}
    places: list[float] = []
    for place in column.values():
        places += 220 * place, -190 * filled.get(place, 0)
        filled[place] = filled.get(place, 0) + 1
    tree.nodes.foreach_set("location", places)  # one by one, each makes Blender look at the whole tree
