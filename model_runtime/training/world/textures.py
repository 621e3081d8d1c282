"""A seeded bank of all procedural patterns with mip levels."""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import torch

from model_runtime.training.world.patterns import FAMILIES

PLAIN_FAMILIES = ("plain", "gradient")


@dataclass(frozen=True)
class TextureBank:
    """Patterns of all families, every mip level in one flat table.

    texels: [2, count, texels per pattern] float32, one plane a channel; level l is SIZE >> l wide and starts at
    `level_offsets[l]`.
    families: indices of the patterns by the name of their family; plain, busy: of those without and with strong
    structure.
    """

    texels: torch.Tensor
    level_offsets: tuple[int, ...]
    families: dict[str, np.ndarray]
    plain: np.ndarray
    busy: np.ndarray

    def to(self, device: torch.device | str) -> "TextureBank":
        return replace(self, texels=self.texels.to(device))


@cache
def make_texture_bank(seed: int = 0, variants: int = 14) -> TextureBank:
    """`variants` patterns of every family in `FAMILIES`; the same seed gives the same bank."""
    patterns: list[np.ndarray] = []
    families: dict[str, np.ndarray] = {}
    for number, (family, make) in enumerate(FAMILIES.items()):
        families[family] = np.arange(variants) + len(patterns)
        patterns += [make(np.random.default_rng([seed, number, variant])) for variant in range(variants)]
    level = torch.from_numpy(np.stack(patterns)).permute(0, 3, 1, 2)
    levels, offsets, start = [], [], 0
    while True:
        levels.append(level.transpose(0, 1).flatten(2))
        offsets.append(start)
        start += level.shape[-1] ** 2
        if level.shape[-1] == 2:
            break
        level = torch.nn.functional.avg_pool2d(level, 2)
    plain = np.concatenate([families[family] for family in PLAIN_FAMILIES])
    busy = np.setdiff1d(np.arange(len(patterns)), plain)
    return TextureBank(torch.cat(levels, 2).contiguous(), tuple(offsets), families, plain, busy)
