"""The words of a hashed installation, as pip itself understands them; it is asked what it would do, offline."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from da3_blender.runtime.folder import Wheel
from da3_blender.runtime.install_words import hashed_words, installer_variables, locked_torch
from da3_blender.runtime.uv_output import explain_output


def make_wheel(folder: Path, name: str, content: str = "good") -> Path:
    path = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", f"# {content}")
        archive.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\nRequires-Dist: absent\n"
        )
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def wheel(tmp_path: Path) -> Wheel:
    """The worker's wheel in a folder whose name has a space, and a list with one package of `index/`."""
    folder = tmp_path / "the wheels"
    (folder / "locks").mkdir(parents=True)
    (tmp_path / "index").mkdir()
    package = make_wheel(tmp_path / "index", "da3_tiny_package")
    lines = f"da3-tiny-package==1.0 \\\n    --hash=sha256:{sha256(package)}\n"
    (folder / "locks/packages.txt").write_text(lines)
    path = make_wheel(folder, "da3_runtime")
    return Wheel(path, folder / "constraints.txt", folder / "locks", "1.0", sha256(path), "")


def ask_pip(wheel: Wheel) -> tuple[int, str]:
    index = wheel.path.parents[1] / "index"
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--dry-run",
        "--no-index",
        "--no-cache-dir",
        "--find-links",
        index,
    ]
    done = subprocess.run(
        [*command, *hashed_words(wheel, ("packages",))],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        env=installer_variables(index),
    )
    return done.returncode, done.stdout


def test_what_is_listed_is_taken_and_nothing_else(wheel: Wheel) -> None:
    """Both wheels ask for a package that is nowhere; the lists are complete, so it is not looked for."""
    status, told = ask_pip(wheel)
    assert status == 0, told
    assert "Would install da3-runtime-1.0 da3-tiny-package-1.0" in told.replace("_", "-")


@pytest.mark.parametrize("changed", ["index/da3_tiny_package", "the wheels/da3_runtime"])
def test_a_changed_file_is_refused(wheel: Wheel, changed: str) -> None:
    folder, name = (wheel.path.parents[1] / changed).parent, Path(changed).name
    make_wheel(folder, name, "bad")
    status, told = ask_pip(wheel)
    assert status != 0
    failure = explain_output("installing packages", told, has_nvidia=True)
    assert failure.code == "package-changed" and name.replace("_", "-") in failure.log.replace("_", "-")


def test_the_locked_torch(wheel: Wheel) -> None:
    (wheel.locks / "torch-index.txt").write_text("# made\ntorch==2.13.0 \\\n    --hash=sha256:00\n")
    assert locked_torch(wheel) == "2.13.0"
    (wheel.locks / "torch-index.txt").write_text("")
    with pytest.raises(ValueError, match="names no torch"):
        locked_torch(wheel)
