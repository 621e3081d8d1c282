"""Which device a job runs on, in which precision, and what that device is."""

from __future__ import annotations

import contextlib
import os
import platform

import torch

from model_runtime.contract.messages import PRECISIONS, JobError


def choose_device(name: str) -> torch.device:
    """The device of `Request.device`. Raises JobError `device-unknown` or `device-missing`."""
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


def choose_precision(name: str, device: torch.device) -> torch.dtype:
    """The backbone's number format for `Request.precision`; the heads always run in float32.

    `auto` is bfloat16 where the hardware multiplies it faster, which is CUDA from compute capability 8.0 on.
    Raises JobError `precision-unknown`.
    """
    if name not in PRECISIONS:
        raise JobError(
            "precision-unknown", f"There is no precision '{name}'.", f"Choose one of {', '.join(PRECISIONS)}."
        )
    if name == "auto":
        fast = device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0)
        return torch.bfloat16 if fast else torch.float32
    return torch.bfloat16 if name == "bfloat16" else torch.float32


def describe_device(device: torch.device) -> tuple[str, int]:
    """The device's name and its memory in bytes, 0 where the system does not tell."""
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        return properties.name, properties.total_memory
    if device.type == "mps":
        return f"Apple GPU ({platform.machine()})", torch.mps.recommended_max_memory()
    memory = 0
    with contextlib.suppress(AttributeError, ValueError, OSError):  # Windows has no sysconf
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return platform.processor() or platform.machine(), memory


def _has_mps() -> bool:
    return torch.backends.mps.is_available()
