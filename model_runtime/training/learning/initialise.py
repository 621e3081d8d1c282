"""Starting weights from which a small network finds depth and pose within the first thousand steps."""

import math
from collections.abc import Sequence

import torch
from torch import nn

from model_runtime.network.any_view import AnyViewNetwork
from model_runtime.network.blocks import Block
from model_runtime.network.config import PRESETS, AnyViewConfig, MonocularConfig
from model_runtime.network.monocular import MonocularNetwork
from model_runtime.network.vision_transformer import TABLE

LAYER_SCALE = 0.5
"""Residuals near full strength: with the tiny values of very deep networks a short run never uses its blocks."""
TOKEN_DEVIATION = 0.5
OUTPUTS = ("scratch.output_conv2.2.weight", "scratch.output_conv2_aux.3.5.weight")
OUTPUT_SHRINK = 0.1
"""Depth leaves its head through an exponential: it has to start near one."""
CYCLES = (0.25, 4.0)
"""Slowest and fastest wave of the position table over the picture; patch grids as small as 6 x 6 must resolve them."""


def position_table(dim: int) -> torch.Tensor:
    """Sine-cosine table [1, 1 + 37 * 37, dim] of unit amplitude, half of the channels for each axis; row 0 is zero."""
    waves = torch.logspace(math.log2(CYCLES[0]), math.log2(CYCLES[1]), dim // 4, base=2) * 2 * math.pi
    phase = ((torch.arange(TABLE) + 0.5) / TABLE)[:, None] * waves
    axis = torch.cat([phase.sin(), phase.cos()], -1)
    table = torch.cat([axis[:, None].expand(-1, TABLE, -1), axis[None].expand(TABLE, -1, -1)], -1)
    return torch.cat([torch.zeros(1, dim), table.flatten(0, 1)])[None]


def fresh_network(preset: str | AnyViewConfig, seed: int) -> AnyViewNetwork:
    """An untrained network in training mode, the same for the same seed; ValueError for a monocular preset."""
    config = PRESETS[preset] if isinstance(preset, str) else preset
    if not isinstance(config, AnyViewConfig):
        raise ValueError(f"{preset} has no cameras to train; choose a preset with a Dual-DPT head.")
    torch.manual_seed(seed)
    network = AnyViewNetwork(config)
    cameras = network.cam_dec
    _initialise(network, (cameras.fc_t, cameras.fc_qvec, cameras.fc_fov[0]))
    return network.train()


def fresh_monocular(config: MonocularConfig, seed: int) -> MonocularNetwork:
    """An untrained monocular network in training mode, the same for the same seed."""
    torch.manual_seed(seed)
    network = MonocularNetwork(config)
    _initialise(network)
    return network.train()


@torch.no_grad()
def _initialise(network: AnyViewNetwork | MonocularNetwork, keep_bias: Sequence[nn.Module] = ()) -> None:
    """Strong positions, strong residuals, and tokens that tell the reference view."""
    for module in network.modules():
        if isinstance(module, nn.Linear):
            nn.init.trunc_normal_(module.weight, std=math.sqrt(1 / (2.5 * module.in_features)))
            if module.bias is not None and all(module is not other for other in keep_bias):
                nn.init.zeros_(module.bias)
    transformer = network.backbone.pretrained
    nn.init.xavier_uniform_(transformer.patch_embed.proj.weight.flatten(1))
    transformer.pos_embed.copy_(position_table(network.config.backbone.dim))
    nn.init.normal_(transformer.cls_token, std=TOKEN_DEVIATION)
    if network.config.backbone.alternation is not None:
        nn.init.normal_(transformer.camera_token, std=TOKEN_DEVIATION)
    for block in transformer.blocks:
        assert isinstance(block, Block)
        for scale in (block.ls1, block.ls2):
            scale.gamma.fill_(LAYER_SCALE)
    for name, parameter in network.head.named_parameters():
        if name in OUTPUTS:
            parameter.mul_(OUTPUT_SHRINK)
