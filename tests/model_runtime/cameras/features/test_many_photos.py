"""Cameras of many photos, mapped from the focal lengths that a part of them tells, and photos of two places."""

from __future__ import annotations

import numpy as np
import pytest

from model_runtime.cameras.features import lenses, mapping
from model_runtime.cameras.features.bundle import Bundle, Seen
from model_runtime.cameras.features.lens_choice import LEAST_SEEN, fewer
from model_runtime.cameras.features.lens_kinds import PINHOLE, Kind
from model_runtime.cameras.features.mapping import best_connected, map_photos, part_of
from model_runtime.cameras.features.matching import Matches, match_photos
from model_runtime.cameras.features.memory import FeatureMemory
from model_runtime.cameras.features.parts import other_parts, part_notes
from model_runtime.contract.lens import BROWN
from model_runtime.contract.progress import SILENT, Span
from model_runtime.geometry.similarity import align_cameras
from tests.model_runtime.cameras.features.made_photos import FOCAL, MadePhotos, around

COUNT = 62


@pytest.fixture(scope="module")
def made() -> MadePhotos:
    return around(COUNT, 1500)


@pytest.fixture(scope="module")
def matches(made: MadePhotos) -> Matches:
    return match_photos(made.photos, SILENT, made.memory)


def test_all_are_mapped_once_from_what_a_part_tells(
    made: MadePhotos, matches: Matches, monkeypatch: pytest.MonkeyPatch
) -> None:
    mapped: list[int] = []
    map_from = mapping._map_from

    def counted(matches: Matches, *a: object) -> object:
        mapped.append(len(matches.photos))
        return map_from(matches, *a)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(mapping, "_map_from", counted)
    told: list[float] = []
    found = map_photos(matches, Span(lambda _, fraction, sentence: told.append(fraction)))
    assert mapped.count(COUNT) == 1 and mapped[-1] == COUNT and set(mapped[:-1]) == {mapping.PART}
    assert told == sorted(told) and told[-1] <= 1
    assert found.registered.all()
    assert found.intrinsics[:, 0, 0] == pytest.approx(FOCAL, rel=0.02)
    errors = _errors(found.extrinsics, made.extrinsics)
    assert errors[0].max() < 0.03 and errors[1].max() < 0.3  # metres of a ring of 19, degrees


@pytest.mark.parametrize("bends", [False, True])
def test_a_part_is_asked_first_whether_lenses_bend(
    matches: Matches, monkeypatch: pytest.MonkeyPatch, bends: bool
) -> None:
    """All photos are where it says so."""
    asked: list[int] = []

    def choose(bundle: Bundle, *_: object) -> Kind:
        asked.append(len(bundle.poses))
        return Kind(BROWN, 1) if bends and len(asked) == 1 else PINHOLE

    monkeypatch.setattr(lenses, "choose_kind", choose)
    monkeypatch.setattr(lenses, "rough_kind", lambda bundle, *_: (PINHOLE, bundle))
    mapped = map_photos(matches, SILENT)
    solved = lenses.solve_lenses(mapped, matches, SILENT)
    assert asked == ([mapping.PART, COUNT] if bends else [mapping.PART])
    assert not solved.kind.bends and solved.cameras is mapped


def test_every_photo_sees_some_of_the_fewer_points() -> None:
    """100 photos, of which the last sees only points that few others see."""
    rng = np.random.default_rng(0)
    view, point = np.nonzero(np.vstack((rng.random((99, 500)) < 0.5, np.zeros((1, 500)))))
    last = np.arange(500, 560)
    view, point = np.concatenate((view, [99] * 60, [0] * 60)), np.concatenate((point, last, last))
    seen = Seen(view, point, np.zeros((len(view), 2)))
    poses = np.tile(np.eye(4), (100, 1, 1))
    places, held = np.zeros((100, 8), np.int64), np.zeros(8, bool)
    bundle = Bundle(
        poses, np.arange(560 * 3).reshape(560, 3) * 1.0, BROWN, np.zeros(8), places, held, np.zeros(100, bool)
    )
    few, kept = fewer(bundle, seen, 50)
    assert len(few.points) == 50 + LEAST_SEEN
    assert np.bincount(kept.view, minlength=100).min() >= LEAST_SEEN
    assert set(few.points[:, 0].tolist()) <= set(bundle.points[:, 0].tolist())


def _errors(found: np.ndarray, true: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Metres and degrees between cameras [N,4,4], after one similarity for all."""
    aligned = align_cameras(found, true).extrinsics(found)
    centres = [-np.einsum("nji,nj->ni", each[:, :3, :3], each[:, :3, 3]) for each in (aligned, true)]
    turns = np.einsum("nij,nkj->nik", aligned[:, :3, :3], true[:, :3, :3])
    cosine = (np.trace(turns, axis1=1, axis2=2) - 1) / 2
    return np.linalg.norm(centres[0] - centres[1], axis=1), np.degrees(np.arccos(np.clip(cosine, -1, 1)))


def test_the_part_is_of_photos_that_match_each_other(matches: Matches) -> None:
    places = best_connected(matches, 20)
    assert len(places) == 20 and places == sorted(set(places))
    part = part_of(matches, places)
    for (i, j), geometry in part.geometries.items():
        assert geometry is matches.geometries[places[i], places[j]]
    together = {i for pair in part.geometries for i in pair}
    assert together == set(range(20))
    within = sum(len(g.inlier_matches) for g in part.geometries.values())
    every_third = part_of(matches, list(range(0, 60, 3)))
    assert within > 2 * sum(len(g.inlier_matches) for g in every_third.geometries.values())


def test_a_part_ends_where_nothing_matches_it(matches: Matches) -> None:
    assert len(best_connected(part_of(matches, [0, 1, 30, 31, 32]), 5)) in (2, 3)


def test_the_larger_of_two_places_is_kept_and_the_other_is_named() -> None:
    one, other = around(28, 1800, turns=0.4), around(12, 1800, turns=0.16, seed=1, name="cellar ")
    memory = FeatureMemory()
    for made in (one, other):
        for photo in made.photos:
            if (features := made.memory.features(photo)) is not None:
                memory.keep(photo, features)
    matches = match_photos([*one.photos, *other.photos], SILENT, memory)
    found = map_photos(matches, SILENT)
    assert found.registered.tolist() == [True] * 28 + [False] * 12
    assert other_parts(found.registered, matches) == [list(range(28, 40))]
    (note,) = part_notes(found.registered, matches)
    assert note.startswith("12 photos (cellar 000.png, ") and "show both" in note


def test_single_photos_left_out_make_no_part(matches: Matches) -> None:
    registered = np.ones(COUNT, bool)
    registered[[3, 20, 40]] = False
    assert part_notes(registered, matches) == []
    assert part_notes(np.ones(COUNT, bool), matches) == []
