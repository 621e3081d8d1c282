"""How many photos the network takes at once: as memory that was measured says."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from model_runtime.contract.messages import JobError, Photo, Request
from model_runtime.network.config import PRESETS
from model_runtime.prediction import sizes
from model_runtime.prediction.plan import ALL_ON, Plan, make_plan
from model_runtime.prediction.sizes import FEWEST_AT_ONCE, HEAD_CHUNK, MOST_AT_ONCE, memory_needed, plan_sizes

MEASURED = [
    ("da3-tiny", (252, 196), True, 16, 553),
    ("da3-tiny", (252, 196), True, 32, 1127),
    ("da3-tiny", (252, 196), False, 16, 100),
    ("da3-tiny", (252, 196), False, 32, 178),
    ("da3-tiny", (504, 378), False, 8, 157),
    ("da3-tiny", (504, 378), False, 16, 272),
    ("da3-tiny", (504, 378), True, 2, 275),
    ("da3-tiny", (504, 378), True, 16, 1940),
    ("da3-small", (504, 378), False, 2, 119),
    ("da3-small", (504, 378), False, 8, 310),
    ("da3-small", (504, 378), False, 16, 609),
    ("da3-base", (504, 378), False, 2, 219),
    ("da3-base", (504, 378), False, 8, 583),
]
"""Preset, canvas, splats, photos, and the peak of anonymous memory in MB beside the weights, float32 on a CPU."""


@pytest.mark.parametrize(("preset", "canvas", "splats", "photos", "megabytes"), MEASURED)
def test_what_is_reckoned_is_what_was_measured_or_somewhat_more(
    preset: str, canvas: tuple[int, int], splats: bool, photos: int, megabytes: float
) -> None:
    fixed, per_photo = memory_needed(PRESETS[preset], canvas, splats, on_cpu=True, head_chunk=min(photos, HEAD_CHUNK))
    assert 0.85 < (fixed + photos * per_photo) / (megabytes * 1e6) < 1.6


@pytest.fixture(scope="session")
def plan(tiny_checkpoint: Path, photos: tuple[Photo, ...]) -> Plan:
    return make_plan(Request(photos, checkpoint=str(tiny_checkpoint), device="cpu"), ALL_ON)


def test_all_photos_at_once_where_they_fit(plan: Plan, photos: tuple[Photo, ...]) -> None:
    found = plan_sizes(plan, photos, 10e9)
    assert (found.photos, found.at_once, found.chunks, found.canvas) == (3, 3, 1, (84, 84))


def test_no_more_than_serve(plan: Plan, photos: tuple[Photo, ...]) -> None:
    found = plan_sizes(plan, photos * 50, 100e9)
    assert (found.at_once, found.chunks) == (MOST_AT_ONCE, 4)
    assert found.sentence(4).startswith("150 photos: 4 chunks of up to 40, about ")
    assert found.sentence(4, 200.0).endswith("up to 40, 3.3 minutes are left.")


def test_no_more_than_there_is_memory_for(plan: Plan, photos: tuple[Photo, ...]) -> None:
    weights = 2 * plan.checkpoint.path.stat().st_size
    counts = [plan_sizes(plan, photos * 50, weights + megabytes * 1e6).at_once for megabytes in (200, 420, 460, 500)]
    assert counts == sorted(counts) and counts[0] == FEWEST_AT_ONCE and counts[0] < counts[-1] < MOST_AT_ONCE
    for megabytes in (420, 460, 500):
        found = plan_sizes(plan, photos * 50, weights + megabytes * 1e6)
        assert found.memory < megabytes * 1e6


def test_what_can_never_be_done_is_told_before_it_begins(plan: Plan, photos: tuple[Photo, ...]) -> None:
    with pytest.raises(JobError) as caught:
        plan_sizes(plan, photos, 2 * plan.checkpoint.path.stat().st_size + 1e6)
    assert caught.value.failure.code == "out-of-memory" and caught.value.failure.advice
    assert "resolution of 84" in caught.value.failure.sentence


@pytest.mark.skipif(not torch.cuda.is_available(), reason="without a GPU")
def test_a_gpu_tells_what_it_has() -> None:
    assert 0 < sizes.free_memory_of(torch.device("cuda")) <= torch.cuda.get_device_properties(0).total_memory
