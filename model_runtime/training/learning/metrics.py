"""Quality on scenes never trained on, beside the answers that need no network."""

from dataclasses import dataclass

import torch


def aligned(depth: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Depth [B,...] times the one factor per scene that brings its median ratio to the truth to one; the truth is 0
    where it is unknown."""
    ratio = (truth / depth.clamp_min(1e-6)).where(truth > 0, torch.nan).flatten(1).nanmedian(1).values.nan_to_num(1.0)
    return depth * ratio.view(-1, *[1] * (depth.dim() - 1))


def depth_errors(depth: torch.Tensor, truth: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """AbsRel and delta1 per scene [B] of depth maps [B,N,H,W], after `aligned`, where the truth is known (not 0)."""
    depth = aligned(depth, truth)
    known = truth > 0
    pixels = known.flatten(1).sum(1).clamp_min(1)
    relative = ((depth - truth).abs() / truth).where(known, 0.0).flatten(1).sum(1) / pixels
    ratio = torch.maximum(depth / truth, truth / depth.clamp_min(1e-6))
    return relative, ((ratio < 1.25) & known).flatten(1).sum(1) / pixels


def rotation_angle(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Angle in degrees between rotations [...,3,3]."""
    trace = (first * second).sum((-1, -2))
    return torch.rad2deg(torch.acos(((trace - 1) / 2).clamp(-1, 1)))


def direction_angle(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Angle in degrees between vectors [...,3]."""
    return torch.rad2deg(torch.acos(torch.cosine_similarity(first, second, dim=-1).clamp(-1, 1)))


@dataclass(frozen=True)
class PairErrors:
    """Errors in degrees over all pairs of views: rotation, translation direction, and their AUC at 30 degrees."""

    rotation: torch.Tensor
    translation: torch.Tensor

    def auc(self, threshold: int = 30) -> float:
        """Area under the share of pairs whose larger error is below 1 .. threshold degrees, in percent."""
        worst = torch.maximum(self.rotation, self.translation)
        return 100 * sum(float((worst < degree).float().mean()) for degree in range(1, threshold + 1)) / threshold


def relative_poses(extrinsics: torch.Tensor) -> torch.Tensor:
    """Poses [B,pairs,4,4] of the second view in the first one's camera, for all pairs i < j of [B,N,4,4]."""
    views = extrinsics.shape[1]
    first, second = torch.triu_indices(views, views, 1)
    return extrinsics[:, second] @ torch.linalg.inv(extrinsics[:, first])


def pair_errors(relative: torch.Tensor, truth: torch.Tensor) -> PairErrors:
    """Errors of relative poses [...,4,4]; a translation's sign counts (no folding at 90 degrees)."""
    rotation = rotation_angle(relative[..., :3, :3], truth[..., :3, :3])
    translation = direction_angle(relative[..., :3, 3], truth[..., :3, 3])
    return PairErrors(rotation.flatten(), translation.flatten())


def homogeneous(extrinsics: torch.Tensor) -> torch.Tensor:
    """[...,3,4] with the row (0, 0, 0, 1) added."""
    row = extrinsics.new_tensor([0.0, 0.0, 0.0, 1.0]).expand(*extrinsics.shape[:-2], 1, 4)
    return torch.cat([extrinsics, row], -2)
