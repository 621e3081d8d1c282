"""One forward pass of a network: precision, progress, cancel, and less memory at once where memory runs out."""

from __future__ import annotations

import gc
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from model_runtime.contract.memory import is_out_of_memory
from model_runtime.network.inputs import NetworkInput
from model_runtime.network.output import Output

HEAD_CHUNKS = (8, 2, 1)
"""Views a head takes at once, tried in this order; the result is the same."""


def run_network(
    network: nn.Module,
    inputs: NetworkInput,
    device: torch.device,
    precision: torch.dtype,
    on_block: Callable[[float], None],
) -> tuple[Output, int]:
    """The network's output for one scene (B = 1), and the head chunk it took.

    on_block is told the fraction done before each block and may raise. Raises what `memory.is_out_of_memory` knows
    where the smallest chunk does not fit either.
    """
    chunks = list(dict.fromkeys(min(chunk, len(inputs.images)) for chunk in HEAD_CHUNKS))
    for chunk in chunks[:-1]:
        try:
            return _forward(network, inputs, device, precision, chunk, on_block), chunk
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
        # Only here, where the exception and the tensors its frames held are gone, can memory be given back.
        free_memory(device)
    return _forward(network, inputs, device, precision, chunks[-1], on_block), chunks[-1]


def _forward(
    network: nn.Module,
    inputs: NetworkInput,
    device: torch.device,
    precision: torch.dtype,
    chunk: int,
    on_block: Callable[[float], None],
) -> Output:
    def batched(array: np.ndarray | None) -> Tensor | None:
        return None if array is None else torch.from_numpy(array.astype(np.float32, copy=False))[None].to(device)

    with torch.inference_mode(), torch.autocast(device.type, precision, enabled=precision != torch.float32):
        return network(
            batched(inputs.images),
            extrinsics=batched(inputs.extrinsics),
            intrinsics=batched(inputs.intrinsics),
            gaussians=inputs.gaussians,
            reference_view=inputs.reference_view,
            pose_from=inputs.pose_from,
            head_chunk=chunk,
            on_block=on_block,
        )


def free_memory(device: torch.device) -> None:
    """Give what nobody holds any more back to the device."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()
