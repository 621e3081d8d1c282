"""The folder that holds the worker's own environment: what is installed there, what is left over, what is too old.

    runtime.json           which environment is the installed one; written last, whole, so it is never half true
    runtime-<version>-*/   the environment; `.part` at its end while it is made; all but the one in runtime.json go
    cache/  python/  uv/   uv's downloads (hard links of the environment's files where the disk can), Pythons, uv itself
    install.lock           held while something is being installed

Standard library only.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from model_runtime.contract.disk import write_file
from model_runtime.contract.file_lock import try_lock
from model_runtime.contract.json_files import JsonError, read_json
from model_runtime.contract.messages import Failure, JobError

LOCK_PATIENCE = 0.5
"""Seconds; `interruption` holds the lock for a moment."""

MARKER, LOCK = "runtime.json", "install.lock"
CACHE, PYTHONS, UV = "cache", "python", "uv"
PART = ".part"
ENVIRONMENT = re.compile(r"runtime-[\w.+-]+", re.ASCII)
WHEEL_PATTERN = "da3_runtime-*-py3-none-any.whl"
CONSTRAINTS, LOCKS, SUMS = "constraints.txt", "locks", "SHA256SUMS"
WHEELS_FOLDER = Path(__file__).parents[1] / "wheels"
"""Where the extension carries the worker's wheel, and the versions and hashes of what it needs."""


@dataclass(frozen=True)
class Wheel:
    """The worker as one file. constraints: the file beside it with the version of every package it needs, directly or
    not; locks: the folder with the hashes of these packages' files. sha256: of the wheel; fingerprint: of the list of
    hashes of all of these, so it changes with each of them."""

    path: Path
    constraints: Path
    locks: Path
    version: str
    sha256: str
    fingerprint: str


@dataclass(frozen=True)
class InstalledRuntime:
    """What runtime.json says of a finished environment. environment: its folder's name. wheel_sha256: the fingerprint
    of the wheel and what it came with. torch, onnxruntime: their versions; empty where it does without. size: bytes on
    the disk. verified: whether the hash of every file that was installed is one that the extension knows. Those that
    older extensions installed are full, and do not tell so."""

    environment: str
    version: str
    wheel_sha256: str
    python_version: str
    torch: str
    device: str
    size: int
    verified: bool = False
    edition: str = "full"
    onnxruntime: str = ""


def environment_python(environment: Path) -> Path:
    return environment / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def find_wheel(folder: Path = WHEELS_FOLDER) -> Path | None:
    """The newest of the worker's wheels in `folder`, None where there is none."""
    return max(folder.glob(WHEEL_PATTERN), key=lambda path: path.stat().st_mtime, default=None)


def open_wheel(path: Path | None) -> Wheel:
    """The wheel with its version and hash. Raises JobError `wheel-missing`, `wheel-damaged` where it or a file that it
    came with is not as the extension was built."""
    advice = "Install the extension again."
    if path is None or not path.is_file():
        raise JobError("wheel-missing", "The extension does not hold the worker's package.", advice)
    folder = path.parent
    try:
        sums = (folder / SUMS).read_bytes()
        wanted = {name: digest for digest, name in (line.split("  ", 1) for line in sums.decode("utf-8").splitlines())}
    except (OSError, ValueError) as error:
        sentence = f"The extension does not hold the hashes of the worker's packages: {error}."
        raise JobError("wheel-missing", sentence, advice) from error
    for name, digest in {path.name: "", CONSTRAINTS: "", **wanted}.items():
        if _sha256(folder / name) != digest:
            raise JobError("wheel-damaged", f"{name} of the extension is damaged or missing.", advice)
    version, fingerprint = path.name.split("-")[1], hashlib.sha256(sums).hexdigest()
    return Wheel(path, folder / CONSTRAINTS, folder / LOCKS, version, wanted[path.name], fingerprint)


def _sha256(path: Path) -> str:
    """Of a file's bytes; "missing" where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return "missing"


def installed_runtime(folder: Path) -> InstalledRuntime | None:
    """The environment that jobs run in; None where there is none, or its Python is gone, or where runtime.json says
    anything that no installation writes."""
    try:
        runtime = InstalledRuntime(**read_json(folder / MARKER))
    except (JsonError, TypeError):
        return None
    if any(type(getattr(runtime, field.name)).__name__ != field.type for field in fields(runtime)):
        return None
    is_there = _is_inside(folder, runtime.environment) and environment_python(folder / runtime.environment).exists()
    return runtime if is_there else None


def _is_inside(folder: Path, environment: str) -> bool:
    """Whether it is the name of an environment, and no link leads from there to a program elsewhere."""
    if not ENVIRONMENT.fullmatch(environment) or environment.endswith(PART):
        return False
    place = os.path.join(os.path.realpath(folder), environment)
    return os.path.normcase(os.path.realpath(folder / environment)) == os.path.normcase(place)


def installed_python(folder: Path) -> Path | None:
    """The Python of the installed environment."""
    runtime = installed_runtime(folder)
    return None if runtime is None else environment_python(folder / runtime.environment)


def write_marker(folder: Path, runtime: InstalledRuntime) -> None:
    """From here on `runtime` is the installed one."""
    write_file(folder / MARKER, f"{json.dumps(asdict(runtime), indent=2)}\n".encode())


def needs_upgrade(runtime: InstalledRuntime, wheel: Wheel) -> bool:
    """Whether the extension carries another worker than the installed one."""
    return (runtime.version, runtime.wheel_sha256) != (wheel.version, wheel.fingerprint)


def leftovers(folder: Path) -> list[Path]:
    """Environments that are not the installed one: unfinished, or still in use when they were replaced."""
    runtime = installed_runtime(folder)
    keep = runtime.environment if runtime else ""
    return sorted(path for path in folder.glob("runtime-*") if path.name != keep)


def interruption(folder: Path) -> Failure | None:
    """What to tell about an installation that neither ended nor is going on."""
    if not any(path.suffix == PART for path in leftovers(folder)):
        return None
    try:
        with locked(folder):
            pass
    except JobError:
        return None
    return Failure(
        "install-interrupted",
        "The last installation was interrupted.",
        "Install again: finished downloads are kept.",
    )


def remove_leftovers(folder: Path) -> None:
    """A folder that is still in use (Windows) stays until the next time."""
    for path in leftovers(folder):
        shutil.rmtree(path, ignore_errors=True)


def prune_cache(folder: Path) -> None:
    """Removes downloads that no environment shares; all of them where the disk has no hard links."""
    for package in (folder / CACHE).glob("archive-v*/*"):
        files = (Path(parent, name) for parent, _, names in os.walk(package) for name in names)
        if all(path.lstat().st_nlink == 1 for path in files):
            shutil.rmtree(package, ignore_errors=True)


def remove_runtime(folder: Path) -> None:
    """Removes everything that was installed. Raises JobError `install-busy`, `remove-failed`."""
    if not folder.exists():
        return
    with locked(folder):
        (folder / MARKER).unlink(missing_ok=True)
        for path in (*folder.glob("runtime-*"), folder / CACHE, folder / PYTHONS, folder / UV):
            shutil.rmtree(path, ignore_errors=True)
    left = leftovers(folder)
    if left:
        raise JobError("remove-failed", f"{left[0]} cannot be removed.", "Close other Blenders and try again.")


def size_on_disk(folder: Path) -> int:
    """Bytes of all files in a folder, each counted once however many hard links it has there."""
    sizes: dict[tuple[int, int], int] = {}
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                status = os.lstat(os.path.join(parent, name))
                sizes[status.st_dev, status.st_ino] = status.st_size
    return sum(sizes.values())


def has_nvidia_driver() -> bool:
    return shutil.which("nvidia-smi") is not None


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Holds the folder against other Blenders. Raises JobError `install-busy` where one of them holds it."""
    with (folder / LOCK).open("a+b") as file:
        deadline = time.monotonic() + LOCK_PATIENCE
        while not (held := try_lock(file)) and time.monotonic() < deadline:
            time.sleep(0.05)
        if not held:
            raise JobError(
                "install-busy", "Another Blender is installing the runtime.", "Wait for it to end, or stop it there."
            )
        yield
