"""Trains the geometry of a network (depth, rays, cameras) on synthetic scenes; stops and resumes exactly."""

import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from model_runtime.checkpoints.loading import load_network
from model_runtime.checkpoints.locate import locate_checkpoint
from model_runtime.contract.catalogue import PATCH
from model_runtime.contract.messages import JobError
from model_runtime.geometry.cameras import normalise_given_cameras
from model_runtime.network.any_view import AnyViewNetwork
from model_runtime.network.blocks import Block
from model_runtime.network.config import AnyViewConfig
from model_runtime.network.dense import full_precision
from model_runtime.training.learning.batches import Batches, on_device
from model_runtime.training.learning.curriculum import Curriculum, Stage, ViewPool
from model_runtime.training.learning.initialise import fresh_network
from model_runtime.training.learning.labels import LabelConfig, Labels
from model_runtime.training.learning.losses import LossWeights, Predictions, loss_terms
from model_runtime.training.learning.matching import (
    AttentionProbe,
    DisplacementReadout,
    matching_loss,
    patch_correspondences,
)
from model_runtime.training.learning.targets import has_label, make_targets, normalise_images
from model_runtime.training.rendering.views import ViewBatch, ViewGenerator
from model_runtime.training.runs import distributed
from model_runtime.training.runs.run import Part, TrainingRun, mixed_precision, warm_cosine

FEW_TOKENS = 256
STATE_FILE = "state.pt"


@dataclass(frozen=True)
class TrainingConfig:
    """warmup, save_every, log_every: steps. matching_layers: cross-view blocks whose attention is taught.
    dense_share: of the views whose depth and rays are looked at; the dense heads cost as much as all the rest, and the
    views of a room tell much the same. posed_share: chance of a step that the network is given its cameras.
    bf16: autocast where the device is fast in it. initial: checkpoint, by name or folder, whose weights the run begins
    with; None for fresh ones. shard_bytes: largest file of a saved state."""

    out: Path
    curriculum: Curriculum
    preset: str | AnyViewConfig = "da3-tiny"
    learning_rate: float = 7e-4
    weight_decay: float = 0.02
    warmup: int = 200
    clip: float = 2.0
    dense_share: float = 0.5
    bf16: bool = True
    initial: str | None = None
    posed_share: float = 0.2
    seed: int = 0
    save_every: int = 100
    log_every: int = 10
    matching_layers: tuple[int, ...] = (3, 5, 7)
    weights: LossWeights = field(default_factory=LossWeights)
    labels: LabelConfig = field(default_factory=LabelConfig)
    shard_bytes: int | None = None


def geometry(
    network: AnyViewNetwork,
    images: torch.Tensor,
    dense_views: torch.Tensor,
    extrinsics: torch.Tensor | None = None,
    intrinsics: torch.Tensor | None = None,
) -> Predictions:
    """The heads' raw answers for normalised images [B,N,3,H,W], in the frame of view 0.

    dense_views: numbers [V] of the views, among all B * N, whose maps [1,V,...] are wanted; cameras come for all.
    extrinsics [B,N,4,4] and intrinsics [B,N,3,3] of given cameras, or None.
    """
    tokens = network.encode_cameras(extrinsics, intrinsics, images)
    features = network.backbone(images, tokens, "first")
    patches = [layer.patches.flatten(0, 1)[dense_views] for layer in features.layers]
    dense = network.head(patches, features.grid, images.flatten(0, 1)[dense_views])
    depth, depth_conf, ray, ray_conf = (value.float()[None] for value in dense)
    with full_precision(images):
        camera = network.cam_dec(features.layers[-1].camera.float())
    return Predictions(depth, depth_conf, ray, ray_conf, camera)


class Trainer(TrainingRun):
    """Trains all but the Gaussian head; resumes exactly from `out`/state.pt."""

    def __init__(self, config: TrainingConfig, pool: Batches | None = None) -> None:
        super().__init__(config.out, STATE_FILE, config.curriculum.steps)
        self.config = config
        self.save_every, self.log_every, self.shard_bytes = config.save_every, config.log_every, config.shard_bytes
        self.network = fresh_network(config.preset, config.seed).to(self.device)
        self.parameters = [
            parameter for name, parameter in self.network.named_parameters() if not name.startswith("gs_head")
        ]
        self.readout = DisplacementReadout(self.network.config.backbone.dim, len(config.matching_layers))
        self.readout.to(self.device)
        decayed = [parameter for parameter in self.parameters if parameter.dim() > 1]
        plain = [parameter for parameter in self.parameters if parameter.dim() <= 1]
        self.optimiser = torch.optim.AdamW(
            [
                {"params": decayed, "weight_decay": config.weight_decay},
                {"params": plain, "weight_decay": 0.0},
                {"params": list(self.readout.parameters()), "weight_decay": 0.0},
            ],
            lr=config.learning_rate,
            betas=(0.9, 0.95),
            fused=True,
        )
        self.labels = Labels(config.labels, self.steps, self.device)
        self.pool = pool or ViewPool(
            config.curriculum, ViewGenerator(config.curriculum.seed, device=self.device), self.rank, self.ranks
        )
        self.resume()
        if config.initial is not None and self.step == 0:
            self.network.load_state_dict(initial_weights(config.initial, config.preset))

    def parts(self) -> dict[str, Part]:
        return {"network": self.network, "readout": self.readout, "optimiser": self.optimiser}

    def matched_blocks(self) -> list[Block]:
        blocks = list(self.network.backbone.pretrained.blocks)
        return [block for layer in self.config.matching_layers if isinstance(block := blocks[layer], Block)]

    def losses(self, batch: ViewBatch, stage: Stage) -> tuple[dict[str, torch.Tensor], torch.Tensor | None]:
        """Weighted terms to be summed, and the share of patches matched where views are compared."""
        images = normalise_images(batch.images)
        posed = self.is_posed(stage)
        extrinsics = normalise_given_cameras(batch.extrinsics)[0] if posed else None
        intrinsics = batch.intrinsics if posed else None
        blocks = self.matched_blocks() if stage.views > 1 else []
        count = images.shape[0] * images.shape[1]
        order = torch.randperm(count, generator=torch.Generator().manual_seed(self.step))
        dense_views = order[: max(1, round(count * self.config.dense_share))].to(self.device)
        tokens = stage.views * stage.size[0] * stage.size[1] // PATCH**2
        with (
            AttentionProbe(blocks) as probe,
            attention_kernels(self.device, tokens),
            mixed_precision(self.device, self.config.bf16),
        ):
            prediction = geometry(self.network, images, dense_views, extrinsics, intrinsics)
        terms = loss_terms(prediction, make_targets(batch).dense_of(dense_views), self.config.weights)
        if not blocks:
            return terms, None
        truth = patch_correspondences(batch)
        matching, matched = matching_loss(probe, truth)
        terms["matching"] = stage.matching * matching
        terms["displacement"] = stage.matching * self.readout.loss(probe, truth)
        return terms, matched

    def is_posed(self, stage: Stage) -> bool:
        """Whether the cameras are given to the network at this step, the same on all processes."""
        chance = np.random.default_rng([self.config.seed, 4, self.step]).random()
        return stage.views > 1 and bool(chance < self.config.posed_share)

    def train_step(self) -> dict[str, float]:
        """One step; returns what there is to log."""
        began = time.perf_counter()
        stage = self.config.curriculum.stage(self.step)
        batch = on_device(self.labels.of(self.pool.batch(self.step), self.step), self.device)
        rate = self.config.learning_rate * warm_cosine(self.step, self.config.warmup, self.steps)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad(set_to_none=True)
        terms, matched = self.losses(batch, stage)
        total = torch.stack(list(terms.values())).sum()
        total.backward()
        trained = [*self.parameters, *self.readout.parameters()]
        distributed.average_gradients(trained)
        norm = torch.nn.utils.clip_grad_norm_(trained, self.config.clip)
        if not torch.isfinite(norm):
            raise FloatingPointError(f"The gradient is no longer finite at step {self.step}; lower the learning rate.")
        self.optimiser.step()
        self.step += 1
        self.images += stage.images
        self.seconds += time.perf_counter() - began
        record = {name: float(value.detach()) for name, value in terms.items()}
        record |= {"step": self.step, "total": float(total.detach()), "norm": float(norm), "rate": rate}
        record |= {"views": stage.views, "height": stage.size[0], "width": stage.size[1], "seconds": self.seconds}
        record["labelled"] = float(has_label(batch.depth).float().mean())
        if matched is not None:
            record["matched"] = float(matched)
        return record


def initial_weights(source: str, preset: str | AnyViewConfig) -> dict[str, torch.Tensor]:
    """Weights of a checkpoint of the preset, by name or folder.

    Raises JobError `checkpoint-mismatch` for one of another preset, or what locating and loading it raise.
    """
    found = locate_checkpoint(source)
    if found.info.preset != preset:
        raise JobError(
            "checkpoint-mismatch",
            f"{source} is a {found.info.preset}, and the run trains a {preset}.",
            f"Begin with a checkpoint of {preset}.",
        )
    return load_network(found, torch.device("cpu")).state_dict()


def attention_kernels(device: torch.device, tokens: int) -> AbstractContextManager[object]:
    """On a CPU the fused kernel's backward pass costs more than plain products while there are few tokens."""
    if device.type != "cpu":
        return nullcontext()
    return sdpa_kernel([SDPBackend.MATH] if tokens <= FEW_TOKENS else [SDPBackend.FLASH_ATTENTION, SDPBackend.MATH])
