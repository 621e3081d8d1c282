"""Five photos of the room, one of them upright, whose depth is bent and too near; and what refining makes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from model_runtime.contract.progress import Span
from model_runtime.depth.refinement.refine import DepthPhoto, RefinedDepth, one_thread, refine_depths
from model_runtime.geometry.arrays import Array, Device, on_device
from tests.model_runtime.depth.room import Camera, bent, depth_photo, look

CPU = torch.device("cpu")


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    with one_thread():
        yield


@pytest.fixture(params=[None, CPU], ids=["numpy", "torch"])
def device(request: pytest.FixtureRequest) -> Device:
    return request.param


@pytest.fixture
def sent(device: Device) -> Callable[..., Array]:
    """Makes a float32 array on the device, of anything that is one of numpy."""
    return lambda values: on_device(np.ascontiguousarray(values, np.float32), device)


@dataclass(frozen=True, eq=False)
class Refined:
    """told: what progress told, (fraction, sentence)."""

    cameras: list[Camera]
    photos: list[DepthPhoto]
    results: list[RefinedDepth | None]
    told: list[tuple[float, str]]


@pytest.fixture(scope="session")
def refined() -> Refined:
    target = (0.0, 0.3, 4.0)
    cameras = [look((x, y, 0.0), target) for x, y in ((-0.8, 0.0), (-0.4, 0.15), (0.4, 0.1), (0.8, 0.0))]
    cameras.insert(2, look((0.0, -0.1, 0.0), target, (240, 320)))
    photos = []
    for i, camera in enumerate(cameras):
        upright = camera.photo[0] < camera.photo[1]
        grey_size, size = ((120, 90), (70, 56)) if upright else ((90, 120), (56, 70))
        photos.append(depth_photo(camera, grey_size, size, bent(size, i), f"{i}.jpg"))
    told: list[tuple[float, str]] = []
    with one_thread():
        results = refine_depths(photos, None, Span(lambda _, *what: told.append(what)))
    return Refined(cameras, photos, results, told)
