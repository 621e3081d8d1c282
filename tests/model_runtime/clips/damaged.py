"""Reads films that are damaged in ways drawn by chance; run in a process of its own, which may then crash or hang.

    python -m tests.model_runtime.clips.damaged FIRST COUNT

prints a line for each damaged film: what became of it. Exits with 1 where something else was raised than a JobError.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from model_runtime.clips.film import film_facts, film_source
from model_runtime.contract.messages import Clip, JobError
from tests.model_runtime.clips.written import Written, read_number, write_film

KINDS = {
    "film.mp4": Written(frames=24),
    "film.mkv": Written(frames=24),
    "film.avi": Written(frames=24, codec="mpeg4"),
    "film.webm": Written(frames=24, codec="libvpx-vp9"),
    "film.ts": Written(frames=24),
    "film.mov": Written(frames=24, codec="mjpeg", pixels="yuvj420p"),
    "hevc.mp4": Written(frames=24, codec="libx265", options={"x265-params": "log-level=none"}),
}


def damage(whole: bytes, rng: np.random.Generator) -> bytes:
    """Some bytes changed, of its head often, or a part cut out, or the end cut off."""
    data = bytearray(whole)
    kind = rng.integers(4)
    if kind == 0:
        return bytes(data[: rng.integers(len(data))])
    if kind == 1:
        start = int(rng.integers(len(data)))
        del data[start : start + int(rng.integers(1, 2000))]
        return bytes(data)
    reach = min(len(data), 1500) if kind == 2 else len(data)
    for place in rng.integers(reach, size=rng.integers(1, 40)):
        data[place] = rng.integers(256)
    return bytes(data)


def read(path: Path) -> str:
    """What becomes of a film when all is asked of it."""
    try:
        film_facts(path)
        source = film_source(path, Clip(path.name))
        read = [read_number(picture) == place for place, picture in source.pictures()]
        list(source.pictures(range(0, len(source), 9)))
    except JobError as error:
        assert error.failure.sentence.endswith(".")
        return f"{error.failure.code}: {error.failure.sentence}"
    return f"{len(read)} of {len(source)} frames, {sum(read)} with their numbers; {' '.join(source.notes)}"


def main(first: int, count: int) -> int:
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        wholes = {name: write_film(Path(folder) / name, how).read_bytes() for name, how in KINDS.items()}
        for seed in range(first, first + count):
            name = list(wholes)[seed % len(wholes)]
            path = Path(folder) / f"damaged-{name}"
            path.write_bytes(damage(wholes[name], np.random.default_rng(seed)))
            start = time.monotonic()
            try:
                told = read(path)
            except Exception as error:
                failed += 1
                told = f"RAISED {error!r}"
            print(f"{seed} {name} {time.monotonic() - start:.1f} s: {told}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
