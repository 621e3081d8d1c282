"""`blender --command da3` makes what `build.py scene` makes.

The bpy package has no command line: there, its function is called. DA3_BLENDER may have the path of a Blender with one.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
BLENDER = os.environ.get("DA3_BLENDER")

Run = Callable[[list[str | Path], Path], str]

WORKER = """
# A worker whose answer is a ramp seen by cameras in a row.
import sys
sys.path.insert(0, {root!r})
import numpy as np
from model_runtime import pipe
from model_runtime.messages import *

source, sink = sys.stdin.buffer, sys.stdout.buffer
pipe.write_frame(sink, "", Hello(PROTOCOL_VERSION, "1", "3", "none", "cpu", "cpu", 1, ()))
job, request = pipe.read_frame(source)
intrinsics = np.array([[600.0, 0, 390], [0, 610, 310], [0, 0, 1]])
views = []
for index, photo in enumerate(request.photos):
    depth = np.linspace(2, 3 + index, 30 * 40, dtype=np.float32).reshape(30, 40)
    place = np.eye(4)
    place[0, 3] = -0.2 * index
    sky, color = np.zeros((30, 40), bool), np.full((30, 40, 3), 128, np.uint8)
    views.append(View(photo.name, (800, 600), depth, np.ones_like(depth), sky, color, place, intrinsics))
checkpoint = CheckpointInfo("da3-tiny", "da3-tiny", "Apache-2.0", True)
pipe.write_frame(sink, job, Prediction(tuple(views), None, checkpoint, "network"))
"""

INSTALL_AND_RUN = """
import importlib, sys, bpy
bpy.ops.extensions.package_install_files(filepath=sys.argv[1], repo="user_default", enable_on_install=True)
sys.exit(importlib.import_module("bl_ext.user_default.da3_blender.command_line").run(sys.argv[2:]))
"""


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in (1, 2):
        shutil.copy(ROOT / f"examples/living_room/living_room_{number}.jpg", folder)
    return folder


@pytest.fixture(params=["bpy", pytest.param("blender", marks=pytest.mark.skipif(not BLENDER, reason="no DA3_BLENDER"))])
def program(request: pytest.FixtureRequest) -> list[str | Path]:
    """The words that start Blender without a window."""
    return [sys.executable] if request.param == "bpy" else [str(BLENDER), "--background"]


def own_python(program: list[str | Path], run: Run, profile: Path) -> str:
    """The Python that comes with the Blender; it has numpy, which is all that the worker here needs."""
    if len(program) == 1:
        return sys.executable
    told = run([*program, "--python-expr", "import sys; print('PYTHON', sys.executable)"], profile)
    return next(line.removeprefix("PYTHON ") for line in told.splitlines() if line.startswith("PYTHON "))


def test_the_command_makes_what_build_makes(
    program: list[str | Path], run: Run, extension: Path, photos: Path, tmp_path: Path
) -> None:
    worker, profile, made = tmp_path / "worker.py", tmp_path / "profile", tmp_path / "made.blend"
    worker.write_text(WORKER.format(root=str(ROOT)))
    options: list[str | Path] = [photos, "--no-preview", "--output", made, "--worker"]
    options.append(f"'{own_python(program, run, profile)}' '{worker}'")
    if len(program) == 1:
        said = run([*program, "-c", INSTALL_AND_RUN, extension, *options], profile)
        script: list[str | Path] = []
    else:
        install = ["extension", "install-file", "--repo", "user_default", "--enable", extension]
        run([*program, "--command", *install], profile)
        said = run([*program, "--command", "da3", *options], profile)
        script = ["--python"]
    assert "made 2 cameras (network), " in said

    usual = tmp_path / "usual.blend"
    options = [photos, "--no-preview", "--output", usual, "--worker", f"'{sys.executable}' '{worker}'"]
    subprocess.run([sys.executable, "-m", "da3_blender.headless", *options], cwd=ROOT, check=True, capture_output=True)

    numbers = tmp_path / "numbers.json"
    run(
        [
            *program,
            *script,
            Path(__file__).with_name("scene_numbers.py"),
            *(["--"] if script else []),
            made,
            usual,
            numbers,
        ],
        profile,
    )
    ours, theirs = json.loads(numbers.read_text())
    assert sorted(ours["cameras"]) == ["living_room_1.jpg", "living_room_2.jpg"]
    assert len(ours["points"]) > 1000
    assert ours["size"] == theirs["size"] == [800, 600]
    for kind in ("cameras", "lenses"):
        for name, values in theirs[kind].items():
            assert np.allclose(ours[kind][name], values, atol=1e-6)
    assert np.allclose(ours["points"], theirs["points"], atol=1e-6)
    distance = np.linalg.norm(np.subtract(*np.array(list(ours["cameras"].values()))[:, :3, 3]))
    assert distance == pytest.approx(0.2, abs=1e-6)


@pytest.mark.skipif(not BLENDER, reason="DA3_BLENDER is not set")
def test_bad_options_get_a_sentence_and_status(run: Run, extension: Path, tmp_path: Path) -> None:
    start = [str(BLENDER), "--background", "--command"]
    run([*start, "extension", "install-file", "--repo", "user_default", "--enable", extension], tmp_path)
    variables = {**os.environ, "BLENDER_USER_RESOURCES": str(tmp_path)}
    done = subprocess.run([*start, "da3", "/nowhere"], capture_output=True, text=True, env=variables, check=False)
    assert done.returncode == 2
    assert "there is no photo or folder /nowhere" in done.stderr
    assert "blender --command da3" in run([*start, "da3", "--help"], tmp_path)
