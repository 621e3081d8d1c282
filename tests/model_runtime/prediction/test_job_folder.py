"""The folder of a job: what was put there is there again, for one worker at a time, until it is thrown away."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from model_runtime.contract.messages import Cameras, Photo, Request
from model_runtime.depth.scratch import Slots
from model_runtime.prediction.job_folder import DAYS_KEPT, JobFolder, job_digest, open_folder, remove_old_folders
from model_runtime.prediction.plan import ALL_ON, make_plan


@pytest.fixture(autouse=True)
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DA3_JOBS", str(tmp_path))
    return tmp_path


@dataclass(frozen=True, eq=False)
class Value:
    number: int
    array: np.ndarray


def opened(digest: str = "a") -> JobFolder:
    folder = open_folder(digest)
    assert folder is not None
    return folder


def test_what_was_put_there_is_there_again() -> None:
    folder = opened()
    slots = Slots(folder, "maps", [(2, 3), (4, 1)], np.float32)
    slots[1] = np.arange(4, dtype=np.float32)[:, None]
    folder.advance("stage", 2)
    rows = folder.rows("rows", Value)
    for i in range(3):
        rows.append(Value(i, np.full(i, i, np.float64)))
    folder.put_value("one", Value(7, np.eye(2)))
    folder.close()

    again = opened()
    assert again.path == folder.path and again.done("stage") == 2 and again.done("other") == 0
    slots = Slots(again, "maps", [(2, 3), (4, 1)], np.float32)
    assert not slots[0].any() and slots[1].ravel().tolist() == [0, 1, 2, 3]
    rows = again.rows("rows", Value)
    rows.append(Value(3, np.full(3, 3.0)))
    found = rows.all()
    assert [value.number for value in found] == [0, 1, 2, 3]
    assert all((value.array == value.number).all() and len(value.array) == value.number for value in found)
    one = again.value("one", Value)
    assert one is not None and one.number == 7 and again.value("two", Value) is None
    again.finish()


def test_a_row_that_was_being_written_when_the_worker_died_is_no_row() -> None:
    folder = opened()
    rows = folder.rows("rows", Value)
    rows.append(Value(0, np.zeros(3)))
    with (folder.path / "rows.values").open("ab") as file:
        file.write(b"half a row")
    folder.close()
    rows = opened().rows("rows", Value)
    rows.append(Value(1, np.ones(3)))
    assert [(value.number, value.array.sum()) for value in rows.all()] == [(0, 0), (1, 3)]


def test_two_workers_do_not_share_one() -> None:
    first, second = opened(), opened()
    assert first.path != second.path
    first.close()
    assert opened().path == first.path


def test_it_is_thrown_away_as_a_whole(jobs: Path) -> None:
    folder = opened()
    slots = Slots(folder, "maps", [(8,)], np.float32)
    slots[0] = np.ones(8, np.float32)
    kept = slots[0]
    folder.finish()
    assert not list(jobs.iterdir()) and kept.sum() == 8


def test_folders_that_nobody_came_back_for_go(jobs: Path) -> None:
    old, new, used = opened("old"), opened("new"), opened("used")
    old.close()
    new.close()
    days = time.time() - (DAYS_KEPT + 1) * 86400
    for folder in (old, used):
        os.utime(folder.path, (days, days))
    remove_old_folders()
    assert {path.name for path in jobs.iterdir() if path.is_dir()} == {"new", "used"}


def test_a_digest_is_of_all_that_the_answer_depends_on(tiny_checkpoint: Path, photos: tuple[Photo, ...]) -> None:
    request = Request(photos, checkpoint=str(tiny_checkpoint), device="cpu", precision="float32")
    cameras = Cameras(np.tile(np.eye(4), (3, 1, 1)), np.tile(np.diag((100.0, 100.0, 1.0)), (3, 1, 1)))
    others = [
        replace(request, photos=photos[::-1]),
        replace(request, photos=(photos[0], replace(photos[1], data=photos[2].data), photos[2])),
        replace(request, resolution=70),
        replace(request, cameras=cameras),
        replace(request, cameras=replace(cameras, intrinsics=2 * cameras.intrinsics)),
        replace(request, camera_source="rays"),
        replace(request, refine=True),
        replace(request, gaussians=False),
        replace(request, splat_budget=1000),
        replace(request, checkpoint="da3-tiny"),
        replace(request, precision="bfloat16"),
    ]
    digests = [job_digest(make_plan(each, ALL_ON)) for each in (request, *others)]
    assert len(set(digests)) == len(digests)
    assert job_digest(make_plan(replace(request), ALL_ON)) == digests[0]
