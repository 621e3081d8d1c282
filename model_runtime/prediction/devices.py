"""What a job is computed with: PyTorch or ONNX Runtime, on which device, in which precision."""

from __future__ import annotations

import contextlib
import gc
import os
import platform
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from model_runtime.contract.memory import available_memory
from model_runtime.contract.messages import BACKENDS, PRECISIONS, JobError
from model_runtime.geometry.arrays import Device

if TYPE_CHECKING:
    import torch

NAMES = {"torch": "PyTorch", "onnx": "ONNX Runtime"}


@dataclass(frozen=True)
class Compute:
    """backend: `torch` or `onnx`, what runs the network. name: of the device that it runs on, as `cuda:0`. precision:
    of the network's backbone, `float32` or `bfloat16`. device: where everything else is computed: PyTorch's GPU; None
    for numpy on the CPU, which is faster there than PyTorch at what is not the network."""

    backend: str
    name: str
    precision: str
    device: Device


def choose_compute(backend: str, device: str, precision: str) -> Compute:
    """Of a request's words. Raises JobError for what there is not, or not here: `bad-request`, `backend-missing`,
    `device-unknown`, `device-missing`, `precision-unknown`, `precision-missing`."""
    backend = choose_backend(backend)
    if precision not in PRECISIONS:
        raise JobError(
            "precision-unknown", f"There is no precision '{precision}'.", f"Choose one of {', '.join(PRECISIONS)}."
        )
    if backend == "onnx":
        from model_runtime.onnx_graphs.devices import choose_device as choose_onnx_device

        if precision == "bfloat16":
            sentence = "ONNX Runtime computes in float32; bfloat16 needs PyTorch."
            raise JobError("precision-missing", sentence, "Choose precision auto, or the backend torch.")
        return Compute(backend, choose_onnx_device(device).name, "float32", None)
    found = choose_device(device)
    elsewhere = None if found.type == "cpu" else found
    return Compute(backend, str(found), choose_precision(precision, found), elsewhere)


def choose_backend(name: str) -> str:
    """`torch` or `onnx`. Raises JobError `bad-request` or `backend-missing`."""
    if name not in BACKENDS:
        raise JobError("bad-request", f"There is no backend '{name}'.", f"Choose one of {', '.join(BACKENDS)}.")
    here = [backend for backend, module in (("torch", "torch"), ("onnx", "onnxruntime")) if find_spec(module)]
    if name == "auto" and here:
        return here[0]
    if name in here:
        return name
    missing = NAMES.get(name, "PyTorch and ONNX Runtime")
    advice = "Choose backend auto, or install the runtime that has it." if here else "Install the runtime again."
    raise JobError("backend-missing", f"This worker's Python lacks {missing}.", advice)


def choose_device(name: str) -> torch.device:
    """PyTorch's device of `Request.device`. Raises JobError `device-unknown` or `device-missing`."""
    import torch

    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "mps" if _has_mps() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        device = torch.device("meta")
    if device.type not in ("cpu", "mps", "cuda"):
        raise JobError("device-unknown", f"There is no device '{name}'.", "Choose auto, cpu, mps, cuda or cuda:N.")
    index = device.index or 0
    missing = {
        "cpu": False,
        "mps": not _has_mps(),
        "cuda": not torch.cuda.is_available() or index >= torch.cuda.device_count(),
    }
    if missing[device.type]:
        raise JobError(
            "device-missing",
            f"The worker's machine has no device '{name}' that torch {torch.__version__} can use.",
            "Choose auto, or install the torch build for this device.",
        )
    return device


def choose_precision(name: str, device: torch.device) -> str:
    """The number format of PyTorch's backbone for one of PRECISIONS; the heads always run in float32.

    `auto` is bfloat16 where the hardware multiplies it several times as fast: CUDA from compute capability 8.0 on, and
    CPUs with AMX.
    """
    import torch

    if name != "auto":
        return name
    if device.type == "cpu":
        fast = torch.cpu.get_capabilities().get("amx_bf16", False)
    else:
        fast = device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0)
    return "bfloat16" if fast else "float32"


def describe(compute: Compute) -> tuple[str, int]:
    """The device's name and its memory in bytes, 0 where nothing tells."""
    if compute.name == "cpu":
        return platform.processor() or platform.machine(), _system_memory()
    if compute.backend == "onnx":
        from model_runtime.onnx_graphs.devices import choose_device as choose_onnx_device

        return choose_onnx_device(compute.name).description, 0
    import torch

    if compute.device.type == "mps":
        return f"Apple GPU ({platform.machine()})", torch.mps.recommended_max_memory()
    properties = torch.cuda.get_device_properties(compute.device)
    return properties.name, properties.total_memory


def _system_memory() -> int:
    with contextlib.suppress(AttributeError, ValueError, OSError):  # Windows has no sysconf
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return 0


def free_memory_of(device: Device) -> float:
    """Bytes that a job can take on it."""
    if device is not None and device.type == "cuda":
        import torch

        free, _ = torch.cuda.mem_get_info(device)
        return float(free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device))
    return available_memory()


def release_memory(device: Device) -> None:
    """Give what nobody holds any more back to the device."""
    gc.collect()
    if device is None:
        return
    import torch

    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


def _has_mps() -> bool:
    import torch

    return torch.backends.mps.is_available()
