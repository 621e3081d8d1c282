"""One forward pass of a network, whatever runs it: progress, cancel, and less memory at once where memory runs out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from model_runtime.checkpoints.locate import CheckpointFile
from model_runtime.contract.memory import is_out_of_memory
from model_runtime.network.inputs import NetworkInput
from model_runtime.network.output import Output
from model_runtime.prediction.devices import Compute, release_memory

HEAD_CHUNKS = (8, 2, 1)
"""Views a head takes at once, tried in this order; the result is the same."""


class Network(Protocol):
    """A network that is loaded, with its weights and on its device."""

    def run(self, inputs: NetworkInput, head_chunk: int, on_block: Callable[[float], None]) -> Output:
        """The output of numpy arrays for one scene (B = 1); splats may lie on the network's device still.

        head_chunk: views that a head takes at once. on_block is told the fraction done before each block and head
        chunk, and may raise.
        """
        ...

    def describe(self, images: np.ndarray) -> np.ndarray | None:
        """[N,D] float32, of each of images [N,3,H,W] by itself, normalised: alike for pictures of one place from one
        place. None where the network cannot tell."""
        ...


def load(checkpoint: CheckpointFile, compute: Compute) -> Network:
    """Raises JobError `checkpoint-damaged` or `checkpoint-mismatch`, naming the file."""
    if compute.backend == "onnx":
        from model_runtime.onnx_graphs.network import OnnxNetwork

        return OnnxNetwork(checkpoint, compute.name)
    from model_runtime.prediction.torch_network import TorchNetwork

    return TorchNetwork.load(checkpoint, compute)


def run_network(
    network: Network, inputs: NetworkInput, compute: Compute, on_block: Callable[[float], None]
) -> tuple[Output, int]:
    """The network's output, and the head chunk it took.

    Raises what `memory.is_out_of_memory` knows where the smallest chunk does not fit either.
    """
    chunks = list(dict.fromkeys(min(chunk, len(inputs.images)) for chunk in HEAD_CHUNKS))
    for chunk in chunks[:-1]:
        try:
            return network.run(inputs, chunk, on_block), chunk
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
        # Only here, where the exception and the tensors its frames held are gone, can memory be given back.
        release_memory(compute.device)
    return network.run(inputs, chunks[-1], on_block), chunks[-1]
