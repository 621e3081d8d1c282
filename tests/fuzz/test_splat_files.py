"""Damaged files of splats: each gives splats or a sentence, soon, in little memory, and never a number that is none."""

from __future__ import annotations

import io
import time
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model_runtime.contract.messages import JobError
from model_runtime.contract.splat_files.files import read_splats
from tests.fuzz.mutations import ROUNDS, damaged

SPLATS = Path(__file__).parents[1] / "reference" / "splats"
SECONDS, BYTES = 5.0, 100_000_000
"""What one damaged file of a few kilobytes may take at most."""

CODES = {"splats-unreadable", "out-of-memory"}


def decode_webp(data: bytes) -> np.ndarray:
    try:
        return np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))
    except (OSError, ValueError, SyntaxError):
        return np.empty((0, 0, 4), np.uint8)


def gzip(data: bytes) -> bytes:
    stream = zlib.compressobj(1, wbits=31)
    return stream.compress(data) + stream.flush()


def stored(data: bytes) -> bytes:
    """A zip whose members are not compressed, so that damage reaches what they hold."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    return file.getvalue()


def original() -> bytes:
    return (SPLATS / "original.ply").read_bytes()


KINDS: dict[str, tuple[str, list[bytes], Callable[[bytes], bytes]]] = {
    "ply": (".ply", [original(), (SPLATS / "gsply.compressed.ply").read_bytes()], bytes),
    "gzip": (".spz", [(SPLATS / "gaussforge_2.spz").read_bytes()], bytes),
    "spz": (".spz", [zlib.decompress((SPLATS / f"gaussforge_{v}.spz").read_bytes(), 31) for v in (2, 3)], gzip),
    "spz 4": (".spz", [(SPLATS / "gaussforge_4.spz").read_bytes()], bytes),
    "splat": (".splat", [(SPLATS / "gaussforge.splat").read_bytes()], bytes),
    "sog": (".sog", [stored((SPLATS / "splat_transform.sog").read_bytes())], bytes),
}
"""Suffix, good files, and what is done to a damaged one before it is a file."""


@ROUNDS
@pytest.mark.parametrize("kind", KINDS)
def test_damaged_files_are_read_or_told(tmp_path, kind: str, count: int, seed: int) -> None:
    suffix, samples, finish = KINDS[kind]
    path = tmp_path / f"a{suffix}"
    tracemalloc.start()
    try:
        for data in damaged(samples, count // 3, seed):
            path.write_bytes(finish(data))
            tracemalloc.reset_peak()
            began = time.monotonic()
            try:
                splats = read_splats(path, decode_webp).splats
            except JobError as error:
                assert error.failure.code in CODES
            else:
                for name in ("means", "scales", "rotations", "opacities", "harmonics"):
                    array = getattr(splats, name)
                    assert np.isfinite(array).all() and len(array) == len(splats) > 0
                np.testing.assert_allclose(np.linalg.norm(splats.rotations, axis=1), 1, atol=1e-5)
                assert splats.scales.min() >= 0 and 0 <= splats.opacities.min() <= splats.opacities.max() <= 1
            assert time.monotonic() - began < SECONDS
            assert tracemalloc.get_traced_memory()[1] < BYTES
    finally:
        tracemalloc.stop()
