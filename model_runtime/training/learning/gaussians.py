"""Trains the Gaussian head alone: the rest of the network is frozen.

At first every splat is its own pixel (`pixel_splats`). From there the photometric loss through the splat renderer
improves on it: the splats of some photos must render those photos and others that the network did not see. As in a
job whose cameras features found, splats are placed by the true cameras, on depth that was brought to some points whose
depth is known: what a new view misses is then no fault of the predicted pose.
"""

import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from model_runtime.depth.correction import smooth_correction
from model_runtime.geometry.cameras import normalise_given_cameras
from model_runtime.network.any_view import AnyViewNetwork
from model_runtime.network.gaussian_adapter import RawGaussians, place_gaussians
from model_runtime.splats.renderer import Splats, render_splats
from model_runtime.training.learning.batches import first_views, on_device
from model_runtime.training.learning.metrics import aligned
from model_runtime.training.learning.pixel_splats import begin_as_pixels
from model_runtime.training.learning.targets import normalise_images
from model_runtime.training.rendering.photography import expose
from model_runtime.training.rendering.views import ViewBatch, ViewGenerator
from model_runtime.training.runs import distributed
from model_runtime.training.runs.run import Part, TrainingRun, warm_cosine

GAUSSIAN_FILE = "gaussians.pt"
KNOWN = 150
"""Pixels of a view whose depth is known, about as many as features place."""


@dataclass(frozen=True)
class GaussianConfig:
    """scenes: of a step and process; views: photos the network sees; novel: photos of the same scene that it does
    not; difficulty: see `ViewGenerator.batch`."""

    out: Path
    steps: int = 350
    scenes: int = 2
    views: int = 3
    novel: int = 1
    size: tuple[int, int] = (84, 112)
    difficulty: float = 1.0
    learning_rate: float = 2e-3
    warmup: int = 20
    seed: int = 0
    save_every: int = 50


@dataclass(frozen=True)
class FrozenGeometry:
    """What the Gaussian head builds on. tokens: four of [B*N,h*w,F]; depth [B,N,H,W] in the network's unit; unit
    [B,N,H,W], what that is to be multiplied by, pixel by pixel, to be the cameras'; extrinsics [B,N,3,4]; intrinsics
    [B,N,3,3]."""

    images: torch.Tensor
    tokens: list[torch.Tensor]
    grid: tuple[int, int]
    depth: torch.Tensor
    unit: torch.Tensor
    extrinsics: torch.Tensor
    intrinsics: torch.Tensor


@torch.no_grad()
def frozen_geometry(network: AnyViewNetwork, batch: ViewBatch, posed: bool = False) -> FrozenGeometry:
    """What the network says of a batch. posed: whether it is told the cameras."""
    images = normalise_images(batch.images)
    given = None
    if posed:
        given = network.encode_cameras(normalise_given_cameras(batch.extrinsics)[0], batch.intrinsics, images)
    features = network.backbone(images, given, "first")
    tokens = [layer.patches.flatten(0, 1) for layer in features.layers]
    dense = network.head(tokens, features.grid, images.flatten(0, 1))
    extrinsics, intrinsics = network.decode_cameras(features, images)
    depth = dense.depth.unflatten(0, images.shape[:2])
    return FrozenGeometry(images, tokens, features.grid, depth, torch.ones_like(depth), extrinsics, intrinsics)


def with_true_cameras(geometry: FrozenGeometry, batch: ViewBatch, seed: int = 0) -> FrozenGeometry:
    """The same, seen by the batch's own cameras, its depth brought to KNOWN pixels of every view."""
    depth = aligned(geometry.depth, batch.depth)
    depths, truths = depth.cpu().numpy(), batch.depth.cpu().numpy()
    unit = (depth / geometry.depth).cpu().numpy()
    for index in np.ndindex(*depths.shape[:2]):
        known = np.flatnonzero(truths[index] > 0)
        chosen = np.random.default_rng([seed, *index]).permutation(known)[:KNOWN]
        row, column = np.divmod(chosen, depths.shape[3])
        position = (np.stack([column, row], -1) + 0.5) / [depths.shape[3], depths.shape[2]]
        correction = smooth_correction(depths[index], position, depths[index].flat[chosen], truths[index].flat[chosen])
        if correction is not None:
            unit[index] *= correction
    return replace(
        geometry,
        unit=torch.from_numpy(unit).to(depth),
        extrinsics=batch.extrinsics[..., :3, :],
        intrinsics=batch.intrinsics,
    )


def raw_gaussians(network: AnyViewNetwork, geometry: FrozenGeometry) -> RawGaussians:
    """The head's raw numbers, [B,N,H,W,...]."""
    raw = network.gs_head(geometry.tokens, geometry.grid, geometry.images.flatten(0, 1))
    shape = geometry.images.shape[:2]
    return RawGaussians(raw.raw.unflatten(0, shape), raw.opacity.unflatten(0, shape))


def placed(raw: RawGaussians, geometry: FrozenGeometry) -> list[Splats]:
    """The splats of every scene, in the world of the geometry's cameras."""
    *others, offset = raw.raw.split((36, 1), -1)
    scaled = RawGaussians(torch.cat([*others, offset * geometry.unit[..., None]], -1), raw.opacity)
    splats = place_gaussians(scaled, geometry.depth * geometry.unit, geometry.extrinsics, geometry.intrinsics)
    fields = (splats.means, splats.scales, splats.rotations, splats.harmonics, splats.opacities)
    return [Splats(*scene) for scene in zip(*fields, strict=True)]


def render_views(
    splats: list[Splats], extrinsics: torch.Tensor, intrinsics: torch.Tensor, size: tuple[int, int]
) -> torch.Tensor:
    """The splats of every scene seen by cameras [B,N,3,4] and [B,N,3,3] of its own: [B,N,3,H,W]."""
    scenes, views = extrinsics.shape[:2]
    pictures = [
        render_splats(splats[b], extrinsics[b, n], intrinsics[b, n], size)[0]
        for b in range(scenes)
        for n in range(views)
    ]
    return torch.stack(pictures).unflatten(0, (scenes, views))


def psnr(picture: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Decibels per picture of [...,3,H,W] in 0..1."""
    return -10 * (picture.clamp(0, 1) - truth).square().mean((-1, -2, -3)).clamp_min(1e-10).log10()


class GaussianTrainer(TrainingRun):
    """Trains `network.gs_head`; resumes exactly from `out`/gaussians.pt."""

    def __init__(self, network: AnyViewNetwork, config: GaussianConfig) -> None:
        super().__init__(config.out, GAUSSIAN_FILE, config.steps)
        self.config = config
        self.save_every = config.save_every
        begin_as_pixels(network.gs_head)
        self.network = network.requires_grad_(False).to(self.device)
        self.head = network.gs_head.requires_grad_(True)
        self.optimiser = torch.optim.Adam(self.head.parameters(), lr=config.learning_rate, betas=(0.9, 0.99))
        self.generator = ViewGenerator(config.seed + 1, device=self.device)
        self.resume()

    def parts(self) -> dict[str, Part]:
        return {"head": self.head, "optimiser": self.optimiser}

    def batch(self) -> ViewBatch:
        """The step's scenes; the last `novel` photos of each are not for the network."""
        config = self.config
        first = (self.step * self.ranks + self.rank) * 1000
        views = config.views + config.novel
        rendered = self.generator.render(first, config.scenes, views, config.size, config.difficulty)
        return on_device(replace(rendered, images=expose(rendered.images)), self.device)

    def loss(self, batch: ViewBatch) -> tuple[torch.Tensor, dict[str, float]]:
        """The step's loss, and the mean PSNR of photos seen and not seen."""
        views = self.config.views
        seen = first_views(batch, views)
        geometry = with_true_cameras(frozen_geometry(self.network, seen, posed=self.step % 2 == 0), seen, self.step)
        splats = placed(raw_gaussians(self.network, geometry), geometry)
        pictures = render_views(splats, batch.extrinsics[..., :3, :], batch.intrinsics, self.config.size)
        photometric = functional.l1_loss(pictures, batch.images) + functional.mse_loss(pictures, batch.images)
        quality = psnr(pictures.detach(), batch.images)
        shown = {"psnr": float(quality[:, :views].mean())}
        return photometric, shown | ({"psnr_novel": float(quality[:, views:].mean())} if self.config.novel else {})

    def train_step(self) -> dict[str, float]:
        began = time.perf_counter()
        rate = self.config.learning_rate * warm_cosine(self.step, self.config.warmup, self.steps)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad(set_to_none=True)
        loss, quality = self.loss(self.batch())
        loss.backward()
        distributed.average_gradients(self.head.parameters())
        norm = torch.nn.utils.clip_grad_norm_(self.head.parameters(), 1.0)
        # A splat on top of a camera can have a gradient beyond all numbers; one step without progress harms nothing.
        if torch.isfinite(norm):
            self.optimiser.step()
        self.step += 1
        self.seconds += time.perf_counter() - began
        record = {"step": self.step, "loss": float(loss.detach()), "norm": float(norm), "rate": rate}
        return record | {"seconds": self.seconds} | quality
