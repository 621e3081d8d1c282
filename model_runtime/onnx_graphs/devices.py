"""The devices that ONNX Runtime can use here, by its execution providers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

import onnxruntime

from model_runtime.contract.messages import JobError
from model_runtime.onnx_graphs.graph import Graph

KINDS = {
    "cuda": ("CUDAExecutionProvider", "NVIDIA GPU"),
    "directml": ("DmlExecutionProvider", "GPU by DirectML"),
    "coreml": ("CoreMLExecutionProvider", "Apple's Core ML"),
    "cpu": ("CPUExecutionProvider", "CPU"),
}
AUTOMATIC = ("cuda", "directml", "cpu")
"""Tried in this order. Core ML takes few of the operators, and gives the rest to the CPU."""

SAYS = re.compile(r"(cuda|directml)(?::(\d+))?|coreml|cpu")
OTHER_NAMES = {"mps": "coreml"}
"""What PyTorch calls them."""


@dataclass(frozen=True)
class OnnxDevice:
    """name: as in a request, never `auto`. description: for people. index: of the GPU."""

    name: str
    description: str
    provider: str
    index: int | None = None

    @property
    def is_cpu(self) -> bool:
        return self.name == "cpu"

    def providers(self) -> list[str | tuple[str, dict[str, str]]]:
        """As a session takes them; the CPU takes what this device cannot."""
        if self.is_cpu:
            return [self.provider]
        options = {} if self.index is None else {"device_id": str(self.index)}
        return [(self.provider, options), KINDS["cpu"][0]]


def choose_device(name: str) -> OnnxDevice:
    """The device of `Request.device`. Raises JobError `device-unknown` or `device-missing`."""
    if name == "auto":
        return next(device for device in map(_device, AUTOMATIC) if _works(device))
    asked, name = name, OTHER_NAMES.get(name, name)
    if not SAYS.fullmatch(name):
        advice = "Choose auto, cpu, cuda or cuda:N, directml or directml:N, or coreml."
        raise JobError("device-unknown", f"There is no device '{name}'.", advice)
    device = _device(name)
    if not _works(device):
        raise JobError(
            "device-missing",
            f"The worker's machine has no device '{asked}' that ONNX Runtime {onnxruntime.__version__} can use.",
            "Choose auto, or install the runtime for this device.",
        )
    return device


def _device(name: str) -> OnnxDevice:
    kind, _, index = name.partition(":")
    provider, description = KINDS[kind]
    if kind in ("coreml", "cpu"):
        return OnnxDevice(name, description, provider)
    return OnnxDevice(name, f"{description} {index}".strip(), provider, int(index or 0))


@cache
def _works(device: OnnxDevice) -> bool:
    """Whether a session begins on it: a provider that is built in may lack its driver, or the GPU of that number.

    ONNX Runtime itself would go on without a word, on the CPU.
    """
    if device.is_cpu:
        return True
    if device.provider not in onnxruntime.get_available_providers():
        return False
    if device.name.startswith("cuda") and hasattr(onnxruntime, "preload_dlls"):
        onnxruntime.preload_dlls()  # CUDA and cuDNN as pip installs them lie where no loader looks
    graph = Graph("probe")
    graph.output("out", graph.op("Neg", graph.input("in", (1,))), (1,))
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(graph.serialise({}, {}), options, providers=device.providers())
    except Exception as error:
        if type(error).__module__.startswith("onnxruntime") or isinstance(error, RuntimeError | ValueError):
            return False
        raise
    return device.provider in session.get_providers()
