"""constraints.txt: one version of every package, which is what runs here and what gets installed elsewhere."""

from __future__ import annotations

import sys
import tomllib
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ASKED = [
    Requirement(line)
    for lines in (PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"].values())
    for line in lines
]
PINNED_ELSEWHERE = ("bpy", "cuda-", "nvidia-", "triton")


def locked(python: str, system: str) -> dict[str, Version]:
    """The versions of constraints.txt for a Python and a `sys_platform`."""
    place = {"python_version": python, "python_full_version": f"{python}.1", "sys_platform": system}
    found = {}
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate(place):
            (only,) = requirement.specifier
            assert only.operator == "==" and requirement.name not in found
            found[canonicalize_name(requirement.name)] = Version(only.version)
    return found


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


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
@pytest.mark.parametrize("system", ["linux", "win32", "darwin"])
def test_everything_asked_for_has_a_version_that_fits(python: str, system: str) -> None:
    versions = locked(python, system)
    for requirement in ASKED:
        if requirement.name != "bpy":
            assert requirement.specifier.contains(versions[canonicalize_name(requirement.name)]), str(requirement)


def test_here_runs_what_is_locked() -> None:
    versions = locked(f"{sys.version_info[0]}.{sys.version_info[1]}", sys.platform)
    installed = needed([requirement.name for requirement in ASKED if requirement.name not in ("bpy", "uv")])
    assert len(installed) > 40
    for name, package in installed.items():
        if not name.startswith(PINNED_ELSEWHERE):
            assert Version(package.version).public == str(versions[name]), name
