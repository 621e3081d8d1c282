"""Matches that contradict the cameras are told."""

from __future__ import annotations

from typing import Any

import numpy as np

from model_runtime.cameras.features.matching import Matches
from model_runtime.cameras.features.repeats import check_repeats


def test_true_cameras_are_not_contradicted(room: Any, matches: Matches) -> None:
    assert check_repeats(room.extrinsics, room.intrinsics, matches) == []


def test_a_camera_one_period_further_along_is_told(room: Any, matches: Matches) -> None:
    aside = room.extrinsics.copy()
    aside[-1, :3, 3] += aside[-1, :3, :3] @ (1.0, 0.0, 0.0)
    pairs = [pair for pair in matches.geometries if len(room.extrinsics) - 1 in pair]
    assert len(pairs) >= 3
    (note,) = check_repeats(aside, room.intrinsics, matches)
    assert note.startswith(f"{len(pairs)} of {len(matches.geometries)} pairs of photos match in another way")


def test_photos_without_a_camera_count_for_nothing(room: Any, matches: Matches) -> None:
    missing = room.extrinsics.copy()
    missing[-1] = np.nan
    assert check_repeats(missing, room.intrinsics, matches) == []
