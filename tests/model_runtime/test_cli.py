"""The commands of `da3-runtime` that need no worker."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import model_runtime
from model_runtime.cli import main
from model_runtime.messages import PROTOCOL_VERSION, Photo


def test_predict_writes_arrays_and_says_what_made_them(
    tiny_checkpoint: Path, photos: tuple[Photo, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [tmp_path / photo.name for photo in photos[:2]]
    for file, photo in zip(files, photos, strict=False):
        file.write_bytes(photo.data)
    output = tmp_path / "out.npz"
    main(["predict", *map(str, files), "--output", str(output), "--checkpoint", str(tiny_checkpoint)])
    told = capsys.readouterr()
    assert json.loads(told.out)["resolution"] == 84
    assert "100%" not in told.err and "Reading wide.png (1 of 2)." in told.err

    arrays = np.load(output)
    assert arrays["view0_depth"].shape == (70, 84) and arrays["view1_ray"].shape == (48, 24, 6)
    assert len(arrays["gaussian_means"]) == 70 * 84 + 84 * 42
    meta = json.loads(str(arrays["meta"]))
    assert meta["views"][1] == {"name": "tall.png", "photo_size": [90, 160], "camera_source": "network"}
    assert meta["camera_source"] == "network" and meta["gaussians"] == "network"


def test_info_is_a_hello(capsys: pytest.CaptureFixture[str]) -> None:
    main(["info"])
    told = json.loads(capsys.readouterr().out)
    assert told["protocol"] == PROTOCOL_VERSION
    assert told["version"] == model_runtime.__version__ and told["torch"] == torch.__version__


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
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
