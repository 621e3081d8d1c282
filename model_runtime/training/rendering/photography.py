"""What a camera makes of light: exposure, white balance, vignetting, lens blur, noise, tone and JPEG, a little
different in every photo."""

import math

import torch
from torch.nn import functional

BLOCK = 8
"""Pixels along a side of the blocks that JPEG transforms."""


def _luma(encoded: torch.Tensor) -> torch.Tensor:
    weights = encoded.new_tensor([0.299, 0.587, 0.114])
    return (encoded * weights[:, None, None]).sum(-3, keepdim=True)


def cosine_transform(device: torch.device) -> torch.Tensor:
    """The orthonormal DCT-II matrix [BLOCK,BLOCK]."""
    k = torch.arange(BLOCK, dtype=torch.float32, device=device)
    matrix = torch.cos(math.pi / BLOCK * (k + 0.5) * k[:, None]) * math.sqrt(2 / BLOCK)
    matrix[0] /= math.sqrt(2)
    return matrix


def compress(encoded: torch.Tensor, strength: torch.Tensor) -> torch.Tensor:
    """Images [M,3,H,W] with the losses of JPEG: cosine coefficients of 8 x 8 blocks rounded to multiples of a step that
    grows with frequency, twice as large for colour differences; strength [M]: the step of the mean, in levels of 1."""
    height, width = encoded.shape[-2:]
    down, right = -height % BLOCK, -width % BLOCK
    y = _luma(encoded)
    planes = torch.cat([y, encoded[:, 0:1] - y, encoded[:, 2:3] - y], 1)
    planes = functional.pad(planes, (0, right, 0, down), mode="replicate")
    rows, columns = planes.shape[-2] // BLOCK, planes.shape[-1] // BLOCK
    blocks = planes.view(-1, 3, rows, BLOCK, columns, BLOCK).transpose(3, 4)
    matrix = cosine_transform(encoded.device)
    coefficients = matrix @ blocks @ matrix.T
    k = torch.arange(BLOCK, dtype=torch.float32, device=encoded.device)
    step = (1 + 0.6 * (k + k[:, None])) * strength[:, None, None] * BLOCK
    step = torch.stack([step, 2 * step, 2 * step], 1)[:, :, None, None]
    kept = (coefficients / step).round() * step
    planes = (matrix.T @ kept @ matrix).transpose(3, 4).reshape(-1, 3, rows * BLOCK, columns * BLOCK)
    y, red, blue = planes[..., :height, :width].unbind(1)
    # Green follows from the definition of luma.
    green = y - (0.299 * red + 0.114 * blue) / 0.587
    return torch.stack([y + red, green, y + blue], 1)


def vignette(height: int, width: int, device: torch.device) -> torch.Tensor:
    """Squared distance [H,W] from the middle, 1 in the corners."""
    x = torch.linspace(-1, 1, width, device=device)
    y = torch.linspace(-1, 1, height, device=device)[:, None]
    reach = math.hypot(height, width)
    return (x * width / reach) ** 2 + (y * height / reach) ** 2


def expose(linear: torch.Tensor, level: float = 0.24) -> torch.Tensor:
    """Photos from linear light [B,N,3,H,W] by a camera without faults whose settings stay as they are for a scene,
    display-encoded in 0..1; level: mean of the linear light in them."""
    gain = level / linear.clamp_max(4).mean((1, 2, 3, 4), keepdim=True)
    return (linear * gain).clamp(1e-6, 1).pow(1 / 2.2)


def develop(linear: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
    """Photos from linear light [B,N,3,H,W], display-encoded in 0..1; every random number comes from `noise`."""
    scenes, views, _, height, width = linear.shape
    device = linear.device
    one = (scenes, views, 1, 1, 1)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=noise, device=device)

    def uniform(low: float, high: float, *shape: int) -> torch.Tensor:
        return low + (high - low) * torch.rand(shape, generator=noise, device=device)

    level = uniform(0.12, 0.36, scenes, 1, 1, 1, 1) / linear.clamp_max(4).mean((1, 2, 3, 4), keepdim=True)
    gain = level * torch.exp(0.12 * normal(*one) + 0.04 * normal(scenes, views, 3, 1, 1))
    dark = uniform(-0.3, 0.45, *one).clamp_min(0)
    encoded = (linear * gain * (1 - dark * vignette(height, width, device))).clamp(1e-6, 1).pow(1 / 2.2)
    contrast = uniform(-0.15, 0.25, *one)
    encoded = encoded + contrast * encoded * (1 - encoded) * (2 * encoded - 1) * 2
    grey = _luma(encoded)
    encoded = grey + (encoded - grey) * uniform(0.75, 1.2, *one)
    soft = functional.avg_pool2d(functional.pad(encoded.flatten(0, 1), (1, 1, 1, 1), mode="replicate"), 3, 1)
    encoded = torch.lerp(encoded, soft.view_as(encoded), uniform(-0.5, 0.8, *one).clamp_min(0))
    sigma = uniform(-0.01, 0.03, *one).clamp_min(0)
    encoded = encoded + sigma * torch.randn(encoded.shape, generator=noise, device=device)
    strength = uniform(-0.006, 0.006, scenes, views).flatten()
    chosen = strength > 0.001
    flat = encoded.flatten(0, 1)
    flat[chosen] = compress(flat[chosen], strength[chosen])
    return flat.clamp(0, 1).view_as(encoded)
