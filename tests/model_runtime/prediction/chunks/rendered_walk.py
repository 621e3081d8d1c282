"""A walk through a rendered room and round again, with true cameras and depth, and what a network sees of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from model_runtime.geometry.cameras import normalise_given_cameras
from model_runtime.network.any_view import AnyViewNetwork
from model_runtime.network.create import create_model
from model_runtime.network.inputs import NetworkInput
from model_runtime.photos.canvas import DEVIATION, MEAN
from model_runtime.prediction.chunks.chunk import ChunkOutput
from model_runtime.prediction.devices import Compute
from model_runtime.prediction.network_run import run_network
from model_runtime.prediction.torch_network import TorchNetwork
from model_runtime.training.rendering.photography import develop
from model_runtime.training.rendering.raycast import SceneBatch
from model_runtime.training.rendering.shading import cast
from model_runtime.training.rendering.trajectories import is_free, look_at
from model_runtime.training.rendering.views import RAYS_AT_ONCE, as_images, soften_outlines, view_beams
from model_runtime.training.world.indoors import room
from model_runtime.training.world.solids import Scene
from model_runtime.training.world.textures import TextureBank, make_texture_bank
from tests.model_runtime.prediction.chunks.walk import Walk

CPU = torch.device("cpu")
COMPUTE = Compute("torch", "cpu", "float32", CPU)
FIELD_OF_VIEW = 65.0
FACING = 2.4
"""Radians between outwards and where the camera looks: ahead, and across the room."""
WEIGHTS = Path(__file__).parents[4] / "model_runtime" / "weights" / "da3-tiny" / "model.safetensors"


@dataclass(frozen=True, eq=False)
class RenderedWalk(Walk):
    """images: [N,3,H,W] float32 0..1. intrinsics: [3,3]."""

    images: np.ndarray
    intrinsics: np.ndarray


def rendered_walk(count: int, seed: int, size: tuple[int, int] = (126, 168), rounds: float = 1.0) -> RenderedWalk:
    """`rounds` rounds through a room drawn from `seed`, as (height, width) photos."""
    bank = make_texture_bank()
    scene, poses = _free_walk(count, seed, bank, rounds)
    focal = size[1] / 2 / np.tan(np.radians(FIELD_OF_VIEW / 2))
    intrinsics = np.array([[focal, 0, size[1] / 2], [0, focal, size[0] / 2], [0, 0, 1]])
    extrinsics = np.linalg.inv(poses)
    batch = SceneBatch.stack([scene], CPU)
    at_once = max(1, RAYS_AT_ONCE // (size[0] * size[1]))
    colours, depths = [], []
    for start in range(0, count, at_once):
        matrices = torch.from_numpy(extrinsics[start : start + at_once]).float()[None]
        views = matrices.shape[1]
        beams, pixel = view_beams(matrices, torch.from_numpy(intrinsics).float().expand(1, views, 3, 3), *size)
        with torch.no_grad():
            planes, depth, index = cast(batch, bank, beams, pixel)
        colour = torch.stack([as_images(plane, 1, views, *size) for plane in planes], 2)
        colours.append(soften_outlines(colour, as_images(index, 1, views, *size)))
        depths.append(as_images(depth, 1, views, *size)[0])
    photos = develop(torch.cat(colours, 1), torch.Generator().manual_seed(seed))[0]
    return RenderedWalk(extrinsics, torch.cat(depths).numpy(), photos.numpy().astype(np.float32), intrinsics)


def _free_walk(count: int, seed: int, bank: TextureBank, rounds: float) -> tuple[Scene, np.ndarray]:
    """A room in which nothing stands in the way, and the cameras in it: looking ahead and outwards, swaying."""
    for draw in range(1000):
        scene = room(np.random.default_rng([seed, draw]), bank, 0.5)
        half = scene.stand[1][:2]
        angle = np.linspace(0, 2 * np.pi * rounds, count)
        reach = 0.5 + 0.06 * np.sin(3 * angle)
        centres = np.stack(
            (reach * half[0] * np.cos(angle), reach * half[1] * np.sin(angle), 1.4 + 0.1 * np.sin(2 * angle)), 1
        )
        if half.min() > 1.2 and all(is_free(scene, centre) for centre in centres):
            heading = angle + FACING + 0.25 * np.sin(4 * angle)
            ahead = np.stack((np.cos(heading), np.sin(heading), -0.15 + 0.1 * np.sin(5 * angle)), 1)
            return scene, np.stack([look_at(c, c + a) for c, a in zip(centres, ahead, strict=True)])
    raise RuntimeError("No room is empty enough.")


def bundled_network() -> AnyViewNetwork:
    from safetensors.torch import load_file

    network = create_model("da3-tiny")
    state = {key.removeprefix("model."): value.float() for key, value in load_file(WEIGHTS).items()}
    assert isinstance(network, AnyViewNetwork)
    network.load_state_dict(state)
    return network


def normalised(images: np.ndarray) -> np.ndarray:
    return ((images - np.reshape(MEAN, (3, 1, 1))) / np.reshape(DEVIATION, (3, 1, 1))).astype(np.float32)


def look(network: nn.Module, of: RenderedWalk, places: Sequence[int], told: bool = False) -> ChunkOutput:
    """One pass over these photos; cameras by the network's camera head, which is shown the true ones where `told`."""
    extrinsics, intrinsics = None, None
    if told:
        relative, _ = normalise_given_cameras(torch.from_numpy(of.extrinsics[list(places)]))
        extrinsics, intrinsics = relative.numpy(), np.tile(of.intrinsics, (len(places), 1, 1))
    inputs = NetworkInput(
        normalised(of.images[list(places)]), extrinsics, intrinsics, False, "saddle_balanced", "camera_head"
    )
    output, _ = run_network(TorchNetwork(network, CPU), inputs, COMPUTE, lambda done: None)
    assert output.depth_conf is not None and output.extrinsics is not None and output.intrinsics is not None
    found = np.tile(np.eye(4), (len(places), 1, 1))
    found[:, :3] = output.extrinsics[0]
    return ChunkOutput(
        tuple(places),
        list(output.depth[0]),
        list(output.depth_conf[0]),
        found,
        output.intrinsics[0].astype(np.float64),
    )
