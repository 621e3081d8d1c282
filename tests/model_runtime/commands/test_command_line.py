"""The commands of `da3-runtime` that need no worker."""

from __future__ import annotations

import gc
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import model_runtime
from model_runtime.commands import predict as predict_command
from model_runtime.commands.command_line import main
from model_runtime.contract.messages import (
    PROTOCOL_VERSION,
    CheckpointInfo,
    Gaussians,
    JobError,
    Photo,
    Prediction,
    Request,
    View,
)


@pytest.mark.parametrize(("options", "backend"), [((), "torch"), (("--rays", "--backend", "onnx"), "onnx")])
def test_predict_writes_arrays_and_says_what_made_them(
    tiny_checkpoint: Path,
    photos: tuple[Photo, ...],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, ...],
    backend: str,
) -> None:
    files = [tmp_path / photo.name for photo in photos[:2]]
    for file, photo in zip(files, photos, strict=False):
        file.write_bytes(photo.data)
    output = tmp_path / "out.npz"
    main(["predict", *map(str, files), "--output", str(output), "--checkpoint", str(tiny_checkpoint), *options])
    told = capsys.readouterr()
    settings = json.loads(told.out)
    assert (settings["resolution"], settings["backend"]) == (84, backend)
    assert "100%" not in told.err and "Reading wide.png (1 of 2)." in told.err

    arrays = np.load(output)
    assert arrays["view0_depth"].shape == (70, 84) and ("view1_ray" in arrays) == ("--rays" in options)
    assert "--rays" not in options or arrays["view1_ray"].shape == (48, 24, 6)
    assert len(arrays["gaussian_means"]) == 70 * 84 + 84 * 42
    meta = json.loads(str(arrays["meta"]))
    told_of_view = {"name": "tall.png", "photo_size": [90, 160], "camera_source": "network"}
    assert meta["views"][1] == told_of_view | {"lens": None, "match_error": None}
    assert meta["camera_source"] == "network" and meta["gaussians"] == "network"


@pytest.mark.parametrize("known", [True, False])
def test_predict_writes_what_is_repeated_where_that_is_known(known: bool) -> None:
    shape = (4, 6)
    repeated = np.arange(24).reshape(shape) % 2 == 0 if known else None
    ones, sky, color = np.ones(shape, np.float32), np.zeros(shape, bool), np.zeros((*shape, 3), np.uint8)
    view = View("a.png", (60, 40), ones, ones, sky, color, np.eye(4), np.eye(3), repeated=repeated)
    three, four, one = np.ones((24, 3), np.float32), np.ones((24, 4), np.float32), np.ones(24, np.float32)
    marks, index = None if repeated is None else repeated.ravel(), np.zeros(24, np.int32)
    gaussians = Gaussians(three, three, four, one, three[..., None], one, index, "surface", marks)
    checkpoint = CheckpointInfo("da3-tiny", "da3-tiny", "Apache-2.0", True)
    named = predict_command.arrays(Prediction((view,), gaussians, checkpoint, "features"))
    assert all(isinstance(array, np.ndarray) for array in named.values())
    assert ("view0_repeated" in named) == ("gaussian_repeated" in named) == known
    if known:
        np.testing.assert_array_equal(named["view0_repeated"].ravel(), named["gaussian_repeated"])


def test_predict_asks_for_depth_as_told(
    photos: tuple[Photo, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, bool]] = []

    class Asked:
        def predict(self, request: Request, _: object) -> Prediction:
            asked.append((request.refine_depth, request.improve_splats))
            raise JobError("cancelled", "Enough.")

    monkeypatch.setattr("model_runtime.commands.predict.Predictor", Asked)
    photo = tmp_path / "photo.png"
    photo.write_bytes(photos[0].data)
    for options in ([], ["--refine-depth", "on"], ["--refine-depth", "off", "--improve-splats"]):
        with pytest.raises(SystemExit, match="Enough"):
            main(["predict", str(photo), "--output", str(tmp_path / "a.npz"), *options])
    assert asked == [("auto", False), ("on", False), ("off", True)]


def test_training_without_torch_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(SystemExit, match=r"Training needs PyTorch\. Install it"):
        main(["train", "--preset", "smoke", "--out", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()


def test_info_is_a_hello(capsys: pytest.CaptureFixture[str]) -> None:
    main(["info"])
    told = json.loads(capsys.readouterr().out)
    assert told["protocol"] == PROTOCOL_VERSION
    assert told["version"] == model_runtime.__version__ and told["torch"] == torch.__version__


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["predict", "walk.MP4", "--output", "x.npz"], "walk.MP4 is a video, and this command takes photos. Name it"),
        (["predict", "nowhere.jpg", "--output", "x.npz"], "nowhere.jpg cannot be read: No such file or directory."),
        (["predict", __file__, "--output", "x.npz", "--checkpoint", "da3-large"], "depth-anything/DA3-LARGE"),
    ],
)
def test_failures_are_sentences(
    arguments: list[str], words: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DA3_MODELS", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert words in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("output", "why"),
    [("a" * 260 + ".npz", "File name too long"), ("none/a.npz", "No such file"), ("folder.npz", "it is a folder")],
)
def test_predict_refuses_first_what_cannot_be_written(
    output: str, why: str, photos: tuple[Photo, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = tmp_path / "photo.png"
    photo.write_bytes(photos[0].data)
    (tmp_path / "folder.npz").mkdir()
    monkeypatch.setattr("model_runtime.commands.predict.Predictor", None)
    with pytest.raises(SystemExit, match=f"cannot be written: {why}"):
        main(["predict", str(photo), "--output", str(tmp_path / output), "--overwrite"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.npz", "photo.png"]


@pytest.mark.parametrize("size", [0, 100, 5000, 100_000])
def test_arrays_that_the_disk_cannot_hold_leave_the_file_before(
    tmp_path: Path, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no archive stays open that complains later."""
    resource = pytest.importorskip("resource")
    complaints: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", complaints.append)
    output, before = tmp_path / "a.npz", resource.getrlimit(resource.RLIMIT_FSIZE)
    output.write_bytes(b"older")
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        with pytest.raises(JobError, match=r"a\.npz cannot be written: File too large"):
            predict_command._write(output, {"a": np.random.default_rng(0).random(100_000)})
        gc.collect()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"older"]
    assert not complaints


@pytest.mark.parametrize("overwrite", [False, True])
def test_predict_writes_over_nothing(
    overwrite: bool, tiny_checkpoint: Path, photos: tuple[Photo, ...], tmp_path: Path
) -> None:
    photo, other = tmp_path / "photo.png", tmp_path / "other.npz"
    photo.write_bytes(photos[0].data)
    other.write_bytes(b"older")
    options = ["--checkpoint", str(tiny_checkpoint), "--no-gaussians", *(["--overwrite"] if overwrite else [])]
    with pytest.raises(SystemExit, match=r"photo\.png is one of the photos"):
        main(["predict", str(photo), "--output", str(photo), *options])
    assert photo.read_bytes() == photos[0].data
    if overwrite:
        main(["predict", str(photo), "--output", str(other), *options])
        assert "view0_depth" in np.load(other)
    else:
        with pytest.raises(SystemExit, match="is there already"):
            main(["predict", str(photo), "--output", str(other), *options])
        assert other.read_bytes() == b"older"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other.npz", "photo.png"]
