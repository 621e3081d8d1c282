"""The command `train`: a checkpoint from nothing but synthetic scenes, and a look at whether it works."""

from __future__ import annotations

import argparse
from importlib import import_module
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from model_runtime.contract.messages import JobError, Photo, Prediction, Request

PRESETS = ("smoke", "tiny")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--preset", choices=PRESETS, required=True, help="smoke: seconds, to see that it works")
    parser.add_argument("--out", type=Path, required=True, help="folder for states, logs and the checkpoint")


def run(options: argparse.Namespace) -> None:
    """Raises JobError `needs-torch` where PyTorch is not installed."""
    if find_spec("torch") is None:
        raise JobError("needs-torch", "Training needs PyTorch.", "Install it in the version of constraints.txt.")
    presets = import_module("model_runtime.training.presets")
    distributed = import_module("model_runtime.training.runs.distributed")
    folder = presets.train(presets.PRESETS[options.preset], options.out, print_flushed)
    rank, _ = distributed.start()
    if rank == 0:
        print_flushed(f"{folder} {look_at(predict_room(folder))}")
    distributed.stop()


def look_at(prediction: Prediction) -> str:
    """What a prediction of one photo holds; JobError `training-failed` where that is nothing anybody could use."""
    depth, splats = prediction.views[0].depth, prediction.gaussians
    if splats is None or not (np.isfinite(depth).all() and np.isfinite(splats.means).all()):
        raise JobError("training-failed", "The new checkpoint predicts no finite depth.", "Train it anew.")
    size = f"{depth.shape[1]} x {depth.shape[0]}"
    return (
        f"loads strictly: a photo of {size} pixels has median depth {np.median(depth):.2f}, {len(splats.means)} splats."
    )


def predict_room(checkpoint: Path) -> Prediction:
    """A photo of a room that was not trained on, through the predictor like any photo."""
    views = import_module("model_runtime.training.rendering.views")
    evaluate = import_module("model_runtime.training.studies.evaluate")
    predictor = import_module("model_runtime.prediction.predictor")
    batch = views.ViewGenerator(evaluate.HELD_OUT_SEED).batch(0, 1, 1, (84, 112), 0.5)
    file = BytesIO()
    pixels = (batch.images[0, 0].movedim(0, -1) * 255).round().byte().cpu().numpy()
    Image.fromarray(pixels).save(file, "PNG")
    request = Request((Photo("room.png", file.getvalue()),), checkpoint=str(checkpoint), camera_source="network")
    return predictor.Predictor().predict(request, lambda *_: None)


def print_flushed(sentence: str) -> None:
    print(sentence, flush=True)
