"""The extension as a zip, and programs run in an empty Blender profile.

The zip is built by a Python with setuptools, unless DA3_EXTENSION has the path of one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
SECONDS = 120
LEAKS = ("PYTHONPATH", "DA3_WORKER_PYTHON")
"""Variables that would give Blender more than an artist's has."""

BLENDER = os.environ.get("DA3_BLENDER")


@pytest.fixture(scope="session")
def extension(build: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if built := os.environ.get("DA3_EXTENSION"):
        return Path(built)
    python = os.environ.get("DA3_WORKER_PYTHON", sys.executable)
    return build.build_extension(Path(python), tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="session")
def run() -> Callable[[list[str | Path], Path], str]:
    """Runs a command that must succeed, with `profile` as Blender's user folder and no view of the checkout;
    returns what it printed."""

    def run(command: list[str | Path], profile: Path) -> str:
        profile.mkdir(exist_ok=True)
        variables = {name: value for name, value in os.environ.items() if name not in LEAKS}
        variables["BLENDER_USER_RESOURCES"] = str(profile)
        done = subprocess.run(
            [str(word) for word in command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=SECONDS,
            cwd=profile,
            env=variables,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    return run


@pytest.fixture(
    scope="module",
    params=["bpy", pytest.param("blender", marks=pytest.mark.skipif(not BLENDER, reason="DA3_BLENDER is not set"))],
)
def program(request: pytest.FixtureRequest) -> list[str | Path]:
    """The words that start Blender without a window; of the bpy package, its Python."""
    return [sys.executable] if request.param == "bpy" else [str(BLENDER), "--background"]


@pytest.fixture(scope="module")
def own_python(
    program: list[str | Path],
    run: Callable[[list[str | Path], Path], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> str:
    """The Python of that Blender; it has numpy, which is all that the worker of these tests needs."""
    if len(program) == 1:
        return sys.executable
    ask = ["--python-expr", "import sys; print('PYTHON', sys.executable)"]
    told = run([*program, *ask], tmp_path_factory.mktemp("profile"))
    return next(line.removeprefix("PYTHON ") for line in told.splitlines() if line.startswith("PYTHON "))


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two photos."""
    folder = tmp_path_factory.mktemp("photos")
    for number in (1, 2):
        shutil.copy(ROOT / f"examples/living_room/living_room_{number}.jpg", folder)
    return folder


@pytest.fixture(scope="session")
def start_script() -> Callable[[list[str | Path], str], list[str | Path]]:
    """The words that run a script of this folder in Blender; the script's own come after them."""

    def start(program: list[str | Path], name: str) -> list[str | Path]:
        script = Path(__file__).with_name(name)
        return [*program, script] if len(program) == 1 else [*program, "--python", script, "--"]

    return start
