"""What a job of many photos takes: `python -m tests.model_runtime.prediction.measure_many 50 100`, figures in
docs/many_photos.md.

Photos of a rendered walk with its true cameras and points that they see, a process for each number of
photos. Linux only.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from PIL import Image

from model_runtime.contract.messages import MeshSettings, Photo, Prediction, Request, View
from model_runtime.prediction.predictor import Predictor
from tests.model_runtime.cameras.features.made_walk import walk_round
from tests.model_runtime.prediction.chunks.walk_model import colmap_model

SIZE = 320, 240
POINTS = 10
"""Sparse points of each photo, which others see, too."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("counts", type=int, nargs="+")
    parser.add_argument("--one", action="store_true", help="in this process")
    parser.add_argument("--resolution", type=int, default=168)
    parser.add_argument("--refine", default="auto")
    parser.add_argument("--network", action="store_true", help="with the network's own cameras")
    parser.add_argument("--mesh", action="store_true")
    parser.add_argument("--improve", action="store_true")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measured(options)), flush=True)
        return
    for count in options.counts:
        others = [each for each in sys.argv[1:] if not each.isdigit() or each == str(options.resolution)]
        with tempfile.TemporaryDirectory() as jobs:
            command = [sys.executable, "-m", __spec__.name, "--one", str(count), *others]
            subprocess.run(command, env=os.environ | {"DA3_JOBS": jobs}, check=True)


def measured(options: argparse.Namespace) -> dict[str, object]:
    """Peaks in MB above what the loaded program takes before the job, and seconds."""
    count = options.counts[0]
    walk = walk_round(count, SIZE, turns=count / 72)
    photos = tuple(Photo(f"{i:04}.jpg", _jpeg(walk.photo(i))) for i in range(count))
    model = None if options.network else colmap_model(walk, [photo.name for photo in photos], POINTS)
    request = Request(
        photos,
        colmap=model,
        camera_source="network" if options.network else "given",
        device="cpu",
        resolution=options.resolution,
        refine_depth=options.refine,
        mesh=MeshSettings() if options.mesh else None,
        improve_splats=options.improve,
    )
    peaks = _Peaks()
    predictor, began = Predictor(), time.monotonic()
    answer = predictor.predict(request, peaks.stage)
    seconds = time.monotonic() - began
    peaks.end()
    errors = [np.median(np.abs(view.depth / _sized(walk.depth(i), view.depth.shape) - 1)) for i, view in _some(answer)]
    predictor.finish()
    return {
        "photos": count,
        "anonymous_mb": peaks.anonymous,
        "with_mapped_mb": peaks.total,
        "seconds": round(seconds, 1),
        "seconds_a_photo": round(seconds / count, 2),
        "stages": answer.settings["seconds"],
        "chunks": answer.settings.get("chunks"),
        "error": float(np.median(errors)) if model is not None else None,
        "splats": 0 if answer.gaussians is None else len(answer.gaussians.means),
        "by_stage": peaks.by_stage,
    }


class _Peaks:
    """Watches the memory of this process."""

    def __init__(self) -> None:
        self._start = _memory()
        self.anonymous, self.total, self.by_stage = 0, 0, dict[str, int]()
        self._stage, self._over = "start", threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stage(self, stage: str, fraction: float, sentence: str) -> None:
        self._stage = stage

    def end(self) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.01):
            anonymous, total = (round((now - before) / 1e6) for now, before in zip(_memory(), self._start, strict=True))
            self.anonymous, self.total = max(self.anonymous, anonymous), max(self.total, total)
            self.by_stage[self._stage] = max(self.by_stage.get(self._stage, 0), anonymous)


def _memory() -> tuple[int, int]:
    """Bytes of anonymous and of all memory that is in use."""
    lines = Path("/proc/self/status").read_text().splitlines()
    known = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines if line.startswith(("RssAnon", "VmRSS"))}
    return known["RssAnon"], known["VmRSS"]


def _some(answer: Prediction) -> list[tuple[int, View]]:
    return [(i, answer.views[i]) for i in range(0, len(answer.views), 7)]


def _jpeg(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=92)
    return file.getvalue()


def _sized(depth: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    image = Image.fromarray(depth.astype(np.float32))
    return np.asarray(image.resize((shape[1], shape[0]), Image.Resampling.BOX))


if __name__ == "__main__":
    main()
