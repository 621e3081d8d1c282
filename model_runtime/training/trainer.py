"""Trains the geometry of a network (depth, rays, cameras) on synthetic rooms; stops and resumes exactly."""

import json
import math
import time
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from model_runtime.geometry.cameras import normalise_given_cameras
from model_runtime.network.any_view import AnyViewNetwork
from model_runtime.network.blocks import Block
from model_runtime.network.vision_transformer import PATCH
from model_runtime.training import distributed
from model_runtime.training.curriculum import Curriculum, RoomPool, Stage
from model_runtime.training.initialise import fresh_network
from model_runtime.training.losses import LossWeights, Predictions, loss_terms
from model_runtime.training.matching import AttentionProbe, DisplacementReadout, matching_loss, patch_correspondences
from model_runtime.training.rooms import RoomBatch, RoomGenerator
from model_runtime.training.targets import make_targets, normalise_images

FEW_TOKENS = 256
STATE_FILE = "state.pt"


@dataclass(frozen=True)
class TrainingConfig:
    """warmup, save_every, log_every: steps. matching_layers: cross-view blocks whose attention is taught.
    dense_share: of the views whose depth and rays are looked at; the dense heads cost as much as all the rest, and the
    views of a room tell much the same. bf16: autocast, about 1.4 times faster on a CPU that has it."""

    out: Path
    curriculum: Curriculum
    preset: str = "da3-tiny"
    learning_rate: float = 7e-4
    weight_decay: float = 0.02
    warmup: int = 200
    clip: float = 2.0
    dense_share: float = 0.5
    bf16: bool = True
    seed: int = 0
    save_every: int = 100
    log_every: int = 10
    matching_layers: tuple[int, ...] = (3, 5, 7)
    weights: LossWeights = field(default_factory=LossWeights)


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
    with torch.autocast("cpu", enabled=False):
        camera = network.cam_dec(features.layers[-1].camera.float())
    return Predictions(depth, depth_conf, ray, ray_conf, camera)


class Trainer:
    """One process's part of a training run. Everything that decides the next step is in STATE_FILE."""

    def __init__(self, config: TrainingConfig) -> None:
        self.config = config
        self.rank, ranks = distributed.start()
        self.network = fresh_network(config.preset, config.seed)
        self.parameters = [
            parameter for name, parameter in self.network.named_parameters() if not name.startswith("gs_head")
        ]
        self.readout = DisplacementReadout(self.network.config.backbone.dim, len(config.matching_layers))
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
        self.pool = RoomPool(config.curriculum, RoomGenerator(config.curriculum.seed), self.rank, ranks)
        self.step = 0
        self.seconds = 0.0
        self.images = 0
        config.out.mkdir(parents=True, exist_ok=True)
        self.resume()

    @property
    def state_path(self) -> Path:
        return self.config.out / STATE_FILE

    def resume(self) -> None:
        """Continues from the last saved state, if there is one."""
        if self.state_path.exists():
            state = torch.load(self.state_path, weights_only=True)
            self.network.load_state_dict(state["network"], strict=True)
            self.readout.load_state_dict(state["readout"], strict=True)
            self.optimiser.load_state_dict(state["optimiser"])
            self.step, self.seconds, self.images = state["step"], state["seconds"], state["images"]

    def save(self) -> None:
        if self.rank == 0:
            state = {
                "network": self.network.state_dict(),
                "readout": self.readout.state_dict(),
                "optimiser": self.optimiser.state_dict(),
                "step": self.step,
                "seconds": self.seconds,
                "images": self.images,
            }
            beside = self.state_path.with_suffix(".part")
            torch.save(state, beside)
            beside.replace(self.state_path)
        distributed.barrier()

    def learning_rate(self) -> float:
        """Linear warm-up, then a cosine down to two percent of the peak."""
        config = self.config
        if self.step < config.warmup:
            return config.learning_rate * (self.step + 1) / config.warmup
        rest = (self.step - config.warmup) / max(1, config.curriculum.steps - config.warmup)
        return config.learning_rate * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, rest))))

    def matched_blocks(self) -> list[Block]:
        blocks = list(self.network.backbone.pretrained.blocks)
        return [block for layer in self.config.matching_layers if isinstance(block := blocks[layer], Block)]

    def losses(self, batch: RoomBatch, stage: Stage) -> tuple[dict[str, torch.Tensor], torch.Tensor | None]:
        """Weighted terms to be summed, and the share of patches matched where views are compared."""
        images = normalise_images(batch.images)
        extrinsics = normalise_given_cameras(batch.extrinsics)[0] if stage.posed else None
        intrinsics = batch.intrinsics if stage.posed else None
        blocks = self.matched_blocks() if stage.views > 1 else []
        count = images.shape[0] * images.shape[1]
        order = torch.randperm(count, generator=torch.Generator().manual_seed(self.step))
        dense_views = order[: max(1, round(count * self.config.dense_share))]
        tokens = stage.views * stage.size[0] * stage.size[1] // PATCH**2
        # On a CPU the fused kernel's backward pass costs more than plain products while there are few tokens.
        kernels = [SDPBackend.MATH] if tokens <= FEW_TOKENS else [SDPBackend.FLASH_ATTENTION, SDPBackend.MATH]
        with (
            AttentionProbe(blocks) as probe,
            sdpa_kernel(kernels),
            torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.config.bf16),
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

    def train_step(self) -> dict[str, float]:
        """One step; returns what there is to log."""
        began = time.perf_counter()
        stage = self.config.curriculum.stage(self.step)
        batch = self.pool.batch(self.step)
        rate = self.learning_rate()
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
        if matched is not None:
            record["matched"] = float(matched)
        return record

    def run(self, until: int | None = None) -> None:
        """Trains up to step `until` (the whole run by default), saving and logging on the way."""
        last = self.config.curriculum.steps if until is None else until
        while self.step < last:
            record = self.train_step()
            if self.step % self.config.log_every == 0:
                self.log(record)
            if self.step % self.config.save_every == 0 or self.step == last:
                self.save()

    def log(self, record: dict[str, float]) -> None:
        if self.rank == 0:
            with (self.config.out / "log.jsonl").open("a") as file:
                file.write(json.dumps(record) + "\n")
            shown = "  ".join(f"{name} {value:.4g}" for name, value in record.items())
            print(shown, flush=True)
