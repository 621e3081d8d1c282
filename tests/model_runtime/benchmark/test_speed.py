"""`bench --speed`: programs in processes of their own, and the page of what they took."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from model_runtime.benchmark.speed import results
from model_runtime.benchmark.speed.command import RESULTS, checkpoint_of, run
from model_runtime.benchmark.speed.page import page
from model_runtime.benchmark.speed.photos import phone_photos
from model_runtime.benchmark.speed.results import Entry
from model_runtime.benchmark.speed.sides import Side, Task, medians
from model_runtime.contract.messages import JobError


def entry(side: str, cpu: float, peak: float | None, stages: dict[str, float] | None = None, photos: int = 2) -> Entry:
    return Entry(
        "da3-small",
        "arrays",
        photos,
        504,
        2,
        side,
        "A CPU",
        cpu,
        cpu / 2,
        peak,
        1.5,
        200,
        stages or {},
    )


def test_shares_are_those_of_the_released_code() -> None:
    stages = {"photos": 0.1, "network": 1.0, "cameras": 0.3}
    entries = [entry("before", 5.0, 300), entry("onnx", 3.0, 120, stages), entry("released", 6.0, 400)]
    rows = {
        line.split("|")[4].strip(): line
        for line in page(entries, "command", Path("none")).splitlines()
        if "| 504" in line
    }
    assert "3.00 (0.50) | 1.50 (0.50) | 120 (0.30)" in page(entries, "command", Path("none"))
    assert "| 6.00 | 3.00 | 400 |" in rows["`released`"]
    assert rows["`onnx`"].endswith("0.10 | 1.00 | 0.30 | 40% |")  # the last row of it, of its stages


def test_figures_that_a_system_does_not_tell_are_left_open() -> None:
    assert "| 3.00 | 1.50 | - |" in page([entry("torch", 3.0, None)], "command", Path("none"))


def test_a_new_run_replaces_its_own_entries_alone(tmp_path: Path) -> None:
    old = [entry("torch", 3.0, 100), entry("torch", 9.0, 100, photos=8)]
    results.save(tmp_path / "speed.json", results.merged(old, [entry("torch", 2.0, 90)]))
    assert [(each.photos, each.cpu) for each in results.load(tmp_path / "speed.json")] == [(2, 2.0), (8, 9.0)]


def test_photos_are_as_large_as_a_phones_upright_and_used_again(tmp_path: Path) -> None:
    source, made = tmp_path / "photos", tmp_path / "made"
    source.mkdir(), made.mkdir()
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright
    Image.fromarray(np.zeros((30, 40, 3), np.uint8)).save(source / "a.jpg", exif=exif)
    Image.fromarray(np.full((30, 40, 3), 200, np.uint8)).save(source / "b.png")
    sizes, greys = [], []
    for path in phone_photos(source, 3, made):
        with Image.open(path) as photo:
            sizes.append(photo.size)
            greys.append(np.asarray(photo).mean())
    assert sizes == [(3024, 4032), (4032, 3024), (3024, 4032)]
    assert greys == pytest.approx([0, 200, 0], abs=1)


def test_a_folder_without_photos_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="no JPEG or PNG photos"):
        phone_photos(tmp_path, 1, tmp_path)


def test_a_program_that_fails_is_told(tmp_path: Path) -> None:
    side = Side("torch", ["--checkpoint", "no-such-model"])
    with pytest.raises(JobError, match="What measures torch ended"):
        medians([side], Task((), "arrays", 84), rounds=1)


def test_a_job_is_measured_with_its_stages(tmp_path: Path) -> None:
    options = SimpleNamespace(
        counts=[1],
        sizes=[84],
        jobs=["arrays"],
        photos=Path("examples/living_room"),
        presets=["da3-tiny"],
        cores=[0],
        backends=["torch"],
        rounds=1,
        device="cpu",
        released=None,
        before=None,
        output=tmp_path,
    )
    run(options)  # type: ignore[arg-type]
    [took] = json.loads((tmp_path / RESULTS).read_text())
    assert took["photos"] == 1 and took["side"] == "torch"
    assert 0 < took["stages"]["network"] < took["wall"] < 60
    assert 0 < took["cpu"] < 60 and took["peak"] > took["idle"] > 50
    assert "da3-tiny: arrays" in (tmp_path / "speed.md").read_text()


def test_more_photos_for_features_than_there_are_is_refused(tmp_path: Path) -> None:
    options = SimpleNamespace(counts=[7], jobs=["scene"], photos=Path("examples/living_room"))
    with pytest.raises(JobError, match="6 photos"):
        run(options)  # type: ignore[arg-type]


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(JobError, match="no preset 'da3-huge'"):
        checkpoint_of("da3-huge")
