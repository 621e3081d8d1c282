"""How well splats of five photos of a room show the sixth: points, plain, merged, improved and the network's own.

In the environment: `python -m tests.model_runtime.splats.measure_splats`, or with ROOM:PHOTO, photos counted from 0.
The rooms are those of `examples/benchmark_rooms`. Each prediction is made once for all five. CPU time is of one thread.
"""

from __future__ import annotations

import io
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from model_runtime.benchmark.datasets import read_dataset
from model_runtime.benchmark.datasets.scene import TruthScene, read_photos
from model_runtime.benchmark.novel_views import Quality, score_targets
from model_runtime.contract.messages import Gaussians, Photo, Prediction, Request
from model_runtime.contract.progress import SILENT
from model_runtime.photos.feature_photo import shrunk
from model_runtime.photos.prepare import SPLAT_SIDE
from model_runtime.prediction.predictor import Predictor
from model_runtime.splats.merge import merged_splats
from model_runtime.splats.optimise import optimised_splats
from model_runtime.splats.surface import joined, surface_splats

ROOMS = Path(".cache") / "benchmark_rooms"
CASES = (
    *("bedroom:5", "study:0", "kitchen:2", "lounge:5", "hallway:3", "workshop:3", "gallery:3", "dining:2", "attic:4"),
    *("bathroom:3", "still_life:2", "library:1", "lounge:0", "lounge:1", "study:4", "bedroom:2"),
)


def variants(predictor: Predictor, photos: tuple[Photo, ...]) -> tuple[Prediction, dict[str, Gaussians], float]:
    """The prediction, its splats by kind, and the CPU seconds of improving them."""
    prediction = predictor.predict(Request(photos), SILENT.report)
    network = prediction.gaussians
    assert network is not None and network.repeated is not None
    once = {name: a[~network.repeated] for name, a in vars(network).items() if isinstance(a, np.ndarray)}
    plain = joined(
        [
            surface_splats(v.depth, v.confidence, v.color, v.extrinsics, v.map_intrinsics, v.usable & ~v.repeated, i)
            for i, v in enumerate(prediction.views)
            if v.repeated is not None
        ]
    )
    points = replace(plain, scales=np.full_like(plain.scales, np.median(plain.scales[:, 1])))
    start = time.process_time()
    pictures = [shrunk(np.asarray(Image.open(io.BytesIO(photo.data)).convert("RGB")), SPLAT_SIDE) for photo in photos]
    merged = merged_splats(prediction.views, pictures)
    improved = optimised_splats(merged, prediction.views, pictures, SILENT)
    seconds = time.process_time() - start
    kinds = {"points": points, "plain": plain, "merged": merged, "improved": improved}
    return prediction, kinds | {"network": replace(network, **once)}, seconds


def measure(predictor: Predictor, scene: TruthScene, target: int) -> dict[str, Quality]:
    """By kind, with one line printed for each."""
    inputs = [view for i, view in enumerate(scene.views) if i != target]
    prediction, kinds, seconds = variants(predictor, read_photos(inputs))
    cameras = np.stack([view.extrinsics for view in prediction.views])
    qualities = {}
    for kind, splats in kinds.items():
        (qualities[kind],) = score_targets(splats, cameras, inputs, [scene.views[target]])
        quality = qualities[kind]
        print(f"{scene.name}:{target} {kind:9} {quality.psnr:.2f} dB  SSIM {quality.ssim:.3f}", flush=True)
    print(f"{scene.name}:{target} improved in {seconds:.0f} CPU seconds", flush=True)
    return qualities


def main(cases: list[str]) -> None:
    torch.set_num_threads(1)
    scenes = {scene.name: scene for scene in read_dataset("rooms", ROOMS)}
    predictor = Predictor()
    measured = []
    for case in cases or CASES:
        name, _, photo = case.partition(":")
        measured.append(measure(predictor, scenes[name], int(photo)))
    for kind in measured[0]:
        psnr, ssim = np.mean([(each[kind].psnr, each[kind].ssim) for each in measured], axis=0)
        print(f"mean of {len(measured)} {kind:9} {psnr:.2f} dB  SSIM {ssim:.3f}")


if __name__ == "__main__":
    main(sys.argv[1:])
