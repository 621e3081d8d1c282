"""Which build of torch is chosen, and that each choice has its file of hashes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from da3_blender.runtime import torch_build
from da3_blender.runtime.install_words import installer_variables
from da3_blender.runtime.torch_build import UNVERIFIED, Gpu, build_warning, choose_build, find_gpu, read_gpus

ROOT = Path(__file__).parents[3]
RTX_4080, RTX_5090, GTX_1080 = 8.9, 12.0, 6.1
NONE, AMD = Gpu(), Gpu("amd")


@pytest.mark.parametrize(
    ("gpu", "linux", "windows"),
    [
        (NONE, "cpu", "index"),
        (AMD, "cpu", "index"),
        (Gpu("nvidia", 581, RTX_4080), "index", "cu130"),
        (Gpu("nvidia", 581, RTX_5090), "index", "cu130"),
        (Gpu("nvidia", 581, GTX_1080), "cpu", "cu126"),
        (Gpu("nvidia", 572, RTX_4080), "cpu", "cu126"),
        (Gpu("nvidia", 572, RTX_5090), "cpu", "index"),
        (Gpu("nvidia", 470, RTX_4080), "cpu", "index"),
        (Gpu("nvidia"), "cpu", "index"),
    ],
)
def test_automatic_takes_only_builds_with_hashes(gpu: Gpu, linux: str, windows: str) -> None:
    for system, lock in (("linux", linux), ("win32", windows), ("darwin", "index")):
        build = choose_build("auto", gpu, system)
        assert build.verified and build.lock == lock, system
        assert (ROOT / f"locks/torch-{lock}.txt").is_file()
        computes_on_cpu = lock == "cpu" or (system, lock) == ("win32", "index")
        assert bool(build_warning(build, gpu)) == (computes_on_cpu and gpu.vendor != ""), system


def test_what_is_chosen_by_name() -> None:
    assert [choose_build("cpu", NONE, system).lock for system in ("linux", "win32", "darwin")] == [
        "cpu",
        "index",
        "index",
    ]
    assert choose_build("index", NONE, "linux").lock == "index"
    assert choose_build("cu130", NONE, "win32").lock == "cu130"
    with pytest.raises(ValueError, match=r"no build rocm7\.2 here; there are auto, unverified"):
        choose_build("rocm7.2", AMD, "linux")


@pytest.mark.parametrize(
    ("gpu", "backend"),
    [
        (AMD, "auto"),
        (Gpu("nvidia", 581, RTX_4080), "auto"),
        (Gpu("nvidia", 572, RTX_4080), "cu126"),
        (Gpu("nvidia", 581, GTX_1080), "cu126"),
    ],
)
def test_unverified_is_said_to_be_so(gpu: Gpu, backend: str) -> None:
    build = choose_build(UNVERIFIED, gpu, "linux")
    assert not build.verified and build.backend == backend
    assert "unverified" in build_warning(build, gpu)


@pytest.mark.parametrize(
    ("told", "gpu"),
    [
        ("581.57, 8.9\n", Gpu("nvidia", 581, 8.9)),
        ("550.12, 6.1\n550.12, 8.6\n", Gpu("nvidia", 550, 8.6)),
        ("NVIDIA-SMI has failed because it couldn't communicate with the driver.\n", Gpu("nvidia")),
        ("581.57, [N/A]\n", Gpu("nvidia")),
        ("", Gpu("nvidia")),
    ],
)
def test_what_nvidia_smi_tells(told: str, gpu: Gpu) -> None:
    assert read_gpus(told) == gpu


def test_a_driver_that_does_not_answer_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(command: list[str], **options: object) -> None:
        raise subprocess.TimeoutExpired(command, 1)

    monkeypatch.setattr(torch_build.shutil, "which", lambda name: name)
    monkeypatch.setattr(torch_build.subprocess, "run", hang)
    assert find_gpu() == Gpu("nvidia")
    monkeypatch.setattr(torch_build.shutil, "which", lambda name: None)
    assert find_gpu() == Gpu()


def test_variables_cannot_weaken_the_checks(tmp_path: Path) -> None:
    """Where files come from may be told, what they are may not; an unverified torch asks no mirror."""
    network = {"HTTPS_PROXY": "http://proxy", "SSL_CERT_FILE": "ca", "PIP_CERT": "ca", "UV_HTTP_TIMEOUT": "9"}
    mirrors = {"UV_DEFAULT_INDEX": "m", "UV_INDEX_URL": "m", "UV_PYTHON_INSTALL_MIRROR": "m", "PIP_INDEX_URL": "m"}
    weaken = {
        **{"UV_NO_VERIFY_HASHES": "1", "UV_CONFIG_FILE": "uv.toml", "UV_INSECURE_HOST": "m", "UV_OVERRIDE": "x"},
        **{"UV_EXTRA_INDEX_URL": "m", "UV_INDEX": "m", "UV_FIND_LINKS": "m", "UV_PYTHON_DOWNLOADS_JSON_URL": "m"},
        **{
            "PIP_TRUSTED_HOST": "m",
            "PIP_CONSTRAINT": "c",
            "PIP_NO_BINARY": ":all:",
            "PIP_TARGET": "t",
            "PIP_USER": "1",
        },
        **{"PYTHONPATH": "p", "VIRTUAL_ENV": "v"},
    }
    found = installer_variables(tmp_path, {**network, **mirrors, **weaken})
    assert network.items() <= found.items() and mirrors.items() <= found.items()
    assert not weaken.keys() & found.keys() and found["UV_NO_CONFIG"] == "1"
    assert not mirrors.keys() & installer_variables(tmp_path, mirrors, mirrors=False).keys()
