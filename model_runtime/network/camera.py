"""Cameras out of camera tokens, and camera tokens out of known cameras.

Both sides speak of a camera as nine numbers: translation (3) and quaternion xyzw (4) of its camera-to-world pose,
and its vertical and horizontal field of view in radians.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from model_runtime.geometry.rotations import matrix_to_quaternion, quaternion_to_matrix
from model_runtime.network.blocks import Block, Mlp

ENCODER_BLOCKS = 4
ENCODER_HEADS = 16
SMALLEST_TANGENT = 1e-6  # of half a field of view; a dead field of view (ReLU) still gives a finite focal length


class CameraDecoder(nn.Module):
    """Reads a view's camera off the last taken layer's camera token."""

    def __init__(self, feature_dim: int) -> None:
        super().__init__()
        self.backbone = nn.Sequential(
            nn.Linear(feature_dim, feature_dim), nn.ReLU(), nn.Linear(feature_dim, feature_dim), nn.ReLU()
        )
        self.fc_t = nn.Linear(feature_dim, 3)
        self.fc_qvec = nn.Linear(feature_dim, 4)
        fov = nn.Linear(feature_dim, 2)
        self.fc_fov = nn.Sequential(fov, nn.ReLU())
        # Training starts at an unrotated camera of a common field of view, where the ReLU is alive.
        nn.init.ones_(fov.bias)
        self.fc_qvec.bias.data.copy_(torch.tensor((0.0, 0.0, 0.0, 1.0)))

    def forward(self, camera_tokens: Tensor) -> Tensor:
        """[...,F] to the nine numbers [...,9]; the quaternion is not of unit length."""
        x = self.backbone(camera_tokens)
        return torch.cat((self.fc_t(x), self.fc_qvec(x), self.fc_fov(x)), dim=-1)


class CameraEncoder(nn.Module):
    """Known cameras, made relative to view 0 and to their median distance from it, as camera tokens."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.pose_branch = Mlp(9, dim // 2, dim)
        self.token_norm = nn.LayerNorm(dim)
        self.trunk = nn.Sequential(*(Block(dim, ENCODER_HEADS, norm_eps=1e-5) for _ in range(ENCODER_BLOCKS)))
        self.trunk_norm = nn.LayerNorm(dim)

    def forward(self, extrinsics: Tensor, intrinsics: Tensor, image_size: tuple[int, int]) -> Tensor:
        """extrinsics: [B,N,4,4] world-to-camera; intrinsics: [B,N,3,3] pixels; returns [B,N,dim]."""
        numbers = encode_camera(extrinsics.float(), intrinsics.float(), image_size)
        return self.trunk_norm(self.trunk(self.token_norm(self.pose_branch(numbers))))


def encode_camera(extrinsics: Tensor, intrinsics: Tensor, image_size: tuple[int, int]) -> Tensor:
    """Nine numbers [...,9] of world-to-camera extrinsics [...,3 or 4,4] and pixel intrinsics [...,3,3]."""
    height, width = image_size
    rotation = extrinsics[..., :3, :3].mT
    translation = -(rotation @ extrinsics[..., :3, 3:]).squeeze(-1)
    xyzw = matrix_to_quaternion(rotation).roll(-1, dims=-1)
    half_fov = torch.stack((0.5 * height / intrinsics[..., 1, 1], 0.5 * width / intrinsics[..., 0, 0]), dim=-1).atan()
    return torch.cat((translation, xyzw, 2 * half_fov), dim=-1)


def decode_camera(numbers: Tensor, image_size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """World-to-camera extrinsics [...,3,4] and pixel intrinsics [...,3,3] of nine numbers [...,9]."""
    height, width = image_size
    translation, xyzw, fov = numbers.split((3, 4, 2), dim=-1)
    rotation = quaternion_to_matrix(xyzw.roll(1, dims=-1)).mT
    extrinsics = torch.cat((rotation, -rotation @ translation[..., None]), dim=-1)
    half_size = 0.5 * fov.new_tensor((height, width))
    focal_y, focal_x = (half_size / (0.5 * fov).tan().clamp_min(SMALLEST_TANGENT)).unbind(-1)
    zero, one = torch.zeros_like(focal_x), torch.ones_like(focal_x)
    rows = (focal_x, zero, one * width / 2, zero, focal_y, one * height / 2, zero, zero, one)
    return extrinsics, torch.stack(rows, dim=-1).unflatten(-1, (3, 3))
