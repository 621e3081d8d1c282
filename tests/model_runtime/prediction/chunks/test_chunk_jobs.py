"""Jobs of more photos than the network looks at together: as one pass, in one world, and gone on with when killed."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from model_runtime.contract.messages import JobError, Photo, Prediction, Request
from model_runtime.prediction import sizes
from model_runtime.prediction.predictor import Predictor
from tests.model_runtime.cameras.features.made_walk import Walk, walk_round
from tests.model_runtime.prediction.chunks.walk_model import colmap_model

COUNT, AT_ONCE = 7, 3


def silent(stage: str, fraction: float, sentence: str) -> None:
    pass


def as_photo(pixels: np.ndarray, name: str) -> Photo:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=1)
    return Photo(name, file.getvalue())


@pytest.fixture(scope="session")
def walk() -> Walk:
    return walk_round(72, (160, 120))


@pytest.fixture(scope="session")
def asked(walk: Walk) -> Request:
    photos = tuple(as_photo(walk.photo(i), f"{i}.png") for i in range(COUNT))
    model = colmap_model(walk, [photo.name for photo in photos])
    return Request(photos, colmap=model, device="cpu", precision="float32", resolution=56)


@pytest.fixture(autouse=True)
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DA3_JOBS", str(tmp_path / "jobs"))
    return tmp_path / "jobs"


@pytest.fixture
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sizes, "MOST_AT_ONCE", AT_ONCE)


@pytest.fixture(scope="session")
def whole(asked: Request) -> Prediction:
    """All photos in one pass."""
    return Predictor().predict(asked, silent)


def same(one: Prediction, other: Prediction) -> bool:
    """To the last bit."""
    pairs = list(zip(one.views, other.views, strict=True))
    arrays = [(vars(a)[name], vars(b)[name]) for a, b in pairs for name in vars(a)]
    assert one.gaussians is not None and other.gaussians is not None
    arrays += [(vars(one.gaussians)[name], vars(other.gaussians)[name]) for name in vars(one.gaussians)]
    return all(np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b for a, b in arrays)


def test_with_known_cameras_chunks_agree_with_one_pass(
    asked: Request, whole: Prediction, walk: Walk, few_at_once: None
) -> None:
    predictor = Predictor()
    told: list[str] = []
    found = predictor.predict(asked, lambda stage, fraction, sentence: told.append(sentence))
    assert found.settings["chunks"] == [3, 2, 2] and "chunks" not in whole.settings
    assert any(sentence.startswith("7 photos: 3 chunks of up to 3, about 0.") for sentence in told)
    assert any(note.startswith("7 photos: 3 chunks of up to 3") for note in found.notes)
    apart, wrong = [], []
    for i, (seen, wanted) in enumerate(zip(found.views, whole.views, strict=True)):
        assert (seen.name, seen.photo_size) == (wanted.name, wanted.photo_size)
        assert seen.extrinsics == pytest.approx(walk.extrinsics[i], abs=1e-9)
        assert (seen.color == wanted.color).all() and seen.repeated is not None
        true = np.asarray(
            Image.fromarray(walk.depth(i).astype(np.float32)).resize((seen.depth.shape[1], seen.depth.shape[0]))
        )
        apart.append(np.abs(np.log(seen.depth / wanted.depth)))
        wrong.append([np.abs(each.depth / true - 1) for each in (seen, wanted)])
    assert np.median(apart) < 0.005 and np.quantile(apart, 0.9) < 0.03
    in_chunks, at_once = np.median(wrong, (0, 2, 3))
    assert in_chunks < 0.015 and in_chunks < 1.1 * at_once
    assert found.gaussians is not None and whole.gaussians is not None
    assert len(found.gaussians.means) == len(whole.gaussians.means)
    predictor.finish()


def test_the_networks_cameras_become_those_of_one_world(asked: Request, few_at_once: None) -> None:
    """All that chunks have in common lies on each other; how right it is, is the network's and the joining's."""
    predictor = Predictor()
    wish = replace(asked, colmap=None, camera_source="network", refine_depth="off", rays=True)
    found = predictor.predict(wish, silent)
    assert found.settings["chunks"] == [3, 3, 3] and found.camera_source == "network"
    assert [view.name for view in found.views] == [photo.name for photo in asked.photos]
    splats = found.gaussians
    assert splats is not None and splats.source == "network"
    for i, view in enumerate(found.views):
        # Each photo's splats and rays lie on its depth as its camera sees it, whichever chunk they are of.
        mine = splats.means[splats.view_index == i] @ view.extrinsics[:3, :3].T + view.extrinsics[:3, 3]
        assert np.median(np.abs(mine[:, 2] / view.depth.ravel() - 1)) < 0.05
        assert view.ray is not None
        origin = -view.extrinsics[:3, :3].T @ view.extrinsics[:3, 3]
        axis = view.ray[view.ray.shape[0] // 2, view.ray.shape[1] // 2, :3]
        assert view.extrinsics[2, :3] @ axis / np.linalg.norm(axis) > 0.9 and np.isfinite(origin).all()
    predictor.finish()


def stop_at(number: int, wanted: Callable[[str, str], bool]) -> Any:
    seen = 0

    def report(stage: str, fraction: float, sentence: str) -> None:
        nonlocal seen
        seen += wanted(stage, sentence)
        if seen == number:
            raise JobError("cancelled", "The job was cancelled.")

    return report


@pytest.mark.parametrize(
    ("number", "wanted"),
    [
        (6, lambda stage, sentence: sentence.startswith("Reading")),
        (2, lambda stage, sentence: stage == "network" and "chunks of up to" in sentence),
        (4, lambda stage, sentence: stage == "depth" and sentence.startswith("Comparing 5")),
        (3, lambda stage, sentence: sentence.startswith("Spreading")),
        (3, lambda stage, sentence: stage == "gaussians"),
    ],
)
def test_a_job_that_was_stopped_goes_on_and_ends_the_same(
    asked: Request, few_at_once: None, jobs: Path, number: int, wanted: Callable[[str, str], bool], uncut: Prediction
) -> None:
    with pytest.raises(JobError, match="cancelled"):
        Predictor().predict(asked, stop_at(number, wanted))
    told: list[str] = []
    predictor = Predictor()
    again = predictor.predict(asked, lambda stage, fraction, sentence: told.append(sentence))
    assert same(again, uncut)
    read = [sentence for sentence in told if sentence.startswith("Reading")]
    assert len(read) == (COUNT - 5 if wanted("", "Reading") else 0)
    predictor.finish()
    assert not [path for path in jobs.iterdir() if path.is_dir()]


@pytest.fixture(scope="session")
def uncut(asked: Request, tmp_path_factory: pytest.TempPathFactory) -> Prediction:
    """The same job of chunks that nobody stopped."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sizes, "MOST_AT_ONCE", AT_ONCE)
        patch.setenv("DA3_JOBS", str(tmp_path_factory.mktemp("uncut")))
        return Predictor().predict(asked, silent)


def test_where_the_disk_is_full_all_of_it_is_in_memory(
    asked: Request, few_at_once: None, jobs: Path, uncut: Prediction, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("model_runtime.prediction.chunks.place.room_for", lambda size: False)
    found = Predictor().predict(asked, silent)
    assert same(found, uncut) and not jobs.exists()
    assert any(note.startswith("There is no room on the disk") for note in found.notes)
