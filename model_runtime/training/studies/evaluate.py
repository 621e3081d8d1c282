"""`python -m model_runtime.training.studies.evaluate [CHECKPOINT]`: quality on scenes never trained on, as a table.

Beside every figure stand the answers that need no network: one constant for depth, the mean depth map of other scenes,
no rotation at all, and the mean relative pose.
"""

import argparse
import dataclasses
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from model_runtime.checkpoints.loading import load_network
from model_runtime.checkpoints.locate import locate_checkpoint
from model_runtime.network.any_view import AnyViewNetwork
from model_runtime.splats.renderer import Splats
from model_runtime.splats.surface import surface_splats
from model_runtime.training.learning import metrics
from model_runtime.training.learning.batches import first_views
from model_runtime.training.learning.gaussians import (
    FrozenGeometry,
    frozen_geometry,
    placed,
    psnr,
    raw_gaussians,
    render_views,
    with_true_cameras,
)
from model_runtime.training.learning.targets import make_targets, normalise_images
from model_runtime.training.rendering.photography import expose
from model_runtime.training.rendering.views import ViewBatch, ViewGenerator

HELD_OUT_SEED = 977
"""Seed of the scenes kept for evaluation; training must use another."""
FIRST_REFERENCE = 1_000_000
"""Number of the first of the scenes that the trivial answers are averaged over; apart from those judged."""
SIZE = (126, 168)


@dataclass(frozen=True)
class Setting:
    """One row of the table: how many photos of a room, and their size (height, width)."""

    views: int
    size: tuple[int, int] = SIZE
    difficulty: float = 0.5


@dataclass(frozen=True)
class Scores:
    """Mean AbsRel and delta1; over all pairs of views the mean and median rotation and translation-direction error in
    degrees and AUC30 in percent (None for single photos)."""

    abs_rel: float
    delta1: float
    rotation: float | None = None
    rotation_median: float | None = None
    translation: float | None = None
    translation_median: float | None = None
    auc30: float | None = None


def score(depth: torch.Tensor, extrinsics: torch.Tensor | None, truth: ViewBatch) -> Scores:
    """Scores of depth [B,N,H,W] (any scale per room) and world-to-camera extrinsics [B,N,4,4] (any world)."""
    relative, delta = metrics.depth_errors(depth, truth.depth)
    if extrinsics is None or extrinsics.shape[1] < 2:
        return Scores(float(relative.mean()), float(delta.mean()))
    pairs = metrics.pair_errors(metrics.relative_poses(extrinsics), metrics.relative_poses(truth.extrinsics))
    return Scores(
        float(relative.mean()),
        float(delta.mean()),
        float(pairs.rotation.mean()),
        float(pairs.rotation.median()),
        float(pairs.translation.mean()),
        float(pairs.translation.median()),
        pairs.auc(),
    )


@torch.no_grad()
def predict(
    network: AnyViewNetwork, batch: ViewBatch, pose_from: str = "camera_head"
) -> tuple[torch.Tensor, torch.Tensor]:
    """Depth [B,N,H,W] and extrinsics [B,N,4,4] of the network for a batch, a few scenes at a time."""
    depth, extrinsics = [], []
    for images in normalise_images(batch.images).split(8):
        output = network(images, pose_from=pose_from)
        assert output.extrinsics is not None
        depth.append(output.depth)
        extrinsics.append(metrics.homogeneous(output.extrinsics))
    return torch.cat(depth), torch.cat(extrinsics)


def trivial_answers(reference: ViewBatch, batch: ViewBatch) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """Depth and extrinsics of the answers that look at no photo: constant depth and no motion; mean depth map of
    `reference` (each room at unit scale) and mean relative pose."""
    still = torch.eye(4).expand_as(batch.extrinsics)
    known = make_targets(reference)
    of_pixel = known.depth.sum((0, 1)) / known.valid.sum((0, 1)).clamp_min(1)
    mean_depth = of_pixel.where(of_pixel > 0, of_pixel[of_pixel > 0].mean()).expand_as(batch.depth)
    mean_pose = still.clone()
    mean_pose[..., :3, 3] = known.extrinsics[..., :3, 3].mean(0)
    # A motionless camera has no direction of travel: forward is as good a guess as any.
    still = still.clone()
    still[:, 1:, 2, 3] = -torch.arange(1, batch.depth.shape[1])
    return {
        "one constant, no rotation": (torch.ones_like(batch.depth), still),
        "mean map, mean pose": (mean_depth, mean_pose),
    }


def evaluate(network: AnyViewNetwork, setting: Setting, scenes: int = 64, rays: bool = False) -> dict[str, Scores]:
    """Scores by the name of the answer on held-out scenes; with `rays`, also for cameras solved from the ray maps."""
    generator = ViewGenerator(HELD_OUT_SEED)
    make = partial(generator.batch, views=setting.views, size=setting.size, difficulty=setting.difficulty)
    batch, reference = make(0, scenes), make(FIRST_REFERENCE, scenes)
    answers = {"da3-tiny": predict(network, batch)}
    if rays:
        answers["da3-tiny, cameras from rays"] = predict(network, batch, "rays")
    answers |= trivial_answers(reference, batch)
    return {name: score(depth, extrinsics, batch) for name, (depth, extrinsics) in answers.items()}


@torch.no_grad()
def evaluate_gaussians(network: AnyViewNetwork, setting: Setting, scenes: int = 16) -> dict[str, tuple[float, float]]:
    """Mean PSNR in decibels of photos of held-out scenes that the network saw, and of one more that it did not, as
    splats show them, placed as in training.

    Beside the Gaussian head: splats laid on the same depth, and for the photo not seen the first one as it is.
    """
    generator = ViewGenerator(HELD_OUT_SEED)
    everything = generator.render(0, scenes, setting.views + 1, setting.size, setting.difficulty)
    everything = dataclasses.replace(everything, images=expose(everything.images))
    seen = first_views(everything, setting.views)
    geometry = with_true_cameras(frozen_geometry(network, seen, posed=True), seen)
    first = everything.images[:, :1].expand_as(everything.images)
    cameras = (everything.extrinsics[..., :3, :], everything.intrinsics)
    pictures = {
        "Gaussian head": render_views(placed(raw_gaussians(network, geometry), geometry), *cameras, setting.size),
        "splats on the depth": render_views(surface_gaussians(seen.images, geometry), *cameras, setting.size),
        "first photo": first,
    }
    quality = {name: psnr(picture, everything.images) for name, picture in pictures.items()}
    return {name: (float(of[:, : setting.views].mean()), float(of[:, -1].mean())) for name, of in quality.items()}


def surface_gaussians(images: torch.Tensor, geometry: FrozenGeometry) -> list[Splats]:
    """What checkpoints without a Gaussian head get: splats flat on the depth, coloured by the photo."""
    colours = (images * 255).round().byte().movedim(2, -1).numpy()
    everywhere = np.ones(images.shape[-2:], bool)
    splats = []
    for room in range(len(images)):
        parts = [
            surface_splats(
                (geometry.depth * geometry.unit)[room, view].numpy(),
                np.ones(images.shape[-2:]),
                colours[room, view],
                metrics.homogeneous(geometry.extrinsics[room, view]).numpy(),
                geometry.intrinsics[room, view].numpy(),
                everywhere,
            )
            for view in range(images.shape[1])
        ]
        fields = {field.name: [getattr(part, field.name) for part in parts] for field in dataclasses.fields(Splats)}
        splats.append(Splats(**{name: torch.from_numpy(np.concatenate(values)) for name, values in fields.items()}))
    return splats


def table(results: dict[Setting, dict[str, Scores]]) -> str:
    """Markdown table of `evaluate`'s scores."""
    lines = [
        "| photos | size | answer | depth AbsRel | delta1 | rotation mean / median | direction mean / median | AUC30 |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for setting, answers in results.items():
        for name, s in answers.items():
            pose = "- | - | -"
            if s.auc30 is not None:
                pose = f"{s.rotation:.1f} / {s.rotation_median:.1f} | {s.translation:.0f} / {s.translation_median:.0f}"
                pose += f" | {s.auc30:.1f}"
            size = f"{setting.size[1]} x {setting.size[0]}"
            lines.append(f"| {setting.views} | {size} | {name} | {s.abs_rel:.3f} | {s.delta1:.2f} | {pose} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m model_runtime.training.studies.evaluate", description=__doc__)
    parser.add_argument("checkpoint", nargs="?", default="da3-tiny", help="name, folder or file")
    parser.add_argument("--rooms", type=int, default=64)
    parser.add_argument("--views", type=int, nargs="+", default=[1, 2, 4, 6])
    parser.add_argument("--size", type=int, nargs=2, default=SIZE, metavar=("HEIGHT", "WIDTH"))
    parser.add_argument("--difficulty", type=float, default=0.5, help="0 easy .. 1 hard")
    parser.add_argument("--rays", action="store_true", help="also solve the ray maps for the cameras")
    chosen = parser.parse_args()
    network = load_network(locate_checkpoint(chosen.checkpoint), torch.device("cpu"))
    if not isinstance(network, AnyViewNetwork):
        parser.error(f"{chosen.checkpoint} predicts no cameras")
    results = {}
    for views in chosen.views:
        setting = Setting(views, (chosen.size[0], chosen.size[1]), chosen.difficulty)
        results[setting] = evaluate(network, setting, chosen.rooms, chosen.rays)
    print(table(results))
    size = (chosen.size[0], chosen.size[1])
    shown = evaluate_gaussians(network, Setting(3, size, chosen.difficulty), min(16, chosen.rooms))
    print("\n| photos | shown by | PSNR of these, dB | of one more, dB |\n|---|---|---|---|")
    for name, (seen, unseen) in shown.items():
        print(f"| 3 | {name} | {seen:.1f} | {unseen:.1f} |")


if __name__ == "__main__":
    main()
