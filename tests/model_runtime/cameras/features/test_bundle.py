"""Bundle adjustment with lenses: slopes against differences, exact tracks to exact cameras, and what is held stays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from model_runtime.cameras.features import bundle as module
from model_runtime.cameras.features.bundle import FOCAL, MIDDLE, NUMBERS, Bundle, Seen, adjust_bundle
from model_runtime.cameras.features.lens_kinds import Kind
from model_runtime.contract.lens import BROWN, FISHEYE

from .made_tracks import SIDE, lens_of, one_camera, started, tracks

LENSES = {
    BROWN: (0.6, 0.01, -0.008, -0.2, 0.05, 0.001, -0.002, -0.01),
    FISHEYE: (0.5, 0.01, -0.008, 0.02, -0.01, 0.003, -0.001),
}
LOSS = 1 / SIDE


def exact(model: str, count: int = 80) -> tuple[Bundle, Seen]:
    """Five photos by one lens with everything free, and what it sees without noise."""
    focal, x, y, *coefficients = LENSES[model]
    lenses = [lens_of(model, coefficients, focal, (x, y))] * 5
    cameras, points, seen = tracks(lenses, count, noise=0, wrong=0)
    places = np.tile(np.arange(NUMBERS[model]), (5, 1))
    held, still = np.zeros(NUMBERS[model], bool), np.zeros(5, bool)
    return Bundle(cameras, points, model, np.array(LENSES[model]), places, held, still), seen


@pytest.mark.parametrize("model", LENSES)
def test_it_sees_what_the_lens_does(model: str) -> None:
    bundle, seen = exact(model)
    assert np.abs(bundle.residuals(seen)).max() < 1e-12


@pytest.mark.parametrize("model", LENSES)
def test_slopes_are_how_pixels_change(model: str) -> None:
    bundle, seen = exact(model)
    view = module._View(bundle, seen)
    by_place, by_numbers = module._by_place(view), module._by_numbers(view, np.arange(NUMBERS[model]))
    step = 1e-6

    def change(more: Bundle, less: Bundle) -> np.ndarray:
        return (more.residuals(seen) - less.residuals(seen)) / (2 * step)

    for number, aside in enumerate(np.eye(NUMBERS[model]) * step):
        moved = [replace(bundle, numbers=bundle.numbers + sign * aside) for sign in (1, -1)]
        np.testing.assert_allclose(by_numbers[:, :, number], change(*moved), atol=1e-8)
    by_point = by_place @ bundle.poses[seen.view, :3, :3]
    for axis, aside in enumerate(np.eye(3) * step):
        moved = [replace(bundle, points=bundle.points + sign * aside) for sign in (1, -1)]
        np.testing.assert_allclose(by_point[:, :, axis], change(*moved), atol=1e-8)


@pytest.mark.parametrize("model", LENSES)
def test_exact_tracks_bring_the_exact_lens(model: str) -> None:
    """From a pinhole, a tenth off in focal length, and cameras that are half a degree off."""
    true, seen = exact(model)
    begun = started(Kind(model, NUMBERS[model] - 3, middle=True), true.poses, true.points, 0.55, one_camera(5))
    found = adjust_bundle(begun, seen, LOSS)
    assert np.abs(begun.residuals(seen)).max() > 10 / SIDE
    assert np.abs(found.residuals(seen)).max() < 0.01 / SIDE
    np.testing.assert_allclose(found.lenses, np.tile(LENSES[model], (5, 1)), atol=2e-3)
    turns = found.poses[:, :3, :3] @ found.poses[:1, :3, :3].transpose(0, 2, 1)
    wanted = true.poses[:, :3, :3] @ true.poses[:1, :3, :3].transpose(0, 2, 1)
    np.testing.assert_allclose(turns, wanted, atol=1e-3)


def test_a_step_is_that_of_the_whole_system() -> None:
    """Of cameras, lenses and points at once, by differences: eliminating the points changes nothing."""
    true, seen = exact(BROWN, 12)
    begun = started(Kind(BROWN, 2), true.poses, true.points, 0.6, one_camera(5))
    free, points, damping = np.flatnonzero(~begun.held), begun.points.size, 1e-3

    def moved(change: np.ndarray) -> Bundle:
        numbers = begun.numbers.copy()
        numbers[free] += change[30:-points]
        poses = module._moved(begun.poses, change[:30].reshape(5, 6))
        return replace(begun, poses=poses, numbers=numbers, points=begun.points + change[-points:].reshape(-1, 3))

    unknowns = np.eye(30 + len(free) + points) * 1e-6
    jacobian = np.stack([(moved(e).residuals(seen) - moved(-e).residuals(seen)).ravel() for e in unknowns], 1) / 2e-6
    normal = jacobian.T @ jacobian
    wanted = -np.linalg.solve(normal + damping * np.diag(normal.diagonal()), jacobian.T @ begun.residuals(seen).ravel())
    view, sums = module._View(begun, seen), module._Sums(begun, seen)
    taken = module._Step(view, sums, 1e6, points_only=False).taken(damping)
    expected = moved(wanted)
    np.testing.assert_allclose(taken.points, expected.points, atol=1e-5)
    np.testing.assert_allclose(taken.poses, expected.poses, atol=1e-5)
    np.testing.assert_allclose(taken.numbers, expected.numbers, atol=1e-5)
    assert np.abs(wanted).max() > 0.01


def test_what_is_held_stays() -> None:
    true, seen = exact(BROWN)
    begun = started(Kind(BROWN, 1), true.poses, true.points, 0.6, one_camera(5))
    still = np.array([True, False, True, False, False])
    found = adjust_bundle(replace(begun, still=still), seen, LOSS)
    assert (found.poses[still] == begun.poses[still]).all() and (found.poses[~still] != begun.poses[~still]).any()
    assert (found.lenses[:, MIDDLE] == 0).all() and (found.lenses[:, 4:] == 0).all()
    assert (found.lenses[:, 3] < -0.1).all() and found.lenses[0, FOCAL] != 0.6
    only = adjust_bundle(begun, seen, LOSS, points_only=True)
    assert (only.poses == begun.poses).all() and (only.numbers == begun.numbers).all()
    assert np.square(only.residuals(seen)).sum() < np.square(begun.residuals(seen)).sum()


def test_points_alone_are_triangulated() -> None:
    true, seen = exact(FISHEYE)
    off = replace(true, points=true.points + np.random.default_rng(0).normal(0, 0.05, true.points.shape))
    np.testing.assert_allclose(adjust_bundle(off, seen, LOSS, points_only=True).points, true.points, atol=1e-5)


def test_wrong_observations_count_little() -> None:
    lens = lens_of(coefficients=(-0.2, 0.05), focal=0.6)
    cameras, points, seen = tracks([lens] * 5, 200, noise=0.02, wrong=0.1)
    begun = started(Kind(BROWN, 2), cameras, points, 0.6, one_camera(5))
    found = adjust_bundle(adjust_bundle(begun, seen, LOSS), seen, 0.1 / SIDE)
    np.testing.assert_allclose(found.lenses[0, [0, 3, 4]], (0.6, -0.2, 0.05), atol=1e-3)
    assert np.median(found.errors(seen)) < 0.03 / SIDE


def test_what_is_behind_a_camera_is_left_alone() -> None:
    true, seen = exact(BROWN)
    view, point = seen.view[0], seen.point[0]
    behind = true.points.copy()
    behind[point] = 2 * np.linalg.inv(true.poses[view])[:3, 3] - behind[point]
    mirrored = replace(true, points=behind)
    assert mirrored.errors(seen)[0] == np.inf
    found = adjust_bundle(mirrored, seen, LOSS)
    assert np.isfinite(found.points).all() and np.isfinite(found.numbers).all()
    np.testing.assert_allclose(found.lenses[0], LENSES[BROWN], atol=1e-2)
