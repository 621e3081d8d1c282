"""The list of models and its downloads as the add-on has them, with a worker played by a script."""

from __future__ import annotations

import json
import os
import shlex
import sys
import textwrap
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from da3_blender.plan.scene_plan import plan_scene
from da3_blender.runtime.models import (
    ModelDownloads,
    check_ready,
    local_folder,
    model_row,
    model_rows,
    own_checkpoint,
)
from da3_blender.runtime.worker_command import RuntimeSettings
from model_runtime.contract.catalogue import CATALOGUE
from model_runtime.contract.messages import CheckpointInfo, JobError, Models, ModelState
from model_runtime.contract.model_files import list_models, model_state

WORKER = """
import sys, time
from model_runtime.contract import pipe
from model_runtime.contract.messages import *
source, sink = sys.stdin.buffer, sys.stdout.buffer
def say(job, message): pipe.write_frame(sink, job, message)
say("", Hello(PROTOCOL_VERSION, "0", "3", "2", "cpu", "none", 0, ()))
job, task = pipe.read_frame(source)
def models(ready):
    return Models("/far", 10, (ModelState("da3-small", ready, 5, 137, "/far/DA3-SMALL"),))
"""
LOCAL = Path("/nowhere")


def playing(script: str, folder: Path | None) -> ModelDownloads:
    settings = RuntimeSettings("command", command=shlex.join([sys.executable, "-c", script]))
    return ModelDownloads(lambda: settings, lambda: folder)


def play(script: str, folder: Path | None) -> ModelDownloads:
    return playing(WORKER + textwrap.dedent(script), folder)


def pumped(downloads: ModelDownloads, until: Callable[[], bool] | None = None) -> None:
    end = time.monotonic() + 30
    while downloads.pump() and not (until and until()):
        assert time.monotonic() < end
        time.sleep(0.01)


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(JobError) as caught:
        call()
    assert caught.value.failure.advice
    return caught.value.failure.code


def test_the_list_shows_without_a_worker_and_without_a_folder(tmp_path: Path) -> None:
    rows = model_rows(None)
    assert [row.model.name for row in rows] == list(CATALOGUE)
    assert [row.model.name for row in rows if row.ready] == ["da3-tiny"]
    assert all(row.size and row.memory for row in rows)
    assert all(row.model.commercial_use for row in model_rows(None, only_commercial=True))
    downloads = play("", tmp_path / "none")
    downloads.refresh()
    pumped(downloads)
    assert downloads.models is not None and downloads.models.free_bytes > 0
    assert [row.model.name for row in model_rows(downloads.models) if row.ready] == ["da3-tiny"]


def test_what_is_here_half_here_or_by_hand_is_told_apart(tmp_path: Path) -> None:
    for name, file in (("DA3-SMALL", "model.safetensors.0123.incomplete"), ("da3-large", "model.safetensors")):
        (tmp_path / name).mkdir()
        (tmp_path / name / file).write_bytes(bytes(2_000_000))
    models = list_models(tmp_path)
    small, large, base = (model_row(models, name) for name in ("da3-small", "da3-large", "da3-base"))
    assert small and large and base
    assert small.started and not small.ready and small.here == "2 MB"
    assert large.ready and large.asks_for_licence and not base.started
    assert refusal(lambda: check_ready(models, "da3-small")) == "checkpoint-missing"
    assert refusal(lambda: check_ready(models, "da3-large")) == "licence-not-accepted"
    (tmp_path / "da3-large" / "download.json").write_text('{"licence_accepted": "2026-01-31"}')
    check_ready(list_models(tmp_path), "da3-large")
    check_ready(None, "da3-small")
    assert model_row(models, "mine") is None


def test_a_download_goes_to_a_worker_of_its_own_that_ends_with_it(tmp_path: Path) -> None:
    script = """
    assert task == DownloadModel("da3-small", "Apache-2.0", task.accepted_on), task
    say(job, Progress("download", 0.5, "Half."))
    time.sleep(0.2)
    say(job, models(True))
    source.read()
    """
    downloads = play(script, tmp_path)
    downloads.download("da3-small")
    assert downloads.name == "da3-small"
    pumped(downloads, lambda: bool(downloads.progress and downloads.progress.sentence == "Half."))
    assert refusal(lambda: downloads.download("da3-base")) == "download-running"
    assert refusal(lambda: downloads.remove("da3-base")) == "download-running"
    pumped(downloads)
    row = model_row(downloads.models, "da3-small")
    assert row and row.ready and downloads.name == "" and downloads.progress is None
    assert downloads._worker is None


def test_a_failed_download_tells_why_and_what_is_here(tmp_path: Path) -> None:
    (tmp_path / "DA3-SMALL").mkdir()
    (tmp_path / "DA3-SMALL" / "model.safetensors.0123.incomplete").write_bytes(bytes(1_000_000))
    downloads = play("""say(job, Failure("no-network", "No network.", "Wait."))""", tmp_path)
    downloads.download("da3-small")
    pumped(downloads)
    assert downloads.failure and downloads.failure.code == "no-network" and downloads.failed == "da3-small"
    row = model_row(downloads.models, "da3-small")
    assert row and row.started


def test_cancel_is_no_failure(tmp_path: Path) -> None:
    script = """
    say(job, Progress("download", 0.5, "Half."))
    assert isinstance(pipe.read_frame(source)[1], pipe.Cancel)
    say(job, Failure("cancelled", "The job was cancelled."))
    """
    downloads = play(script, tmp_path)
    downloads.download("da3-small")
    pumped(downloads, lambda: bool(downloads.progress and downloads.progress.sentence == "Half."))
    downloads.cancel()
    pumped(downloads)
    assert downloads.failure is None and downloads.name == ""


def test_cancel_does_not_wait_for_a_worker_that_is_still_starting(tmp_path: Path) -> None:
    downloads = playing("import time; time.sleep(60)", tmp_path)
    downloads.download("da3-small")
    downloads.cancel()
    assert downloads.name == "" and downloads._worker is None
    pumped(downloads)
    assert downloads.failure is None


def test_a_licence_must_be_accepted_by_name_and_downloads_may_be_off(tmp_path: Path) -> None:
    downloads = play("", tmp_path)
    assert refusal(lambda: downloads.download("da3-giant-1.1")) == "licence-not-accepted"
    assert refusal(lambda: downloads.download("da3-giant-1.1", "Apache-2.0")) == "licence-not-accepted"
    assert refusal(lambda: downloads.download("da3-small", online=False)) == "offline"
    assert refusal(lambda: downloads.download("da3-enormous")) == "model-unknown"
    assert not downloads.busy


def test_removal_here_needs_no_worker(tmp_path: Path) -> None:
    folder = tmp_path / "DA3-SMALL"
    folder.mkdir()
    for name in ("model.safetensors", "config.json", "download.json"):
        (folder / name).write_text("{}")
    assert model_state(CATALOGUE["da3-small"], tmp_path).ready
    downloads = ModelDownloads(lambda: pytest.fail("no worker is needed"), lambda: tmp_path)
    downloads.remove("da3-small")
    pumped(downloads)
    assert not folder.exists() and downloads.failure is None
    row = model_row(downloads.models, "da3-small")
    assert row and not row.ready
    downloads.remove("da3-tiny")
    pumped(downloads)
    assert downloads.failure and downloads.failure.code == "model-bundled"


def test_a_remote_worker_is_asked_what_it_has() -> None:
    downloads = play("assert task == ListModels(); say(job, models(False))", None)
    downloads.refresh()
    pumped(downloads)
    assert downloads.models == Models("/far", 10, (ModelState("da3-small", False, 5, 137, "/far/DA3-SMALL"),))
    downloads = play("""assert task == RemoveModel("da3-small"); say(job, models(False))""", None)
    downloads.remove("da3-small")
    pumped(downloads)
    assert downloads.failure is None and downloads.models is not None


def test_an_own_checkpoint_is_looked_at_without_opening_it(tmp_path: Path) -> None:
    assert "no such file" in own_checkpoint(tmp_path / "none").problem
    assert "holds no model.safetensors" in own_checkpoint(tmp_path).problem
    (tmp_path / "model.pt").touch()
    assert "safetensors" in own_checkpoint(tmp_path / "model.pt").problem
    (tmp_path / "model.safetensors").touch()
    assert own_checkpoint(tmp_path).problem == "" and own_checkpoint(tmp_path).licence == "unknown"
    (tmp_path / "config.json").write_text(json.dumps({"licence": "CC-BY-4.0", "commercial_use": True}))
    for path in (tmp_path, tmp_path / "model.safetensors"):
        own = own_checkpoint(path)
        assert (own.problem, own.licence, own.commercial_use) == ("", "CC-BY-4.0", True)
    for text in ("rubbish", "[" * 100_000, '{"licence": NaN}', '{"licence": "' + "a" * 1_000_000 + '"}'):
        (tmp_path / "config.json").write_text(text)
        assert own_checkpoint(tmp_path).problem == "Its config.json cannot be read"
    (tmp_path / "config.json").write_text(json.dumps({"licence": ["mine"], "commercial_use": "yes"}))
    own = own_checkpoint(tmp_path)
    assert (own.problem, own.licence, own.commercial_use) == ("", "unknown", None)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no pipes among its files")
def test_pipes_in_folders_are_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "model.safetensors")
    assert own_checkpoint(tmp_path).problem == "This folder holds no model.safetensors"
    (tmp_path / "model.safetensors").unlink()
    (tmp_path / "model.safetensors").touch()
    os.mkfifo(tmp_path / "config.json")
    assert own_checkpoint(tmp_path).problem == "Its config.json cannot be read"


def test_unfinished_files_that_are_none_count_nothing(tmp_path: Path) -> None:
    (tmp_path / "DA3-SMALL").mkdir()
    (tmp_path / "big").write_bytes(bytes(1000))
    (tmp_path / "DA3-SMALL" / "model.safetensors.01.incomplete").symlink_to(tmp_path / "big")
    (tmp_path / "DA3-SMALL" / "model.safetensors.02.incomplete").symlink_to(tmp_path / "gone")
    row = model_row(list_models(tmp_path), "da3-small")
    assert row is not None and not row.started


def test_the_folder_is_the_workers_own_where_none_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DA3_MODELS", "/models")
    assert local_folder("") == Path("/models") and local_folder("/other") == Path("/other")


def test_a_scene_carries_the_licence_that_was_accepted(room: SimpleNamespace) -> None:
    info = CheckpointInfo("da3-giant-1.1", "da3-giant", "CC-BY-NC-4.0", False, "c0ffee", "5ha", "2026-01-31")
    told = plan_scene(replace(room.prediction(room.view()), checkpoint=info), "Room").provenance
    assert (told["licence"], told["licence_accepted"], told["commercial_use"]) == ("CC-BY-NC-4.0", "2026-01-31", "no")
    assert (told["checkpoint_revision"], told["checkpoint_sha256"]) == ("c0ffee", "5ha")


class Layout:
    """Stands in for a UILayout: notes what is drawn, and is every part of itself."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.buttons: dict[str, str] = {}

    def row(self, **_: object) -> Layout:
        return self

    column = box = row

    def label(self, text: str = "", **_: object) -> None:
        self.texts.append(text)

    def prop(self, owner: object, name: str, **_: object) -> None:
        assert hasattr(owner, name)

    def operator(self, name: str, text: str = "", **_: object) -> SimpleNamespace:
        self.buttons[name] = text
        return SimpleNamespace()

    def menu(self, name: str, text: str = "", **_: object) -> None:
        self.texts.append(text)

    def progress(self, **_: object) -> None:
        self.texts.append("bar")


def test_panel_and_buttons_in_blender(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bpy = pytest.importorskip("bpy")
    import da3_blender

    da3_blender.register()
    try:
        from da3_blender import live, preferences, timer
        from da3_blender.jobs import request as job_request
        from da3_blender.panels.models import draw_models
        from da3_blender.runtime.worker_command import RuntimeSettings

        monkeypatch.setattr(preferences, "runtime_settings", lambda: RuntimeSettings(models_folder=str(tmp_path)))
        scene = bpy.context.scene
        shown = SimpleNamespace(system=SimpleNamespace(ui_scale=1.0), ui_styles=bpy.context.preferences.ui_styles)
        context = SimpleNamespace(scene=scene, preferences=shown, region=SimpleNamespace(width=1200))

        def drawn() -> Layout:
            layout = Layout()
            draw_models(layout, context)
            assert timer.wait(20)
            return layout

        drawn()
        assert "Ready" in drawn().texts
        bpy.ops.da3.choose_model(model="da3-giant-1.1")
        assert scene.da3.model == "da3-giant-1.1"
        layout = drawn()
        assert "License CC-BY-NC-4.0: no commercial use" in layout.texts
        assert layout.buttons["da3.download_model"] == "Download (5.4 GB)"
        refused = "has not been accepted" if bpy.app.online_access else "online access is off"
        with pytest.raises(RuntimeError, match=refused):
            bpy.ops.da3.download_model(model="da3-giant-1.1")
        assert refused in " ".join(drawn().texts)
        bpy.ops.da3.dismiss_failure(keeper="models")
        with pytest.raises(RuntimeError, match="is not here yet"):
            bpy.ops.da3.run()
        (tmp_path / "DA3-GIANT-1.1").mkdir()
        (tmp_path / "DA3-GIANT-1.1" / "model.safetensors").touch()
        bpy.ops.da3.refresh_models()
        assert timer.wait(20)
        assert drawn().buttons["da3.download_model"] == "Accept License"
        bpy.ops.da3.remove_model(model="da3-giant-1.1")
        assert timer.wait(20)
        assert not (tmp_path / "DA3-GIANT-1.1").exists() and live.downloads().failure is None
        scene.da3.checkpoint_path = str(tmp_path / "mine")
        assert any("no such file" in text for text in drawn().texts)
        assert job_request.base_request(scene.da3).checkpoint == str(tmp_path / "mine")
    finally:
        da3_blender.unregister()
