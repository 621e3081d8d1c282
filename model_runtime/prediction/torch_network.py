"""A network run by PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from torch import Tensor, nn

from model_runtime.checkpoints.loading import load_network
from model_runtime.checkpoints.locate import CheckpointFile
from model_runtime.network.any_view import AnyViewNetwork
from model_runtime.network.inputs import NetworkInput
from model_runtime.network.nested import NestedNetwork
from model_runtime.network.output import Output, as_array
from model_runtime.network.precision import narrow_backbones
from model_runtime.prediction.chunks.loops import token_descriptors
from model_runtime.prediction.devices import Compute


@dataclass(frozen=True, eq=False)
class TorchNetwork:
    """module: in evaluation mode, on `device`. precision: of its backbone."""

    module: nn.Module
    device: torch.device
    precision: torch.dtype = torch.float32

    @staticmethod
    def load(checkpoint: CheckpointFile, compute: Compute) -> TorchNetwork:
        """As `network_run.load`."""
        precision = torch.bfloat16 if compute.precision == "bfloat16" else torch.float32
        device = torch.device(compute.name)
        module = load_network(checkpoint, device)
        if precision != torch.float32:
            narrow_backbones(module, precision)
        return TorchNetwork(module, device, precision)

    def run(self, inputs: NetworkInput, head_chunk: int, on_block: Callable[[float], None]) -> Output:
        """As `Network.run`; the splats stay tensors on the device."""

        def batched(array: np.ndarray | None) -> Tensor | None:
            if array is None:
                return None
            return torch.from_numpy(array.astype(np.float32, copy=False))[None].to(self.device)

        with torch.inference_mode(), self._autocast():
            output: Output = self.module(
                batched(inputs.images),
                extrinsics=batched(inputs.extrinsics),
                intrinsics=batched(inputs.intrinsics),
                gaussians=inputs.gaussians,
                rays=inputs.rays,
                reference_view=inputs.reference_view,
                pose_from=inputs.pose_from,
                head_chunk=head_chunk,
                on_block=on_block,
            )
            return _brought_down(output)

    def describe(self, images: np.ndarray) -> np.ndarray | None:
        """As `Network.describe`."""
        network = self.module.da3 if isinstance(self.module, NestedNetwork) else self.module
        if not isinstance(network, AnyViewNetwork):
            return None
        with self._autocast():
            return token_descriptors(network.backbone, torch.from_numpy(images).to(self.device))

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, self.precision, enabled=self.precision != torch.float32)


def _brought_down(output: Output) -> Output:
    """Its maps and cameras as numpy arrays; a GPU's all at once, into memory that it writes to by itself."""
    values = {field.name: getattr(output, field.name) for field in fields(output)}
    tensors = {name: value for name, value in values.items() if isinstance(value, Tensor)}
    if any(tensor.is_cuda for tensor in tensors.values()):
        tensors = {name: _pinned(tensor) for name, tensor in tensors.items()}
        torch.cuda.synchronize()
    return replace(output, **{name: as_array(tensor) for name, tensor in tensors.items()})


def _pinned(tensor: Tensor) -> Tensor:
    """A copy on the CPU that is complete after the next synchronisation."""
    return torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True).copy_(tensor, non_blocking=True)
