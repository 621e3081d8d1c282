"""Cameras of damaged .blend files: a sentence, or the cameras; and never the end of the program that asks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from model_runtime.contract.messages import JobError
from tests.fuzz.mutations import damaged

bpy = pytest.importorskip("bpy")

from da3_blender.headless.blend_cameras import read_blend_cameras  # noqa: E402


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[bytes], Path]:
    """A .blend with a camera for a photo, as it is and compressed, and the photo."""
    folder = tmp_path_factory.mktemp("blend")
    bpy.ops.wm.read_factory_settings(use_empty=True)
    image = bpy.data.images.new("photo", 100, 75)
    photo = folder / "a.png"
    image.save(filepath=str(photo))
    bpy.data.images.remove(image)
    camera = bpy.data.objects.new("a", bpy.data.cameras.new("lens"))
    bpy.context.scene.collection.objects.link(camera)
    blends = []
    for compress in (False, True):
        bpy.ops.wm.save_as_mainfile(filepath=str(folder / "shot.blend"), compress=compress, copy=True)
        blends.append((folder / "shot.blend").read_bytes())
    return blends, photo


def copies(samples: list[bytes], count: int, seed: int) -> Iterator[bytes]:
    """Faults anywhere, and a file cut short."""
    for index, data in enumerate(damaged(samples, count, seed)):
        yield data[: len(data) // 2] if index % 4 == 3 else data


@pytest.mark.parametrize(
    ("count", "seed"),
    [pytest.param(4, 0, id="short"), pytest.param(300, 1, id="long", marks=pytest.mark.fuzz)],
)
def test_a_damaged_blend_gets_a_sentence(
    samples: tuple[list[bytes], Path], tmp_path: Path, count: int, seed: int
) -> None:
    blends, photo = samples
    shot = tmp_path / "shot.blend"
    for data in copies(blends, count, seed):
        shot.write_bytes(data)
        try:
            cameras = read_blend_cameras(shot, [photo], seconds=60)
        except JobError as error:
            assert error.failure.code in ("cameras-unreadable", "cameras-missing", "bad-cameras")
            assert error.failure.sentence.endswith(".") and error.failure.advice
        else:
            assert np.isfinite(cameras.extrinsics).all() and np.isfinite(cameras.intrinsics).all()
