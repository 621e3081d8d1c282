"""What a view tells of its pixels."""

import numpy as np

from model_runtime.contract.messages import View


def view(depth: list[float], sky: list[bool], opaque: list[bool] | None = None) -> View:
    """Two rows of the same pixels, of a photo four times as wide and twice as high."""
    depths = np.array([depth, depth], np.float32)
    return View(
        name="a.jpg",
        photo_size=(4 * len(depth), 4),
        depth=depths,
        confidence=np.ones_like(depths),
        sky=np.array([sky, sky]),
        color=np.zeros((*depths.shape, 3), np.uint8),
        extrinsics=np.eye(4),
        intrinsics=np.array([[40.0, 0, 8], [0, 40, 2], [0, 0, 1]]),
        opaque=None if opaque is None else np.array([opaque, opaque]),
    )


def test_usable_pixels_show_a_thing_and_have_a_depth_before_the_camera() -> None:
    depth, sky = [1, 0, -1, np.inf, np.nan, 2], [False, False, False, False, False, True]
    assert view(depth, sky).usable[1].tolist() == [True, False, False, False, False, False]


def test_transparent_pixels_are_neither_shown_nor_usable() -> None:
    half = view([1, 1, 1], [False, False, True], [True, False, True])
    assert half.shown[0].tolist() == half.usable[0].tolist() == [True, False, False]


def test_intrinsics_in_pixels_of_the_depth_map() -> None:
    np.testing.assert_allclose(
        view([1, 1, 1, 1], [False] * 4).map_intrinsics, [[10, 0, 2], [0, 20, 1], [0, 0, 1]], rtol=1e-12
    )
