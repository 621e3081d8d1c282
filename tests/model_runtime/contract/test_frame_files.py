"""Files of frames: equal to what was written, changed in memory only, no heap memory, damage told."""

from __future__ import annotations

import os
import tracemalloc
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from model_runtime.contract import pipe
from model_runtime.contract.frame_files import (
    map_frames,
    map_message,
    map_value,
    pack,
    unpack,
    write_message,
    write_value,
)
from model_runtime.contract.lens import Lens
from model_runtime.contract.messages import Cancel, JobError, PredictedView, Progress
from model_runtime.contract.plain_values import FrameError
from tests.model_runtime.contract.test_pipe import same, view


@dataclass(frozen=True, eq=False)
class Inner:
    weights: np.ndarray
    word: str


@dataclass(frozen=True, eq=False)
class Stage:
    """All that a stage of a job may be made of."""

    places: tuple[int, ...]
    parts: tuple[Inner, ...]
    data: bytes
    share: float
    nothing: np.ndarray | None
    flags: np.ndarray
    lens: Lens | None = None
    size: tuple[int, int] = (1, 2)


def stage() -> Stage:
    parts = (Inner(np.arange(5, dtype=np.int64), "ä"), Inner(np.zeros((0, 3), np.float32), ""))
    return Stage(
        (3, 1, 2),
        parts,
        b"\0\1",
        0.25,
        None,
        np.array([True, False]),
        Lens("brown", (9, 8), np.eye(3), np.array([0.1])),
    )


def test_a_view_comes_back_and_its_arrays_may_be_changed_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "view"
    message = PredictedView(7, view("ä.jpg", True))
    write_message(path, "job", message)
    assert os.listdir(tmp_path) == ["view"]
    before = path.read_bytes()
    mapped = map_message(path)
    assert same(message, mapped)
    assert isinstance(mapped, PredictedView)
    assert all(a.ctypes.data % 64 == 0 for a in (mapped.view.depth, mapped.view.sky, mapped.view.extrinsics))
    mapped.view.depth[:] = -1
    assert path.read_bytes() == before
    assert same(message, map_message(path))


def test_what_is_mapped_takes_no_heap_memory(tmp_path: Path) -> None:
    large = np.arange(8 << 20, dtype=np.uint8).reshape(-1, 1)
    write_value(tmp_path / "v", Inner(large, "w"))
    tracemalloc.start()
    mapped = map_value(tmp_path / "v", Inner)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20
    assert (mapped.weights == large).all()


def test_any_plain_value_is_packed_and_unpacked(tmp_path: Path) -> None:
    back = unpack(pack(stage()), Stage)
    assert same(stage(), back)
    back.flags[1] = True
    write_value(tmp_path / "s", stage())
    assert same(stage(), map_value(tmp_path / "s", Stage))


def test_what_is_not_plain_or_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        pack(Inner(np.array([object()]), ""))
    with pytest.raises(TypeError):
        write_message(tmp_path / "x", "", stage())  # type: ignore[arg-type]
    assert not os.listdir(tmp_path)
    with pytest.raises(FrameError):
        unpack(pack(stage()), Inner)
    write_value(tmp_path / "s", stage())
    with pytest.raises(JobError, match="damaged"):
        map_message(tmp_path / "s")


def test_every_truncation_and_what_hangs_on_is_told(tmp_path: Path) -> None:
    path = tmp_path / "s"
    write_value(path, stage())
    data = path.read_bytes()
    for end in [*range(0, len(data), 7), len(data) - 1]:
        path.write_bytes(data[:end])
        with pytest.raises(FrameError) as caught:
            map_value(path, Stage)
        assert str(path) in caught.value.failure.sentence
    path.write_bytes(data + b"x")
    with pytest.raises(FrameError):
        map_value(path, Stage)


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_message(tmp_path / "m", "j", Progress("s", 0.5, "t"))

    def no_space(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pipe, "write_pieces", no_space)
    with pytest.raises(OSError):
        write_message(tmp_path / "m", "j", Cancel())
    assert map_message(tmp_path / "m") == Progress("s", 0.5, "t")


def test_many_frames_are_one_mapping(tmp_path: Path) -> None:
    messages = [PredictedView(i, view(f"{i}.jpg", i % 2 == 0)) for i in range(5)]
    frames = [b"".join(pipe.encode_value("j", message, 64)) for message in messages]
    (tmp_path / "all").write_bytes(b"".join(frames))
    ends = np.cumsum([len(frame) for frame in frames]).tolist()
    spans = list(zip([0, *ends[:-1]], ends, strict=True))
    assert all(same(a, b) for a, b in zip(messages, map_frames(tmp_path / "all", pipe.MESSAGES, spans), strict=True))
    assert [m.index for m in map_frames(tmp_path / "all", pipe.MESSAGES, spans[3:])] == [3, 4]


def test_bytes_may_be_views_of_the_file_that_cannot_be_written(tmp_path: Path) -> None:
    write_value(tmp_path / "s", replace(stage(), data=b"plate" * 100_000))
    size = (tmp_path / "s").stat().st_size
    tracemalloc.start()
    (mapped,) = map_frames(tmp_path / "s", {"Stage": Stage}, [(0, size)], in_place=True)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100_000
    assert isinstance(mapped.data, memoryview) and mapped.data.readonly
    assert mapped.data == b"plate" * 100_000
    assert same(unpack(pack(mapped), Stage), replace(stage(), data=b"plate" * 100_000))
