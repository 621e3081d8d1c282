"""Blender 4.2's package crashes while Python ends, once an extension was taken away; what the tests found is kept."""

from __future__ import annotations

import os
import sys

import pytest

verdict: list[int] = []


def pytest_sessionfinish(exitstatus: int) -> None:
    verdict.append(int(exitstatus))


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    bpy = sys.modules.get("bpy")
    if bpy is not None and verdict and bpy.app.version < (4, 3):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(verdict[0])
