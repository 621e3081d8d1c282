"""A graph while it is written down: each call adds one operator and gives the name of what comes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

import model_runtime
from model_runtime.onnx_graphs import wire

Value = str
"""The name of a tensor in a graph."""

END = 2**31 - 1
"""Of a slice that goes to the end of a side."""

Sides = Sequence[int | str]
"""A shape; sides that vary have names."""


class Graph:
    """prefix: begins the state-dict key of every weight of this graph.

    weights: shape of every weight, by key. inputs, outputs: data type and shape, by name.
    """

    def __init__(self, name: str, prefix: str = "") -> None:
        self.name = name
        self.prefix = prefix
        self.weights: dict[str, tuple[int, ...]] = {}
        self.inputs: dict[str, tuple[int, Sides]] = {}
        self.outputs: dict[str, tuple[int, Sides]] = {}
        self._nodes: list[bytes] = []
        self._constants: dict[Value, bytes] = {}
        self._count = 0

    def input(self, name: str, shape: Sides, data_type: int = wire.FLOAT) -> Value:
        self.inputs[name] = (data_type, shape)
        return name

    def output(self, name: str, value: Value, shape: Sides) -> None:
        """A float output."""
        self._nodes.append(wire.node("Identity", [value], [name], "", {}))
        self.outputs[name] = (wire.FLOAT, shape)

    def weight(self, key: str, *shape: int) -> Value:
        """The float32 tensor of a state-dict key."""
        self.weights[self.prefix + key] = shape
        return self.prefix + key

    def integers(self, *values: int) -> Value:
        """A constant [n] of int64."""
        return self._constant(np.array(values, np.int64))

    def number(self, value: float) -> Value:
        """A constant without shape, float32."""
        return self._constant(np.array(value, np.float32))

    def _constant(self, array: np.ndarray) -> Value:
        name = f"constant {array.dtype} {array.shape} {array.tolist()}"
        self._constants[name] = wire.constant(name, array)
        return name

    def op(self, kind: str, *inputs: Value, **attributes: wire.Attribute) -> Value:
        """The one output of an operator of the standard."""
        return self._add(kind, inputs, 1, "", attributes)[0]

    def split(self, value: Value, parts: int, axis: int = -1) -> list[Value]:
        """Equal parts along an axis."""
        return self._add("Split", (value,), parts, "", {"axis": axis, "num_outputs": parts})

    def own_op(self, kind: str, *inputs: Value, **attributes: wire.Attribute) -> Value:
        """The same, of an operator that only ONNX Runtime has."""
        return self._add(kind, inputs, 1, wire.CONTRIBUTED, attributes)[0]

    def _add(
        self, kind: str, inputs: Sequence[Value], count: int, domain: str, attributes: Mapping[str, wire.Attribute]
    ) -> list[Value]:
        outputs = [f"{kind} {self._count + index}" for index in range(count)]
        self._count += count
        self._nodes.append(wire.node(kind, inputs, outputs, domain, attributes))
        return outputs

    def side(self, value: Value, axis: int) -> Value:
        """A length of a tensor's, [1] int64. axis: from the front."""
        return self.op("Shape", value, start=axis, end=axis + 1)

    def shape(self, *sides: int | Value) -> Value:
        """[n] int64 of sides that are known or [1] int64."""
        if all(isinstance(side, int) for side in sides):
            return self.integers(*(int(side) for side in sides))
        return self.op("Concat", *(self.integers(s) if isinstance(s, int) else s for s in sides), axis=0)

    def reshape(self, value: Value, *sides: int | Value) -> Value:
        return self.op("Reshape", value, self.shape(*sides))

    def slice(self, value: Value, start: int, stop: int, axis: int) -> Value:
        return self.op("Slice", value, *(self.integers(n) for n in (start, stop, axis)))

    def range(self, count: Value) -> Value:
        """0 to count - 1; count: [1] int64."""
        start, stop, step = (
            self.op("Reshape", n, self.integers()) for n in (self.integers(0), count, self.integers(1))
        )
        return self.op("Range", start, stop, step)

    def float(self, value: Value) -> Value:
        return self.op("Cast", value, to=wire.FLOAT)

    def serialise(self, stored: Mapping[str, wire.StoredWeights], metadata: Mapping[str, str]) -> bytes:
        """An ONNX model whose weights lie where `stored` says, by key. Narrower ones are widened when it is loaded."""
        tensors, casts = list(self._constants.values()), []
        for key in self.weights:
            name = key if stored[key].data_type == wire.FLOAT else f"{key} as stored"
            tensors.append(wire.external(name, stored[key]))
            if name != key:
                casts.append(wire.node("Cast", [name], [key], "", {"to": wire.FLOAT}))
        inputs = [wire.value_info(name, *told) for name, told in self.inputs.items()]
        outputs = [wire.value_info(name, *told) for name, told in self.outputs.items()]
        graph = wire.graph(self.name, [*casts, *self._nodes], tensors, inputs, outputs)
        return wire.model(graph, model_runtime.__version__, metadata)
