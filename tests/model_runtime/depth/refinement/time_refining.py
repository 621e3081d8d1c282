"""What refining depth costs: `.venv/bin/python -m tests.model_runtime.depth.refinement.time_refining [photo ...]`.

The same job without and with it, by turns, features remembered from a job before: CPU seconds and seconds of each, and
what lies between them.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from model_runtime.contract.messages import Photo, Request
from model_runtime.contract.progress import SILENT
from model_runtime.prediction.predictor import Predictor

EXAMPLE = Path(__file__).parents[4] / "examples" / "living_room"
ROUNDS = 3


def main(paths: list[Path]) -> None:
    photos = tuple(Photo(path.name, path.read_bytes()) for path in paths)
    predictor = Predictor()
    predictor.predict(Request(photos, refine_depth="off"), SILENT.report)
    taken: dict[str, list[tuple[float, float]]] = {"off": [], "auto": []}
    for _ in range(ROUNDS):
        for wish, times in taken.items():
            begin = time.process_time(), time.perf_counter()
            predictor.predict(Request(photos, refine_depth=wish), SILENT.report)
            times.append((time.process_time() - begin[0], time.perf_counter() - begin[1]))
    best = {wish: [min(column) for column in zip(*times, strict=True)] for wish, times in taken.items()}
    for wish, (cpu, wall) in best.items():
        print(f"refine_depth {wish}: {cpu:.1f} CPU seconds, {wall:.1f} seconds")
    print(f"refining {len(photos)} photos: {best['auto'][0] - best['off'][0]:.1f} CPU seconds")


if __name__ == "__main__":
    main([Path(path) for path in sys.argv[1:]] or sorted(EXAMPLE.glob("*.jpg")))
