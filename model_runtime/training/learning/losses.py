"""The training losses of Depth Anything 3 (Lin et al. 2025, arXiv 2511.10647).

Confidence-weighted L1 on depth and rays, L1 on the points that depth and rays make together, on the cameras and on the
depth's gradients. Truth comes divided by the mean distance of the visible points (see `targets`), and so every term is.
"""

from dataclasses import dataclass

import torch
from torch.nn import functional

from model_runtime.network.camera_numbers import encode_camera
from model_runtime.training.learning.targets import Targets


@dataclass(frozen=True)
class Predictions:
    """What the heads say, in the frame of view 0. Maps as in the network's output, or of some views alone (see
    `Targets.dense_of`); camera [B,N,9] is the camera head's own nine numbers: translation, quaternion xyzw
    (camera-to-world), vertical and horizontal field of view."""

    depth: torch.Tensor
    depth_conf: torch.Tensor
    ray: torch.Tensor
    ray_conf: torch.Tensor
    camera: torch.Tensor


@dataclass(frozen=True)
class LossWeights:
    """Weights of the terms; `certainty` is the reward of confidence (lambda in the paper).

    A turn of ten degrees moves a quaternion by less than 0.1: rotation needs a large weight to be heard at all.
    """

    depth: float = 1.0
    ray: float = 2.0
    point: float = 1.0
    translation: float = 6.0
    rotation: float = 16.0
    field_of_view: float = 1.0
    gradient: float = 1.0
    certainty: float = 0.1


def masked_mean(values: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    """Mean of `values` where `valid`; zero where nothing is."""
    return values.where(valid, 0.0).sum() / valid.sum().clamp_min(1)


def confidence_weighted(
    error: torch.Tensor, confidence: torch.Tensor, valid: torch.Tensor, certainty: float
) -> torch.Tensor:
    """Mean of conf * error - certainty * log conf over valid pixels (Kendall and Gal 2017; Wang et al. 2024)."""
    return masked_mean(confidence * error - certainty * confidence.log(), valid)


def gradient_loss(depth: torch.Tensor, truth: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    """L1 between neighbouring differences of depth maps [...,H,W], along rows and columns, at two scales."""
    total = depth.new_zeros(())
    for step in (1, 4):
        error = depth - truth
        down = (error[..., step:, :] - error[..., :-step, :]).abs()
        across = (error[..., :, step:] - error[..., :, :-step]).abs()
        total = total + masked_mean(down, valid[..., step:, :] & valid[..., :-step, :])
        total = total + masked_mean(across, valid[..., :, step:] & valid[..., :, :-step])
    return total / 2


def camera_terms(camera: torch.Tensor, targets: Targets) -> dict[str, torch.Tensor]:
    """Mean L1 of translation, quaternion and field of view of cameras [B,N,9]; the true quaternion has w >= 0."""
    height, width = targets.depth.shape[-2:]
    truth = encode_camera(targets.extrinsics, targets.intrinsics, (height, width))
    translation, rotation, field_of_view = (camera - truth).abs().split((3, 4, 2), -1)
    return {"translation": translation.mean(), "rotation": rotation.mean(), "field_of_view": field_of_view.mean()}


def loss_terms(prediction: Predictions, targets: Targets, weights: LossWeights) -> dict[str, torch.Tensor]:
    """Every weighted term as a scalar; their sum is what training minimises."""
    depth_error = (prediction.depth - targets.depth).abs()
    ray_error = (prediction.ray - targets.ray).abs().mean(-1)
    ray_depth = functional.interpolate(prediction.depth, targets.ray_depth.shape[-2:], mode="bilinear")
    direction, origin = prediction.ray.split(3, -1)
    true_direction, true_origin = targets.ray.split(3, -1)
    points = origin + ray_depth[..., None] * direction
    true_points = true_origin + targets.ray_depth[..., None] * true_direction
    point_error = (points - true_points).abs().mean(-1)
    certainty = weights.certainty
    everywhere = torch.ones_like(targets.ray_valid)
    return {
        "depth": weights.depth * confidence_weighted(depth_error, prediction.depth_conf, targets.valid, certainty),
        "ray": weights.ray * confidence_weighted(ray_error, prediction.ray_conf, everywhere, certainty),
        "point": weights.point * masked_mean(point_error, targets.ray_valid),
        **{name: getattr(weights, name) * value for name, value in camera_terms(prediction.camera, targets).items()},
        "gradient": weights.gradient * gradient_loss(prediction.depth, targets.depth, targets.valid),
    }
