"""Splats to write and read."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from model_runtime.contract.splat_files.cloud import SplatCloud


def random_cloud(count: int = 40, degree: int = 3, seed: int = 0) -> SplatCloud:
    rng = np.random.default_rng(seed)
    rotations = rng.normal(size=(count, 4))
    rotations /= np.linalg.norm(rotations, axis=1, keepdims=True)
    arrays = (
        rng.normal(scale=3, size=(count, 3)),
        np.exp(rng.normal(-3, 1, size=(count, 3))),
        rotations,
        rng.uniform(0.02, 0.98, count),
        rng.normal(scale=0.3, size=(count, 3, (degree + 1) ** 2)),
    )
    return SplatCloud(*(array.astype(np.float32) for array in arrays))


@pytest.fixture(scope="session")
def make_cloud() -> Callable[..., SplatCloud]:
    return random_cloud


@pytest.fixture(scope="session")
def decode_webp() -> Callable[[bytes], np.ndarray]:
    def decode(data: bytes) -> np.ndarray:
        return np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))

    return decode
