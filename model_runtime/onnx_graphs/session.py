"""A graph that runs: with the weights of a checkpoint's file, on a device, until somebody says stop."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import TypeVar

import numpy as np
import onnxruntime

from model_runtime.checkpoints.strict import StoredTensor
from model_runtime.contract.memory import is_out_of_memory
from model_runtime.onnx_graphs import wire
from model_runtime.onnx_graphs.devices import OnnxDevice
from model_runtime.onnx_graphs.graph import Graph

DATA_TYPES = {"F32": wire.FLOAT, "F16": wire.FLOAT16, "BF16": wire.BFLOAT16}
LOOK_EVERY = 0.2
"""Seconds after which a run asks again whether it should go on."""

ERRORS = 3
"""The severity from which ONNX Runtime logs to standard error."""

Result = TypeVar("Result")


class GraphSession:
    def __init__(
        self,
        graph: Graph,
        weights: Path,
        stored: Mapping[str, StoredTensor],
        device: OnnxDevice,
        go_on: Callable[[], None],
    ) -> None:
        """weights: a safetensors file, which ONNX Runtime itself maps into memory and reads. stored: its tensors.

        go_on: see `run`.
        """
        _share_memory()
        file = Path(os.path.realpath(weights))  # it takes no weights through a link that leads elsewhere
        options = onnxruntime.SessionOptions()
        options.log_severity_level = ERRORS
        options.enable_mem_pattern = False  # sizes differ from run to run
        options.add_session_config_entry("session.use_env_allocators", "1")
        options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(file.parent))
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # threads that wait take no time
        model = graph.serialise(stored_weights(file.name, stored), {})
        self._outputs = list(graph.outputs)
        self._session = _watched(
            lambda: onnxruntime.InferenceSession(model, options, providers=device.providers()),
            go_on,
            lambda: options.set_load_cancellation_flag(True),
        )

    def run(self, inputs: Mapping[str, np.ndarray], go_on: Callable[[], None]) -> dict[str, np.ndarray]:
        """The graph's outputs by name. go_on is asked before it, and every LOOK_EVERY seconds; it stops the run by
        raising.

        Raises MemoryError where memory runs out.
        """
        options = onnxruntime.RunOptions()
        options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")  # what it took goes back after it

        def stop() -> None:
            options.terminate = True

        results = _watched(lambda: self._session.run(self._outputs, dict(inputs), options), go_on, stop)
        return dict(zip(self._outputs, map(np.asarray, results), strict=True))


@cache
def _share_memory() -> None:
    """Lets all sessions take memory of the CPU from one place, so that one may have what another has given back."""
    kind = onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR
    place = onnxruntime.OrtMemoryInfo("Cpu", kind, 0, onnxruntime.OrtMemType.DEFAULT)
    as_usual = onnxruntime.OrtArenaCfg(0, -1, -1, -1)
    onnxruntime.create_and_register_allocator(place, as_usual)


def _watched(work: Callable[[], Result], go_on: Callable[[], None], stop: Callable[[], None]) -> Result:
    """What `work` returns, in a thread of its own; when `go_on` raises, `stop` is called and `work` ends soon."""
    results: list[Result] = []
    errors: list[Exception] = []

    def run() -> None:
        try:
            results.append(work())
        except Exception as error:
            errors.append(error)

    go_on()
    thread = threading.Thread(target=run, name="onnx")
    thread.start()
    try:
        thread.join(LOOK_EVERY)
        while thread.is_alive():
            go_on()
            thread.join(LOOK_EVERY)
    finally:
        if thread.is_alive():
            stop()
            thread.join()
    if results:
        return results[0]
    if is_out_of_memory(errors[0]):
        raise MemoryError(str(errors[0])) from errors[0]
    raise errors[0]


def stored_weights(file: str, stored: Mapping[str, StoredTensor]) -> dict[str, wire.StoredWeights]:
    """The tensors of a safetensors file as a graph refers to them."""
    return {
        key: wire.StoredWeights(file, tensor.offset, tensor.length, DATA_TYPES[tensor.dtype], tensor.shape)
        for key, tensor in stored.items()
    }
