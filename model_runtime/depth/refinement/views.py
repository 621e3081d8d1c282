"""Photos as they are compared: a grey picture, the depth it starts from, and where its pixels are seen by others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

SMALLEST = 1e-30
"""Depth whose logarithm stands for that of points behind a camera, which nobody sees."""


@dataclass(frozen=True, eq=False)
class MapCamera:
    """The camera of a map over a whole photo. size: (height, width) of the map. intrinsics: [3,3] float64, pixels of
    the map, centres at +0.5. extrinsics: [4,4] float64, world-to-camera."""

    size: tuple[int, ...]
    intrinsics: np.ndarray
    extrinsics: np.ndarray

    @staticmethod
    def of_photo(
        size: tuple[int, ...], photo: tuple[int, int], intrinsics: np.ndarray, extrinsics: np.ndarray
    ) -> MapCamera:
        """photo: its (width, height), in whose pixels the intrinsics are."""
        height, width = size
        scale = np.diag((width / photo[0], height / photo[1], 1.0))
        return MapCamera(size, scale @ intrinsics, extrinsics)

    def rays(self, device: torch.device) -> Tensor:
        """[3,h,w] float32: directions of the pixels' centres in the camera, z component 1."""
        height, width = self.size
        x = (torch.arange(width, device=device) + 0.5 - float(self.intrinsics[0, 2])) / float(self.intrinsics[0, 0])
        y = (torch.arange(height, device=device) + 0.5 - float(self.intrinsics[1, 2])) / float(self.intrinsics[1, 1])
        return torch.stack(torch.broadcast_tensors(x, y[:, None], torch.ones((), device=device)))

    def transfer(self, other: MapCamera, device: torch.device) -> tuple[Tensor, Tensor]:
        """[3,h,w] and [3,1,1]: a pixel at depth d is seen by `other` at homogeneous pixel d * first + second, whose
        third component is the depth there."""
        rotation = other.extrinsics[:3, :3] @ self.extrinsics[:3, :3].T
        translation = other.extrinsics[:3, 3] - rotation @ self.extrinsics[:3, 3]
        turn = torch.from_numpy((other.intrinsics @ rotation).astype(np.float32)).to(device)
        moved = torch.from_numpy((other.intrinsics @ translation).astype(np.float32)).to(device)
        return (turn @ self.rays(device).flatten(1)).unflatten(1, self.size), moved[:, None, None]


@dataclass(frozen=True, eq=False)
class MatchingView:
    """grey: [h,w] float32 in 0..1. log_depth: [h,w] float32, logarithm of the depth to start from. camera: of both."""

    grey: Tensor
    log_depth: Tensor
    camera: MapCamera


def matching_view(grey: np.ndarray, depth: np.ndarray, camera: MapCamera, device: torch.device) -> MatchingView:
    """grey: [h,w] uint8, the map of `camera`. depth: [H,W] of any size over the same photo."""
    log_depth = torch.from_numpy(np.log(depth.astype(np.float32)))[None, None].to(device)
    upsampled = interpolate(log_depth, grey.shape, mode="bilinear", align_corners=False)[0, 0]
    return MatchingView(torch.from_numpy(grey.astype(np.float32) / 255).to(device), upsampled, camera)


@dataclass(frozen=True, eq=False)
class Sight:
    """How another camera sees the pixels of a map. depth: [h,w] along the other's axis. index: [h,w] int64, pixel of
    the other's map, row by row. inside: [h,w] bool, whether there is one; where not, `index` is of its rim."""

    depth: Tensor
    index: Tensor
    inside: Tensor

    def behind(self, log_depth: Tensor) -> Tensor:
        """[h,w]: how far the points lie behind what the other sees at their pixels, as a difference of logarithms.

        log_depth: of the other's map, [H,W].
        """
        return self.depth.clamp_min(SMALLEST).log() - log_depth.flatten()[self.index]


def seen_by(camera: MapCamera, log_depth: Tensor, other: MapCamera) -> Sight:
    """Of the map of `camera` with the depths of `log_depth` [h,w]."""
    turned, moved = camera.transfer(other, log_depth.device)
    x, y, z = turned * log_depth.exp() + moved
    height, width = other.size
    before = z > 0
    x, y = (c / torch.where(before, z, 1.0) for c in (x, y))
    inside = before & (x >= 0) & (x < width) & (y >= 0) & (y < height)
    column, row = x.clamp(0, width - 1).long(), y.clamp(0, height - 1).long()
    return Sight(z, row * width + column, inside)
