"""An empty scene, and shaders that are let go of before another file's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

bpy = pytest.importorskip("bpy")

from da3_blender.drawing import canvas  # noqa: E402
from da3_blender.drawing.exact import start_gpu  # noqa: E402


@pytest.fixture(scope="module")
def shaders() -> Iterator[None]:
    bpy.ops.wm.read_homefile(use_empty=True)
    start_gpu()
    yield
    canvas.forget()


@pytest.fixture
def scene() -> bpy.types.Scene:
    bpy.ops.wm.read_homefile(use_empty=True)
    return bpy.context.scene
