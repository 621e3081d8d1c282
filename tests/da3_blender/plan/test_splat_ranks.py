"""In which order splats are left out."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from da3_blender.plan.morton import morton_codes
from da3_blender.plan.splat_ranks import _first_numbers, thinning


def grid(side: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A plane of equal gray splats, a unit apart, none repeated."""
    x, y = np.meshgrid(np.arange(side), np.arange(side))
    position = np.stack([x, y, 0 * x], axis=-1).reshape(-1, 3).astype(np.float32)
    count = len(position)
    return position, np.full((count, 3), 0.4, np.float32), np.zeros((count, 4), np.float32), np.zeros(count, bool)


def place(number: int) -> Fraction:
    """Of `number` in van der Corput's sequence: its binary digits behind the point, the last one first."""
    return sum((Fraction(int(digit), 2 ** (k + 1)) for k, digit in enumerate(f"{number:b}"[::-1])), Fraction(0))


def test_first_numbers_are_those_of_the_sequence():
    weight = np.random.default_rng(3).integers(1, 60, 200)
    ends = [Fraction(int(end), int(weight.sum())) for end in np.cumsum(weight)]
    starts = [Fraction(0), *ends[:-1]]
    places = [place(number) for number in range(9000)]
    expected = [
        next(number for number, at in enumerate(places) if start <= at < end)
        for start, end in zip(starts, ends, strict=True)
    ]
    assert _first_numbers(weight.astype(float)).tolist() == expected


def test_codes_of_a_cell_begin_alike():
    position = np.random.default_rng(0).uniform(-5, 9, (500, 3))
    for shift in (0.0, 1 / 3):
        codes, unit = morton_codes(position, shift)
        cells = np.floor((position - position.min(0)) / unit + shift * (2**20 - 1) / (1 + shift)).astype(int)
        for level in (0, 15, 18):
            _, of_codes = np.unique(codes >> np.uint64(3 * level), return_inverse=True)
            _, of_cells = np.unique(cells >> level, axis=0, return_inverse=True)
            pairs = {(int(a), int(b)) for a, b in zip(of_codes.ravel(), of_cells.ravel(), strict=True)}
            assert len(pairs) == of_codes.max() + 1 == of_cells.max() + 1


@pytest.mark.parametrize("share", [1 / 4, 1 / 16, 1 / 64])
def test_what_stays_is_spread_evenly(share):
    """Of equal splats in a plane, each square has one that stays; by chance, more than a third would have none."""
    position, scale, base, repeated = grid(64)
    rank, alone = thinning(position, scale, base, repeated)
    kept = position[rank < share]
    width = round(share**-0.5)
    squares = {tuple(square) for square in (kept[:, :2] // width).astype(int)}
    assert len(kept) == len(position) * share and len(squares) >= len(kept) - 1
    np.testing.assert_allclose(alone, 1, atol=1e-3)


def test_detail_and_large_ones_stay_longer():
    position, scale, base, repeated = grid(64)
    checked = (position[:, 0] < 32) & ((position[:, 0] + position[:, 1]) % 2 == 0)
    base[checked, :3] = 1.5
    scale[(position[:, 0] > 60) & (position[:, 1] > 60)] *= 4
    rank, alone = thinning(position, scale, base, repeated)
    kept = rank < 0.3
    detail, plain = kept[position[:, 0] < 30].mean(), kept[(position[:, 0] > 34) & (position[:, 0] < 58)].mean()
    assert detail > 1.3 * plain > 0.1
    large = (position[:, 0] > 60) & (position[:, 1] > 60)
    assert kept[large].mean() > 2 * plain
    assert alone[large].mean() < 0.5 < alone[(position[:, 0] > 34) & (position[:, 0] < 58)].min()


def test_repeated_splats_are_ranked_apart():
    position, scale, base, repeated = grid(32)
    repeated[np.random.default_rng(1).random(len(repeated)) < 0.6] = True
    rank, _ = thinning(position, scale, base, repeated)
    for share in (0.1, 0.5):
        assert (rank[repeated] < share).mean() == pytest.approx(share, abs=0.01)
        assert (rank[~repeated] < share).mean() == pytest.approx(share, abs=0.01)


def test_few_splats():
    for count in (0, 1, 2):
        arrays = np.zeros((count, 3), np.float32), np.ones((count, 3), np.float32), np.zeros((count, 4), np.float32)
        rank, alone = thinning(*arrays, np.zeros(count, bool))
        assert rank.shape == alone.shape == (count,) and ((rank >= 0) & (rank < 1)).all()
