"""Predictions with values that no worker should send become a plan or a sentence."""

from __future__ import annotations

import random
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np

from da3_blender.plan.scene_plan import PlanSettings, plan_scene
from model_runtime.contract.messages import JobError, Mesh
from tests.da3_blender.conftest import make_gaussians, make_prediction, make_view
from tests.fuzz.mutations import ROUNDS

EDGES = (0.0, -1.0, 1e-30, 1e30, 3e38, np.nan, np.inf, -np.inf)


def odd(value: Any, chance: random.Random) -> Any:
    """The value, or something else of its type: another shape, odd numbers, an odd text."""
    if isinstance(value, np.ndarray):
        return odd_array(value.copy(), chance)
    if isinstance(value, str):
        return chance.choice(("", "\0", "x" * 5000, "../a", "a\nb", "ä"))
    if isinstance(value, bytes):
        return chance.choice((b"", b"\x89PNG\r\n\x1a\n", chance.randbytes(100)))
    if isinstance(value, tuple):
        return chance.choice((value[:-1], value * 2, ()))
    if value is None or isinstance(value, bool | dict) or is_dataclass(value):
        return value
    return type(value)(chance.choice((0, -1, 10**9)))


def odd_array(array: np.ndarray, chance: random.Random) -> np.ndarray:
    kind = chance.randrange(4)
    if kind == 0:
        return array[:-1] if chance.random() < 0.5 else array[..., None]
    if kind == 1:
        return array.astype(chance.choice((np.float64, np.float32, np.uint8, np.int64, np.bool_)))
    if array.size and array.dtype.kind in "fiu":
        flat = array.reshape(-1)
        at = slice(None) if kind == 2 else [chance.randrange(flat.size) for _ in range(3)]
        with np.errstate(invalid="ignore"):
            flat[at] = np.array(chance.choice(EDGES)).astype(array.dtype)
    return array


def with_odd(value: Any, chance: random.Random) -> Any:
    """A message with one of its fields, however deep, made odd."""
    name = chance.choice([field.name for field in fields(value)])
    inside = getattr(value, name)
    if isinstance(inside, tuple) and inside and is_dataclass(inside[0]) and chance.random() < 0.9:
        at = chance.randrange(len(inside))
        return replace(value, **{name: (*inside[:at], with_odd(inside[at], chance), *inside[at + 1 :])})
    if is_dataclass(inside) and chance.random() < 0.9:
        return replace(value, **{name: with_odd(inside, chance)})
    return replace(value, **{name: odd(inside, chance)})


@ROUNDS
def test_odd_predictions_become_a_plan_or_a_sentence(count: int, seed: int) -> None:
    chance = random.Random(seed)
    first = make_view(detail=60, name="a.jpg")
    views = (first, replace(make_view(detail=60, name="b.jpg"), repeated=first.color[..., 0] > 99))
    mesh = Mesh(np.eye(3, dtype=np.float32), np.int32([[0, 1, 2]]), np.zeros(1, np.int32), np.zeros((3, 3), np.uint8))
    splats = replace(make_gaussians(np.eye(3)), repeated=np.eye(3, dtype=bool)[0])
    good = replace(make_prediction(*views, gaussians=splats), mesh=mesh)
    refused = 0
    count //= 5  # to look for a floor takes a while
    for _ in range(count):
        prediction = with_odd(good, chance)
        try:
            plan_scene(prediction, "room", [None] * len(prediction.views), PlanSettings())
        except JobError as error:
            assert error.failure.sentence
            refused += 1
    assert count / 10 < refused < count
