"""A Gaussian head that begins as what it is to improve on: every splat is its own pixel, on the surface.

The photo reaches the head's last layers by convolutions of its own. Three of their channels are made to hand its
colours on unchanged, in the layout of the released heads: GELU and ReLU are the identity for numbers well above zero.
All other outputs begin as constants.
"""

import math

import torch
from torch import nn

from model_runtime.network.gaussian_adapter import LARGEST
from model_runtime.network.gaussian_head import RAW, GaussianHead
from model_runtime.network.uv_embedding import WEIGHT
from model_runtime.photos.canvas import DEVIATION, MEAN

DC = 0.28209479177387814
"""Value of the constant spherical harmonic."""
PIXEL_DEVIATION = 0.5
"""Pixels: standard deviation of a fresh splat across its pixel."""
FRESH_OPACITY = 0.95
LIFT = 6.0
"""Added to normalised colours, which are above -2.2, on their way through GELU."""
SCALES, IDENTITY, HARMONICS = slice(2, 5), 8, slice(9, 36, 9)
"""Among a head's outputs: the scales, the real part of the rotation, the three constant harmonics."""


@torch.no_grad()
def begin_as_pixels(head: GaussianHead) -> None:
    """Changes the head's weights; ValueError where it is too narrow for three colours."""
    photo = [layer for layer in head.images_merger if isinstance(layer, nn.Conv2d)]
    trunk = head.scratch["output_conv1"]
    hidden, outputs = (layer for layer in head.scratch["output_conv2"].children() if isinstance(layer, nn.Conv2d))
    assert isinstance(trunk, nn.Conv2d)
    quarter = trunk.out_channels // 4
    if quarter < 3:
        raise ValueError(f"A Gaussian head of {trunk.in_channels} features is too narrow; give it 24 or more.")
    # The embedding of position, which is added to the photo, is as good as constant in its slowest waves: sine of x,
    # cosine of x, sine of y.
    channels = [quarter - 1, 2 * quarter - 1, 3 * quarter - 1]
    for number, layer in enumerate(photo):
        _hand_on(layer, channels if layer is photo[-1] else range(3), LIFT if number == 0 else 0.0)
    trunk.weight[channels] = 0
    _set_bias(trunk, channels, (0.0, -WEIGHT, 0.0))
    _hand_on(hidden, range(3), 0.0, channels)

    outputs.weight.zero_()
    assert outputs.bias is not None
    outputs.bias.zero_()
    share = PIXEL_DEVIATION / (0.2 * LARGEST)  # place_gaussians: sigmoid(s) * LARGEST * 0.1 * both pixel sides
    outputs.bias[SCALES] = math.log(share / (1 - share))
    outputs.bias[IDENTITY] = 1
    outputs.bias[RAW] = math.log(FRESH_OPACITY / (1 - FRESH_OPACITY))
    mean, deviation = torch.tensor(MEAN), torch.tensor(DEVIATION)
    outputs.weight[HARMONICS, :3, 0, 0] = torch.diag(deviation / DC)
    outputs.bias[HARMONICS] = (mean - 0.5 - LIFT * deviation) / DC


def _hand_on(layer: nn.Conv2d, to: range | list[int], bias: float, source: range | list[int] = range(3)) -> None:
    """Makes outputs `to` of a 3 x 3 convolution its inputs `source` plus `bias`."""
    layer.weight[to] = 0
    for output, channel in zip(to, source, strict=True):
        layer.weight[output, channel, 1, 1] = 1
    _set_bias(layer, to, (bias,) * 3)


def _set_bias(layer: nn.Conv2d, channels: range | list[int], values: tuple[float, ...]) -> None:
    assert layer.bias is not None
    layer.bias[list(channels)] = torch.tensor(values)
