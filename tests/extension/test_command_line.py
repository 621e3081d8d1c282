"""`blender --command da3` makes what `build.py scene` makes.

The bpy package has no command line: there, its function is called. DA3_BLENDER may have the path of a Blender with one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
BLENDER = os.environ.get("DA3_BLENDER")

Run = Callable[[list[str | Path], Path], str]

WORKER = Path(__file__).with_name("ramp_worker.py")

INSTALL_AND_RUN = """
import importlib, sys, bpy
bpy.ops.extensions.package_install_files(filepath=sys.argv[1], repo="user_default", enable_on_install=True)
sys.exit(importlib.import_module("bl_ext.user_default.da3_blender.headless.blender_command").run(sys.argv[2:]))
"""


def test_the_command_makes_what_build_makes(
    program: list[str | Path],
    own_python: str,
    run: Run,
    start_script: Callable[..., list[str | Path]],
    extension: Path,
    photos: Path,
    tmp_path: Path,
) -> None:
    profile, made = tmp_path / "profile", tmp_path / "made.blend"
    options: list[str | Path] = [photos, "--no-preview", "--output", made, "--worker"]
    options.append(f"'{own_python}' '{WORKER}'")
    if len(program) == 1:
        said = run([*program, "-c", INSTALL_AND_RUN, extension, *options], profile)
    else:
        install = ["extension", "install-file", "--repo", "user_default", "--enable", extension]
        run([*program, "--command", *install], profile)
        said = run([*program, "--command", "da3", *options], profile)
    assert "made 2 cameras (network), " in said

    usual = tmp_path / "usual.blend"
    options = [photos, "--no-preview", "--output", usual, "--worker", f"'{sys.executable}' '{WORKER}'"]
    subprocess.run([sys.executable, "-m", "da3_blender.headless", *options], cwd=ROOT, check=True, capture_output=True)

    numbers = tmp_path / "numbers.json"
    run([*start_script(program, "scene_numbers.py"), made, usual, numbers], profile)
    ours, theirs = json.loads(numbers.read_text())
    assert sorted(ours["cameras"]) == ["living_room_1", "living_room_2"]
    assert len(ours["points"]) > 1000
    assert ours["size"] == theirs["size"] == [800, 600]
    for kind in ("cameras", "lenses"):
        for name, values in theirs[kind].items():
            assert np.allclose(ours[kind][name], values, atol=1e-6)
    assert np.allclose(ours["points"], theirs["points"], atol=1e-6)
    sides = np.ptp(np.percentile(ours["points"], (1, 99), axis=0), axis=0)
    assert sides.max() == pytest.approx(5.0, rel=0.02)  # nothing tells how large the scene is


@pytest.mark.skipif(not BLENDER, reason="DA3_BLENDER is not set")
def test_bad_options_get_a_sentence_and_status(run: Run, extension: Path, tmp_path: Path) -> None:
    start = [str(BLENDER), "--background", "--command"]
    run([*start, "extension", "install-file", "--repo", "user_default", "--enable", extension], tmp_path)
    variables = {**os.environ, "BLENDER_USER_RESOURCES": str(tmp_path)}
    done = subprocess.run([*start, "da3", "/nowhere"], capture_output=True, text=True, env=variables, check=False)
    assert done.returncode == 2
    assert "there is no photo or folder /nowhere" in done.stderr
    assert "blender --command da3" in run([*start, "da3", "--help"], tmp_path)


def test_without_a_runtime_it_says_how_to_get_one(
    program: list[str | Path], run: Run, extension: Path, photos: Path, tmp_path: Path
) -> None:
    """The worker is that of the preferences, where none is installed in a new profile; never Blender's own Python."""
    options: list[str | Path] = [photos, "--output", tmp_path / "made.blend"]
    if len(program) == 1:
        command = [*program, "-c", INSTALL_AND_RUN, extension, *options]
    else:
        run([*program, "--command", "extension", "install-file", "-r", "user_default", "-e", extension], tmp_path)
        command = [*program, "--command", "da3", *options]
    variables = {name: value for name, value in os.environ.items() if name != "DA3_WORKER_PYTHON"}
    variables["BLENDER_USER_RESOURCES"] = str(tmp_path)
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, env=variables, cwd=tmp_path, check=False)
    assert done.returncode == 1
    assert "runtime-missing: The runtime" in done.stderr
    assert "Install it" in done.stderr
