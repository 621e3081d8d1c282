"""The runtime's buttons and preferences in Blender, as far as they go without a window."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

bpy = pytest.importorskip("bpy")

import da3_blender  # noqa: E402
from da3_blender import live, preferences, timer  # noqa: E402
from da3_blender.panels.preferences import draw_preferences  # noqa: E402
from da3_blender.runtime.folder import InstalledRuntime  # noqa: E402
from da3_blender.runtime.manager import FolderState  # noqa: E402
from da3_blender.runtime.torch_build import Gpu  # noqa: E402
from da3_blender.runtime.worker_command import RuntimeSettings  # noqa: E402
from model_runtime.contract.messages import Failure, Progress  # noqa: E402


class Layout:
    """Stands in for a UILayout: notes what is drawn, and is every part of itself."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.operators: list[tuple[str, str]] = []
        self.properties: list[str] = []
        self.bars: list[float] = []

    def row(self, **_: object) -> Layout:
        return self

    column = box = row

    def label(self, text: str, **_: object) -> None:
        self.texts.append(text)

    def prop(self, owner: object, name: str, **_: object) -> None:
        assert hasattr(owner, name)
        self.properties.append(name)

    def operator(self, name: str, text: str = "", **_: object) -> SimpleNamespace:
        self.operators.append((name, text))
        return SimpleNamespace()

    def progress(self, factor: float, **_: object) -> None:
        self.bars.append(factor)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The add-on switched on, with its runtime in a folder of the test's own."""
    da3_blender.register()
    monkeypatch.setattr(preferences, "runtime_settings", lambda: RuntimeSettings(folder=tmp_path / "runtime"))
    yield tmp_path / "runtime"
    da3_blender.unregister()


def draw(kind: str = "installed", torch_backend: str = "auto", edition: str = "full") -> Layout:
    layout = Layout()
    installs = {"edition": edition, "torch_backend": torch_backend, "onnxruntime_build": "auto"}
    chosen = SimpleNamespace(runtime_kind=kind, **installs, python_path="", command="", models_folder="")
    shown = SimpleNamespace(system=SimpleNamespace(ui_scale=1.0), ui_styles=bpy.context.preferences.ui_styles)
    context = SimpleNamespace(region=SimpleNamespace(width=900), preferences=shown)
    draw_preferences(chosen, layout, context)
    return layout


def test_an_offline_blender_is_told_so_and_how_to_change_it(folder: Path) -> None:
    assert not bpy.app.online_access
    assert bpy.ops.da3.install_runtime() == {"FINISHED"}
    assert not bpy.ops.da3.install_runtime.poll() and bpy.ops.da3.cancel_install.poll()
    assert timer.wait(20)
    failure = live.runtime().failure
    assert failure is not None and failure.code == "offline" and not folder.exists()
    layout = draw()
    assert ("extensions.userpref_allow_online", "Allow Online Access") in layout.operators
    assert ("da3.install_runtime", "Install Runtime") in layout.operators


def test_the_test_tells_that_nothing_is_installed(folder: Path) -> None:
    bpy.ops.da3.test_runtime()
    assert timer.wait(20)
    failure = live.runtime().failure
    assert failure is not None and failure.code == "runtime-missing"
    assert failure.sentence in " ".join(draw().texts)


def test_the_test_tells_what_a_worker_runs_on(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hello = (
        "import sys\nfrom model_runtime.contract import pipe\n"
        "from model_runtime.contract.messages import Hello, PROTOCOL_VERSION\n"
        "said = Hello(PROTOCOL_VERSION, '9.9', '3', '2', 'cpu', 'A CPU', 0, ())\n"
        "pipe.write_frame(open(1, 'wb', buffering=0), '', said)\nsys.stdin.read()"
    )
    command = f'{sys.executable} -c "{hello}"'
    monkeypatch.setattr(preferences, "runtime_settings", lambda: RuntimeSettings("command", command=command))
    bpy.ops.da3.test_runtime()
    assert timer.wait(60)
    layout = draw("command")
    assert "Device: A CPU (cpu)" in layout.texts and "The worker has version 9.9" in " ".join(layout.texts)
    assert layout.properties == ["runtime_kind", "command"]


def test_what_the_preferences_show_of_an_installation(folder: Path) -> None:
    state = live.runtime()
    state.progress = Progress("packages", 0.4, "Downloading torch.")
    layout = draw()
    assert layout.bars == [0.4] and ("da3.cancel_install", "") in layout.operators
    state.progress = None
    runtime = InstalledRuntime("runtime-1", "0.1.0", "hash", "3.12.9", "2.13.0+cu130", "cuda", 7_000_000_000)
    state.state = FolderState(runtime, False, None, 50_000_000_000)
    layout = draw()
    assert "Installed: version 0.1.0, 7.0 GB, torch 2.13.0+cu130 on cuda, Python 3.12.9" in layout.texts
    buttons = ["da3.install_runtime", "da3.remove_runtime", "da3.open_guide", "da3.test_runtime"]
    assert [name for name, _ in layout.operators] == buttons
    assert "Not all of its files were checked by their hashes" in layout.texts
    state.state = replace(state.state, runtime=replace(runtime, verified=True))
    assert "Not all of its files were checked by their hashes" not in draw().texts
    state.state = replace(state.state, upgrade=True)
    assert ("da3.install_runtime", "Upgrade Runtime") in draw().operators
    interrupted = Failure("install-interrupted", "The last installation was interrupted.")
    state.state = replace(state.state, runtime=None, upgrade=False, interrupted=interrupted)
    layout = draw()
    assert ("da3.install_runtime", "Resume Installation") in layout.operators
    assert "Needs 3 GB while it is installed; 50 GB are free" in layout.texts


def test_what_cannot_be_verified_is_told_before_it_is_installed(folder: Path) -> None:
    state = FolderState(None, False, None, 50_000_000_000)
    for gpu, backend, told in (
        (Gpu(), "auto", ""),
        (Gpu("amd"), "cpu", "no build that it can verify"),
        (Gpu("amd"), "unverified", "PyTorch will be installed unverified"),
    ):
        live.runtime().state = replace(state, gpu=gpu)
        shown = " ".join(draw(torch_backend=backend).texts)
        assert told in shown and ("verif" in shown) == bool(told)


def test_an_edition_is_chosen_knowing_its_size_and_what_it_cannot_do(folder: Path) -> None:
    nothing = FolderState(None, False, None, 50_000_000_000)
    live.runtime().state = nothing
    layout = draw()
    assert layout.properties[:3] == ["runtime_kind", "edition", "torch_backend"]
    assert "GB on the disk." in " ".join(layout.texts) and "cannot improve splats" not in " ".join(layout.texts)
    assert "Needs 3 GB while it is installed; 50 GB are free" in layout.texts
    layout = draw(edition="light")
    assert "Needs 2 GB while it is installed; 50 GB are free" in layout.texts, "without another look at the disk"
    assert layout.properties[:3] == ["runtime_kind", "edition", "onnxruntime_build"]
    assert "About 0.7 GB on the disk. It makes whole scenes, but cannot improve splats" in " ".join(layout.texts)
    light = InstalledRuntime("runtime-1", "1", "", "3.12.9", "", "cpu", 400_000_000, True, "light", "1.32.0")
    live.runtime().state = replace(nothing, runtime=light)
    layout = draw(edition="light")
    assert "Installed: version 1, 0.4 GB, ONNX Runtime 1.32.0 on cpu, Python 3.12.9" in layout.texts
    assert ("da3.install_runtime", "Repair Runtime") in layout.operators
    layout = draw(edition="full")
    assert ("da3.install_runtime", "Replace by the Full Runtime") in layout.operators
    assert ("da3.install_runtime", "Repair Runtime") not in layout.operators


def test_looking_and_removing_wait_for_nothing(folder: Path) -> None:
    assert "Looking at the runtime..." in draw().texts
    assert not live.runtime().busy, "drawing starts nothing"
    assert timer.wait(20) and live.runtime().state is not None
    (folder / "runtime-1").mkdir(parents=True)
    bpy.ops.da3.remove_runtime()
    assert timer.wait(20)
    assert live.runtime().failure is None and not (folder / "runtime-1").exists()


def test_lower_detail(folder: Path) -> None:
    settings = bpy.context.scene.da3
    settings.resolution, settings.own_resolution = 504, False
    bpy.ops.da3.lower_resolution()
    assert settings.resolution == 378 and settings.own_resolution
    for _ in range(10):
        bpy.ops.da3.lower_resolution()
    assert settings.resolution == 112


def test_switching_off_ends_an_installation(folder: Path) -> None:
    bpy.ops.da3.install_runtime()
    da3_blender.unregister()
    da3_blender.register()
    assert not live.runtime().busy and live.runtime().failure is None
