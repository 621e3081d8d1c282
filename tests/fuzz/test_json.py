"""Odd JSON of others, in files and in a .blend, and damaged headers of weights: refused in words, or taken as none."""

from __future__ import annotations

import json
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from da3_blender.photos.camera_file import read_cameras
from da3_blender.runtime.folder import InstalledRuntime, environment_python, installed_runtime
from model_runtime.checkpoints import loading as checkpoint_loading
from model_runtime.checkpoints.locate import CheckpointFile
from model_runtime.contract.json_files import JsonError, parse_json
from model_runtime.contract.messages import CheckpointInfo, JobError
from model_runtime.contract.model_files import DownloadRecord, read_config, read_record, told_licence
from tests.fuzz.mutations import ROUNDS, damaged, odd_json

SLOW = 5.0
"""Seconds of the processor for one text, many times what any of them needs."""

POSE = np.diag([1.0, -1, -1, 1]).tolist()
CAMERAS = (
    {"cameras": [{"photo": "a.jpg", "extrinsics": POSE, "intrinsics": [[9, 0, 4], [0, 9, 3], [0, 0, 1]]}],
     "lens": {"model": "brown", "coefficients": [-0.2, 0.05]}},
    {"fl_x": 9.0, "w": 8, "h": 6, "k1": -0.2, "k4": 0.01, "camera_model": "OPENCV", "frames": [
        {"file_path": "./a", "transform_matrix": POSE, "is_fisheye": False},
        {"file_path": "b/a.png", "transform_matrix": POSE},
    ]},
    {"camera_angle_x": 0.7, "frames": [{"file_path": "a.jpg", "transform_matrix": POSE, "fl_x": 9}]},
)  # fmt: skip
CONFIG = {
    "model_name": "da3-tiny",
    "resolution": 84,
    "licence": "CC-BY-4.0",
    "commercial_use": True,
    "config": {"a": [1]},
}
RUNTIME = InstalledRuntime("runtime-1", "1", "hash", "3.12", "2.13", "cpu", 5)


def refused(call: Callable[[], object]) -> bool:
    """Whether a JobError with words came of it; nothing else may, and soon."""
    started = time.process_time()
    try:
        call()
    except JobError as error:
        assert error.failure.sentence and error.failure.advice
        assert len(error.failure.sentence) < 2000
        return True
    finally:
        assert time.process_time() - started < SLOW
    return False


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "file.json"


@ROUNDS
def test_any_text_is_read_or_refused(count: int, seed: int) -> None:
    samples = [json.dumps(content).encode(code) for content in CAMERAS for code in ("utf-8", "utf-16", "utf-8-sig")]
    read = 0
    for data in (*damaged(samples, count, seed), *(text.encode() for text in odd_json(CONFIG, count, seed))):
        try:
            content = parse_json(data)
        except JsonError as error:
            assert str(error).startswith(("it ", "its "))
            continue
        json.dumps(content, allow_nan=False, ensure_ascii=False).encode()
        read += 1
    assert 0 < read < 2 * count


@ROUNDS
@pytest.mark.filterwarnings("error")
def test_camera_files(file: Path, count: int, seed: int) -> None:
    photo = file.with_name("a.jpg")
    Image.new("RGB", (8, 6)).save(photo)
    failures = 0
    for content in CAMERAS:
        for text in odd_json(content, count // len(CAMERAS), seed):
            file.write_text(text)
            failures += refused(lambda: read_cameras(file, [photo], ["a.jpg"]))
    assert 0 < failures < count


@ROUNDS
def test_configs_and_records_of_models(tmp_path: Path, count: int, seed: int) -> None:
    record = DownloadRecord("a/b", "c0ffee", "5ha", "Apache-2.0", "2026-01-31")
    failures = 0
    for text in odd_json(CONFIG, count, seed):
        (tmp_path / "config.json").write_text(text)
        failures += refused(lambda: told_licence(read_config(tmp_path / "config.json")))
    assert 0 < failures < count
    for text in odd_json(asdict(record), count, seed):
        (tmp_path / "download.json").write_text(text)
        assert not refused(lambda: read_record(tmp_path))
        assert all(isinstance(value, str) and len(value) <= 100 for value in asdict(read_record(tmp_path)).values())


@ROUNDS
def test_markers_of_runtimes(tmp_path: Path, count: int, seed: int) -> None:
    python = environment_python(tmp_path / "runtime-1")
    python.parent.mkdir(parents=True)
    python.touch()
    found = set()
    for text in odd_json(asdict(RUNTIME), count, seed):
        (tmp_path / "runtime.json").write_text(text)
        runtime = installed_runtime(tmp_path)
        assert runtime is None or runtime.environment == "runtime-1"
        found.add(runtime is None)
    assert found == {True, False}


@pytest.fixture
def scene() -> Iterator[Any]:
    """Of an empty Blender file, with the add-on."""
    bpy = pytest.importorskip("bpy")
    import da3_blender

    bpy.ops.wm.read_factory_settings(use_empty=True)
    da3_blender.register()
    yield bpy.context.scene
    da3_blender.unregister()
    bpy.ops.wm.read_factory_settings(use_empty=True)


@ROUNDS
def test_requests_stored_in_a_blend(scene: Any, tmp_path: Path, count: int, seed: int) -> None:
    import bpy

    from da3_blender.jobs import stored_request
    from da3_blender.photos import photo_list

    settings, collection = scene.da3, bpy.data.collections.new("made")
    for name in ("a.png", "b.png"):
        Image.new("RGB", (8, 6)).save(tmp_path / name)
    photo_list.add_folder(settings, tmp_path)
    good = json.loads(stored_request.describe(settings, ["a.png", "b.png"]))
    for text in odd_json(good, count, seed):
        collection[stored_request.REQUEST] = text
        refused(lambda: stored_request.load_photos(collection, settings))
        stored_request.load_settings(collection, settings)
        stored_request.photo_names(collection)
    collection[stored_request.REQUEST] = json.dumps(good)
    assert stored_request.load_photos(collection, settings) == 0 and len(settings.photos) == 2


class Small(torch.nn.Module):
    """Stands in for a network."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = torch.nn.Linear(3, 2), torch.nn.Linear(2, 2, bias=False)


@ROUNDS
def test_headers_of_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int, seed: int) -> None:
    monkeypatch.setattr(checkpoint_loading, "create_model", lambda preset: Small())
    weights = tmp_path / "model.safetensors"
    save_file({f"model.{key}": tensor for key, tensor in Small().state_dict().items()}, weights)
    good = weights.read_bytes()
    (length,) = struct.unpack("<Q", good[:8])
    header = json.loads(good[8 : 8 + length])
    located = CheckpointFile(CheckpointInfo("mine", "da3-tiny", "unknown", None), weights)

    def is_refused(data: bytes) -> bool:
        weights.write_bytes(data)
        return refused(lambda: checkpoint_loading.load_network(located, torch.device("cpu")))

    assert not is_refused(good)
    failures = sum(map(is_refused, damaged([good], count, seed)))
    for text in odd_json(header, count, seed):
        failures += is_refused(struct.pack("<Q", len(text)) + text.encode() + good[8 + length :])
    assert 0 < failures < 2 * count
