"""Maps of which a part is known, filled to the surface that the rest of it belongs to."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from model_runtime.depth.refinement.fill import FACTORS, Known, fill
from model_runtime.geometry.arrays import as_numpy, on_device
from tests.model_runtime.depth.refinement.conftest import CPU
from tests.model_runtime.depth.room import bent

HEIGHT, WIDTH = SIZE = (56, 70)
ROW, COLUMN = np.mgrid[:HEIGHT, :WIDTH]
PLANE = 1 / (0.2 + 0.002 * COLUMN + 0.001 * ROW)
"""Depth of a slanted plane: its inverse is linear."""
RIM = (np.minimum(ROW, HEIGHT - 1 - ROW) < 6) | (np.minimum(COLUMN, WIDTH - 1 - COLUMN) < 6)


def nothing() -> None:
    pass


def known(depth: np.ndarray, where: np.ndarray, weight: float = 1.0) -> Known:
    return Known(np.log(depth).astype(np.float32), (weight * where).astype(np.float32))


def filled(start: np.ndarray, parts: list[Known], color: np.ndarray) -> np.ndarray:
    """Depth [h,w] by numpy; torch must say the same. color: [h,w] in 0..1, grey."""
    log_depth, picture = np.log(start).astype(np.float32), np.stack([color] * 3).astype(np.float32)
    by_numpy = fill(log_depth, parts, picture, nothing)
    log_depth, picture = on_device(log_depth, CPU), on_device(picture, CPU)
    parts = [Known(on_device(part.log_depth, CPU), on_device(part.weight, CPU)) for part in parts]
    assert as_numpy(fill(log_depth, parts, picture, nothing)) == pytest.approx(by_numpy, abs=2e-3)
    return np.exp(by_numpy)


def textured(where: np.ndarray) -> np.ndarray:
    """An even grey, but for where there is something to match."""
    noise = gaussian_filter(np.random.default_rng(2).normal(size=SIZE), 1.0)
    return 0.5 + 0.3 * where * noise / np.abs(noise).max()


def test_an_even_plane_follows_from_its_textured_rim() -> None:
    """The network's map is bent by 15 % and as a whole too near."""
    start = PLANE * bent(SIZE, 1)
    error = np.abs(filled(start, [known(PLANE, RIM)], textured(RIM)) / PLANE - 1)
    assert np.median(np.abs(start / PLANE - 1)[~RIM]) > 0.15
    assert np.median(error[~RIM]) < 0.005 and error[~RIM].max() < 0.02


def test_a_plane_that_the_network_has_right_but_for_a_scale_stays_one() -> None:
    error = np.abs(filled(1.3 * PLANE, [known(PLANE, RIM)], textured(RIM)) / PLANE - 1)
    assert error.max() < 0.005


@pytest.mark.parametrize("seed", range(2))
def test_gross_outliers_among_what_is_known_do_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    where = rng.random(SIZE) < 0.3
    wrong = where & (rng.random(SIZE) < 0.2)
    told = PLANE * np.exp(0.005 * rng.normal(size=SIZE)) * np.where(wrong, np.exp(rng.uniform(-0.9, 0.9, SIZE)), 1)
    start = PLANE * bent(SIZE, seed)
    error = np.abs(filled(start, [known(told, where)], np.full(SIZE, 0.5)) / PLANE - 1)
    assert np.median(error) < 0.005 and np.quantile(error, 0.99) < 0.02


def test_a_hole_is_not_filled_across_an_edge_of_colour() -> None:
    """Left a thing at 2, known all over; right of it one at 4, dark, known but for a wide strip beside the edge."""
    truth = np.where(COLUMN < 35, 2.0, 4.0)
    hole = (COLUMN >= 35) & (COLUMN < 55)
    parts, edge = [known(truth, ~hole)], np.where(COLUMN < 35, 0.7, 0.2)
    error = np.abs(filled(truth * bent(SIZE, 1), parts, edge) / truth - 1)
    assert np.median(error[hole]) < 0.015 and np.quantile(error[hole], 0.9) < 0.04
    assert np.median(error[~hole]) < 0.003
    # A network that saw no step at all is corrected at the edge, which an even picture does not show.
    flat = np.full(SIZE, 3.0)
    with_edge, without = (np.abs(filled(flat, parts, color) / truth - 1)[hole] for color in (edge, np.full(SIZE, 0.5)))
    assert with_edge.mean() < 0.6 * without.mean()


def test_an_even_box_before_an_even_wall_follows_from_its_outline() -> None:
    """Known are the rim of the picture and two pixels on either side of the box's outline, where colours change."""
    inside = (ROW > 18) & (ROW < 42) & (COLUMN > 22) & (COLUMN < 50)
    truth = PLANE * np.where(inside, 0.6, 1.0)
    outline = np.maximum(np.abs(ROW - 30) - 12, np.abs(COLUMN - 36) - 14)
    where = RIM | (np.abs(outline + 0.5) < 2)
    result = filled(truth * bent(SIZE, 3), [known(truth, where)], np.where(inside, 0.3, 0.6))
    error = np.abs(result / truth - 1)
    assert np.median(error) < 0.005 and np.quantile(error, 0.95) < 0.02


def test_surer_points_outweigh_others_and_parts_add_up() -> None:
    even, left, right = np.full(SIZE, 0.5), COLUMN < 35, COLUMN >= 35
    both = filled(PLANE, [known(1.02 * PLANE, left), known(1.02 * PLANE, right, 0.5)], even)
    assert both / PLANE == pytest.approx(np.full(SIZE, 1.02), rel=2e-3)
    contradicting = filled(PLANE, [known(1.02 * PLANE, left | right), known(PLANE, left | right, 0.1)], even)
    assert 1.015 < np.median(contradicting / PLANE) < 1.02


@pytest.mark.parametrize("wrong", [100.0, 0.01])
def test_factors_stay_within_their_bounds(wrong: float) -> None:
    size = (16, 20)
    factor = filled(np.ones(size), [known(np.full(size, wrong), np.ones(size))], np.full(size, 0.5))
    assert factor.min() >= 0.999 / FACTORS[1] and factor.max() <= 1.001 / FACTORS[0]


@pytest.mark.parametrize("size", [(14, 14), (14, 70), (3, 9)])
def test_the_smallest_maps_are_filled(size: tuple[int, int]) -> None:
    truth, weight = np.full(size, 2.0), np.zeros(size)
    weight[1:, ::2] = 1
    result = filled(np.full(size, 1.6), [known(truth, weight)], np.full(size, 0.5))
    assert np.log(result) == pytest.approx(np.log(truth), abs=2e-3)


def test_it_can_be_stopped() -> None:
    class Stop(Exception):
        pass

    calls: list[int] = []

    def tick() -> None:
        calls.append(0)
        if len(calls) == 3:
            raise Stop

    log_depth = np.log(PLANE).astype(np.float32)
    with pytest.raises(Stop):
        fill(log_depth, [known(PLANE, RIM)], np.full((3, *SIZE), 0.5, np.float32), tick)
    assert len(calls) == 3


def test_a_box_of_which_nothing_is_known_stays_before_the_wall() -> None:
    inside = (ROW > 20) & (ROW < 40) & (COLUMN > 25) & (COLUMN < 50)
    truth = PLANE * np.where(inside, 0.6, 1.0)
    result = filled(truth / 1.25, [known(truth, RIM)], np.where(inside, 0.3, 0.6))
    assert np.median(np.abs(result / truth - 1)[inside]) < 0.15
