"""Known cameras of a request that cannot be used: the sentence names the photo."""

from __future__ import annotations

import numpy as np
import pytest

from model_runtime.cameras.given import KnownCameras, given_cameras, with_lenses_of_others
from model_runtime.contract.lens import BROWN, Lens
from model_runtime.contract.messages import Cameras, JobError

NAMES = ("a.jpg", "b.jpg", "c.jpg")


def cameras() -> Cameras:
    """The last one is not known."""
    extrinsics, intrinsics = np.tile(np.eye(4), (3, 1, 1)), np.tile(np.diag([50.0, 50, 1]), (3, 1, 1))
    extrinsics[2], intrinsics[2] = np.nan, np.nan
    return Cameras(extrinsics, intrinsics)


@pytest.mark.parametrize(
    ("of", "place", "number", "told"),
    [
        ("extrinsics", (0, 3), np.nan, "The camera of b.jpg holds numbers that are too large or not finite."),
        ("extrinsics", (0, 3), 1.1e9, "The camera of b.jpg holds numbers that are too large or not finite."),
        ("extrinsics", (0, 0), -1, "The camera of b.jpg is not placed by a rotation and a translation."),
        ("intrinsics", (0, 0), 1.1e9, "The camera of b.jpg holds numbers that are too large or not finite."),
        ("intrinsics", (1, 1), 0.9, "The intrinsics of b.jpg are not those of a pinhole camera."),
        ("intrinsics", (0, 1), 0.1, "The camera of b.jpg has skew, which is not supported."),
    ],
)
def test_cameras_that_cannot_be_used_are_named(of: str, place: tuple[int, int], number: float, told: str) -> None:
    bad = cameras()
    getattr(bad, of)[1][place] = number
    with pytest.raises(JobError) as caught:
        given_cameras(bad, NAMES)
    assert (caught.value.failure.code, str(caught.value)) == ("bad-cameras", told)


@pytest.mark.parametrize(
    ("of", "place", "number"),
    [("extrinsics", (0, 3), -9e8), ("intrinsics", (0, 1), 1e-3), ("intrinsics", (1, 1), 1.0)],
)
def test_unusual_cameras_are_let_by(of: str, place: tuple[int, int], number: float) -> None:
    unusual = cameras()
    getattr(unusual, of)[1][place] = number
    assert getattr(given_cameras(unusual, NAMES), of)[1][place] == number


@pytest.mark.parametrize(
    ("k1", "size", "taken"),
    [
        ((-0.1, -0.1), (60, 40), True),
        ((-0.1, -0.2), (60, 40), False),
        ((-0.1, None), (60, 40), False),
        ((-0.1, -0.1), (40, 60), False),
        ((-0.1, -0.1), None, False),
    ],
)
def test_photos_without_a_camera_have_the_one_lens_of_the_others(k1, size, taken: bool) -> None:
    known = cameras()
    lenses = [None if k is None else Lens(BROWN, (60, 40), known.intrinsics[0], np.array([k])) for k in k1]
    given = KnownCameras(Cameras(known.extrinsics, known.intrinsics, (*lenses, None)))
    filled = with_lenses_of_others(given, [(60, 40), (60, 40), size]).cameras
    assert filled.lenses == (*lenses, lenses[0] if taken else None)
    assert np.array_equal(filled.intrinsics[2], known.intrinsics[0]) == taken
    assert np.isnan(filled.extrinsics[2]).all()
