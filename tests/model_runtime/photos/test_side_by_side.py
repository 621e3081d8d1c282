"""Photos are read several at once, in their order, as far as there is memory."""

from __future__ import annotations

import io
import threading
import time
from contextlib import closing

import numpy as np
import pytest
from PIL import Image

import model_runtime.photos.prepare
import model_runtime.photos.room
from model_runtime.contract.messages import LeftOut, Photo
from model_runtime.contract.progress import SILENT, Span
from model_runtime.contract.threads import in_order
from model_runtime.photos.prepare import PreparedPhoto, each_prepared, prepare_photos
from model_runtime.photos.room import Room

RNG = np.random.default_rng(0)


def test_results_come_in_order_though_later_ones_are_done_first() -> None:
    barrier = threading.Barrier(3)

    def work(place: int) -> int:
        if place < 3:
            barrier.wait(10)  # passed only where three are worked on at once
        time.sleep(0.02 * (3 - place % 3))
        return place

    assert list(in_order(work, range(20), 3)) == list(range(20))


def test_an_error_comes_at_its_place_and_nothing_more_begins() -> None:
    begun: list[int] = []

    def work(place: int) -> int:
        begun.append(place)
        if place == 2:
            raise ValueError
        return place

    results = in_order(work, range(1000), 2)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ValueError):
        next(results)
    seen = len(begun)
    assert seen < 20
    time.sleep(0.02)
    assert len(begun) == seen


def test_what_does_not_fit_beside_others_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_runtime.photos.room, "available_memory", lambda: 95)
    room, most, now = Room(), 0, 0
    lock = threading.Lock()

    def work(memory: int) -> None:
        nonlocal most, now
        with room.taken(memory):
            with lock:
                now += memory
                most = max(most, now)
            time.sleep(0.01)
            with lock:
                now -= memory

    list(in_order(work, [40, 50, 40, 50, 40, 50], 6))
    assert most == 90
    list(in_order(work, [40, 500, 40], 3))
    assert most == 500, "alone, and no others beside it"


def jpeg(name: str, size: tuple[int, int]) -> Photo:
    file = io.BytesIO()
    Image.fromarray(RNG.integers(0, 256, (*size[::-1], 3), np.uint8)).save(file, "JPEG")
    return Photo(name, file.getvalue())


@pytest.fixture(scope="module")
def photos() -> list[Photo]:
    sizes = [(300, 200), (60, 40), (200, 300), (301, 199), (300, 200)]
    named = [jpeg(f"{i}.jpg", size) for i, size in enumerate(sizes)]
    return [*named[:2], Photo("bad.jpg", named[0].data[:2000]), *named[2:]]


def same(a: PreparedPhoto, b: PreparedPhoto) -> bool:
    assert a.feature is not None and b.feature is not None
    assert a.grey is not None and b.grey is not None and a.large is not None and b.large is not None
    pairs = ((a.color, b.color), (a.grey, b.grey), (a.large, b.large), (a.feature.grey, b.feature.grey))
    return (a.name, a.plate, a.placement) == (b.name, b.plate, b.placement) and all(np.array_equal(*p) for p in pairs)


def test_several_at_once_are_what_they_are_one_by_one(photos: list[Photo], monkeypatch: pytest.MonkeyPatch) -> None:
    def prepared(cores: int, progress: Span) -> tuple[list[PreparedPhoto], list[LeftOut]]:
        monkeypatch.setattr(model_runtime.photos.prepare, "cores", lambda: cores)
        return prepare_photos(photos, 84, progress, with_features=True, with_grey=True, with_large=True)

    told: list[str] = []
    together, left_out = prepared(4, Span(lambda *told_now: told.append(told_now[2])))
    alone, _ = prepared(1, SILENT)
    assert [photo.name for photo in left_out] == ["bad.jpg"]
    assert [photo.name for photo in together] == ["0.jpg", "1.jpg", "2.jpg", "3.jpg", "4.jpg"]
    assert all(map(same, together, alone))
    assert len({photo.placement.canvas for photo in together}) == 1
    names = [photo.name for photo in photos]
    assert told == [f"Reading {name} ({i} of 6)." for i, name in enumerate(names, 1)]


def test_reading_is_stopped_from_where_it_was_asked_for(photos: list[Photo]) -> None:
    class Cancelled(Exception):
        pass

    def stop(stage: str, fraction: float, sentence: str) -> None:
        assert threading.current_thread() is threading.main_thread()
        if fraction >= 0.5:
            raise Cancelled

    threads = threading.active_count()
    with closing(each_prepared(photos, 84, Span(stop))) as each:
        assert [next(each).name for _ in range(3)] == ["0.jpg", "1.jpg", "bad.jpg"]
        with pytest.raises(Cancelled):
            next(each)
    assert threading.active_count() == threads


def test_a_photo_that_cannot_be_read_is_at_its_place(photos: list[Photo]) -> None:
    left_out = [isinstance(each, LeftOut) for each in each_prepared(photos, 84, SILENT)]
    assert left_out == [False, False, True, False, False, False]
