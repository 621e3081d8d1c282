"""Which device ONNX Runtime runs a network on."""

from __future__ import annotations

from dataclasses import dataclass

from model_runtime.contract.messages import JobError


@dataclass(frozen=True)
class OnnxDevice:
    """name: as `Request.device` has it: `cpu`, `cuda:0`, `dml:0` (DirectX 12), `coreml` (macOS). provider: what
    ONNX Runtime calls it. index: of several."""

    name: str
    provider: str
    index: int = 0

    @property
    def description(self) -> str:
        return DESCRIPTIONS[self.provider]


PROVIDERS = {
    "cuda": "CUDAExecutionProvider",
    "dml": "DmlExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "cpu": "CPUExecutionProvider",
}
"""The fastest first, which `auto` takes."""

DESCRIPTIONS = {
    "CUDAExecutionProvider": "NVIDIA GPU (CUDA)",
    "DmlExecutionProvider": "GPU (DirectML)",
    "CoreMLExecutionProvider": "Apple (Core ML)",
    "CPUExecutionProvider": "CPU",
}


def choose_device(name: str) -> OnnxDevice:
    """The device of `Request.device`; PyTorch's `mps` is `coreml` here. Raises JobError `device-unknown` or
    `device-missing`."""
    import onnxruntime

    here = onnxruntime.get_available_providers()
    kind, _, number = name.partition(":")
    kind = "coreml" if kind == "mps" else kind
    if kind == "auto":
        kind = next(kind for kind, provider in PROVIDERS.items() if provider in here)
    if kind not in PROVIDERS or (number and not number.isdigit()) or (number and kind in ("cpu", "coreml")):
        advice = "Choose auto, cpu, cuda, cuda:N, dml, dml:N or coreml."
        raise JobError("device-unknown", f"There is no device '{name}'.", advice)
    if PROVIDERS[kind] not in here:
        raise JobError(
            "device-missing",
            f"ONNX Runtime {onnxruntime.__version__} of the worker has no device '{name}'.",
            "Choose auto, or install the runtime for this device.",
        )
    index = int(number or 0)
    return OnnxDevice(f"{kind}:{index}" if kind in ("cuda", "dml") else kind, PROVIDERS[kind], index)
