"""The graphs of one network, each begun when it is first needed, and how far a pass through them has come."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from model_runtime.checkpoints.strict import StoredTensor
from model_runtime.onnx_graphs.devices import OnnxDevice
from model_runtime.onnx_graphs.presets import Part, make_graph
from model_runtime.onnx_graphs.session import GraphSession

Arrays = dict[str, np.ndarray]


class Sessions:
    """prefix: begins the keys of this network's weights in the checkpoint's file."""

    def __init__(
        self, config: Part, prefix: str, path: Path, stored: Mapping[str, StoredTensor], device: OnnxDevice
    ) -> None:
        self.config = config
        self._prefix, self._path, self._stored, self._device = prefix, path, stored, device
        self._begun: dict[str, GraphSession] = {}

    def run(self, name: str, inputs: Arrays, go_on: Callable[[], None] = lambda: None) -> Arrays:
        """The outputs of the graph of that name; see `GraphSession.run`."""
        if name not in self._begun:
            graph = make_graph(self.config, name, self._prefix)
            self._begun[name] = GraphSession(graph, self._path, self._stored, self._device, go_on)
        return self._begun[name].run(inputs, go_on)


class Steps:
    """Counts what a pass has done, in blocks of the backbone, and tells `on_block` the fraction.

    `on_block` stops the pass by raising.
    """

    def __init__(self, sessions: Sessions, total: int, on_block: Callable[[float], None]) -> None:
        self._sessions, self._total, self._on_block = sessions, total, on_block
        self._done = 0.0

    def run(self, name: str, share: float, inputs: Arrays) -> Arrays:
        """The outputs of a graph that does as much as `share` blocks."""
        fraction = self._done / self._total
        outputs = self._sessions.run(name, inputs, lambda: self._on_block(fraction))
        self._done += share
        return outputs


def chunks(views: int, size: int) -> Iterator[slice]:
    return (slice(start, min(start + size, views)) for start in range(0, views, size))


class Collected:
    """Arrays [N,...] that come some views at a time, each held once."""

    def __init__(self, views: int) -> None:
        self.arrays: Arrays = {}
        self._views = views

    def put(self, some: slice, outputs: Arrays) -> None:
        for name, values in outputs.items():
            if len(values) == self._views:
                self.arrays[name] = values
                continue
            whole = self.arrays.setdefault(name, np.empty((self._views, *values.shape[1:]), values.dtype))
            whole[some] = values
