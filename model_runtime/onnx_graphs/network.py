"""A network run by ONNX Runtime, from the same checkpoint files as torch's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from model_runtime.checkpoints.locate import CheckpointFile
from model_runtime.checkpoints.strict import check_weights
from model_runtime.network.config import AnyViewConfig
from model_runtime.network.inputs import NetworkInput, check_inputs
from model_runtime.network.metres import to_metres
from model_runtime.network.output import Output
from model_runtime.onnx_graphs.any_view import describe_views, run_any_view
from model_runtime.onnx_graphs.devices import choose_device
from model_runtime.onnx_graphs.monocular import run_monocular
from model_runtime.onnx_graphs.presets import parts, weight_shapes
from model_runtime.onnx_graphs.sessions import Sessions

METRIC_SHARE = 0.2  # of the time a pass takes, where there is a metric network besides


class OnnxNetwork:
    """device_name: as in a request, never `auto`."""

    def __init__(self, checkpoint: CheckpointFile, device: str) -> None:
        """Raises JobError `checkpoint-damaged` or `checkpoint-mismatch`, naming the file; `device-unknown` or
        `device-missing`."""
        preset = checkpoint.info.preset
        chosen = choose_device(device)
        self.device_name = chosen.name
        self._one_by_one = chosen.is_cpu  # several views at once take more memory, and no less time
        stored = check_weights(checkpoint, weight_shapes(preset))
        self._parts = [
            Sessions(config, prefix, checkpoint.path, stored, chosen) for prefix, config in parts(preset).items()
        ]

    def run(self, inputs: NetworkInput, head_chunk: int, on_block: Callable[[float], None]) -> Output:
        """The output of numpy arrays for one scene (B = 1), float32.

        head_chunk: views that a head takes at once, at most. on_block is told the fraction done before each graph, and
        again while it runs; it stops the pass by raising. Raises MemoryError where memory runs out, and ValueError for
        inputs that do not fit.
        """
        images, extrinsics, intrinsics = (
            None if array is None else np.ascontiguousarray(array, np.float32)
            for array in (inputs.images, inputs.extrinsics, inputs.intrinsics)
        )
        assert images is not None
        known, pixels = (None if array is None else array[None] for array in (extrinsics, intrinsics))
        check_inputs(images[None], known, pixels, inputs.reference_view, inputs.pose_from, head_chunk)
        given = replace(inputs, images=images, extrinsics=extrinsics, intrinsics=intrinsics)
        chunk = 1 if self._one_by_one else head_chunk
        first, *metric = self._parts
        if not metric:
            return _run(first, given, chunk, on_block)
        outputs = (
            _run(first, given, chunk, lambda done: on_block((1 - METRIC_SHARE) * done)),
            _run(metric[0], given, chunk, lambda done: on_block(1 - METRIC_SHARE * (1 - done))),
        )
        return to_metres(*outputs)

    def describe(self, images: np.ndarray) -> np.ndarray | None:
        """[N,D] float32, of each of images [N,3,H,W] by itself, normalised: alike for pictures of one place from one
        place. None of a monocular network."""
        if not isinstance(self._parts[0].config, AnyViewConfig):
            return None
        return describe_views(self._parts[0], np.ascontiguousarray(images, np.float32))


def _run(sessions: Sessions, inputs: NetworkInput, head_chunk: int, on_block: Callable[[float], None]) -> Output:
    if isinstance(sessions.config, AnyViewConfig):
        return run_any_view(sessions, sessions.config, inputs, head_chunk, on_block)
    return run_monocular(sessions, sessions.config, inputs.images, head_chunk, on_block)
