"""The number format of backbones; heads and cameras stay in float32."""

from __future__ import annotations

import torch
from torch import nn

from model_runtime.network.backbone import Backbone


def narrow_backbones(network: nn.Module, precision: torch.dtype) -> None:
    """Keeps the matrices of a network's backbones in `precision`, to which autocast would bring them anew in every
    pass: the same numbers come out, of half the memory. To be run under autocast of that precision."""
    for part in network.modules():
        if isinstance(part, Backbone):
            for layer in part.modules():
                if isinstance(layer, nn.Linear | nn.Conv2d):
                    layer.to(precision)
