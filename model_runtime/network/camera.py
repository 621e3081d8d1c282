"""Cameras out of camera tokens, and camera tokens out of known cameras, as nine numbers (`camera_numbers`)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from model_runtime.network.blocks import Block, Mlp
from model_runtime.network.camera_numbers import encode_camera

ENCODER_BLOCKS = 4
ENCODER_HEADS = 16


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
