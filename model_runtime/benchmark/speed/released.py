"""The released code of Depth Anything 3, with the weights of a checkpoint of ours, as something that can be measured.

What it imports and does not call here is replaced by nothing; addict, einops, omegaconf, opencv and torchvision must be
importable.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
import time
import types
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import torch
from safetensors.torch import load_file

from model_runtime.contract.messages import JobError
from model_runtime.prediction.devices import choose_device

ONLY_IMPORTED = ("e3nn", "evo", "gsplat", "moviepy", "plyfile", "xformers")
"""Packages that the released code imports and does not call for depth and cameras."""

FAKED_OPERATORS = "torchvision._meta_registrations"
"""Fails where torchvision is built for another torch; its transforms of pictures do without."""


def load_released(folder: Path, preset: str, weights: Path, device: str) -> Any:
    """Its `DepthAnything3`; `inference(files, process_res=...)` gives arrays, and `seconds` is then how long the
    network took. weights: safetensors in the released format. Raises JobError `package-missing` or `bad-request`."""
    if not (folder / "src" / "depth_anything_3").is_dir():
        raise JobError("bad-request", f"{folder} is no checkout of Depth Anything 3.", "Choose the folder with `src`.")
    sys.meta_path.insert(0, _Nothing())
    sys.modules[FAKED_OPERATORS] = types.ModuleType(FAKED_OPERATORS)
    sys.path.insert(0, str(folder / "src"))
    try:
        from depth_anything_3.api import DepthAnything3  # type: ignore[import-not-found]
    except ImportError as error:
        advice = "Install what it needs into a folder of its own, and name that in PYTHONPATH."
        raise JobError("package-missing", f"The released code does not load: {error}.", advice) from error
    whole = DepthAnything3(preset)
    state = {key.removeprefix("model."): value.float() for key, value in load_file(weights).items()}
    whole.model.load_state_dict(state, strict=True)
    whole.device = choose_device(device)
    whole.to(whole.device)
    if whole.device.type == "cpu":
        _compute_in_float32(whole)
    else:
        _time(whole, whole.forward)
    return whole


def _compute_in_float32(whole: Any) -> None:
    """Its own way is float16 on a CPU, too, which takes several times as long there."""

    @torch.inference_mode()
    def forward(image: torch.Tensor, *cameras: Any, **others: Any) -> Any:
        return whole.model(image)

    _time(whole, forward)


def _time(whole: Any, forward: Any) -> None:
    def timed(*arguments: Any, **others: Any) -> Any:
        began = time.perf_counter()
        output = forward(*arguments, **others)
        if whole.device.type == "cuda":
            torch.cuda.synchronize()
        whole.seconds = time.perf_counter() - began
        return output

    whole.forward = timed


class _Nothing(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Packages that do nothing, by the names in ONLY_IMPORTED."""

    def find_spec(self, name: str, path: Any, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        known = name.partition(".")[0] in ONLY_IMPORTED
        return importlib.machinery.ModuleSpec(name, self, is_package=True) if known else None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> Any:
        module = MagicMock(name=spec.name)
        module.__path__ = []
        return module

    def exec_module(self, module: types.ModuleType) -> None:
        pass
