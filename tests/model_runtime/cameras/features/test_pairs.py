"""Pairs of many photos against what the photos truly share."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from model_runtime.cameras.features.matching import match_photos
from model_runtime.cameras.features.memory import PhotoFeatures
from model_runtime.cameras.features.pairs import (
    BRIDGES,
    LOOPS,
    MOST_ALIKE,
    MOST_ALL_PAIRS,
    STEPS_IN_TIME,
    Candidates,
    all_pairs,
)
from model_runtime.cameras.features.retrieval import likeness
from model_runtime.contract.progress import SILENT
from tests.model_runtime.cameras.features.made_photos import MadePhotos, around


@pytest.fixture(scope="module")
def made() -> MadePhotos:
    return around(90)


@pytest.fixture(scope="module")
def alike(made: MadePhotos) -> np.ndarray:
    return likeness(features_of(made))


def features_of(made: MadePhotos) -> list[PhotoFeatures]:
    return [found for photo in made.photos if (found := made.memory.features(photo)) is not None]


def parts(count: int, pairs: list[tuple[int, int]]) -> int:
    rows, columns = np.array(pairs).T
    return connected_components(csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(count, count)))[0]


def test_photos_that_share_more_are_more_alike(made: MadePhotos, alike: np.ndarray) -> None:
    i, j = np.triu_indices(len(alike), 1)
    shared = made.shared[i, j]
    assert np.corrcoef(shared, alike[i, j])[0, 1] > 0.9
    assert alike[i, j][shared > 60].min() > alike[i, j][shared == 0].max()
    assert np.allclose(alike, alike.T, atol=1e-6) and np.diagonal(alike) == pytest.approx(1, abs=1e-5)


def test_a_photo_without_features_is_like_none(made: MadePhotos) -> None:
    empty = PhotoFeatures(np.zeros((0, 2)), np.zeros((0, 128), np.uint8))
    alike = likeness([empty, *features_of(made)[:5], empty])
    assert (alike[0] == 0).all() and (alike[-1] == 0).all() and (np.diagonal(alike)[1:-1] > 0.99).all()
    assert (likeness([empty, empty]) == 0).all()


def test_nearest_photos_are_tried_and_hold_together(made: MadePhotos, alike: np.ndarray) -> None:
    pairs = Candidates(alike, in_time=False).first()
    assert len(pairs) <= len(alike) * MOST_ALIKE + len(alike)
    assert all(i < j for i, j in pairs) and len(set(pairs)) == len(pairs)
    near = {(i, j) for i, j in all_pairs(len(alike)) if min(j - i, len(alike) - j + i) <= 5}
    assert near <= set(pairs)
    assert parts(len(alike), pairs) == 1


def test_alike_photos_in_clumps_are_joined() -> None:
    """Clumps of 25, each much more alike within: the nearest 20 would never leave one."""
    clump = np.arange(75) // 25
    alike = np.where(clump[:, None] == clump, 0.9, 0.1) + 0.01 * np.random.default_rng(0).random((75, 75))
    assert parts(75, Candidates((alike + alike.T) / 2, in_time=False).first()) == 1


def test_a_film_is_matched_along_time_and_where_it_comes_back() -> None:
    made = around(120, turns=1.25)
    pairs = set(Candidates(likeness(features_of(made)), in_time=True).first())
    for step in STEPS_IN_TIME:
        assert {(i, i + step) for i in range(120 - step)} <= pairs
    loops = {pair for pair in pairs if pair[1] - pair[0] > STEPS_IN_TIME[-1]}
    assert len(loops) <= LOOPS * 120
    # The last fifth walks where the first did: every one of its frames is tried with where it had been 96 frames ago.
    assert all(any((i - 96 + d, i) in loops for d in (-2, -1, 0, 1, 2)) for i in range(98, 118))


def test_pairs_do_not_grow_with_the_square() -> None:
    counts = [len(Candidates(likeness(features_of(around(n, 600))), in_time=False).first()) for n in (60, 120)]
    assert counts[1] < 2.5 * counts[0]


def test_photos_apart_are_never_tried(alike: np.ndarray) -> None:
    candidates = Candidates(alike, False, lambda i, j: (i < 45) != (j < 45))
    assert all((i < 45) == (j < 45) for i, j in candidates.first())
    assert all((i < 45) == (j < 45) for i, j in candidates.more([], [(0, 1), (50, 51)]))


def test_further_pairs_have_neighbours_in_common_or_join_parts(alike: np.ndarray) -> None:
    candidates = Candidates(alike, in_time=False)
    verified = [(i, i + d) for i in range(88) for d in (1, 2) if (i < 45) == (i + d < 45)]
    more = candidates.more(verified, verified)
    assert not set(more) & set(verified)
    bridges = {(i, j) for i, j in more if (i < 45) != (j < 45)}
    assert (44, 45) in bridges or (0, 89) in bridges
    adjacent = np.zeros(alike.shape, int)
    adjacent[tuple(np.array(verified).T)] = 1
    common = (adjacent + adjacent.T) @ (adjacent + adjacent.T)
    assert set(more) - bridges and all(common[pair] >= 2 for pair in set(more) - bridges if 89 not in pair)
    last = candidates.more(verified, verified, last=True)
    assert set(last) <= set(more) and 0 < len(last) <= 3 * BRIDGES


def test_nothing_is_left_to_join(alike: np.ndarray) -> None:
    chain = [(i, i + 1) for i in range(len(alike) - 1)]
    assert Candidates(alike, in_time=False).more(chain, chain, last=True) == []


def test_up_to_a_number_every_pair_is_matched() -> None:
    few = around(MOST_ALL_PAIRS, 300)
    assert len(match_photos(few.photos, SILENT, few.memory).alike) == MOST_ALL_PAIRS * (MOST_ALL_PAIRS - 1) // 2


@pytest.mark.parametrize("in_time", [False, True])
def test_matches_of_many_photos_are_true(in_time: bool) -> None:
    """Without a picture: their features are remembered."""
    made = around(44, 1600, plain=in_time)
    matches = match_photos(made.photos, SILENT, made.memory, in_time=in_time)
    assert len(matches.alike) < 0.8 * len(all_pairs(44))
    shared = made.shared
    assert all(shared[pair] >= 15 for pair in matches.geometries)
    for (i, j), geometry in matches.geometries.items():
        one, other = (np.flatnonzero(made.seen[n])[geometry.inlier_matches[:, k]] for k, n in enumerate((i, j)))
        assert (one == other).mean() > 0.95
    good = [pair for pair in all_pairs(44) if shared[pair] >= 40]
    assert len(good) > 50
    assert sum(pair in matches.geometries for pair in good) > 0.95 * len(good)
