"""The whole way, small: teacher, student, Gaussian head, export, strict loading, a prediction; then its curves."""

import json
from pathlib import Path

import pytest
from PIL import Image
from safetensors import safe_open

from model_runtime.commands import command_line as cli
from model_runtime.commands import train as train_command
from model_runtime.training import presets
from model_runtime.training.studies import curves


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("smoke")
    cli.main(["train", "--preset", "smoke", "--out", str(out)])
    return out


def records_of(log: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


def test_every_part_has_run(out: Path):
    preset = presets.PRESETS["smoke"]
    assert preset.teacher is not None
    assert records_of(out / "teacher.jsonl")[-1]["step"] == preset.teacher.steps
    assert records_of(out / "log.jsonl")[-1]["step"] == preset.student.steps
    last = records_of(out / "gaussians.jsonl")[-1]
    assert last["step"] == preset.gaussian_steps
    assert last["psnr_novel"] > 0


def test_the_checkpoint_tells_how_it_was_made(out: Path):
    config = json.loads((out / "checkpoint" / "config.json").read_text())
    assert config["model_name"] == "da3-tiny"
    assert config["training"]["steps"] == 6
    assert config["training"]["gaussian_steps"] == 2
    with safe_open(str(out / "checkpoint" / "model.safetensors"), "pt") as file:
        assert any(key.startswith("model.gs_head.") for key in file.keys())  # noqa: SIM118  (the file is no dict)


def test_again_it_trains_nothing_and_predicts(out: Path, capsys: pytest.CaptureFixture[str]):
    state = (out / "state.pt").stat().st_mtime_ns
    cli.main(["train", "--preset", "smoke", "--out", str(out)])
    shown = capsys.readouterr().out
    assert "loads strictly: a photo of 42 x 28 pixels" in shown
    assert "step 1/" not in shown
    assert (out / "state.pt").stat().st_mtime_ns == state


def test_presets_of_the_command_are_those_of_the_trainer():
    assert set(train_command.PRESETS) == set(presets.PRESETS)


def test_curves_become_a_picture(tmp_path: Path):
    log = tmp_path / "log.jsonl"
    log.write_text("".join(json.dumps({"step": n, "depth": 1 / n, "rotation": 2.0}) + "\n" for n in range(1, 100)))
    curves.main([str(tmp_path)])
    with Image.open(tmp_path / "curves.png") as picture:
        assert picture.width > 500


def test_curves_are_medians_of_groups_and_leave_out_poses_of_single_views():
    found = curves.curves(
        [{"step": 1, "depth": 3, "ray": 1, "views": 1}, {"step": 2, "depth": 1, "ray": 2, "views": 2}]
    )
    assert found["depth"][1].tolist() == [3, 1]
    assert found["ray"][0].tolist() == [2]
    steps, values = curves.smooth(found["depth"][0], found["depth"][1], 2)
    assert (steps.tolist(), values.tolist()) == ([1.5], [2])


def test_a_folder_without_a_log_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        curves.main([str(tmp_path)])
    assert "name the folder of a run" in capsys.readouterr().err
