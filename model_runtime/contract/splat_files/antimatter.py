"""The .splat files of https://github.com/antimatter15/splat: 32 bytes a splat, colours of degree 0."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import BinaryIO

import numpy as np

from model_runtime.contract.harmonics import BASE

from .cloud import SplatCloud, memory_of
from .refusals import SplatFileError, check_count, check_memory

ROW = np.dtype([("means", "<f4", 3), ("scales", "<f4", 3), ("color", "u1", 4), ("rotation", "u1", 4)])


def read(file: BinaryIO, report: Callable[[float], None]) -> SplatCloud:
    """Raises SplatFileError, JobError where there is no memory, OSError."""
    count, rest = divmod(os.fstat(file.fileno()).st_size, ROW.itemsize)
    if rest:
        raise SplatFileError("it ends within a splat, or is no .splat file")
    check_count(count)
    check_memory(3 * memory_of(count, 1))
    rows = np.frombuffer(file.read(count * ROW.itemsize), ROW)
    report(0.5)
    colors = rows["color"].astype(np.float32) / 255
    return SplatCloud(
        means=rows["means"].astype(np.float32),
        scales=rows["scales"].astype(np.float32),
        rotations=(rows["rotation"].astype(np.float32) - 128) / 128,
        opacities=colors[:, 3].copy(),
        harmonics=((colors[:, :3] - 0.5) / np.float32(BASE))[:, :, None],
    )
