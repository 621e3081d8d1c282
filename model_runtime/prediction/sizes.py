"""How many photos the network looks at together: as many as there is memory for, and no more than serve."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from model_runtime.contract.catalogue import PATCH
from model_runtime.contract.messages import JobError, Photo
from model_runtime.network.config import (
    HEAD_PIXELS_ON_CPU,
    PRESETS,
    AnyViewConfig,
    BackboneConfig,
    Config,
    HeadConfig,
    NestedConfig,
)
from model_runtime.photos.canvas import nearest_multiple
from model_runtime.photos.decode import stored_shape, upright_size
from model_runtime.prediction.devices import free_memory_of
from model_runtime.prediction.plan import Plan

MOST_AT_ONCE = 40
"""Photos. Every token attends to those of all photos, so that the time for a photo grows with their number: on two
cores a photo of 504 x 378 took da3-small 0.7 s among 2, 0.9 among 8, 1.8 among 16. From here on it stays the same."""

FEWEST_AT_ONCE = 4
"""Photos in a chunk, if there are several: fewer tell the network hardly where the others stand."""

TOKEN_COPIES = 14
"""Copies of a photo's tokens that are alive at once: a block's activations and the layers that heads read."""

PIXEL_FLOATS, SPLAT_FLOATS = 12, 160
"""Numbers for each pixel of a photo: its picture, twice, and what heads make of it; and those for splats."""

HEAD_FLOATS, HEAD_FLOATS_ON_CPU, HEAD_MAPS = 70, 20, 1.25
"""Numbers for each pixel that a head works on: so many (on a CPU its last maps exist in strips only), and so many times
its features."""

HEAD_CHUNK = 8
"""Photos that a head takes at once on a GPU where there is room; one where there is not."""

RESERVE = 0.15, 300_000_000
"""Share of the free memory, and bytes, that are left for what comes beside the network: decoding, depth, splats."""


@dataclass(frozen=True)
class Sizes:
    """photos: of the job. at_once: that the network looks at together at most. memory: bytes that this takes. canvas:
    (width, height) in pixels of what it sees."""

    photos: int
    at_once: int
    memory: float
    canvas: tuple[int, int]

    @property
    def chunks(self) -> int:
        """Fewest that hold all photos, without those that are in two of them."""
        return math.ceil(self.photos / self.at_once)

    def sentence(self, chunks: int, seconds: float | None = None) -> str:
        """What the artist is told of a job of several chunks. seconds: what is left, where it is known."""
        gigabytes = f"{self.memory / 1e9:.1f}"
        if seconds is None:
            return f"{self.photos} photos: {chunks} chunks of up to {self.at_once}, about {gigabytes} GB."
        left = f"{seconds / 60:.1f}"
        return f"{self.photos} photos: {chunks} chunks of up to {self.at_once}, {left} minutes are left."


def plan_sizes(plan: Plan, photos: Sequence[Photo], available: float | None = None) -> Sizes:
    """Raises JobError `out-of-memory` where not even one photo fits. available: bytes, what the device has if None."""
    config = PRESETS[plan.checkpoint.info.preset]
    canvas = _canvas(photos, plan.resolution)
    splats = plan.request.gaussians and plan.switches.gaussian_head
    # The weights are read as they are stored, in 16 or 32 bits, and kept in 32.
    left = free_memory_of(plan.compute.device) if available is None else available
    left -= 2 * plan.checkpoint.path.stat().st_size
    on_cpu = plan.compute.name == "cpu"
    fixed, per_photo = memory_needed(config, canvas, splats, on_cpu)
    small, _ = memory_needed(config, canvas, splats, on_cpu, head_chunk=1)
    if small + per_photo > left:
        raise JobError(
            "out-of-memory",
            f"A photo at a resolution of {plan.resolution} takes {(small + per_photo) / 1e9:.1f} GB of memory with "
            f"{plan.checkpoint.info.name}; {max(left, 0) / 1e9:.1f} are free on {plan.compute.name}.",
            "Lower the resolution, close other programs or choose a smaller checkpoint.",
        )
    room = left * (1 - RESERVE[0]) - RESERVE[1]
    fixed = fixed if fixed + HEAD_CHUNK * per_photo <= room else small
    fits = max(int((room - fixed) / per_photo), min(len(photos), FEWEST_AT_ONCE), 1) if room < math.inf else len(photos)
    at_once = min(fits, MOST_AT_ONCE, len(photos))
    return Sizes(len(photos), at_once, fixed + at_once * per_photo, canvas)


def memory_needed(
    config: Config, canvas: tuple[int, int], splats: bool, on_cpu: bool, head_chunk: int = HEAD_CHUNK
) -> tuple[float, float]:
    """Bytes besides the weights: whatever the number of photos, and for each; in float32, which is the most.

    canvas: (width, height) in pixels.
    """
    if isinstance(config, NestedConfig):
        parts = [memory_needed(each, canvas, splats, on_cpu, head_chunk) for each in (config.any_view, config.metric)]
        return max(fixed for fixed, _ in parts), max(per_photo for _, per_photo in parts)
    pixels = canvas[0] * canvas[1]
    with_splats = splats and isinstance(config, AnyViewConfig) and config.gaussian_head
    per_pixel = PIXEL_FLOATS + (SPLAT_FLOATS if with_splats else 0)
    per_photo = 4.0 * (pixels * per_pixel + _token_floats(config.backbone, pixels))
    if on_cpu:
        head_chunk = max(1, min(head_chunk, HEAD_PIXELS_ON_CPU // pixels))
    return head_chunk * 4.0 * pixels * _head_floats(config.head, on_cpu), per_photo


def _token_floats(backbone: BackboneConfig, pixels: int) -> float:
    return TOKEN_COPIES * (1 + pixels / PATCH**2) * backbone.dim


def _head_floats(head: HeadConfig, on_cpu: bool) -> float:
    return (HEAD_FLOATS_ON_CPU if on_cpu else HEAD_FLOATS) + HEAD_MAPS * head.features


def _canvas(photos: Sequence[Photo], resolution: int) -> tuple[int, int]:
    """(width, height) of the canvas that holds all photos, by their headers; those that have none are told later."""
    sizes = []
    for photo in photos:
        try:
            width, height = upright_size(*stored_shape(photo))
        except JobError:
            continue
        scale = resolution / max(width, height)
        sizes.append([nearest_multiple(max(1, round(side * scale))) for side in (width, height)])
    if not sizes:
        return resolution, resolution
    return max(width for width, _ in sizes), max(height for _, height in sizes)
