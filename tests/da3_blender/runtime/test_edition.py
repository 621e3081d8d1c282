"""What a full and a light runtime are made of, on which machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from da3_blender.runtime.edition import EDITIONS, Wanted, choose_parts
from da3_blender.runtime.onnxruntime_build import choose_variant, variant_warning
from da3_blender.runtime.torch_build import Gpu

ROOT = Path(__file__).parents[3]
SYSTEMS = ("linux", "win32", "darwin")
RTX_4080, GTX_1080 = 8.9, 6.1


@pytest.mark.parametrize(
    ("gpu", "variants"),
    [
        (Gpu(), ("cpu", "directml", "cpu")),
        (Gpu("amd"), ("cpu", "directml", "cpu")),
        (Gpu("nvidia", 581, RTX_4080), ("cuda", "cuda", "cpu")),
        (Gpu("nvidia", 572, RTX_4080), ("cpu", "directml", "cpu")),
        (Gpu("nvidia", 581, GTX_1080), ("cpu", "directml", "cpu")),
        (Gpu("nvidia"), ("cpu", "directml", "cpu")),
    ],
)
def test_the_light_runtime_uses_the_gpu_that_it_can(gpu: Gpu, variants: tuple[str, ...]) -> None:
    for system, variant in zip(SYSTEMS, variants, strict=True):
        parts = choose_parts(Wanted("light"), gpu, system)
        assert parts.lists == ("packages", f"onnxruntime-{variant}") and parts.verified, system
        on_cpu = variant == "cpu" and gpu.vendor != ""
        assert bool(variant_warning("auto", variant, gpu)) == on_cpu
        assert choose_variant("cpu", gpu, system) == "cpu" and not variant_warning("cpu", "cpu", gpu)


@pytest.mark.parametrize("edition", EDITIONS)
@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("gpu", [Gpu(), Gpu("amd"), Gpu("nvidia", 581, RTX_4080), Gpu("nvidia", 572, RTX_4080)])
def test_every_list_is_there_and_one_onnx_runtime_among_them(edition: str, system: str, gpu: Gpu) -> None:
    parts = choose_parts(Wanted(edition), gpu, system)
    assert parts.edition == edition
    assert all((ROOT / f"locks/{name}.txt").is_file() for name in parts.lists)
    assert sum(name.startswith("onnxruntime") for name in parts.lists) == 1
    assert any(name.startswith("torch") for name in parts.lists) == (edition == "full")


def test_light_is_small_and_an_unverified_torch_is_in_no_list() -> None:
    nvidia = Gpu("nvidia", 581, RTX_4080)
    for gpu in (Gpu(), nvidia):
        light, full = (choose_parts(Wanted(edition), gpu, "linux").space("linux") for edition in ("light", "full"))
        assert 2 * light.installed <= full.installed and light.needed < full.needed
        assert 2 * light.installed <= light.needed and 1.5 * full.installed < full.needed
    unverified = choose_parts(Wanted(torch_backend="unverified"), nvidia, "linux")
    assert unverified.lists == ("packages", "onnxruntime-cpu", "torch-common") and not unverified.verified
