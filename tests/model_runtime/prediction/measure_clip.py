"""A whole clip's job: time a frame, memory, and how right its cameras are.

    python -m tests.model_runtime.prediction.measure_clip [--counts 50 100 200 300] [--size 480 270]

The clip is a walk around a room and back, in a step of 300 frames, from an MP4 that is made once.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from model_runtime.contract.messages import Clip, Request
from model_runtime.contract.stored_files import stored
from tests.model_runtime.clips.clip_scores import scores
from tests.model_runtime.clips.made_clips import Room, filmed, walk
from tests.model_runtime.clips.written import Written, write_film

CACHE = Path(tempfile.gettempdir()) / "da3-measured-clip"
ROUND = 300
"""Frames of the whole walk."""


def film(size: tuple[int, int]) -> tuple[Path, np.ndarray]:
    """The walk, and its true cameras [F,4,4]."""
    path, truth = CACHE / f"walk-{size[0]}.mp4", CACHE / f"walk-{size[0]}.npy"
    if not truth.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        made = filmed(Room(), walk(ROUND), ROUND, size)
        write_film(path, Written(ROUND, size, picture=lambda number, _: made.frames[number], options={"crf": "18"}))
        np.save(truth, made.extrinsics)
    return path, np.load(truth)


def measure(count: int, size: tuple[int, int]) -> dict[str, object]:
    """Of the first frames, in this process."""
    from model_runtime.prediction.predictor import Predictor

    path, truth = film(size)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DA3_JOBS"] = folder
        request = Request((), clip=Clip(path.name, stored(path), last=count - 1))
        begun, wall = time.process_time(), time.monotonic()
        prediction = Predictor().predict(request, lambda *_: None)
        took = time.process_time() - begun, time.monotonic() - wall
    track = prediction.track
    assert track is not None
    found = scores(track.extrinsics, truth[:count])
    return {
        "frames": count,
        "views": len(prediction.views),
        "sources": {source: track.sources.count(source) for source in set(track.sources)},
        "cpu_s_a_frame": round(took[0] / count, 2),
        "wall_s": round(took[1]),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "ate_percent": round(100 * found.ate, 4),
        "turn": [round(found.turn, 4), round(found.most_turned, 4)],
        "jitter_percent": round(100 * found.jitter, 2),
        "loop_percent": round(100 * found.loop, 4),
        "without": found.without,
        "seconds": prediction.settings["seconds"],
        "splats": 0 if prediction.gaussians is None else len(prediction.gaussians.means),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--counts", type=int, nargs="+", default=[50, 100, 200, 300])
    parser.add_argument("--size", type=int, nargs=2, default=[480, 270])
    parser.add_argument("--one", type=int, help="measure in this process")
    options = parser.parse_args()
    size = (options.size[0], options.size[1])
    if options.one:
        print(json.dumps(measure(options.one, size)), flush=True)
        return
    film(size)
    for count in options.counts:
        command = [sys.executable, "-m", "tests.model_runtime.prediction.measure_clip", "--one", str(count)]
        subprocess.run([*command, "--size", *map(str, size)], check=True)


if __name__ == "__main__":
    main()
