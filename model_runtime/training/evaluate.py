"""`python -m model_runtime.training.evaluate [CHECKPOINT]`: quality on rooms never trained on, as a table.

Beside every figure stand the answers that need no network: one constant for depth, the mean depth map of other rooms,
no rotation at all, and the mean relative pose.
"""

import argparse
import dataclasses
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from model_runtime.checkpoint_loading import load_network
from model_runtime.checkpoints import locate_checkpoint
from model_runtime.geometry.surface_splats import surface_splats
from model_runtime.network.any_view import AnyViewNetwork
from model_runtime.network.gaussian_adapter import place_gaussians
from model_runtime.training import metrics
from model_runtime.training.gaussians import (
    FrozenGeometry,
    frozen_geometry,
    psnr,
    raw_gaussians,
    render_inputs,
    scene_splats,
)
from model_runtime.training.rooms import RoomBatch, RoomGenerator
from model_runtime.training.splat_renderer import Splats
from model_runtime.training.targets import make_targets, normalise_images

HELD_OUT_SEED = 977
"""Seed of the rooms kept for evaluation; training must use another."""
REFERENCE_ROOMS = 1_000_000
"""Number of the first of the rooms that the trivial answers are averaged over; apart from those judged."""
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


def score(depth: torch.Tensor, extrinsics: torch.Tensor | None, truth: RoomBatch) -> Scores:
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
    network: AnyViewNetwork, batch: RoomBatch, pose_from: str = "camera_head"
) -> tuple[torch.Tensor, torch.Tensor]:
    """Depth [B,N,H,W] and extrinsics [B,N,4,4] of the network for a batch, a few rooms at a time."""
    depth, extrinsics = [], []
    for images in normalise_images(batch.images).split(8):
        output = network(images, pose_from=pose_from)
        assert output.extrinsics is not None
        depth.append(output.depth)
        extrinsics.append(metrics.homogeneous(output.extrinsics))
    return torch.cat(depth), torch.cat(extrinsics)


def trivial_answers(reference: RoomBatch, batch: RoomBatch) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """Depth and extrinsics of the answers that look at no photo: constant depth and no motion; mean depth map of
    `reference` (each room at unit scale) and mean relative pose."""
    still = torch.eye(4).expand_as(batch.extrinsics)
    mean_depth = make_targets(reference).depth.mean((0, 1)).expand_as(batch.depth)
    mean_pose = still.clone()
    mean_pose[..., :3, 3] = make_targets(reference).extrinsics[..., :3, 3].mean(0)
    # A motionless camera has no direction of travel: forward is as good a guess as any.
    still = still.clone()
    still[:, 1:, 2, 3] = -torch.arange(1, batch.depth.shape[1])
    return {
        "one constant, no rotation": (torch.ones_like(batch.depth), still),
        "mean map, mean pose": (mean_depth, mean_pose),
    }


def evaluate(network: AnyViewNetwork, setting: Setting, rooms: int = 64, rays: bool = False) -> dict[str, Scores]:
    """Scores by the name of the answer on held-out rooms; with `rays`, also for cameras solved from the ray maps."""
    generator = RoomGenerator(HELD_OUT_SEED)
    make = partial(generator.batch, views=setting.views, size=setting.size, difficulty=setting.difficulty)
    batch, reference = make(0, rooms), make(REFERENCE_ROOMS, rooms)
    answers = {"da3-tiny": predict(network, batch)}
    if rays:
        answers["da3-tiny, cameras from rays"] = predict(network, batch, "rays")
    answers |= trivial_answers(reference, batch)
    return {name: score(depth, extrinsics, batch) for name, (depth, extrinsics) in answers.items()}


@torch.no_grad()
def evaluate_gaussians(network: AnyViewNetwork, setting: Setting, rooms: int = 16) -> dict[str, float]:
    """Mean PSNR in decibels of input photos of held-out rooms, shown again by splats from the predicted cameras.

    Beside the Gaussian head: splats laid on the predicted depth, and every photo's mean colour.
    """
    generator = RoomGenerator(HELD_OUT_SEED)
    batch = generator.batch(0, rooms, setting.views, setting.size, setting.difficulty)
    geometry = frozen_geometry(network, batch)
    raw = raw_gaussians(network, geometry)
    head = place_gaussians(raw, geometry.depth, geometry.extrinsics, geometry.intrinsics)
    surface = surface_gaussians(batch.images, geometry)
    flat = batch.images.mean((-1, -2), keepdim=True).expand_as(batch.images)
    pictures = {
        "Gaussian head": render_inputs([scene_splats(head, room) for room in range(rooms)], geometry),
        "splats on the depth": render_inputs(surface, geometry),
        "mean colour": flat,
    }
    return {name: float(psnr(picture, batch.images).mean()) for name, picture in pictures.items()}


def surface_gaussians(images: torch.Tensor, geometry: FrozenGeometry) -> list[Splats]:
    """What checkpoints without a Gaussian head get: splats flat on the depth, coloured by the photo."""
    colours = (images * 255).round().byte().movedim(2, -1).numpy()
    everywhere = np.ones(images.shape[-2:], bool)
    rooms = []
    for room in range(len(images)):
        parts = [
            surface_splats(
                geometry.depth[room, view].numpy(),
                np.ones(images.shape[-2:]),
                colours[room, view],
                metrics.homogeneous(geometry.extrinsics[room, view]).numpy(),
                geometry.intrinsics[room, view].numpy(),
                everywhere,
            )
            for view in range(images.shape[1])
        ]
        fields = {field.name: [getattr(part, field.name) for part in parts] for field in dataclasses.fields(Splats)}
        rooms.append(Splats(**{name: torch.from_numpy(np.concatenate(values)) for name, values in fields.items()}))
    return rooms


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
    parser = argparse.ArgumentParser(prog="python -m model_runtime.training.evaluate", description=__doc__)
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
    print("\n| photos | input photos shown again by | PSNR dB |\n|---|---|---|")
    for name, decibels in evaluate_gaussians(
        network, Setting(2, size, chosen.difficulty), min(16, chosen.rooms)
    ).items():
        print(f"| 2 | {name} | {decibels:.1f} |")


if __name__ == "__main__":
    main()
