"""Which build of torch an installation takes: one whose files the extension has hashes of, or what uv chooses. No bpy.

The package index has one build for each system: for CUDA 13 on Linux, for Metal on macOS, for the CPU on Windows. The
others are on PyTorch's own server. `locks/` in the extension's folder of wheels has the hashes of some.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass

UNVERIFIED = "unverified"
"""The choice of a build without hashes; never taken unasked."""

ALL_PYTHONS = ">=3.11,<3.15"

CUDA_13_DRIVER, CUDA_12_DRIVER = 580, 528
"""The first NVIDIA drivers, by their major version, that run builds for CUDA 13, and those for any CUDA 12."""

CUDA_13_CAPABILITY, AFTER_CUDA_12 = 7.5, 10.0
"""Builds for CUDA 13 leave out the GPUs before Turing (GTX 16, RTX 20), those for CUDA 12.6 Blackwell (RTX 50)."""

ASK_SECONDS = 20.0


@dataclass(frozen=True)
class Gpu:
    """vendor: `nvidia`, `amd`, or empty. driver: NVIDIA's major version. capability: NVIDIA's compute capability."""

    vendor: str = ""
    driver: int = 0
    capability: float = 0.0


@dataclass(frozen=True)
class TorchBuild:
    """lock: names locks/torch-<lock>.txt; empty where uv chooses and no hash is checked. backend: uv's choice, then.
    pythons: which have files in the lock. on_gpu: whether it is meant to use the machine's GPU, if there is one."""

    lock: str
    backend: str = ""
    pythons: str = ALL_PYTHONS
    on_gpu: bool = True

    @property
    def verified(self) -> bool:
        return bool(self.lock)


INDEX, INDEX_CPU = TorchBuild("index"), TorchBuild("index", on_gpu=False)
CPU = TorchBuild("cpu", on_gpu=False)
CUDA_12, CUDA_13 = TorchBuild("cu126", pythons=">=3.12,<3.13"), TorchBuild("cu130", pythons=">=3.12,<3.14")


def find_gpu() -> Gpu:
    """The GPU that a build is chosen for; of several NVIDIA ones the most capable. Takes up to some seconds."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return Gpu("amd") if shutil.which("rocminfo") else Gpu()
    command = [program, "--query-gpu=driver_version,compute_cap", "--format=csv,noheader"]
    hidden = getattr(subprocess, "CREATE_NO_WINDOW", 0)
    try:
        output = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=ASK_SECONDS, creationflags=hidden
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        output = ""
    return read_gpus(output)


def read_gpus(output: str) -> Gpu:
    """nvidia-smi's lines of driver and capability; a driver that does not answer counts as too old for any build."""
    found = []
    for line in output.splitlines():
        driver, _, capability = line.partition(",")
        try:
            found.append(Gpu("nvidia", int(driver.split(".")[0]), float(capability)))
        except ValueError:  # "[N/A]", or a sentence about what is wrong
            continue
    return max(found, key=lambda gpu: gpu.capability, default=Gpu("nvidia"))


def choose_build(chosen: str, gpu: Gpu, system: str = sys.platform) -> TorchBuild:
    """chosen: `auto`, `cpu`, `index`, `unverified`, or another lock's name; system: sys.platform.

    `auto` takes the GPU's build where its files have hashes, and else the one for the CPU. Raises ValueError where
    `chosen` is none of them.
    """
    on_cpu = CPU if system == "linux" else INDEX_CPU
    if chosen == UNVERIFIED:
        return TorchBuild("", backend=_unverified_backend(gpu))
    if chosen == "auto":
        return _choose_verified(gpu, system, on_cpu)
    named = {"cpu": on_cpu, "index": INDEX_CPU if system == "win32" else INDEX, "cu126": CUDA_12, "cu130": CUDA_13}
    if chosen not in named:
        raise ValueError(f"torch has no build {chosen} here; there are auto, {UNVERIFIED}, {', '.join(named)}")
    return named[chosen]


def _choose_verified(gpu: Gpu, system: str, on_cpu: TorchBuild) -> TorchBuild:
    if system == "darwin":
        return INDEX
    if runs_cuda_13(gpu):
        return CUDA_13 if system == "win32" else INDEX
    if system == "win32" and gpu.driver >= CUDA_12_DRIVER and gpu.capability < AFTER_CUDA_12:
        return CUDA_12
    return on_cpu


def runs_cuda_13(gpu: Gpu) -> bool:
    return gpu.driver >= CUDA_13_DRIVER and gpu.capability >= CUDA_13_CAPABILITY


def _unverified_backend(gpu: Gpu) -> str:
    """uv itself goes by the driver only, and by builds that this torch no longer has."""
    return "cu126" if gpu.vendor == "nvidia" and not runs_cuda_13(gpu) else "auto"


def build_warning(build: TorchBuild, gpu: Gpu) -> str:
    """What the artist should know of a build before it is installed; empty where there is nothing."""
    if not build.verified:
        return (
            "PyTorch will be installed unverified: the add-on knows no hashes of this build, so only the connection to "
            "download.pytorch.org vouches for it. All other packages are checked."
        )
    if gpu.vendor and not build.on_gpu:
        return (
            "This build computes on the CPU. For this machine's GPU the add-on has no build that it can verify; "
            "PyTorch Build > GPU, Unverified installs one all the same."
        )
    return ""
