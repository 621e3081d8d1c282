"""Trains the Gaussian head alone: the rest of the network is frozen.

First every splat is asked to be its own pixel (colour, a small round shape, nearly opaque, on the surface): cheap, and
a start from which pictures are right away recognisable. Then the photometric loss through the splat renderer takes
over: the splats of some photos must render those photos and others that the network did not see. Splats are placed by
the true cameras, so that what a new view misses is no fault of the predicted pose.
"""

import math
import time
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch.nn import functional

from model_runtime.geometry.cameras import pixel_rays
from model_runtime.network.any_view import AnyViewNetwork
from model_runtime.network.gaussian_adapter import LARGEST, place_gaussians
from model_runtime.network.gaussian_head import RawGaussians
from model_runtime.network.output import GaussianSplats
from model_runtime.training import distributed
from model_runtime.training.batches import first_views, on_device
from model_runtime.training.metrics import aligned
from model_runtime.training.rooms import RoomBatch, RoomGenerator
from model_runtime.training.run import Part, TrainingRun
from model_runtime.training.splat_renderer import Splats, render_splats
from model_runtime.training.targets import normalise_images

GAUSSIAN_FILE = "gaussians.pt"
DC = 0.28209479177387814
"""Value of the constant spherical harmonic."""
PIXEL_DEVIATION = 0.5
"""Pixels: standard deviation of a fresh splat across its pixel."""
FRESH_OPACITY = 0.9


@dataclass(frozen=True)
class GaussianConfig:
    """copy_steps: of the cheap start; render_steps: of the photometric part; scenes: a step and process; views: photos
    the network sees; novel: photos of the same scene that it does not."""

    out: Path
    copy_steps: int = 400
    render_steps: int = 150
    scenes: int = 4
    views: int = 2
    novel: int = 1
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
    """What the network says of a batch."""
    images = normalise_images(batch.images)
    features = network.backbone(images, None, "first")
    tokens = [layer.patches.flatten(0, 1) for layer in features.layers]
    dense = network.head(tokens, features.grid, images.flatten(0, 1))
    extrinsics, intrinsics = network.decode_cameras(features, images)
    depth = dense.depth.unflatten(0, images.shape[:2])
    return FrozenGeometry(images, tokens, features.grid, depth, extrinsics, intrinsics)


def with_true_cameras(geometry: FrozenGeometry, batch: RoomBatch) -> FrozenGeometry:
    """The same, seen by the batch's own cameras, its depth brought to their scale by one factor per scene."""
    depth = aligned(geometry.depth, batch.depth)
    return replace(geometry, depth=depth, extrinsics=batch.extrinsics[..., :3, :], intrinsics=batch.intrinsics)


def raw_gaussians(network: AnyViewNetwork, geometry: FrozenGeometry) -> RawGaussians:
    """The head's raw numbers, [B,N,H,W,...]."""
    raw = network.gs_head(geometry.tokens, geometry.grid, geometry.images.flatten(0, 1))
    shape = geometry.images.shape[:2]
    return RawGaussians(raw.raw.unflatten(0, shape), raw.opacity.unflatten(0, shape))


def surface_offset(geometry: FrozenGeometry) -> torch.Tensor:
    """[B,N,H,W]: what splats need added to their depth to lie on the surface: they go as far along a ray of unit length
    as depth goes along the camera's axis."""
    size = (geometry.depth.shape[-2], geometry.depth.shape[-1])
    upright = torch.eye(4).to(geometry.depth).expand(*geometry.depth.shape[:2], 4, 4)
    length = pixel_rays(geometry.intrinsics, upright, size)[..., :3].norm(dim=-1)
    return geometry.depth * (length - 1)


def copy_loss(raw: RawGaussians, images: torch.Tensor, surface: torch.Tensor) -> torch.Tensor:
    """How far every splat is from being its pixel; images [B,N,3,H,W] in 0..1, surface: see `surface_offset`."""
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
        0.3 * offset.abs().mean() + (depth[..., 0] - surface).abs().mean(),
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


def render_views(
    rooms: list[Splats], extrinsics: torch.Tensor, intrinsics: torch.Tensor, size: tuple[int, int]
) -> torch.Tensor:
    """The splats of every scene seen by cameras [B,N,3,4] and [B,N,3,3] of its own: [B,N,3,H,W]."""
    scenes, views = extrinsics.shape[:2]
    pictures = [
        render_splats(rooms[b], extrinsics[b, n], intrinsics[b, n], size)[0]
        for b in range(scenes)
        for n in range(views)
    ]
    return torch.stack(pictures).unflatten(0, (scenes, views))


def render_inputs(rooms: list[Splats], geometry: FrozenGeometry) -> torch.Tensor:
    """The splats of every scene seen by the cameras of its own photos [B,N,3,H,W]."""
    size = (geometry.images.shape[-2], geometry.images.shape[-1])
    return render_views(rooms, geometry.extrinsics, geometry.intrinsics, size)


def psnr(picture: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Decibels per picture of [...,3,H,W] in 0..1."""
    return -10 * (picture.clamp(0, 1) - truth).square().mean((-1, -2, -3)).clamp_min(1e-10).log10()


class GaussianTrainer(TrainingRun):
    """Trains `network.gs_head`; resumes exactly from `out`/gaussians.pt."""

    def __init__(self, network: AnyViewNetwork, config: GaussianConfig) -> None:
        super().__init__(config.out, GAUSSIAN_FILE, config.copy_steps + config.render_steps)
        self.config = config
        self.save_every = config.save_every
        self.network = network.requires_grad_(False).to(self.device)
        self.head = network.gs_head.requires_grad_(True)
        self.optimiser = torch.optim.Adam(self.head.parameters(), lr=config.learning_rate, betas=(0.9, 0.99))
        self.generator = RoomGenerator(config.seed + 1, device=self.device)
        self.resume()

    def parts(self) -> dict[str, Part]:
        return {"head": self.head, "optimiser": self.optimiser}

    def batch(self) -> RoomBatch:
        """The step's scenes; the last `novel` photos of each are not for the network."""
        config = self.config
        first = (self.step * self.ranks + self.rank) * 1000
        batch = self.generator.batch(first, config.scenes, config.views + config.novel, config.size, 0.5)
        return on_device(batch, self.device)

    def loss(self, batch: RoomBatch) -> tuple[torch.Tensor, dict[str, float]]:
        """The step's loss and, once pictures are rendered, the mean PSNR of photos seen and not seen."""
        views = self.config.views
        seen = first_views(batch, views)
        geometry = with_true_cameras(frozen_geometry(self.network, seen), seen)
        raw = raw_gaussians(self.network, geometry)
        if self.step < self.config.copy_steps:
            return copy_loss(raw, seen.images, surface_offset(geometry)), {}
        gaussians = place_gaussians(raw, geometry.depth, geometry.extrinsics, geometry.intrinsics)
        splats = [scene_splats(gaussians, room) for room in range(len(batch.images))]
        pictures = render_views(splats, batch.extrinsics[..., :3, :], batch.intrinsics, self.config.size)
        photometric = functional.l1_loss(pictures, batch.images) + functional.mse_loss(pictures, batch.images)
        quality = psnr(pictures.detach(), batch.images)
        shown = {"psnr": float(quality[:, :views].mean())}
        return photometric, shown | ({"psnr_novel": float(quality[:, views:].mean())} if self.config.novel else {})

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
        self.seconds += time.perf_counter() - began
        return {"step": self.step, "loss": float(loss.detach()), "seconds": self.seconds} | quality
