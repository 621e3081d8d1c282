"""The room from photos whose depth is bent and too near, and photos that cannot be compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from model_runtime.contract.progress import SILENT, Span
from model_runtime.depth.refinement.refine import DepthPhoto, RefinedDepth, refine_depths
from tests.model_runtime.depth.refinement.conftest import CPU, Refined
from tests.model_runtime.depth.room import BOX, WALL, bent, cast, depth_photo, look

SIZE, GREY = (42, 56), (60, 80)


def refine(photos: Sequence[DepthPhoto], progress: Span = SILENT) -> list[RefinedDepth | None]:
    return refine_depths(photos, None, progress)


@pytest.fixture(scope="module")
def three() -> list[DepthPhoto]:
    cameras = [look((x, 0.1, 0.0), (0, 0.3, 4)) for x in (-0.5, 0.0, 0.5)]
    return [depth_photo(camera, GREY, SIZE, bent(SIZE, i), f"{i}.jpg") for i, camera in enumerate(cameras)]


def shifted(photo: DepthPhoto, x: float) -> DepthPhoto:
    """The same, taken elsewhere in the world."""
    extrinsics = photo.extrinsics.copy()
    extrinsics[:3, 3] -= extrinsics[:3, 0] * x
    return replace(photo, extrinsics=extrinsics)


def errors(photo: DepthPhoto, result: RefinedDepth | None, truth: np.ndarray) -> np.ndarray:
    assert result is not None
    return np.abs(photo.depth * result.correction / truth - 1)


def test_bent_depth_becomes_that_of_the_room(refined: Refined) -> None:
    for camera, photo, result in zip(refined.cameras, refined.photos, refined.results, strict=True):
        assert result is not None
        assert result.correction.dtype == result.agreement.dtype == np.float32
        assert result.correction.shape == result.agreement.shape == photo.depth.shape
        truth, what = cast(camera, photo.depth.shape)
        before, after = np.abs(photo.depth / truth - 1), errors(photo, result, truth)
        assert np.median(before) > 0.15
        assert np.median(after) < 0.01 < 0.1 * np.median(before)
        assert (after < 0.03).mean() > 0.88
        for kind in (WALL, BOX):
            assert np.median(after[what == kind]) < 0.01


def test_what_photos_agree_on_is_right_and_what_is_wrong_has_little_agreement(refined: Refined) -> None:
    for camera, photo, result in zip(refined.cameras, refined.photos, refined.results, strict=True):
        assert result is not None
        after = errors(photo, result, cast(camera, photo.depth.shape)[0])
        assert result.agreement.min() >= 0 and result.agreement.max() <= 1
        sure = result.agreement > 0.5
        assert sure.mean() > 0.25
        assert (after[sure] < 0.03).mean() > 0.97
        assert result.agreement[after > 0.1].mean() < 0.7 * result.agreement.mean()


def test_progress_rises_and_names_every_photo_twice(refined: Refined) -> None:
    fractions = [fraction for fraction, _ in refined.told]
    assert fractions == sorted(fractions)
    assert fractions[0] == 0 and 0.9 < fractions[-1] < 1
    for photo in refined.photos:
        assert len({sentence for _, sentence in refined.told if photo.name in sentence}) == 2


def test_the_same_photos_give_the_same_bytes(three: list[DepthPhoto]) -> None:
    first, second = refine(three), refine(three)
    for a, b in zip(first, second, strict=True):
        assert a is not None and b is not None
        assert a.correction.tobytes() == b.correction.tobytes()
        assert a.agreement.tobytes() == b.agreement.tobytes()


def test_torch_says_what_numpy_says(three: list[DepthPhoto]) -> None:
    for a, b in zip(refine(three), refine_depths(three, CPU, SILENT), strict=True):
        assert a is not None and b is not None
        off = np.abs(a.correction / b.correction - 1)
        assert np.median(off) < 1e-4 and np.quantile(off, 0.95) < 0.01
        assert np.abs(a.agreement - b.agreement).mean() < 0.01


def test_depth_that_is_right_stays(three: list[DepthPhoto]) -> None:
    truths = [photo.depth / bent(SIZE, i) for i, photo in enumerate(three)]
    right = [replace(photo, depth=truth.astype(np.float32)) for photo, truth in zip(three, truths, strict=True)]
    for photo, result, truth in zip(right, refine(right), truths, strict=True):
        after = errors(photo, result, truth)
        assert np.median(after) < 0.005 and np.quantile(after, 0.9) < 0.03


@pytest.mark.parametrize("unit", [1e-5, 1000.0])
def test_the_unit_of_the_world_and_its_origin_do_not_matter(three: list[DepthPhoto], unit: float) -> None:
    """So far away, too, that single precision would not tell the cameras apart."""
    far = unit * np.array([3e4, -1e4, 2e4])
    moved = []
    for photo in three:
        extrinsics = photo.extrinsics.copy()
        extrinsics[:3, 3] = unit * extrinsics[:3, 3] - extrinsics[:3, :3] @ far
        moved.append(replace(photo, depth=(unit * photo.depth).astype(np.float32), extrinsics=extrinsics))
    for plain, result in zip(refine(three), refine(moved), strict=True):
        assert plain is not None and result is not None
        off = np.abs(result.correction / plain.correction - 1)
        assert np.median(off) < 1e-3 and np.quantile(off, 0.95) < 0.01


def test_photos_that_share_nothing_are_left_alone(three: list[DepthPhoto]) -> None:
    assert refine([three[0], shifted(three[1], 900.0)]) == [None, None]
    assert refine([]) == [] and refine(three[:1]) == [None]
    first, lone, last = refine([three[0], shifted(three[1], 900.0), three[2]])
    assert lone is None and first is not None and last is not None


def test_photos_from_one_point_are_left_alone() -> None:
    """A panorama: turning tells no depth."""
    cameras = [look((0.1, 0, 0), (x, 0.3, 4)) for x in (-0.5, 0.0, 0.5)]
    assert refine([depth_photo(camera, GREY, SIZE, 0.9) for camera in cameras]) == [None, None, None]


@pytest.mark.filterwarnings("error")
def test_depth_that_is_none_is_left_alone_and_the_others_are_refined(three: list[DepthPhoto]) -> None:
    bad = []
    for value in (np.inf, np.nan, 0.0, -1.0, 4e9, 4e-9):
        depth = three[1].depth.copy()
        depth[3, 4] = value
        bad.append(replace(three[1], depth=depth))
    results = refine([bad[0], three[0], *bad[1:], three[2]])
    assert [result is None for result in results] == [True, False, *[True] * 5, False]
    alone = refine([three[0], three[2]])
    for result, same in zip((results[1], results[-1]), alone, strict=True):
        assert result is not None and same is not None
        assert (result.correction == same.correction).all()


def test_sky_and_transparent_parts_are_not_corrected(three: list[DepthPhoto]) -> None:
    shown = np.ones(SIZE, bool)
    shown[:12, 10:40] = False
    far = [replace(photo, depth=np.where(shown, photo.depth, 90).astype(np.float32), shown=shown) for photo in three]
    for i, (photo, result) in enumerate(zip(far, refine(far), strict=True)):
        assert result is not None
        assert (result.correction[~shown] == 1).all() and (result.agreement[~shown] == 0).all()
        after = errors(photo, result, three[i].depth / bent(SIZE, i))
        assert np.median(after[shown]) < 0.02 and result.agreement[shown].mean() > 0.1


@pytest.mark.parametrize("last", [1, 7, 30])
def test_it_stops_at_once(three: list[DepthPhoto], last: int) -> None:
    class Stop(Exception):
        pass

    calls: list[float] = []

    def report(stage: str, fraction: float, sentence: str) -> None:
        calls.append(fraction)
        if len(calls) == last:
            raise Stop

    with pytest.raises(Stop):
        refine(three, Span(report))
    assert len(calls) == last


EVEN_CAMERAS = [look((x, 0.1, 0.0), (0, 0.3, 4)) for x in (-0.5, 0.0, 0.5)]


def test_photos_without_texture_leave_depth_as_it_is() -> None:
    even = [replace(depth_photo(c, GREY, SIZE), grey=np.full(GREY, 128, np.uint8)) for c in EVEN_CAMERAS]
    for result in refine(even):
        assert result is not None and np.abs(result.correction - 1).max() < 0.01


def test_an_even_wall_whose_depth_is_right_stays() -> None:
    photos = []
    for camera in EVEN_CAMERAS:
        photo, fine = depth_photo(camera, GREY, SIZE), cast(camera, GREY)[1] == WALL
        photos.append(replace(photo, grey=np.where(fine, 128, photo.grey).astype(np.uint8)))
    for camera, result in zip(EVEN_CAMERAS, refine(photos), strict=True):
        wall = cast(camera, SIZE)[1] == WALL
        assert result is not None and np.median(np.abs(result.correction - 1)[wall]) < 0.02


def test_cameras_that_photos_do_not_bear_out_refine_nothing(three: list[DepthPhoto]) -> None:
    """Unless they are known to be right: then the photos are to blame, and what little they agree on counts."""
    first, *others = three
    wrong = [replace(p, extrinsics=q.extrinsics) for p, q in zip(three, [*others, first], strict=True)]
    assert refine_depths(wrong, None, SILENT, proven=False) == [None] * 3
    assert all(refine_depths(three, None, SILENT, proven=False))


def test_a_depth_of_another_unit_is_scaled_as_a_whole(three: list[DepthPhoto]) -> None:
    """Also where photos do not agree on it: the right depth but for its unit becomes right everywhere."""
    cameras = [look((x, 0.1, 0.0), (0, 0.3, 4)) for x in (-0.5, 0.0, 0.5)]
    photos = [depth_photo(camera, GREY, SIZE, 0.6) for camera in cameras]
    for camera, photo, result in zip(cameras, photos, refine(photos), strict=True):
        after = errors(photo, result, cast(camera, SIZE)[0])
        assert np.median(after) < 0.01 and (after < 0.05).mean() > 0.95
