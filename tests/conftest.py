"""The front door as a module; and an end that Blender survives."""

from __future__ import annotations

import os
import sys
from types import ModuleType

import pytest

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as for the worker: see model_runtime/commands/command_line.py
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # as the worker does: see model_runtime/onnx_graphs

verdict: list[int] = []


@pytest.fixture(scope="session")
def build() -> ModuleType:
    """build.py."""
    import build

    return build


def pytest_sessionfinish(exitstatus: int) -> None:
    verdict.append(int(exitstatus))


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Blender 4.2's package crashes while Python ends, once an extension was away; and with torch in the same process,
    as only tests have it, none ends after Blender's glTF export. What the tests found is kept."""
    bpy = sys.modules.get("bpy")
    if bpy is not None and verdict and (bpy.app.version < (4, 3) or "torch" in sys.modules):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(verdict[0])
