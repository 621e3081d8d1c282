"""Which variant of ONNX Runtime an installation takes. No bpy.

All variants have one and the same module, so an environment holds one of them. `locks/` in the extension's folder of
wheels has the hashes of each, and of the libraries that it needs.
"""

from __future__ import annotations

import sys

from .torch_build import Gpu, runs_cuda_13

CPU_VARIANT, CUDA_VARIANT, DIRECTML_VARIANT = "cpu", "cuda", "directml"
"""Each names locks/onnxruntime-<variant>.txt. That for the CPU has CoreML on macOS; DirectML is for any GPU on Windows,
and CUDA's variant was built for CUDA 13."""

PACKAGES = {CPU_VARIANT: "onnxruntime", CUDA_VARIANT: "onnxruntime-gpu", DIRECTML_VARIANT: "onnxruntime-directml"}


def choose_variant(chosen: str, gpu: Gpu, system: str = sys.platform) -> str:
    """chosen: `auto`, or `cpu`; system: sys.platform. `auto` takes the variant for the machine's GPU, where there is
    one."""
    if chosen == CPU_VARIANT or system == "darwin":
        return CPU_VARIANT
    if runs_cuda_13(gpu):
        return CUDA_VARIANT
    return DIRECTML_VARIANT if system == "win32" else CPU_VARIANT


def variant_warning(chosen: str, variant: str, gpu: Gpu) -> str:
    """What the artist should know of a variant before it is installed; empty where there is nothing."""
    if gpu.vendor and variant == CPU_VARIANT and chosen != CPU_VARIANT:
        return "ONNX Runtime will compute on the CPU: it has no build for this machine's GPU and driver."
    return ""
