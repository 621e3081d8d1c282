"""What an installation holds: everything, with PyTorch, or the light runtime, with ONNX Runtime alone. No bpy."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from .onnxruntime_build import CPU_VARIANT, CUDA_VARIANT, choose_variant
from .torch_build import ALL_PYTHONS, Gpu, TorchBuild, choose_build

EDITIONS = ("full", "light")


@dataclass(frozen=True)
class Space:
    """Bytes on the disk, roughly. installed: of what stays; needed: while it is installed, downloads included."""

    installed: int
    needed: int


LIGHT, LIGHT_CUDA = Space(700_000_000, 1_500_000_000), Space(3_000_000_000, 6_000_000_000)
FULL, FULL_GPU = Space(1_500_000_000, 3_000_000_000), Space(6_000_000_000, 10_000_000_000)
"""Without a GPU they were measured at 0.65 GB, of which 0.23 GB are fetched, and 1.5 GB. The others are what their
files add to that."""


@dataclass(frozen=True)
class Wanted:
    """What the artist chose. edition: one of EDITIONS. torch_backend: as `choose_build` takes it, of the full one.
    onnxruntime_build: as `choose_variant` takes it, of the light one."""

    edition: str = "full"
    torch_backend: str = "auto"
    onnxruntime_build: str = "auto"


@dataclass(frozen=True)
class Parts:
    """What an environment is made of. torch: its build; None for the light edition. onnxruntime: its variant."""

    torch: TorchBuild | None
    onnxruntime: str

    @property
    def edition(self) -> str:
        return "light" if self.torch is None else "full"

    @property
    def lists(self) -> tuple[str, ...]:
        """Names of the files of locks/, without their ending; without torch's own where it comes unverified."""
        lists = ("packages", f"onnxruntime-{self.onnxruntime}")
        if self.torch is None:
            return lists
        return (*lists, "torch-common", *([f"torch-{self.torch.lock}"] if self.torch.lock else []))

    @property
    def pythons(self) -> str:
        return ALL_PYTHONS if self.torch is None else self.torch.pythons

    @property
    def verified(self) -> bool:
        return self.torch is None or self.torch.verified

    def space(self, system: str = sys.platform) -> Space:
        if self.torch is None:
            return LIGHT_CUDA if self.onnxruntime == CUDA_VARIANT else LIGHT
        return FULL_GPU if self.torch.on_gpu and system != "darwin" else FULL


def choose_parts(wanted: Wanted, gpu: Gpu, system: str = sys.platform) -> Parts:
    """What is wanted, for a machine. system: sys.platform. Raises ValueError as `choose_build` does."""
    if wanted.edition == "light":
        return Parts(None, choose_variant(wanted.onnxruntime_build, gpu, system))
    return Parts(choose_build(wanted.torch_backend, gpu, system), CPU_VARIANT)
