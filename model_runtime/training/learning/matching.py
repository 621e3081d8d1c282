"""A training-time helper: cross-view attention is taught where to look.

With the paper's losses alone a small network stays at the trivial pose for a long time, for it must discover matching
and geometry at once. Here queries and keys of one head of each cross-view block are asked to match patches that show
the same spot: InfoNCE (van den Oord et al. 2018) with the true correspondence, spread bilinearly over the four nearest
patches, as its target. Rotary positions are equal for all patches in those blocks, so their plain dot products are the
attention's own logits. A linear readout of what such a block hands on is asked for the way each patch has moved since
the reference view, so that positions travel with matches. Nothing of this is in the network or its keys.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType

import torch
from torch import nn
from torch.nn import functional

from model_runtime.contract.catalogue import PATCH
from model_runtime.network.blocks import Block
from model_runtime.training.learning.losses import masked_mean
from model_runtime.training.learning.targets import has_label, world_points
from model_runtime.training.rendering.views import ViewBatch

OCCLUSION_TOLERANCE = 0.05
"""A point is seen in another view when its depth there agrees with the view's own to this share."""


class AttentionProbe:
    """Records the normalised queries and keys [B,heads,tokens,hd] and the output [B,tokens,dim] of some blocks while it
    is active."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        self.blocks = blocks
        self.queries: list[torch.Tensor] = []
        self.keys: list[torch.Tensor] = []
        self.outputs: list[torch.Tensor] = []
        self._handles: list[torch.utils.hooks.RemovableHandle] = []

    def __enter__(self) -> "AttentionProbe":
        for block in self.blocks:
            self._handles.append(block.attn.q_norm.register_forward_hook(lambda *call: self.queries.append(call[2])))
            self._handles.append(block.attn.k_norm.register_forward_hook(lambda *call: self.keys.append(call[2])))
            self._handles.append(block.register_forward_hook(lambda *call: self.outputs.append(call[2])))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles.clear()


@dataclass(frozen=True)
class Correspondences:
    """Where the middle of every patch of view i lies on the patch grid of view j.

    positions: [B,N,N,h*w,2] as (column, row) in patches, 0 the middle of the first patch, indexed [b,i,j];
    visible: [B,N,N,h*w], false on the diagonal; grid: patch rows and columns.
    """

    positions: torch.Tensor
    visible: torch.Tensor
    grid: tuple[int, int]


def patch_correspondences(batch: ViewBatch) -> Correspondences:
    """True correspondences between all views of a batch."""
    scenes, views, height, width = batch.depth.shape
    rows, columns = height // PATCH, width // PATCH
    half = PATCH // 2
    labelled = has_label(batch.depth)
    points = world_points(batch.depth.where(labelled, 0.0), batch.extrinsics, batch.intrinsics)
    points = points[:, :, half::PATCH, half::PATCH].reshape(scenes, views, 1, rows * columns, 3)
    camera = points @ batch.extrinsics[:, None, :, :3, :3].mT + batch.extrinsics[:, None, :, None, :3, 3]
    z = camera[..., 2].clamp_min(1e-6)
    pixels = camera @ batch.intrinsics[:, None].mT
    pixels = pixels[..., :2] / z[..., None]
    size = torch.tensor([width, height], device=pixels.device)
    inside = ((pixels >= 0) & (pixels < size)).all(-1) & (camera[..., 2] > 1e-3)
    nearest = pixels.long().clamp_min(0).minimum(size - 1)
    flat = (nearest[..., 1] * width + nearest[..., 0]).permute(0, 2, 1, 3).flatten(2)
    seen = batch.depth.flatten(2).gather(2, flat).unflatten(2, (views, -1)).transpose(1, 2)
    known = batch.depth[:, :, half::PATCH, half::PATCH].flatten(2)[:, :, None] > 0
    visible = inside & known & ((z - seen).abs() < OCCLUSION_TOLERANCE * z)
    visible = visible & labelled[:, :, half::PATCH, half::PATCH].flatten(2)[:, :, None]
    visible = visible & ~torch.eye(views, dtype=torch.bool, device=visible.device)[:, :, None]
    return Correspondences(pixels / PATCH - 0.5, visible, (rows, columns))


def bilinear_targets(positions: torch.Tensor, rows: int, columns: int) -> torch.Tensor:
    """Weights over the patches [...,rows*columns], summing to one, of positions [...,2] on the patch grid."""

    def along(axis: torch.Tensor, count: int) -> torch.Tensor:
        offset = axis.clamp(0, count - 1)[..., None] - torch.arange(count, device=axis.device)
        return (1 - offset.abs()).clamp_min(0)

    x, y = along(positions[..., 0], columns), along(positions[..., 1], rows)
    return (y[..., :, None] * x[..., None, :]).flatten(-2)


def sought_views(views: int) -> torch.Tensor:
    """[N,N] bool: whether view i looks for its patches in view j. All do in the reference view, view 0, and that one
    does in all others: what attention brings back of several views is their mean, which has no place."""
    sought = torch.zeros(views, views, dtype=torch.bool)
    sought[0] = sought[:, 0] = True
    return sought.fill_diagonal_(False)


def matching_loss(probe: AttentionProbe, truth: Correspondences, head: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean InfoNCE over the probed blocks, and the share of patches of the last probed block whose best match in the
    view where it is sought is within one patch of the truth.

    Every token of every view competes, as in the attention itself: against those of the view sought alone, two thirds
    of the attention stayed in a patch's own view, and little of what it had found was handed on.
    """
    rows, columns = truth.grid
    views = truth.positions.shape[1]
    target = bilinear_targets(truth.positions, rows, columns)
    visible = truth.visible & sought_views(views).to(target.device)[:, :, None]
    shares = visible / visible.sum(2, keepdim=True).clamp_min(1)
    loss = correct = target.new_zeros(())
    for queries, keys in zip(probe.queries, probe.keys, strict=True):
        q, k = (x[:, head].float().unflatten(1, (views, -1)) for x in (queries, keys))
        logits = torch.einsum("bipc,bjqc->bipjq", q[:, :, 1:], k) / q.shape[-1] ** 0.5
        likelihood = functional.log_softmax(logits.flatten(3), -1).view_as(logits)[..., 1:].transpose(2, 3)
        cross_entropy = -(shares * (target * likelihood).sum(-1)).sum(2)
        loss = loss + masked_mean(cross_entropy, visible.any(2))
        best = logits.detach()[..., 1:].transpose(2, 3).argmax(-1)
        distance = torch.stack([best % columns, best // columns], -1) - truth.positions
        correct = masked_mean((distance.abs().amax(-1) <= 1).float(), visible)
    return loss / len(probe.queries), correct


class DisplacementReadout(nn.Module):
    """One linear layer per probed block, from a patch's token to how far it has moved, in patches."""

    def __init__(self, dim: int, blocks: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(dim, 2) for _ in range(blocks))

    def loss(self, probe: AttentionProbe, truth: Correspondences) -> torch.Tensor:
        """Mean L1 in patches over the patches of all other views that the reference view, view 0, sees too."""
        rows, columns = truth.grid
        views = truth.positions.shape[1]
        patches = torch.arange(rows * columns, device=truth.positions.device)
        moved = truth.positions[:, 1:, 0] - torch.stack([patches % columns, patches // columns], -1)
        loss = moved.new_zeros(())
        for layer, output in zip(self.layers, probe.outputs, strict=True):
            predicted = layer(output.float().unflatten(1, (views, -1))[:, 1:, 1:])
            loss = loss + masked_mean((predicted - moved).abs().sum(-1), truth.visible[:, 1:, 0])
        return loss / len(self.layers)
