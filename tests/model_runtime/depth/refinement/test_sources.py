"""Which photos are compared, told by the angle between the lines of sight and what they share."""

from __future__ import annotations

import numpy as np
import pytest

from model_runtime.depth.refinement.sources import choose_sources
from model_runtime.geometry.arrays import on_device
from tests.model_runtime.depth.refinement.conftest import CPU
from tests.model_runtime.depth.room import Camera, look

SIZE = (48, 64)
TARGET = (0.0, 0.0, 5.0)


def around(degrees: float) -> Camera:
    """Five away from the target, seen from straight ahead turned by an angle."""
    angle = np.radians(degrees)
    return look((5 * np.sin(angle), 0.0, 5 - 5 * np.cos(angle)), TARGET)


def sources(cameras: list[Camera], most: int = 8) -> list[list[int]]:
    """By numpy; torch must say the same."""
    depth = np.full(SIZE, np.log(5.0), np.float32)
    by_numpy, by_torch = (
        choose_sources([camera.map(SIZE) for camera in cameras], [on_device(depth, device)] * len(cameras), most)
        for device in (None, CPU)
    )
    assert by_numpy == by_torch
    return by_numpy


def test_ten_degrees_are_better_than_fewer_and_than_many_more() -> None:
    chosen = sources([around(a) for a in (0, 0.0, 3, 10, 45)])[0]
    assert chosen[:2] == [3, 2] and 1 not in chosen


@pytest.mark.parametrize("far", [0.0, 1e6])
def test_cameras_at_one_point_tell_no_depth(far: float) -> None:
    turned = [look((far, 0, -far), (far + x, 0, 5 - far)) for x in (-1.0, 0.0, 1.0)]
    assert sources(turned) == [[], [], []]


def test_photos_that_share_nothing_are_not_compared() -> None:
    apart = [around(0), look((0.9, 0, 0), (0.9, 0, -5.0)), look((400.0, 0, 0), (400.0, 0, 5.0))]
    assert sources(apart) == [[], [], []]


def test_a_lone_photo_has_none() -> None:
    assert sources([around(0)]) == [[]]


def test_no_more_than_asked_for_and_the_best_first() -> None:
    angles = (0, 1.5, 4, 6, 8, 10.5, 45)
    chosen = sources([around(a) for a in angles], 3)[0]
    assert [angles[i] for i in chosen] == [10.5, 8, 6]
