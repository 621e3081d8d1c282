"""Depth, rays, cameras and Gaussians from any number of views, with or without known cameras."""

from __future__ import annotations

from functools import partial
from typing import Any

from torch import Tensor, nn

from model_runtime.geometry.ray_cameras import cameras_from_rays
from model_runtime.network.backbone import Backbone, BackboneOutput
from model_runtime.network.camera import CameraDecoder, CameraEncoder
from model_runtime.network.camera_numbers import decode_camera
from model_runtime.network.config import AnyViewConfig
from model_runtime.network.dense import Steps, chunk_count, full_precision, run_head
from model_runtime.network.dual_head import DepthAndRays, DualDptHead
from model_runtime.network.gaussian_adapter import RawGaussians, place_gaussians
from model_runtime.network.gaussian_head import GaussianHead
from model_runtime.network.inputs import check_inputs
from model_runtime.network.options import Options
from model_runtime.network.output import GaussianSplats, Output


class AnyViewNetwork(nn.Module):
    def __init__(self, config: AnyViewConfig) -> None:
        super().__init__()
        self.config = config
        feature_dim = config.backbone.feature_dim
        self.backbone = Backbone(config.backbone)
        self.head = DualDptHead(feature_dim, config.head)
        self.cam_dec = CameraDecoder(feature_dim)
        self.cam_enc = CameraEncoder(config.backbone.dim)
        if config.gaussian_head:
            self.gs_head = GaussianHead(feature_dim, config.head)

    def forward(
        self, images: Tensor, extrinsics: Tensor | None = None, intrinsics: Tensor | None = None, **options: Any
    ) -> Output:
        """images: [B,N,3,H,W], ImageNet-normalised, H and W multiples of 14.

        extrinsics: [B,N,4,4] world-to-camera of known cameras, relative to view 0 and divided by their median distance
        from it; intrinsics: [B,N,3,3] pixels. options: those of `Options`.
        Raises ValueError for inputs that do not fit.
        """
        asked = Options(**options)
        check_inputs(images, extrinsics, intrinsics, asked.reference_view, asked.pose_from, asked.head_chunk)
        gaussians, from_rays = asked.gaussians and self.config.gaussian_head, asked.pose_from == "rays"
        heads = 2 if gaussians else 1
        count = self.config.backbone.depth + heads * chunk_count(images, asked.head_chunk)
        steps = Steps(count, asked.on_block, images.device)
        camera_tokens = self.encode_cameras(extrinsics, intrinsics, images)
        features = self.backbone(images, camera_tokens, asked.reference_view, steps)
        head = partial(self.head, rays=asked.rays or from_rays)
        dense = DepthAndRays(*run_head(head, features, images, asked.head_chunk, steps))
        cameras = self.solve_rays(dense, images) if from_rays else self.decode_cameras(features, images)
        splats = None
        if gaussians:
            raw = RawGaussians(*run_head(self.gs_head, features, images, asked.head_chunk, steps))
            splats = self.place_gaussians(raw, dense.depth, cameras, extrinsics)
        return Output(
            depth=dense.depth,
            depth_conf=dense.depth_conf,
            ray=dense.ray,
            ray_conf=dense.ray_conf,
            extrinsics=cameras[0],
            intrinsics=cameras[1],
            gaussians=splats,
        )

    def encode_cameras(self, extrinsics: Tensor | None, intrinsics: Tensor | None, images: Tensor) -> Tensor | None:
        """Camera tokens [B,N,dim] of known cameras, in float32."""
        if extrinsics is None or intrinsics is None:
            return None
        with full_precision(images):
            return self.cam_enc(extrinsics, intrinsics, image_size(images))

    def decode_cameras(self, features: BackboneOutput, images: Tensor) -> tuple[Tensor, Tensor]:
        """Extrinsics [B,N,3,4] and intrinsics [B,N,3,3] by the camera head, in float32."""
        with full_precision(images):
            return decode_camera(self.cam_dec(features.layers[-1].camera.float()), image_size(images))

    def solve_rays(self, dense: DepthAndRays, images: Tensor) -> tuple[Tensor, Tensor]:
        """The same, from the ray maps."""
        assert dense.ray is not None and dense.ray_conf is not None
        with full_precision(images):
            return cameras_from_rays(dense.ray, dense.ray_conf, image_size(images))

    def place_gaussians(
        self, raw: RawGaussians, depth: Tensor, cameras: tuple[Tensor, Tensor], given_extrinsics: Tensor | None = None
    ) -> GaussianSplats:
        """Splats of the Gaussian head's output on depth [B,N,H,W] seen by cameras (extrinsics, intrinsics)."""
        with full_precision(depth):
            return place_gaussians(raw, depth, *cameras, given_extrinsics, released=self.config.released_gaussians)


def image_size(images: Tensor) -> tuple[int, int]:
    return images.shape[-2], images.shape[-1]
