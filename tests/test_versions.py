"""constraints.txt: one version of every package, which is what runs here and what gets installed elsewhere.

locks/: the same versions with the hashes of their files, for the installations of the worker.
"""

from __future__ import annotations

import re
import sys
import tomllib
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from da3_blender.runtime.install_words import NEXT_UV, OLDEST_UV
from da3_blender.runtime.onnxruntime_build import CPU_VARIANT, CUDA_VARIANT, DIRECTML_VARIANT
from da3_blender.runtime.torch_build import CPU, CUDA_12, CUDA_13, TorchBuild

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
WORKER = [Requirement(line) for line in PROJECT["project"]["dependencies"]]
TORCH = [Requirement(line) for line in PROJECT["project"]["optional-dependencies"]["torch"]]
GROUPS = {name: [Requirement(line) for line in lines] for name, lines in PROJECT["dependency-groups"].items()}
ASKED = [*WORKER, *TORCH, *(requirement for group in GROUPS.values() for requirement in group)]
ELSEWHERE = ("bpy", "uv", "onnxruntime-gpu", "onnxruntime-directml")
"""Asked for, but for environments that are not the tests' own, or not for every Python."""

PYTHONS, SYSTEMS = ("3.11", "3.12", "3.13", "3.14"), ("linux", "win32", "darwin")
PINNED_ELSEWHERE = ("bpy", "cuda-", "nvidia-", "triton")


def locked(python: str, system: str) -> dict[str, Version]:
    """The versions of constraints.txt for a Python and a `sys_platform`."""
    found = {}
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate(place(python, system)):
            (only,) = requirement.specifier
            assert only.operator == "==" and requirement.name not in found
            found[canonicalize_name(requirement.name)] = Version(only.version)
    return found


def place(python: str, system: str) -> dict[str, str]:
    """The marker environment of a usual machine with that Python and `sys_platform`."""
    machine = {"linux": "x86_64", "win32": "AMD64", "darwin": "arm64"}[system]
    name = {"linux": "Linux", "win32": "Windows", "darwin": "Darwin"}[system]
    return {
        **{"python_version": python, "python_full_version": f"{python}.1", "sys_platform": system},
        **{"platform_machine": machine, "platform_system": name, "extra": ""},
    }


def hashed(name: str) -> list[tuple[Requirement, set[str]]]:
    """The requirements of a file of locks/, each with its hashes; every line has to be one or the other."""
    found: list[tuple[Requirement, set[str]]] = []
    for line in (ROOT / "locks" / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if match := re.fullmatch(r"    --hash=sha256:([0-9a-f]{64})(?: \\)?", line):
            found[-1][1].add(match[1])
        elif not line.startswith("#"):
            assert line.endswith(" \\"), line
            found.append((Requirement(line.removesuffix("\\")), set()))
    return found


def there(name: str, python: str, system: str) -> dict[str, Requirement]:
    """What a file of locks/ installs at a place, by name; each once."""
    fitting = [r for r, _ in hashed(name) if r.marker is None or r.marker.evaluate(place(python, system))]
    names = [canonicalize_name(requirement.name) for requirement in fitting]
    assert len(set(names)) == len(names)
    return dict(zip(names, fitting, strict=True))


def needed(names: list[str]) -> dict[str, Distribution]:
    """The installed packages of these names and all that they need here."""
    found: dict[str, Distribution] = {}
    waiting = list(names)
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name in found:
            continue
        found[name] = distribution(name)
        for requirement in map(Requirement, found[name].requires or ()):
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting.append(requirement.name)
    return found


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("system", SYSTEMS)
def test_everything_asked_for_has_a_version_that_fits(python: str, system: str) -> None:
    versions = locked(python, system)
    for requirement in ASKED:
        wanted_here = requirement.marker is None or requirement.marker.evaluate(place(python, system))
        if requirement.name != "bpy" and wanted_here:
            assert requirement.specifier.contains(versions[canonicalize_name(requirement.name)]), str(requirement)


def test_here_runs_what_is_locked() -> None:
    versions = locked(f"{sys.version_info[0]}.{sys.version_info[1]}", sys.platform)
    installed = needed([requirement.name for requirement in ASKED if requirement.name not in ELSEWHERE])
    assert len(installed) > 40
    for name, package in installed.items():
        if not name.startswith(PINNED_ELSEWHERE):
            assert Version(package.version).public == str(versions[name]), name


VARIANTS = ("onnxruntime-cpu", "onnxruntime-cuda", "onnxruntime-directml")
FILES = ("packages", *VARIANTS, "torch-common", "torch-index", "torch-cpu", "torch-cu126", "torch-cu130", "uv")


@pytest.mark.parametrize("name", FILES)
def test_every_line_has_hashes(name: str) -> None:
    lines = hashed(name)
    assert lines and all(hashes for _, hashes in lines)
    assert {path.stem for path in (ROOT / "locks").glob("*.txt")} == set(FILES)
    if name == "torch-common" or not name.startswith("torch-c"):
        assert all(str(requirement.specifier).startswith("==") for requirement, _ in lines)


def together(names: tuple[str, ...], python: str, system: str) -> dict[str, Requirement]:
    """What several files of locks/ install at a place; no two of them the same package."""
    lists = [there(name, python, system) for name in names]
    found = {name: requirement for each in lists for name, requirement in each.items()}
    assert len(found) == sum(map(len, lists))
    return found


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("system", SYSTEMS)
def test_the_hashed_lists_hold_all_that_the_worker_needs_in_the_same_versions(python: str, system: str) -> None:
    versions = locked(python, system)
    light = together(("packages", "onnxruntime-cpu"), python, system)
    full = together(("packages", "onnxruntime-cpu", "torch-common", "torch-index"), python, system)
    for name, requirement in full.items():
        if not name.startswith(PINNED_ELSEWHERE):
            assert str(requirement.specifier) == f"=={versions[name]}", name
    assert {canonicalize_name(requirement.name) for requirement in WORKER} <= light.keys()
    assert {canonicalize_name(requirement.name) for requirement in TORCH} <= full.keys() - light.keys()
    assert (system == "linux") == any(name.startswith("nvidia-") for name in full)
    assert not any(name.startswith(("nvidia-", "torch")) for name in light)


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize(
    ("variant", "systems", "package"),
    [
        (CPU_VARIANT, SYSTEMS, "onnxruntime"),
        (CUDA_VARIANT, ("linux", "win32"), "onnxruntime-gpu"),
        (DIRECTML_VARIANT, ("win32",), "onnxruntime-directml"),
    ],
)
def test_each_variant_of_onnx_runtime_comes_alone(
    python: str, variant: str, systems: tuple[str, ...], package: str
) -> None:
    """All of them have the module `onnxruntime`: two in one environment spoil each other."""
    for system in SYSTEMS:
        found = together(("packages", f"onnxruntime-{variant}"), python, system)
        runtimes = [name for name in found if name.startswith("onnxruntime")]
        assert runtimes == ([package] if system in systems else []), system
        if runtimes:
            assert str(found[package].specifier) == f"=={locked(python, system)[package]}"
        cuda = {"nvidia-cublas", "nvidia-cuda-runtime", "nvidia-cudnn-cu13", "nvidia-cufft"}
        assert (cuda <= found.keys()) == (variant == CUDA_VARIANT and system in systems)


@pytest.mark.parametrize(
    ("asked", "lists"),
    [
        (WORKER, ("packages", "onnxruntime-cpu")),
        ([*WORKER, *TORCH], ("packages", "onnxruntime-cpu", "torch-common", "torch-index")),
    ],
)
def test_without_any_further_package_nothing_is_missing(asked: list[Requirement], lists: tuple[str, ...]) -> None:
    """They are installed without looking for dependencies, so those of every package must be in the lists."""
    system, python = sys.platform, f"{sys.version_info[0]}.{sys.version_info[1]}"
    packages = together(lists, python, system)
    for name, package in needed([requirement.name for requirement in asked]).items():
        if not name.startswith(PINNED_ELSEWHERE) and name != "torch":
            assert str(packages[name].specifier) == f"=={package.version}", name


@pytest.mark.parametrize("build", [CPU, CUDA_12, CUDA_13])
def test_each_build_of_torch_has_one_file_for_each_of_its_pythons(build: TorchBuild) -> None:
    torch = str(locked("3.12", "linux")["torch"])
    system = "linux" if build is CPU else "win32"
    for python in PYTHONS:
        found = there(f"torch-{build.lock}", python, system)
        assert (set(found) == {"torch"}) == SpecifierSet(build.pythons).contains(python)
        for requirement in found.values():
            tag = python.replace(".", "")
            start = f"https://download.pytorch.org/whl/{build.lock}/torch-{torch}%2B{build.lock}-cp{tag}-cp{tag}-"
            assert requirement.url is not None and requirement.url.startswith(start)


def test_the_locked_uv_is_the_one_that_is_used() -> None:
    ((requirement, hashes),) = hashed("uv")
    version = Version(str(requirement.specifier).removeprefix("=="))
    assert OLDEST_UV <= version.release < NEXT_UV and len(hashes) > 10
    assert [str(requirement)] == PROJECT["dependency-groups"]["lock"]
