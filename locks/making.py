"""Makes the files that say what an installation fetches: one version of every package, and the hashes of its files.

    constraints.txt           versions of everything that pyproject.toml asks for, for the environments of build.py
    locks/packages.txt        what every worker needs, each with the SHA-256 of all its files
    locks/onnxruntime-*.txt   ONNX Runtime: for the CPU, for CUDA with the libraries that it needs, for DirectML
    locks/torch-common.txt    what every build of torch needs beside packages.txt
    locks/torch-index.txt     torch as the Python package index has it, with the CUDA libraries that it needs on Linux
    locks/torch-<build>.txt   one of torch's other builds, file by file, from PyTorch's own server
    locks/uv.txt              uv, which installs all of these

Called by `build.py lock`. Standard library only.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import tempfile
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path

CONSTRAINTS, LOCKS = "constraints.txt", "locks"
HEAD = "# Made by: python3 build.py lock"

UNLOCKED = ("bpy", "cuda-", "nvidia-", "triton")
"""Beginnings of names that constraints.txt leaves to the package which pins them: pyproject.toml names bpy's version,
and each build of torch the libraries it was made with."""

ONLY_TORCH = ("cuda-", "nvidia-", "torch==", "triton")
"""Beginnings of lines of packages that not every build of torch needs."""

ONNXRUNTIME = "onnxruntime=="
ONNXRUNTIME_GROUPS = ("onnxruntime-cuda", "onnxruntime-directml")
"""Groups of pyproject.toml: what takes the place of `onnxruntime`, as each has the same module. No environment of
build.py has them."""

BUILDS = {
    "cpu": (("3.11", "3.12", "3.13", "3.14"), ("manylinux_2_28_x86_64", "manylinux_2_28_aarch64")),
    "cu126": (("3.12",), ("win_amd64",)),
    "cu130": (("3.12", "3.13"), ("win_amd64",)),
}
"""Builds of torch that only PyTorch's server has -> Pythons and platforms that they are locked for. They need no
package that locks/packages.txt and locks/torch-common.txt lack. On Linux the index's own build is the one for CUDA 13,
elsewhere that for the CPU. da3_blender/runtime/torch_build.py chooses among these."""

MARKERS = {
    "manylinux_2_28_x86_64": "sys_platform == 'linux' and platform_machine == 'x86_64'",
    "manylinux_2_28_aarch64": "sys_platform == 'linux' and platform_machine == 'aarch64'",
    "win_amd64": "sys_platform == 'win32' and platform_machine == 'AMD64'",
}

SERVER = "https://download.pytorch.org/whl"
LINK = re.compile(r'href="([^"#]+/)?([^"/#]+\.whl)(?:#sha256=([0-9a-f]{64}))?"')
LINE = re.compile(r"^torch @ (\S+) .*\\\n +--hash=sha256:([0-9a-f]{64})$", re.MULTILINE)
SECONDS = 60


class LockError(Exception):
    """A sentence for the user."""


class Locks:
    """Everything in `root`. uv: the words that start it; say: tells a sentence; variables: for uv."""

    def __init__(self, root: Path, uv: list[str], say: Callable[[str], None], variables: dict[str, str]) -> None:
        self._root, self._uv, self._say, self._variables = root, uv, say, variables

    def make(self, groups: list[str], oldest_python: str, uv_requirement: str) -> None:
        """All of them anew. Raises LockError where no versions fit together."""
        words = ["--universal", "--python-version", oldest_python]
        project = ["pyproject.toml", *words]
        torch = ["--extra", "torch"]
        found = self._compile([*project, *torch, *(word for group in groups for word in ("--group", group))])
        versions = [line for line in found.splitlines() if not line.startswith(UNLOCKED)]
        self._write(self._root / CONSTRAINTS, versions)
        folder = self._root / LOCKS
        folder.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory() as temporary:
            pinned = Path(temporary) / CONSTRAINTS
            pinned.write_text(found, encoding="utf-8")
            hashed = ["--generate-hashes", "--constraints", str(pinned)]
            light = packages(self._compile([*project, *hashed]))
            full = packages(self._compile([*project, *torch, *hashed]))
            variants = {
                group: packages(self._compile(["--group", group, *words, *hashed])) for group in ONNXRUNTIME_GROUPS
            }
        lists = {
            "packages": [item for item in light if not item.startswith(ONNXRUNTIME)],
            "onnxruntime-cpu": [item for item in light if item.startswith(ONNXRUNTIME)],
            "torch-common": [item for item in without(light, full) if not item.startswith(ONLY_TORCH)],
            "torch-index": [item for item in full if item.startswith(ONLY_TORCH)],
            **{group: without(light, found) for group, found in variants.items()},
        }
        for name, items in lists.items():
            self._write(folder / f"{name}.txt", items)
        uv = self._compile(["-", "--generate-hashes", "--universal"], uv_requirement)
        self._write(folder / "uv.txt", uv.splitlines())
        version = next(item.split("==")[1].split()[0] for item in full if item.startswith("torch=="))
        for build in BUILDS:
            self._make_build(build, version, folder / f"torch-{build}.txt")
        self._say("the files with versions and hashes are made anew. Run the tests before you keep them.")

    def _compile(self, words: list[str], given: str = "") -> str:
        command = [*self._uv, "pip", "compile", "--quiet", "--no-annotate", "--no-header", *words]
        found = subprocess.run(
            command,
            cwd=self._root,
            input=given,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
            env=self._variables,
        )
        if found.returncode:
            raise LockError("No versions fit together; uv says why above.")
        return found.stdout

    def _make_build(self, build: str, version: str, path: Path) -> None:
        """The file of one build; it stays as it is where PyTorch's server cannot be reached."""
        known = known_hashes(path)
        try:
            links = read_index(build)
            hashes = {}
            for name in wheels(build, version):
                url = address(build, name)
                if name not in links:
                    raise LockError(f"PyTorch's server has no {name}: change BUILDS in locks/making.py.")
                hashes[url] = links[name] or known.get(url) or self._download_hash(url)
        except OSError as error:
            old = "" if any(f"torch-{version}%2B" in url for url in known) else ", though it is of another torch"
            self._say(f"{SERVER}/{build} cannot be reached ({error}): {path.name} stays as it was{old}")
            return
        self._write(path, build_lines(build, version, hashes))

    def _download_hash(self, url: str) -> str:
        """Of a file that the server's list gives no hash of."""
        self._say(f"the server tells no hash of {url}: downloading it")
        with urllib.request.urlopen(url, timeout=SECONDS) as answer:
            return hashlib.file_digest(answer, "sha256").hexdigest()

    def _write(self, path: Path, lines: list[str]) -> None:
        path.write_text("\n".join([HEAD, *lines, ""]), encoding="utf-8", newline="\n")


def packages(compiled: str) -> list[str]:
    """Each package's line with those of its hashes, which are indented."""
    return re.split(r"\n(?! )", compiled.strip())


def without(known: list[str], items: list[str]) -> list[str]:
    """The items of packages that `known` does not name."""
    names = {item.partition("==")[0] for item in known}
    return [item for item in items if item.partition("==")[0] not in names]


def wheels(build: str, version: str) -> dict[str, str]:
    """File name of each wheel of a build -> where it fits, as a marker."""
    pythons, platforms = BUILDS[build]
    found = {}
    for python in pythons:
        tag = f"cp{python.replace('.', '')}"
        for platform in platforms:
            name = f"torch-{version}+{build}-{tag}-{tag}-{platform}.whl"
            found[name] = f"python_version == '{python}' and {MARKERS[platform]}"
    return found


def build_lines(build: str, version: str, hashes: dict[str, str]) -> list[str]:
    """The requirements of a build: each of its files by its address, where it fits, and its hash."""
    lines = []
    for name, marker in wheels(build, version).items():
        url = address(build, name)
        lines += [f"torch @ {url} ; {marker} \\", f"    --hash=sha256:{hashes[url]}"]
    return lines


def address(build: str, name: str) -> str:
    return f"{SERVER}/{build}/{urllib.parse.quote(name)}"


def read_index(build: str) -> dict[str, str]:
    """File names that the server lists of a build -> SHA-256, empty where it tells none. Raises OSError."""
    with urllib.request.urlopen(f"{SERVER}/{build}/torch/", timeout=SECONDS) as answer:
        page = answer.read().decode("utf-8")
    return {urllib.parse.unquote(name): sha256 for _, name, sha256 in LINK.findall(page)}


def known_hashes(path: Path) -> dict[str, str]:
    """Address -> SHA-256 in a file that was made before."""
    return dict(LINE.findall(path.read_text(encoding="utf-8"))) if path.is_file() else {}
