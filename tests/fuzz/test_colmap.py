"""Damaged COLMAP models, binary and text: each gives cameras or a sentence, soon, and in little memory."""

from __future__ import annotations

import io
import struct
import time
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from model_runtime.cameras.colmap import colmap_cameras
from model_runtime.contract.messages import ColmapFile, ColmapModel, JobError, Photo
from tests.fuzz.mutations import ROUNDS, damaged

SECONDS, BYTES = 5.0, 50_000_000
"""What one damaged model of a kilobyte may take at most."""

CODES = {"cameras-unreadable", "cameras-missing", "bad-cameras"}
NAMES = ("a.jpg", "sub/b.jpg", "c.jpg")
CAMERAS = (
    (1, 1, "PINHOLE", (150.0, 155.0, 83.0, 58.0)),
    (2, 2, "SIMPLE_RADIAL", (150.0, 80.0, 60.0, -0.1)),
    (3, 7, "FOV", (150.0, 155.0, 83.0, 58.0, 0.9)),
)
POSE = (0.99, 0.01, 0.1, 0.02, 0.5, -0.25, 3.0)
POINTS = ((11, (0.1, 0.2, 0.3)), (12, (-0.5, 0.25, 1.0)))


def binary() -> dict[str, bytes]:
    cameras = b"".join(
        struct.pack(f"<IiQQ{len(values)}d", number, model, 160, 120, *values) for number, model, _, values in CAMERAS
    )
    seen = b"".join(struct.pack("<ddq", 80, 60, number) for number in (11, -1, 12))
    images = b"".join(
        struct.pack("<I7dI", i, *POSE, i) + name.encode() + struct.pack("<xQ", 3) + seen
        for i, name in enumerate(NAMES, 1)
    )
    points = b"".join(struct.pack("<Q3d3BdQII", n, *xyz, 9, 9, 9, 0.5, 1, 1, 0) for n, xyz in POINTS)
    lists = {"cameras": (cameras, 3), "images": (images, 3), "points3D": (points, 2)}
    return {f"{name}.bin": struct.pack("<Q", count) + data for name, (data, count) in lists.items()}


def text() -> dict[str, bytes]:
    def row(*values: object) -> str:
        return " ".join(map(str, values)) + "\n"

    cameras = "".join(row(number, model, 160, 120, *values) for number, _, model, values in CAMERAS)
    images = "".join(
        row(i, *POSE, i, name) + row(80, 60, 11, 80, 60, -1, 80, 60, 12) for i, name in enumerate(NAMES, 1)
    )
    points = "".join(row(number, *xyz, 9, 9, 9, 0.5, 1, 0) for number, xyz in POINTS)
    return {
        f"{n}.txt": f"# {n}\n{t}".encode() for n, t in (("cameras", cameras), ("images", images), ("points3D", points))
    }


def photos() -> list[Photo]:
    file = io.BytesIO()
    Image.new("RGB", (160, 120)).save(file, "JPEG")
    return [Photo(name, file.getvalue()) for name in NAMES]


def model_of(files: dict[str, bytes]) -> ColmapModel:
    return ColmapModel(tuple(ColmapFile(name, data) for name, data in files.items()))


@pytest.mark.parametrize("files", [binary(), text()], ids=["binary", "text"])
def test_undamaged_models_are_read(files: dict[str, bytes]) -> None:
    known = colmap_cameras(model_of(files), photos())
    assert known.known.all() and known.sparse is not None and len(known.sparse.points) == 2


@ROUNDS
@pytest.mark.parametrize("files", [binary(), text()], ids=["binary", "text"])
def test_damaged_models_are_read_or_told(files: dict[str, bytes], count: int, seed: int) -> None:
    taken = photos()
    tracemalloc.start()
    try:
        read = sum(
            _read(files, name, data, taken) for name in files for data in damaged([files[name]], count // 3, seed)
        )
    finally:
        tracemalloc.stop()
    assert count // 20 < read < count  # the faults are neither all fatal nor all harmless


def _read(files: dict[str, bytes], name: str, data: bytes, taken: list[Photo]) -> bool:
    """Whether a model with one damaged file could be read."""
    tracemalloc.reset_peak()
    before, started = tracemalloc.get_traced_memory()[0], time.process_time()
    try:
        known = colmap_cameras(model_of({**files, name: data}), taken)
        assert np.isfinite(known.cameras.extrinsics[known.known]).all(), (name, data)
        assert np.isfinite(known.cameras.intrinsics[known.known]).all(), (name, data)
        assert known.sparse is None or np.isfinite(known.sparse.points).all(), (name, data)
        return True
    except JobError as error:
        assert error.failure.code in CODES and error.failure.advice and len(error.failure.sentence) < 2000, (name, data)
        return False
    finally:
        assert time.process_time() - started < SECONDS, (name, data)
        assert tracemalloc.get_traced_memory()[1] - before < BYTES, (name, data)
