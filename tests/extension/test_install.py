"""The zip that artists install, by Blender's own commands in a clean profile: what it holds, does and leaves behind.

Runs in the bpy of this environment, and in a Blender when DA3_BLENDER has its path. The zip is built here, by a Python
with setuptools, unless DA3_EXTENSION has its path.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable
from email.parser import Parser
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import model_runtime
from da3_blender.runtime.folder import open_wheel
from model_runtime.contract.messages import JobError

ROOT = Path(__file__).parents[2]
MODULE = "bl_ext.user_default.da3_blender"
BLENDER = os.environ.get("DA3_BLENDER")
WORKER_PYTHON = os.environ.get("DA3_WORKER_PYTHON", sys.executable)
MANIFEST = tomllib.loads((ROOT / "blender_manifest.toml").read_text())
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
VERSION = model_runtime.__version__

Run = Callable[[list[str | Path], Path], str]

needs_blender = pytest.mark.skipif(not BLENDER, reason="DA3_BLENDER is not set")


def small_checkout(folder: Path, manifest_version: str, runtime_version: str) -> Path:
    """A copy of the sources with other versions, and without the large weights."""
    folder.mkdir(exist_ok=True)
    for package in ("da3_blender", "model_runtime"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__", "*.safetensors"))
    (folder / "docs").mkdir()
    for name in ("pyproject.toml", "constraints.txt", "LICENSE", "docs/guide.md"):
        shutil.copy(ROOT / name, folder / name)
    shutil.copytree(ROOT / "locks", folder / "locks")
    for name, version in (("blender_manifest.toml", manifest_version), ("model_runtime/__init__.py", runtime_version)):
        (folder / name).write_text((ROOT / name).read_text().replace(VERSION, version))
    return folder


@pytest.fixture(scope="module")
def upgrade(build: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The extension's next version."""
    folder = tmp_path_factory.mktemp("next")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "ROOT", small_checkout(folder, "99.0.0", "99.0.0"))
        return build.build_extension(Path(WORKER_PYTHON), folder / "dist")


# What the zip holds


def test_one_version_everywhere(extension: Path) -> None:
    wheel = f"da3_runtime-{VERSION}-py3-none-any.whl"
    assert MANIFEST["version"] == VERSION
    assert MANIFEST["wheels"] == [f"./wheels/{wheel}"]
    assert extension.name == f"da3_blender-{VERSION}.zip"
    names = zipfile.ZipFile(extension).namelist()
    assert [name for name in names if name.endswith(".whl")] == [f"wheels/{wheel}"]
    assert {"blender_manifest.toml", "__init__.py", "LICENSE", "guide.md", "scene/__init__.py"} <= set(names)
    constraints = zipfile.ZipFile(extension).read("wheels/constraints.txt")
    assert constraints == (ROOT / "constraints.txt").read_bytes() and b"torch==" in constraints
    locks = {f"wheels/locks/{path.name}" for path in (ROOT / "locks").glob("*.txt")}
    assert "wheels/locks/packages.txt" in locks and locks <= set(names)
    assert not [name for name in names if "pycache" in name or name.startswith(("tests", "model_runtime"))]


def test_the_hashes_of_what_it_carries_are_beside_it(extension: Path, tmp_path: Path) -> None:
    """The installer believes none of these files without its hash, and takes the wheel by that hash only."""
    zipfile.ZipFile(extension).extractall(tmp_path)
    carried = {str(path.relative_to(tmp_path / "wheels").as_posix()) for path in tmp_path.glob("wheels/**/*.*")}
    lines = (tmp_path / "wheels/SHA256SUMS").read_text(encoding="utf-8").splitlines()
    assert {line.split("  ")[1] for line in lines} == carried and len(carried) >= 7
    (path,) = (tmp_path / "wheels").glob("*.whl")
    wheel = open_wheel(path)
    assert wheel.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    lock = wheel.locks / "packages.txt"
    lock.write_bytes(lock.read_bytes().replace(b"a", b"b", 1))
    with pytest.raises(JobError, match=r"locks/packages\.txt of the extension is damaged"):
        open_wheel(path)


@pytest.mark.parametrize("versions", [("99.0.0", VERSION), (VERSION, "99.0.0")])
def test_two_versions_are_refused(
    build: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, versions: tuple[str, str]
) -> None:
    monkeypatch.setattr(build, "ROOT", small_checkout(tmp_path, *versions))
    with pytest.raises(build.BuildError, match=r"99\.0\.0.*Write one version"):
        build.build_extension(Path(WORKER_PYTHON), tmp_path / "dist")
    assert not (tmp_path / "dist").exists()


def test_the_same_sources_make_the_same_zip(build: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sources, made = small_checkout(tmp_path / "sources", VERSION, VERSION), []
    for age in (0, 1_000_000_000):
        copy = Path(shutil.copytree(sources, tmp_path / str(age)))
        for file in copy.rglob("*.*"):
            os.utime(file, (age, age))
        monkeypatch.setattr(build, "ROOT", copy)
        made.append(build.build_extension(Path(WORKER_PYTHON), copy / "dist").read_bytes())
    assert made[0] == made[1]


def test_the_wheel_is_the_whole_worker(extension: Path, tmp_path: Path) -> None:
    """Its metadata ask pip for everything the worker needs, and it runs with the checkpoint that it carries."""
    with zipfile.ZipFile(extension) as archive:
        wheel = archive.extract(MANIFEST["wheels"][0].removeprefix("./"), tmp_path)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "unpacked")
    (metadata,) = (tmp_path / "unpacked").glob("*.dist-info/METADATA")
    asked = Parser().parsestr(metadata.read_text()).get_all("Requires-Dist") or []
    name = re.compile(r"[A-Za-z0-9_.-]+")
    assert {name.match(line)[0] for line in asked} == {
        name.match(line)[0]
        for lines in (PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"].values())
        for line in lines
    }
    assert (
        "da3-runtime = model_runtime.commands.command_line:main" in metadata.with_name("entry_points.txt").read_text()
    )
    variables = {**os.environ, "PYTHONPATH": str(tmp_path / "unpacked")}
    command = [WORKER_PYTHON, "-m", "model_runtime", "info"]
    told = json.loads(subprocess.run(command, capture_output=True, cwd=tmp_path, env=variables, check=True).stdout)
    assert told["version"] == VERSION
    assert "da3-tiny" in told["checkpoints"]
    assert (tmp_path / "unpacked/model_runtime/weights/da3-tiny/model.safetensors").stat().st_size > 1_000_000


# What Blender makes of it


def test_bpy_finds_it_valid(run: Run, build: ModuleType, extension: Path, tmp_path: Path) -> None:
    told = run([sys.executable, "-c", build.VALIDATE, extension], tmp_path)
    assert "Success" in told


@needs_blender
def test_blender_finds_it_valid_and_installs_and_enables_it_by_command(
    run: Run, extension: Path, tmp_path: Path
) -> None:
    assert BLENDER
    told = run([BLENDER, "--background", "--command", "extension", "validate", extension], tmp_path)
    assert "Success" in told
    install = ["extension", "install-file", "--repo", "user_default", "--enable", extension]
    run([BLENDER, "--background", "--command", *install], tmp_path)
    listed = run([BLENDER, "--background", "--command", "extension", "list"], tmp_path)
    assert re.search(r"da3_blender.*installed", listed)
    script = f"import bpy, sys; assert '{MODULE}' in bpy.context.preferences.addons and '{MODULE}' in sys.modules"
    run([BLENDER, "--background", "--python-exit-code", "1", "--python-expr", script], tmp_path)


@pytest.fixture(scope="module")
def life(
    program: list[str | Path],
    run: Run,
    start_script: Callable[..., list[str | Path]],
    extension: Path,
    upgrade: Path,
    own_python: str,
    photos: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Any]:
    """The report of life_cycle.py: by stage, what the extension left in Blender."""
    folder = tmp_path_factory.mktemp("life")
    report = folder / "report.json"
    worker = f"'{own_python}' '{Path(__file__).with_name('ramp_worker.py')}'"
    words = [extension, upgrade, photos, worker, report]
    output = run([*start_script(program, "life_cycle.py"), *words], folder / "profile")
    told = json.loads(report.read_text())
    assert "error" not in told, told["error"]
    assert "Traceback" not in output, output
    return told


ON = ("installed", "enabled again", "at work", "enabled once more", "upgraded")
OFF = ("before", "disabled", "disabled at work", "uninstalled")


def test_it_is_on_when_it_should_be(life: dict[str, Any]) -> None:
    assert [stage for stage, on in life["enabled"].items() if on] == [stage for stage in life["enabled"] if stage in ON]
    assert set(life["enabled"]) == {*ON, *OFF}
    assert life["traces"]["installed"] != life["traces"]["before"]
    for stage in ("enabled again", "enabled once more"):
        assert life["traces"][stage] == life["traces"]["installed"]


def test_at_work_it_has_one_worker(life: dict[str, Any]) -> None:
    (worker,) = life["traces"]["at work"]["children"]
    assert "ramp_worker.py" in worker
    assert "da3-_read" in life["traces"]["at work"]["threads"]


@pytest.mark.parametrize("stage", OFF[1:])
def test_switched_off_it_leaves_nothing_behind(life: dict[str, Any], stage: str) -> None:
    before, after = life["traces"]["before"], life["traces"][stage]
    left = {kind: sorted(set(after[kind]) ^ set(words)) for kind, words in before.items() if after[kind] != words}
    assert left == {}


def test_blender_gets_the_wheel_and_nothing_else(life: dict[str, Any]) -> None:
    assert life["installed"]["before"] == []
    assert life["installed"]["installed"] == [f"da3_runtime-{VERSION}.dist-info", "model_runtime"]
    assert life["installed"]["uninstalled"] == []
    for stage, modules in life["loaded"].items():
        assert not [name for name in modules if name.partition(".")[0] in ("torch", "da3_blender")], stage
    modules = life["loaded"]["installed"]
    assert modules[MODULE]
    assert all(".local" in file for name, file in modules.items() if name.partition(".")[0] == "model_runtime")


def test_an_upgrade_comes_with_its_own_runtime(life: dict[str, Any]) -> None:
    assert life["runtime"]["installed"] == VERSION
    assert life["runtime"]["upgraded"] == "99.0.0"
    assert not [name for name in life["loaded"]["uninstalled"] if name.startswith(MODULE)]
