"""How much farther from its photo's camera each splat is than at first, as a sum of maps over the photo."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from model_runtime.contract.messages import View

CELLS = (60, 30, 15, 8)
"""Of each map, along the photo's longest side."""


class DepthMaps:
    """maps: one tensor [N,1,h,w] for each of CELLS, of all photos; zero at first."""

    def __init__(self, means: Tensor, view_index: Tensor, views: Sequence[View]) -> None:
        """means: [G,3] in the world. view_index: [G] int64, the photo whose maps move a splat."""
        shapes = [np.array(view.photo_size[::-1]) / max(view.photo_size) for view in views]
        self._mine = [(view_index == i).nonzero()[:, 0] for i in range(len(views))]
        self._places = [_places(means[mine], view) for mine, view in zip(self._mine, views, strict=True)]
        longest = np.max(shapes, axis=0)
        sizes = [np.maximum(np.round(longest * cells), 2).astype(int) for cells in CELLS]
        self.maps = [torch.zeros(len(views), 1, *size.tolist()) for size in sizes]

    def __call__(self) -> Tensor:
        """[G] logarithm of how many times as far each splat is."""
        parts = []
        for i, places in enumerate(self._places):
            sampled = [
                grid_sample(maps[i : i + 1], places[None, None], padding_mode="border", align_corners=False)
                for maps in self.maps
            ]
            parts.append(torch.stack(sampled).sum(0)[0, 0, 0])
        order = torch.cat(self._mine)
        return torch.zeros(len(order)).index_copy(0, order, torch.cat(parts))


def _places(means: Tensor, view: View) -> Tensor:
    """[G,2] of splats on the photo, -1 to 1 from rim to rim."""
    world_to_pixels = torch.from_numpy(view.intrinsics @ view.extrinsics[:3]).float()
    x, y, z = (means @ world_to_pixels[:, :3].mT + world_to_pixels[:, 3]).unbind(1)
    width, height = view.photo_size
    z = z.clamp_min(1e-9)
    return torch.stack([2 * x / z / width - 1, 2 * y / z / height - 1], 1)
