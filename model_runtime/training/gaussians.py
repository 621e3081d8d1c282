"""Trains the Gaussian head alone: the rest of the network is frozen.

First every splat is asked to be its own pixel (colour, a small round shape, nearly opaque): cheap, and a start from
which pictures are right away recognisable. Then the photometric loss through the splat renderer takes over: the
splats of some views must render the photos themselves and a photo that the network did not see.
"""

import json
import math
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.nn import functional

from model_runtime.network.any_view import AnyViewNetwork
from model_runtime.network.gaussian_adapter import LARGEST, place_gaussians
from model_runtime.network.gaussian_head import RawGaussians
from model_runtime.network.output import GaussianSplats
from model_runtime.training import distributed
from model_runtime.training.rooms import RoomBatch, RoomGenerator
from model_runtime.training.splat_renderer import Splats, render_splats
from model_runtime.training.targets import normalise_images

DC = 0.28209479177387814
"""Value of the constant spherical harmonic."""
PIXEL_DEVIATION = 0.5
"""Pixels: standard deviation of a fresh splat across its pixel."""
FRESH_OPACITY = 0.9


@dataclass(frozen=True)
class GaussianConfig:
    """copy_steps: of the cheap start; render_steps: of the photometric part; scenes: a step and process."""

    out: Path
    copy_steps: int = 400
    render_steps: int = 150
    scenes: int = 4
    views: int = 2
    size: tuple[int, int] = (84, 84)
    learning_rate: float = 3e-3
    seed: int = 0
    save_every: int = 50


@dataclass(frozen=True)
class FrozenGeometry:
    """What the Gaussian head builds on. tokens: four of [B*N,h*w,F]; extrinsics [B,N,3,4]; intrinsics [B,N,3,3]."""

    images: torch.Tensor
    tokens: list[torch.Tensor]
    grid: tuple[int, int]
    depth: torch.Tensor
    extrinsics: torch.Tensor
    intrinsics: torch.Tensor


@torch.no_grad()
def frozen_geometry(network: AnyViewNetwork, batch: RoomBatch) -> FrozenGeometry:
    images = normalise_images(batch.images)
    features = network.backbone(images, None, "first")
    tokens = [layer.patches.flatten(0, 1) for layer in features.layers]
    dense = network.head(tokens, features.grid, images.flatten(0, 1))
    extrinsics, intrinsics = network.decode_cameras(features, images)
    depth = dense.depth.unflatten(0, images.shape[:2])
    return FrozenGeometry(images, tokens, features.grid, depth, extrinsics, intrinsics)


def raw_gaussians(network: AnyViewNetwork, geometry: FrozenGeometry) -> RawGaussians:
    """The head's raw numbers, [B,N,H,W,...]."""
    raw = network.gs_head(geometry.tokens, geometry.grid, geometry.images.flatten(0, 1))
    shape = geometry.images.shape[:2]
    return RawGaussians(raw.raw.unflatten(0, shape), raw.opacity.unflatten(0, shape))


def copy_loss(raw: RawGaussians, images: torch.Tensor) -> torch.Tensor:
    """How far every splat is from being its pixel; images [B,N,3,H,W] in 0..1."""
    offset, scale, rotation, harmonics, depth = raw.raw.split((2, 3, 4, 27, 1), -1)
    harmonics = harmonics.unflatten(-1, (3, 9))
    colour = (images.movedim(2, -1) - 0.5) / DC
    # A scale is a tenth of LARGEST pixels times both pixel sides: sigmoid(s) * LARGEST * 0.1 * 2.
    share = PIXEL_DEVIATION / (0.2 * LARGEST)
    terms = (
        (harmonics[..., 0] - colour).abs().mean(),
        0.1 * harmonics[..., 1:].abs().mean(),
        0.3 * (scale - math.log(share / (1 - share))).abs().mean(),
        0.3 * (rotation - rotation.new_tensor([0.0, 0.0, 0.0, 1.0])).abs().mean(),
        0.3 * offset.abs().mean() + depth.abs().mean(),
        (raw.opacity - FRESH_OPACITY).abs().mean(),
    )
    return torch.stack(terms).sum()


def scene_splats(gaussians: GaussianSplats, scene: int) -> Splats:
    return Splats(
        gaussians.means[scene],
        gaussians.scales[scene],
        gaussians.rotations[scene],
        gaussians.harmonics[scene],
        gaussians.opacities[scene],
    )


def render_inputs(rooms: list[Splats], geometry: FrozenGeometry) -> torch.Tensor:
    """The splats of every scene seen by the predicted cameras of its own views [B,N,3,H,W]."""
    size = (geometry.images.shape[-2], geometry.images.shape[-1])
    scenes, views = geometry.images.shape[:2]
    pictures = [
        render_splats(rooms[b], geometry.extrinsics[b, n], geometry.intrinsics[b, n], size)[0]
        for b in range(scenes)
        for n in range(views)
    ]
    return torch.stack(pictures).unflatten(0, (scenes, views))


def psnr(picture: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Decibels per picture of [...,3,H,W] in 0..1."""
    return -10 * (picture.clamp(0, 1) - truth).square().mean((-1, -2, -3)).clamp_min(1e-10).log10()


class GaussianTrainer:
    """Trains `network.gs_head`; resumes exactly from `out`/gaussians.pt."""

    def __init__(self, network: AnyViewNetwork, config: GaussianConfig) -> None:
        self.config = config
        self.rank, self.ranks = distributed.start()
        self.network = network.requires_grad_(False)
        self.head = network.gs_head.requires_grad_(True)
        self.optimiser = torch.optim.Adam(self.head.parameters(), lr=config.learning_rate, betas=(0.9, 0.99))
        self.generator = RoomGenerator(config.seed + 1)
        self.step = 0
        config.out.mkdir(parents=True, exist_ok=True)
        if self.state_path.exists():
            state = torch.load(self.state_path, weights_only=True)
            self.head.load_state_dict(state["head"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.step = state["step"]

    @property
    def state_path(self) -> Path:
        return self.config.out / "gaussians.pt"

    @property
    def steps(self) -> int:
        return self.config.copy_steps + self.config.render_steps

    def save(self) -> None:
        if self.rank != 0:
            return
        state = {"head": self.head.state_dict(), "optimiser": self.optimiser.state_dict(), "step": self.step}
        beside = self.state_path.with_suffix(".part")
        torch.save(state, beside)
        beside.replace(self.state_path)

    def batch(self) -> RoomBatch:
        config = self.config
        first = (self.step * self.ranks + self.rank) * 1000
        return self.generator.batch(first, config.scenes, config.views, config.size, 0.5)

    def loss(self, batch: RoomBatch) -> tuple[torch.Tensor, float]:
        """The step's loss and, once pictures are rendered, their mean PSNR."""
        geometry = frozen_geometry(self.network, batch)
        raw = raw_gaussians(self.network, geometry)
        if self.step < self.config.copy_steps:
            return copy_loss(raw, batch.images), 0.0
        gaussians = place_gaussians(raw, geometry.depth, geometry.extrinsics, geometry.intrinsics)
        pictures = render_inputs([scene_splats(gaussians, room) for room in range(len(batch.images))], geometry)
        photometric = functional.l1_loss(pictures, batch.images) + functional.mse_loss(pictures, batch.images)
        return photometric, float(psnr(pictures.detach(), batch.images).mean())

    def train_step(self) -> dict[str, float]:
        began = time.perf_counter()
        share = min(1.0, (self.step + 1) / 50) * 0.5 * (1 + math.cos(math.pi * self.step / self.steps))
        for group in self.optimiser.param_groups:
            group["lr"] = self.config.learning_rate * max(share, 0.02)
        self.optimiser.zero_grad(set_to_none=True)
        loss, quality = self.loss(self.batch())
        loss.backward()
        distributed.average_gradients(self.head.parameters())
        torch.nn.utils.clip_grad_norm_(self.head.parameters(), 1.0)
        self.optimiser.step()
        self.step += 1
        seconds = time.perf_counter() - began
        return {"step": self.step, "loss": float(loss.detach()), "psnr": quality, "seconds": seconds}

    def run(self, until: int | None = None) -> None:
        last = self.steps if until is None else until
        while self.step < last:
            record = self.train_step()
            if self.step % 10 == 0 and self.rank == 0:
                with (self.config.out / "gaussians.jsonl").open("a") as file:
                    file.write(json.dumps(record) + "\n")
                print("  ".join(f"{name} {value:.4g}" for name, value in record.items()), flush=True)
            if self.step % self.config.save_every == 0 or self.step == last:
                self.save()
