"""Every released preset gives the released numbers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from model_runtime.network.create import Network
from model_runtime.network.output import Output

CASES = Path(__file__).parents[2] / "reference" / "cases"
TOLERANCE = 5e-5

SMALL = (
    "small_1view",
    "small_2views",
    "small_3views_portrait",
    "small_3views_posed",
    "small_5views_first",
    "small_5views_middle",
    "small_5views_saddle_balanced",
    "small_5views_saddle_sim_range",
)
LARGE = (
    "large_2views",
    "metric_1view",
    "metric_2views",
    "giant_2views_gaussians",
    "giant_3views_posed_gaussians",
    "nested_2views",
)


def predicted(output: Output, name: str, splats: np.ndarray | None) -> np.ndarray | None:
    """The output of one scene that a case's array of that name holds."""
    if name.startswith("gaussian_"):
        assert output.gaussians is not None
        return getattr(output.gaussians, name.removeprefix("gaussian_"))[0].numpy()[splats]
    value = getattr(output, name, None)
    return None if value is None else value[0].numpy()


@pytest.mark.parametrize("name", [*SMALL, *(pytest.param(name, marks=pytest.mark.large) for name in LARGE)])
@torch.no_grad()
def test_case(name: str, reference_network: Callable[[str, int], Network]) -> None:
    case = np.load(CASES / f"{name}.npz")
    meta = json.loads(str(case["meta"]))
    network = reference_network(meta["preset"], meta["weights_seed"])

    def scene(key: str) -> torch.Tensor | None:
        return torch.from_numpy(case[key])[None] if key in case else None

    output = network(
        scene("image"),
        scene("input_extrinsics"),
        scene("input_intrinsics"),
        gaussians=meta["gaussians"],
        reference_view=meta["ref_view_strategy"],
        rays=True,
    )
    # Outputs of the parts rather than of the network, and inputs.
    elsewhere = {"meta", "image", "camera_token_last", "raw_gs", "raw_gs_conf", "depth_raw", "depth_conf_raw"}
    splats = case.get("gaussian_index")
    compared = [
        key for key in case if key not in elsewhere and not key.startswith("input_") and key != "gaussian_index"
    ]
    assert "depth" in compared
    for key in compared:
        value = predicted(output, key, splats)
        assert value is not None, key
        assert value.shape == case[key].shape, key
        error = np.abs(value - case[key]).max() / np.abs(case[key]).max()
        assert error < TOLERANCE, f"{key}: {error:.1e}"


@torch.no_grad()
def test_last_camera_token(small: Network) -> None:
    case = np.load(CASES / "small_3views_portrait.npz")
    token = small.backbone(torch.from_numpy(case["image"])[None]).layers[-1].camera[0].numpy()
    np.testing.assert_allclose(token, case["camera_token_last"], atol=1e-5 * np.abs(case["camera_token_last"]).max())
