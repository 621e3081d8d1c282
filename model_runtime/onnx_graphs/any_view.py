"""Depth, rays, cameras and Gaussians from the graphs of an any-view network: what `network.any_view` does in torch."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

import numpy as np

from model_runtime.contract.catalogue import PATCH
from model_runtime.geometry.ray_cameras import cameras_from_rays
from model_runtime.network.camera_numbers import decode_camera, encode_camera
from model_runtime.network.config import AnyViewConfig
from model_runtime.network.gaussian_adapter import RawGaussians, place_gaussians
from model_runtime.network.inputs import NetworkInput
from model_runtime.network.output import Output
from model_runtime.network.reference_view import choose_reference_view
from model_runtime.onnx_graphs.backbone import pieces
from model_runtime.onnx_graphs.sessions import Arrays, Collected, Sessions, Steps, chunks

DESCRIPTION = (3, 4)
"""Rows and columns in which a photo's tokens are averaged where it is described."""


def run_any_view(
    sessions: Sessions,
    config: AnyViewConfig,
    inputs: NetworkInput,
    head_chunk: int,
    on_block: Callable[[float], None],
) -> Output:
    """As `OnnxNetwork.run`, of inputs that fit."""
    images, size = inputs.images, (inputs.images.shape[-2], inputs.images.shape[-1])
    from_rays = inputs.pose_from == "rays"
    heads = ["depth_and_rays" if inputs.rays or from_rays else "depth"]
    if inputs.gaussians and config.gaussian_head:
        heads.append("gaussians")
    total = config.backbone.depth + len(heads) * ceil(len(images) / head_chunk)
    steps = Steps(sessions, total, on_block)
    dense, camera = _run_graphs(config, inputs, heads, head_chunk, steps)
    if from_rays:
        cameras = cameras_from_rays(dense["ray"], dense["ray_conf"], size)
    else:
        cameras = decode_camera(camera[None], size)
    splats = None
    if "raw" in dense:
        given_extrinsics = None if inputs.extrinsics is None else inputs.extrinsics[None]
        raw = RawGaussians(dense.pop("raw"), dense.pop("opacity"))
        splats = place_gaussians(raw, dense["depth"], *cameras, given_extrinsics, released=config.released_gaussians)
    return Output(
        depth=dense["depth"],
        depth_conf=dense["depth_conf"],
        ray=dense.get("ray"),
        ray_conf=dense.get("ray_conf"),
        extrinsics=cameras[0],
        intrinsics=cameras[1],
        gaussians=splats,
    )


def describe_views(sessions: Sessions, images: np.ndarray) -> np.ndarray:
    """[N,D] float32: what the first blocks, which look at each view by itself, make of images [N,3,H,W]."""
    tokens = sessions.run("backbone_0", {"images": images})["tokens_out"]
    rows, columns = patch_grid(images)
    maps = tokens[:, 1:].reshape(len(images), rows, columns, -1)
    averages = [
        [maps[:, row, column].mean((1, 2), dtype=np.float32) for column in _bins(columns, DESCRIPTION[1])]
        for row in _bins(rows, DESCRIPTION[0])
    ]
    return np.stack([np.stack(line, axis=-1) for line in averages], axis=-2).reshape(len(images), -1)


def patch_grid(images: np.ndarray) -> np.ndarray:
    """[2] int64: rows and columns of patches of images [N,3,H,W]."""
    return np.array(images.shape[-2:], np.int64) // PATCH


def _run_graphs(
    config: AnyViewConfig, inputs: NetworkInput, heads: list[str], chunk: int, steps: Steps
) -> tuple[Arrays, np.ndarray]:
    """What the heads give, each [1,N,...], and the nine numbers of each camera [N,9]."""
    layers, camera = _layers(config, inputs, chunk, steps)
    collected = Collected(len(inputs.images))
    for some in chunks(len(inputs.images), chunk):
        seen: Arrays = {name: layer[some] for name, layer in layers.items()} | {"grid": patch_grid(inputs.images)}
        for head in heads:
            given = seen if head != "gaussians" else seen | {"images": inputs.images[some]}
            collected.put(some, steps.run(head, 1, given))
    return {name: values[None] for name, values in collected.arrays.items()}, camera


def _layers(config: AnyViewConfig, inputs: NetworkInput, chunk: int, steps: Steps) -> tuple[Arrays, np.ndarray]:
    """`layer_1` to `layer_4` [N,h*w,F], and the nine numbers of each camera [N,9]."""
    first, *later = pieces(config.backbone)
    views = len(inputs.images)
    collected = Collected(views)
    for some in chunks(views, chunk):
        share = first.last * (some.stop - some.start) / views
        collected.put(some, steps.run("backbone_0", share, {"images": inputs.images[some]}))
    seen: Arrays = {"tokens": collected.arrays.pop("tokens_out"), "grid": patch_grid(inputs.images)}
    seen["camera_tokens"] = _camera_tokens(inputs, collected.arrays["class_tokens"], steps)
    layers: Arrays = {}
    for index, piece in enumerate(later, start=1):
        outputs = steps.run(f"backbone_{index}", piece.last - piece.first, seen)
        layers[f"layer_{index}"] = outputs.pop("layer")
        seen = {"tokens": outputs.pop("tokens_out"), "grid": seen["grid"]} if "tokens_out" in outputs else outputs
    return layers, seen["camera"]


def _camera_tokens(inputs: NetworkInput, class_tokens: np.ndarray, steps: Steps) -> np.ndarray:
    """[N,dim]: of the cameras that are known, else the learned ones, which tell the reference view from the others."""
    if inputs.extrinsics is not None and inputs.intrinsics is not None:
        size = (inputs.images.shape[-2], inputs.images.shape[-1])
        numbers = encode_camera(inputs.extrinsics, inputs.intrinsics, size)
        return steps.run("camera_encoder", 0, {"camera": numbers})["camera_tokens"]
    reference = choose_reference_view(class_tokens[None], inputs.reference_view)
    is_other = (np.arange(len(class_tokens)) != reference).astype(np.int64)
    return steps.run("learned_cameras", 0, {"is_other": is_other})["camera_tokens"]


def _bins(count: int, bins: int) -> list[slice]:
    """Parts of a side that cover it evenly, and overlap where it cannot be divided."""
    return [slice(i * count // bins, -(-(i + 1) * count // bins)) for i in range(bins)]
