"""ONNX Runtime gives the numbers of torch, and the released ones, from the same files; and stops when it is told to."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from model_runtime.checkpoints.loading import load_network
from model_runtime.checkpoints.locate import CheckpointFile
from model_runtime.contract.messages import REFERENCE_VIEWS, JobError
from model_runtime.network.inputs import NetworkInput
from model_runtime.network.output import Output
from model_runtime.network.sky import THRESHOLD
from model_runtime.onnx_graphs.network import OnnxNetwork
from model_runtime.prediction.chunks.loops import token_descriptors
from tests.model_runtime.network.test_reference_cases import CASES, LARGE, SMALL
from tests.model_runtime.onnx_graphs.small_networks import (
    Write,
    stand_in_weights,
    torch_network,
    write_checkpoint,
)

AS_TORCH = 2e-5
"""Of the largest number of an output: two ways to round."""
AS_RELEASED = 1e-4


def ignore(done: float) -> None:
    pass


def noise(views: int, height: int, width: int) -> np.ndarray:
    return np.random.default_rng(views).standard_normal((views, 3, height, width)).astype(np.float32)


def cameras(views: int) -> tuple[np.ndarray, np.ndarray]:
    """On a line, looking the same way."""
    extrinsics, intrinsics = (np.tile(np.eye(size, dtype=np.float32), (views, 1, 1)) for size in (4, 3))
    extrinsics[:, 0, 3] = -np.arange(views)
    intrinsics[:, 0, 0] = intrinsics[:, 1, 1] = 60
    intrinsics[:, :2, 2] = 30
    return extrinsics, intrinsics


def by_torch(network: torch.nn.Module, inputs: NetworkInput) -> Output:
    def tensor(array: np.ndarray | None) -> torch.Tensor | None:
        return None if array is None else torch.from_numpy(array)[None]

    with torch.inference_mode():
        return network(
            tensor(inputs.images),
            tensor(inputs.extrinsics),
            tensor(inputs.intrinsics),
            gaussians=inputs.gaussians,
            reference_view=inputs.reference_view,
            pose_from=inputs.pose_from,
            rays=inputs.rays,
        )


def assert_same(output: Output, expected: Output) -> None:
    """But for pixels of which rounding decides whether they are sky."""
    sky = np.zeros_like(output.depth) if expected.sky is None else np.asarray(expected.sky)
    sure = np.abs(sky - THRESHOLD) > 1e-4
    assert sure.mean() > 0.99
    for field in fields(Output):
        ours, theirs = getattr(output, field.name), getattr(expected, field.name)
        assert (ours is None) == (theirs is None), field.name
        if field.name == "gaussians" and ours is not None:
            for name, values in asdict(ours).items():
                assert_close(name, values, asdict(theirs)[name].numpy())
        elif isinstance(ours, np.ndarray):
            assert ours.dtype == np.float32
            kept = sure if ours.shape == sure.shape else np.ones_like(ours, bool)
            assert_close(field.name, ours * kept, theirs.numpy() * kept)


def assert_close(name: str, ours: np.ndarray, theirs: np.ndarray, tolerance: float = AS_TORCH) -> None:
    assert ours.shape == theirs.shape, name
    assert np.abs(ours - theirs).max() <= tolerance * np.abs(theirs).max(), name


@pytest.mark.parametrize(
    ("preset", "shape"),
    [
        ("gated", (1, 518, 518)),
        ("gated", (5, 42, 42)),
        ("metric", (1, 70, 84)),
        ("metric", (3, 42, 42)),
        ("nested", (2, 28, 98)),
    ],
)
def test_any_preset_and_size(preset: str, shape: tuple[int, int, int], checkpoint: Write) -> None:
    inputs = NetworkInput(noise(*shape), gaussians=shape[0] > 1, rays=shape[0] == 2)
    output = OnnxNetwork(checkpoint(preset), "cpu").run(inputs, 2, ignore)
    assert_same(output, by_torch(torch_network(preset), inputs))


@pytest.mark.parametrize(
    ("reference_view", "pose_from"), [*((name, "camera_head") for name in REFERENCE_VIEWS), ("first", "rays")]
)
def test_ways_to_cameras(reference_view: str, pose_from: str, checkpoint: Write) -> None:
    inputs = NetworkInput(noise(4, 56, 56), reference_view=reference_view, pose_from=pose_from)
    output = OnnxNetwork(checkpoint("gated"), "cpu").run(inputs, 8, ignore)
    expected = by_torch(torch_network("gated"), inputs)
    assert (expected.extrinsics is not None and expected.ray is None) or pose_from == "rays"
    assert_close("depth", output.depth, expected.depth.numpy())
    assert output.extrinsics is not None and expected.extrinsics is not None
    # Untrained ray maps are no cameras, so that their fit amplifies rounding.
    np.testing.assert_allclose(
        output.extrinsics, expected.extrinsics.numpy(), atol=1e-4 if pose_from != "rays" else 0.1
    )


def test_given_cameras_bring_splats_to_their_scale(checkpoint: Write) -> None:
    inputs = NetworkInput(noise(3, 42, 56), *cameras(3), gaussians=True)
    output = OnnxNetwork(checkpoint("nested"), "cpu").run(inputs, 8, ignore)
    assert_same(output, by_torch(torch_network("nested"), inputs))
    assert output.gaussians is not None and output.gaussians.world_scale[0] != 1


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, int], OnnxNetwork]:
    """(preset, seed) to the network of a released preset with the cases' weights; the last one is kept."""
    kept: dict[tuple[str, int], OnnxNetwork] = {}

    def network(preset: str, seed: int) -> OnnxNetwork:
        if (preset, seed) not in kept:
            kept.clear()
            folder = tmp_path_factory.mktemp(preset)
            kept[preset, seed] = OnnxNetwork(write_checkpoint(folder, preset, stand_in_weights(preset, seed)), "cpu")
        return kept[preset, seed]

    return network


@pytest.mark.parametrize("name", [*SMALL, *(pytest.param(name, marks=pytest.mark.large) for name in LARGE)])
def test_released_numbers(name: str, released: Callable[[str, int], OnnxNetwork]) -> None:
    case = dict(np.load(CASES / f"{name}.npz"))
    meta = json.loads(str(case["meta"]))
    inputs = NetworkInput(
        case["image"],
        case.get("input_extrinsics"),
        case.get("input_intrinsics"),
        gaussians=meta["gaussians"],
        reference_view=meta["ref_view_strategy"],
        rays=True,
    )
    output = released(meta["preset"], meta["weights_seed"]).run(inputs, 8, ignore)
    splats = {} if output.gaussians is None else asdict(output.gaussians)
    ours = {
        f"gaussian_{key}": value[0][case["gaussian_index"]] for key, value in splats.items() if key != "world_scale"
    }
    ours |= {f.name: getattr(output, f.name) for f in fields(Output) if f.name not in ("gaussians", "metric_focal")}
    compared = [key for key in case if ours.get(key) is not None]
    assert "depth" in compared
    for key in compared:
        value = ours[key] if key.startswith("gaussian_") else ours[key][0]
        assert_close(key, value, case[key], AS_RELEASED)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_narrower_weights_are_widened(dtype: torch.dtype, checkpoint: Write, tmp_path: Path) -> None:
    located = checkpoint("gated")
    state = {key: value.to(dtype) for key, value in load_file(located.path).items()}
    save_file(state, located.path)
    inputs = NetworkInput(noise(3, 42, 56))
    output = OnnxNetwork(located, "cpu").run(inputs, 8, ignore)
    assert_same(output, by_torch(load_network(located, torch.device("cpu")), inputs))


def test_a_link_to_a_file_of_another_name_elsewhere(checkpoint: Write, tmp_path: Path) -> None:
    located = checkpoint("gated")
    blob = located.path.rename(tmp_path / "1234abcd")
    located.path.symlink_to(blob)
    inputs = NetworkInput(noise(1, 28, 28))
    assert_same(OnnxNetwork(located, "cpu").run(inputs, 8, ignore), by_torch(torch_network("gated"), inputs))


def test_photos_are_described_as_by_torch(checkpoint: Write) -> None:
    images = noise(3, 70, 98)
    described = OnnxNetwork(checkpoint("gated"), "cpu").describe(images)
    assert described is not None
    expected = token_descriptors(torch_network("gated").backbone, torch.from_numpy(images))  # pyright: ignore
    assert_close("description", described, np.asarray(expected))
    assert OnnxNetwork(checkpoint("metric"), "cpu").describe(images) is None


def damaged(located: CheckpointFile, fault: str) -> None:
    state = load_file(located.path)
    key = "model.head.norm.weight"
    match fault:
        case "missing":
            del state[key]
        case "more":
            state["model.more"] = torch.zeros(1)
        case "shape":
            state[key] = state[key][:3].clone()
        case "integers":
            state[key] = state[key].long()
    save_file(state, located.path)
    if fault == "short":
        located.path.write_bytes(located.path.read_bytes()[:-1])
    if fault == "header":
        located.path.write_bytes((1 << 40).to_bytes(8, "little"))


@pytest.mark.parametrize("fault", ["missing", "more", "shape", "integers", "short", "header"])
def test_a_file_that_does_not_fit_is_refused_as_by_torch(fault: str, checkpoint: Write) -> None:
    located = checkpoint("gated")
    damaged(located, fault)
    told = []
    for load in (lambda: OnnxNetwork(located, "cpu"), lambda: load_network(located, torch.device("cpu"))):
        with pytest.raises(JobError) as caught:
            load()
        told.append(caught.value.failure)
    assert told[0] == told[1]
    assert told[0].code == ("checkpoint-damaged" if fault in ("short", "header") else "checkpoint-mismatch")


def test_inputs_that_do_not_fit(checkpoint: Write) -> None:
    network = OnnxNetwork(checkpoint("gated"), "cpu")
    with pytest.raises(ValueError, match="multiples of 14"):
        network.run(NetworkInput(noise(1, 28, 30)), 8, ignore)


def test_how_far_it_is(checkpoint: Write) -> None:
    told: list[float] = []
    OnnxNetwork(checkpoint("nested"), "cpu").run(NetworkInput(noise(3, 28, 28)), 1, told.append)
    assert told[0] == 0
    assert told == sorted(told)
    assert 0.9 < told[-1] < 1
    assert len(set(told)) > 10


def test_being_told_to_stop(checkpoint: Write) -> None:
    class StopError(Exception):
        pass

    def stop(done: float) -> None:
        if done > 0:
            raise StopError

    network = OnnxNetwork(checkpoint("gated"), "cpu")
    with pytest.raises(StopError):
        network.run(NetworkInput(noise(2, 28, 28)), 8, stop)
    assert network.run(NetworkInput(noise(2, 28, 28)), 8, ignore).depth.shape == (1, 2, 28, 28)


def test_without_torch(checkpoint: Write) -> None:
    """Nor anything but what a light worker has."""
    located = checkpoint("gated")
    program = (
        "import sys; sys.modules['torch'] = sys.modules['onnx'] = None\n"
        "import numpy as np\n"
        "from model_runtime.network.config import PRESETS, AnyViewConfig, BackboneConfig, HeadConfig\n"
        "from model_runtime.checkpoints.locate import locate_checkpoint\n"
        "from model_runtime.network.inputs import NetworkInput\n"
        "from model_runtime.onnx_graphs.network import OnnxNetwork\n"
        "network = OnnxNetwork(locate_checkpoint('da3-tiny'), 'auto')\n"
        "inputs = NetworkInput(np.zeros((2, 3, 28, 28), np.float32), gaussians=True, pose_from='rays')\n"
        "output = network.run(inputs, 8, lambda done: None)\n"
        "print(output.depth.shape, output.gaussians.means.shape, network.device_name)\n"
    )
    assert located.path.is_file()
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert run.stdout == "(1, 2, 28, 28) (1, 1568, 3) cpu\n", run.stderr
