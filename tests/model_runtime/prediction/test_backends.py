"""The same jobs by PyTorch and by ONNX Runtime, and without PyTorch."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model_runtime.contract.messages import Cameras, JobError, Photo, Prediction, Request
from model_runtime.prediction.devices import choose_backend, choose_compute
from model_runtime.prediction.predictor import Predictor

ROOT = Path(__file__).parents[3]

WITHOUT_TORCH = """
import json, sys
from importlib.machinery import PathFinder
from pathlib import Path

class WithoutTorch:
    def find_spec(name, path=None, target=None):
        return None if name.partition(".")[0] == "torch" else PathFinder.find_spec(name, path, target)

sys.meta_path = [WithoutTorch if finder is PathFinder else finder for finder in sys.meta_path]

from model_runtime.commands.worker import make_hello
from model_runtime.contract.messages import MeshSettings, Photo, Request
from model_runtime.prediction.predictor import Predictor

files = sorted(Path("examples/living_room").glob("*.jpg"))[:3]
photos = tuple(Photo(file.name, file.read_bytes()) for file in files)
request = Request(photos, resolution=168, mesh=MeshSettings(detail=64))
made = Predictor().predict(request, lambda stage, fraction, sentence: None)
print(json.dumps({
    "hello": [make_hello().backend, make_hello().device],
    "backend": made.settings["backend"],
    "source": made.camera_source,
    "depths": [float(view.depth.mean()) for view in made.views],
    "turned": [view.extrinsics.tolist() for view in made.views],
    "splats": len(made.gaussians.means),
    "triangles": len(made.mesh.triangles),
    "agreeing": made.settings["agreeing"],
}))
"""


def silent(stage: str, fraction: float, sentence: str) -> None:
    pass


def predicted(request: Request, backend: str) -> Prediction:
    return Predictor().predict(replace(request, backend=backend), silent)


def given_cameras() -> Cameras:
    extrinsics = np.tile(np.eye(4), (3, 1, 1))
    extrinsics[1, 0, 3], extrinsics[2, 1, 3] = -2.0, 0.5
    intrinsics = np.array(
        [[[150.0, 0, w / 2], [0, 150.0, h / 2], [0, 0, 1]] for w, h in ((160, 120), (90, 160), (100, 100))]
    )
    return Cameras(extrinsics, intrinsics)


@pytest.mark.parametrize(
    "change",
    [{}, {"rays": True}, {"camera_source": "rays"}, {"camera_source": "given", "cameras": given_cameras()}],
    ids=["default", "rays", "cameras from rays", "given"],
)
def test_both_backends_give_the_same(tiny_checkpoint: Path, photos: tuple[Photo, ...], change: dict[str, Any]) -> None:
    request = Request(photos, checkpoint=str(tiny_checkpoint), precision="float32", refine_depth="off", **change)
    by_torch, by_onnx = predicted(request, "torch"), predicted(request, "onnx")
    assert (by_torch.settings["backend"], by_onnx.settings["backend"]) == ("torch", "onnx")
    for a, b in zip(by_torch.views, by_onnx.views, strict=True):
        assert np.abs(b.depth / a.depth - 1).max() < 1e-4
        assert np.abs(b.confidence / a.confidence - 1).max() < 1e-4
        assert np.abs(b.extrinsics - a.extrinsics).max() < 1e-4
        assert (
            np.abs(b.intrinsics / np.maximum(a.intrinsics, 1) - a.intrinsics / np.maximum(a.intrinsics, 1)).max() < 1e-4
        )
        assert (a.ray is None) == (b.ray is None) == (not request.rays)
        if a.ray is not None and b.ray is not None:
            assert np.abs(b.ray - a.ray).max() < 1e-4 * np.abs(a.ray).max()
    a, b = by_torch.gaussians, by_onnx.gaussians
    assert a is not None and b is not None and a.source == b.source == "network"
    for name in ("means", "scales", "opacities", "harmonics"):
        one, other = getattr(a, name), getattr(b, name)
        assert one.shape == other.shape and np.abs(one - other).max() < 2e-4 * np.abs(one).max()


@pytest.fixture(scope="module")
def without_torch() -> dict[str, Any]:
    command = [sys.executable, "-c", WITHOUT_TORCH]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_worker_without_torch_makes_a_whole_scene(without_torch: dict[str, Any]) -> None:
    assert without_torch["hello"] == ["onnx", "cpu"] and without_torch["backend"] == "onnx"
    assert without_torch["source"] == "features"
    assert without_torch["splats"] > 10_000 and without_torch["triangles"] > 500


def test_it_is_the_scene_that_torch_makes(without_torch: dict[str, Any]) -> None:
    files = sorted((ROOT / "examples" / "living_room").glob("*.jpg"))[:3]
    request = Request(tuple(Photo(file.name, file.read_bytes()) for file in files), resolution=168, precision="float32")
    same = predicted(request, "torch")
    for view, depth, extrinsics in zip(same.views, without_torch["depths"], without_torch["turned"], strict=True):
        assert view.depth.mean() == pytest.approx(depth, rel=1e-3)
        assert np.abs(view.extrinsics - np.array(extrinsics)).max() < 1e-6  # features place cameras, no network does
    assert same.settings["agreeing"] == pytest.approx(without_torch["agreeing"], abs=0.01)


def test_a_backend_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    assert choose_backend("auto") == "onnx"
    with pytest.raises(JobError) as caught:
        choose_backend("torch")
    assert caught.value.failure.code == "backend-missing" and "PyTorch" in caught.value.failure.sentence
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(JobError, match="lacks PyTorch and ONNX Runtime"):
        choose_backend("auto")


@pytest.mark.parametrize(("amx", "precision"), [(True, "bfloat16"), (False, "float32")])
def test_a_cpu_that_multiplies_bfloat16_several_times_as_fast_does(
    monkeypatch: pytest.MonkeyPatch, amx: bool, precision: str
) -> None:
    monkeypatch.setattr("torch.cpu.get_capabilities", lambda: {"amx_bf16": amx})
    assert choose_compute("torch", "cpu", "auto").precision == precision
    assert choose_compute("torch", "cpu", "float32").precision == "float32"
    assert choose_compute("onnx", "cpu", "auto").precision == "float32"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("caffe", "auto", "auto"), "bad-request"),
        (("onnx", "gpu", "auto"), "device-unknown"),
        (("onnx", "directml", "auto"), "device-missing"),
        (("onnx", "cpu", "bfloat16"), "precision-missing"),
        (("onnx", "cpu", "int4"), "precision-unknown"),
    ],
)
def test_what_onnx_runtime_cannot_do_is_told(words: tuple[str, str, str], code: str) -> None:
    with pytest.raises(JobError) as caught:
        choose_compute(*words)
    assert caught.value.failure.code == code and caught.value.failure.advice
