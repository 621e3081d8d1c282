"""The command from photos to pages, with a stand-in checkpoint; and the pages' numbers."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from model_runtime.benchmark import datasets, methods
from model_runtime.benchmark.datasets import rooms
from model_runtime.benchmark.methods import LEGEND
from model_runtime.benchmark.plots import COLORS
from model_runtime.benchmark.reconstruction import Protocol
from model_runtime.benchmark.report import FRONT, MEASURES, SCENES, pages
from model_runtime.benchmark.results import Entry, Results
from model_runtime.commands import bench as bench_command
from model_runtime.commands.command_line import main

SIZE = 112, 84
FOCAL = 90.0


def save_room(folder: Path) -> None:
    """Three photos of a painted wall 2 m away, taken side by side."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    paint = gaussian_filter(rng.uniform(size=(400, 500, 3)), (1.2, 1.2, 0))
    paint = (255 * (paint - paint.min()) / np.ptp(paint)).astype(np.uint8)
    entries = []
    for i in range(3):
        left = 60 + 40 * i
        Image.fromarray(paint[80 : 80 + SIZE[1], left : left + SIZE[0]]).save(folder / f"photo_{i}.png")
        np.save(folder / f"depth_{i}.npy", np.full(SIZE[::-1], 2.0, np.float32))
        extrinsics = np.eye(4)
        extrinsics[0, 3] = -left / FOCAL * 2
        intrinsics = [[FOCAL, 0, SIZE[0] / 2], [0, FOCAL, SIZE[1] / 2], [0, 0, 1]]
        entry = {"photo": f"photo_{i}.png", "depth": f"depth_{i}.npy", "extrinsics": extrinsics.tolist()}
        entries.append(entry | {"intrinsics": intrinsics})
    (folder / "cameras.json").write_text(json.dumps({"walls": "textured", "cameras": entries}))


def test_photos_to_page(tmp_path, tiny_checkpoint, capsys, monkeypatch):
    monkeypatch.setattr(rooms, "PROTOCOL", Protocol(cell=0.05, truncation=0.15, threshold=0.05, points=20_000))
    save_room(tmp_path / "rooms" / "wall")
    output = tmp_path / "page"
    arguments = ["--root", str(tmp_path / "rooms"), "--output", str(output), "--checkpoint", str(tiny_checkpoint)]
    main(["bench", *arguments, "--methods", "network", "given", "on_depth", "colmap", "--device", "cpu"])
    results = Results.load(output / "results.json")
    given = next(entry for entry in results.entries if entry.method == "given")
    assert given.scores["auc3"] == 100
    assert given.scores["rotation"] == pytest.approx(0, abs=1e-4)
    assert {"abs_rel_scene", "fscore", "psnr", "ssim", "nearest_psnr", "seconds"} <= set(given.scores)
    assert given.scores["psnr_gain"] == pytest.approx(given.scores["psnr"] - given.scores["nearest_psnr"])
    colmap = next(entry for entry in results.entries if entry.method == "colmap")
    assert "abs_rel_scene" not in colmap.scores
    text = (output / "README.md").read_text(encoding="utf-8")
    for picture in ("camera_recall.png", "cameras_by_scene.png", "depth_by_scene.png", "surface_by_scene.png"):
        assert f"({picture})" in text
        with Image.open(output / picture) as opened:
            assert min(opened.size) > 200
    assert "| DA3-Giant | 80.3 / 95.9 |" in (output / "measures.md").read_text(encoding="utf-8")
    assert "wall, network" in capsys.readouterr().err


def test_resume_goes_on_where_a_run_stopped(tmp_path, tiny_checkpoint, capsys):
    for name in ("a", "b"):
        save_room(tmp_path / "rooms" / name)
    output = tmp_path / "page"
    arguments = ["bench", "--root", str(tmp_path / "rooms"), "--output", str(output), "--device", "cpu"]
    arguments += ["--checkpoint", str(tiny_checkpoint), "--no-surfaces", "--no-novel-views", "--methods", "given"]
    main([*arguments, "--scenes", "a"])
    stopped = Results.load(output / "results.json")
    stopped.entries[0].scores["seconds"] = 12345.0
    stopped.save(output / "results.json")
    capsys.readouterr()

    main([*arguments, "--resume"])
    assert [line.split(",")[0] for line in capsys.readouterr().err.splitlines()] == ["b"]
    first, second = Results.load(output / "results.json").entries
    assert first == stopped.entries[0] and second.scene == "b" and second.scores["auc3"] == 100
    assert "| b | textured | `given` |" in (output / "scenes.md").read_text(encoding="utf-8")

    main([*arguments, "disturbed", "--resume"])
    entries = Results.load(output / "results.json").entries
    assert [(e.scene, e.method) for e in entries] == [(s, m) for s in "ab" for m in ("given", "disturbed")]
    assert entries[0].scores["seconds"] < 12345, "a scene that lacks a method is measured anew"

    with pytest.raises(SystemExit, match="another resolution"):
        main([*arguments, "--resume", "--resolution", "56"])


def test_a_page_of_somebody_elses_is_kept(tmp_path, tiny_checkpoint):
    save_room(tmp_path / "rooms/a")
    (tmp_path / "README.md").write_text("mine", encoding="utf-8")
    arguments = ["bench", "--root", str(tmp_path / "rooms"), "--output", str(tmp_path), "--methods", "given"]
    with pytest.raises(SystemExit, match="no page of the benchmark"):
        main([*arguments, "--checkpoint", str(tiny_checkpoint)])
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == "mine"


def test_a_scene_that_does_not_exist(tmp_path):
    save_room(tmp_path / "wall")
    with pytest.raises(SystemExit) as stopped:
        main(["bench", "--root", str(tmp_path), "--scenes", "cellar"])
    assert "None of the scenes" in str(stopped.value)


def test_scenes_not_rendered_yet_say_how(tmp_path):
    with pytest.raises(SystemExit) as stopped:
        main(["bench", "--root", str(tmp_path)])
    assert "examples/benchmark_rooms" in str(stopped.value)


def test_what_can_be_asked_for_exists():
    assert tuple(datasets.DATASETS) == bench_command.DATASETS
    assert tuple(methods.LEGEND) == bench_command.METHODS


def results() -> Results:
    return Results(
        {"checkpoint": "mine"},
        [
            Entry("a", "plain", "auto", "features", {"auc30": 80.0, "seconds": 2.0}, [1.0, None]),
            Entry("b", "textured", "auto", "network", {"auc30": 90.0, "seconds": 4.0}, [2.0, 3.0]),
            Entry("a", "plain", "colmap", failure="It found no match."),
            Entry("b", "textured", "colmap", "features", {"auc30": 96.0, "seconds": 1.0}, [0.5, 0.7]),
        ],
    )


def test_a_scene_without_a_result_counts_as_nothing_for_accuracy_only():
    assert results().mean("auto", "auc30") == 85
    assert results().mean("colmap", "auc30") == 48
    assert results().mean("colmap", "auc30", "textured") == 96
    assert results().mean("colmap", "seconds") == 1
    assert results().mean("colmap", "psnr") is None


def test_the_pages_tell_means_groups_scenes_and_failures():
    told = pages(results(), ["plot.png"])
    assert "| all | `auto` | - | - | - | **85.0** |" in told[MEASURES]
    assert "| plain | `auto` | - | - | - | 80.0 |" in told[MEASURES]
    assert "| b | textured | `colmap` | features | 96.0 |" in told[SCENES]
    assert "- a, colmap: It found no match." in told[FRONT]
    assert "![plot](plot.png)" in told[FRONT]


def test_the_front_page_has_one_table_and_leads_to_the_others():
    told = pages(results(), [])
    assert told[FRONT].count("\n| --- ") == 1
    assert "| method | AUC30 ↑ |" in told[FRONT] and "| `auto` | **85.0** |" in told[FRONT]
    assert all(f"({name})" in told[FRONT] for name in told if name != FRONT)


def test_the_pages_kept_here_are_those_of_the_results_kept_here():
    folder = Path(__file__).parents[3] / "docs" / "benchmark"
    pictures = sorted(path.name for path in folder.glob("*.png"))
    for name, text in pages(Results.load(folder / "results.json"), pictures).items():
        assert (folder / name).read_text(encoding="utf-8") == text


def test_results_come_back_from_their_file(tmp_path):
    told = results()
    told.entries[0].scores["chamfer"] = float("inf")
    told.entries[0].errors[1] = float("inf")
    told.save(tmp_path / "results.json")
    back = Results.load(tmp_path / "results.json")
    assert back.entries[0].scores == {"auc30": 80.0, "seconds": 2.0}
    assert back.entries[0].errors == [1.0, None]
    assert back.entries[1:] == told.entries[1:]


def test_every_method_has_a_color_and_a_line_in_the_legend():
    assert set(COLORS) == set(LEGEND) == set(bench_command.METHODS)
