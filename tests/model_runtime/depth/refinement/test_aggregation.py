"""Cost volumes made up around one known surface."""

from __future__ import annotations

import numpy as np
import pytest

from model_runtime.depth.refinement.aggregation import Choice, choose_factors
from model_runtime.geometry.arrays import as_numpy, on_device
from tests.model_runtime.depth.refinement.conftest import CPU

HEIGHT, WIDTH, CHOICES = 40, 52, 41
FACTORS = np.linspace(0.5, 1.5, CHOICES, dtype=np.float32)
STEP = 0.025
ROW, COLUMN = np.mgrid[:HEIGHT, :WIDTH]
EVEN = np.full((HEIGHT, WIDTH), 0.5)


def choose(cost: np.ndarray, grey: np.ndarray = EVEN) -> Choice:
    """cost: [h,w,L]. By numpy; torch must say the same."""
    volume, picture = cost.transpose(0, 2, 1).astype(np.float32), grey.astype(np.float32)
    choice, same = (
        choose_factors(on_device(volume.copy(), device), on_device(picture, device), FACTORS, lambda: None)
        for device in (None, CPU)
    )
    assert as_numpy(same.factor) == pytest.approx(choice.factor, abs=1e-5)
    assert as_numpy(same.margin) == pytest.approx(choice.margin, abs=1e-5)
    return choice


def valley(place: np.ndarray, width: float = 2.0) -> np.ndarray:
    """[h,w,L] costs, lowest at `place` [h,w], in steps."""
    return 1 - np.exp(-(((np.arange(CHOICES) - place[..., None]) / width) ** 2) / 2)


def steps_off(choice: Choice, place: np.ndarray) -> np.ndarray:
    return np.abs((choice.factor - 0.5) / STEP - place)


def test_a_smooth_surface_is_found_under_noise() -> None:
    place = 20 + 8 * np.sin(ROW / 14) * np.cos(COLUMN / 17)
    cost = valley(place) + np.random.default_rng(0).normal(0, 0.9, (HEIGHT, WIDTH, CHOICES))
    alone = np.abs(cost.argmin(2) - place)
    off = steps_off(choose(cost), place)
    assert np.median(alone) > 2.5
    assert np.median(off) < 1 and np.quantile(off, 0.95) < 0.4 * np.quantile(alone, 0.95)


@pytest.mark.parametrize("place", [12.0, 20.3, 20.5, 27.8])
def test_between_the_steps(place: float) -> None:
    off = steps_off(choose(valley(np.full((HEIGHT, WIDTH), place), 3.0)), np.array(place))
    assert off.max() < 0.2


def test_a_surface_that_slowly_turns_is_followed_between_the_steps() -> None:
    place = 12 + 0.11 * ROW + 0.07 * COLUMN
    off = steps_off(choose(valley(place, 3.0)), place)
    assert off.mean() < 0.2 and off.max() < 0.5


@pytest.mark.parametrize("end", [0, CHOICES - 1])
def test_the_first_and_the_last_factor_are_not_passed(end: int) -> None:
    choice = choose(valley(np.full((HEIGHT, WIDTH), float(end))))
    assert choice.factor == pytest.approx(float(FACTORS[end]))


def test_where_costs_are_flat_no_choice_is_clear() -> None:
    choice = choose(np.full((HEIGHT, WIDTH, CHOICES), 0.7))
    assert (choice.margin == 0).all()
    clear = choose(valley(np.full((HEIGHT, WIDTH), 20.0)))
    assert clear.margin.min() > 0.8


def test_two_places_that_match_alike_are_no_clear_choice() -> None:
    """Texture that repeats: every pixel matches at two factors far apart."""
    both = np.minimum(valley(np.full((HEIGHT, WIDTH), 10.0)), valley(np.full((HEIGHT, WIDTH), 30.0)))
    assert choose(both).margin.max() < 1e-3
    alone = choose(valley(np.full((HEIGHT, WIDTH), 10.0)))
    nearly = both.copy()
    nearly[..., 25:] += 0.05
    choice = choose(nearly)
    assert steps_off(choice, np.array(10.0)).max() < 0.2
    assert choice.margin.min() > 0.05 and choice.margin.max() < np.median(alone.margin) / 1.5


def test_depth_jumps_where_the_picture_has_an_edge() -> None:
    """Costs know two surfaces left and right, and nothing of a band between them, in which the picture has an edge."""
    place = np.where(COLUMN < 26, 10.0, 30.0)
    cost = valley(place)
    cost[:, 16:36] = 0.5
    for edge in (20, 32):
        grey = np.where(edge > COLUMN, 0.3, 0.7)
        chosen = choose(cost, grey).factor
        assert (np.abs(chosen[:, :edge] - FACTORS[10]) < STEP).all()
        assert (np.abs(chosen[:, edge:] - FACTORS[30]) < STEP).all()


def test_it_is_the_same_from_every_side() -> None:
    """In a picture of patches, so that a jump costs as much at each of their edges from either side."""
    rng = np.random.default_rng(1)
    place = np.where(COLUMN + ROW < 45, 14.0, 26.0) + 2 * np.sin(ROW / 9)
    cost = valley(place) + rng.normal(0, 0.6, (HEIGHT, WIDTH, CHOICES))
    grey = rng.random((HEIGHT // 4, WIDTH // 4)).repeat(4, 0).repeat(4, 1)
    plain = choose(cost, grey).factor
    around = choose(cost[::-1, ::-1].copy(), grey[::-1, ::-1]).factor[::-1, ::-1]
    assert around == pytest.approx(plain, abs=1e-4)
    turned = choose(cost.transpose(1, 0, 2).copy(), grey.T).factor.T
    assert turned == pytest.approx(plain, abs=1e-4)


def test_it_can_be_stopped() -> None:
    class Stop(Exception):
        pass

    def tick() -> None:
        raise Stop

    with pytest.raises(Stop):
        choose_factors(np.zeros((130, 5, 3)), np.zeros((130, 3)), np.linspace(0.5, 1.5, 5), tick)
