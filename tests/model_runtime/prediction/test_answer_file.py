"""Answers as files."""

from __future__ import annotations

import io
import json
import time
from dataclasses import replace

import numpy as np
import pytest

from model_runtime.contract.messages import CameraTrack, CheckpointInfo, Prediction
from model_runtime.prediction.answer_file import arrays, write_npz

TRACK = CameraTrack(
    numbers=np.array([3, 5]),
    seconds=np.array([0.1, 0.2]),
    rate=25.0,
    extrinsics=np.stack([np.eye(4)] * 2),
    photo_size=(64, 48),
    intrinsics=np.eye(3),
    sources=("key", "placed"),
    match_error=np.array([0.5, np.nan]),
)
ANSWER = Prediction(
    (), None, CheckpointInfo("tiny", "small", "Apache-2.0", True), "features", settings={"seconds": {"photos": 1.0}}
)


def written(prediction: Prediction, with_times: bool = False) -> bytes:
    file = io.BytesIO()
    write_npz(file, arrays(prediction, with_times))
    return file.getvalue()


def test_an_answer_is_the_same_bytes_at_any_time(monkeypatch: pytest.MonkeyPatch) -> None:
    first = written(ANSWER)
    now = time.time() + 1e7
    monkeypatch.setattr("time.time", lambda: now)
    slower = replace(ANSWER, settings={"seconds": {"photos": 2.0}})
    assert written(slower) == first
    assert written(slower, with_times=True) != first


def test_a_clips_camera_is_in_its_answer() -> None:
    with np.load(io.BytesIO(written(replace(ANSWER, track=TRACK)))) as found:
        meta = json.loads(str(found["meta"]))
        np.testing.assert_array_equal(found["track_extrinsics"], TRACK.extrinsics)
        np.testing.assert_array_equal(found["track_numbers"], [3, 5])
    assert meta["track"]["sources"] == ["key", "placed"] and meta["track"]["rate"] == 25.0
