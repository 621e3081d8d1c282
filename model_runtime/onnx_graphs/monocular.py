"""Depth and sky from the graphs of a monocular network: what `network.monocular` does in torch."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

import numpy as np

from model_runtime.network.config import MonocularConfig
from model_runtime.network.output import Output
from model_runtime.network.sky import fill_sky
from model_runtime.onnx_graphs.any_view import patch_grid
from model_runtime.onnx_graphs.backbone import pieces
from model_runtime.onnx_graphs.sessions import Arrays, Collected, Sessions, Steps, chunks


def run_monocular(
    sessions: Sessions, config: MonocularConfig, images: np.ndarray, chunk: int, on_block: Callable[[float], None]
) -> Output:
    """As `OnnxNetwork.run`, of images [N,3,H,W] that fit, `chunk` at once."""
    count = ceil(len(images) / chunk)
    steps = Steps(sessions, count * (config.backbone.depth + 1), on_block)
    collected = Collected(len(images))
    grid = patch_grid(images)
    for some in chunks(len(images), chunk):
        layers: Arrays = {"grid": grid}
        seen: Arrays = {"images": images[some]}
        for index, piece in enumerate(pieces(config.backbone)):
            outputs = steps.run(f"backbone_{index}", piece.last - piece.first, seen)
            layers[f"layer_{index + 1}"] = outputs.pop("layer")
            seen = {"tokens": outputs.pop("tokens_out"), "grid": grid} if "tokens_out" in outputs else {}
        collected.put(some, steps.run("depth", 1, layers))
    depth, sky = collected.arrays["depth"], collected.arrays["sky"]
    return Output(depth=fill_sky(depth, sky)[None], sky=sky[None], metric_focal=config.metric_focal)
