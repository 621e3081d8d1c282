"""The runtime's command, its test, and the reasons of workers that do not start."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path

import pytest

import model_runtime
from da3_blender.runtime.check import RuntimeCheck, RuntimeReport, report_lines, worker_notes
from da3_blender.runtime.folder import InstalledRuntime, environment_python, installed_runtime, write_marker
from da3_blender.runtime.manager import RuntimeManager
from da3_blender.runtime.worker_command import RuntimeSettings, worker_command
from model_runtime.contract.messages import PROTOCOL_VERSION, Failure, Hello, JobError

ROOT = Path(model_runtime.__file__).parents[1]
posix = pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a POSIX script")

SAY_HELLO = """
import sys
from model_runtime.contract import pipe
from model_runtime.contract.messages import Hello, PROTOCOL_VERSION
hello = Hello(PROTOCOL_VERSION, {version!r}, "3.12.9", "2.13.0+cpu", "cpu", "A CPU", 24_000_000_000, ("da3-tiny",))
pipe.write_frame(open(1, "wb", buffering=0), "", hello)
sys.stdin.read()
"""


def program(tmp_path: Path, text: str) -> str:
    """A stand-in for a Python: whatever its arguments, it does this."""
    script, python = tmp_path / "script.py", tmp_path / "python"
    script.write_text(f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{text}")
    python.write_text(f'#!/bin/sh\nexec {sys.executable} {script} "$@"\n')
    python.chmod(0o755)
    return str(python)


def answer(settings: RuntimeSettings) -> RuntimeReport | Failure:
    check = RuntimeCheck(settings)
    check.start()
    end = time.monotonic() + 60
    while (found := check.poll()) is None:
        assert time.monotonic() < end
        time.sleep(0.02)
    assert check.poll() is None, "told once"
    return found


def failure(settings: RuntimeSettings) -> Failure:
    found = answer(settings)
    assert isinstance(found, Failure), found
    return found


GOOD = InstalledRuntime("runtime-1", "1", "hash", "3.12", "2.13", "cpu", 5)


def with_marker(folder: Path, **changes: object) -> None:
    """An environment runtime-1, and a runtime.json with these changes."""
    python = environment_python(folder / "runtime-1")
    python.parent.mkdir(parents=True, exist_ok=True)
    python.touch()
    told = {key: value for key, value in {**asdict(GOOD), **changes}.items() if value != "lost"}
    (folder / "runtime.json").write_text(json.dumps(told))


@pytest.mark.parametrize(
    "changes",
    [
        {"environment": "../elsewhere"},
        {"environment": "runtime-1/../../elsewhere"},
        {"environment": "runtime-1\\..\\..\\elsewhere"},
        {"environment": "elsewhere"},
        {"environment": "runtime-1\0"},
        {"environment": ["runtime-1"]},
        {"environment": "runtime-link"},
        {"environment": "runtime-1.part"},
        {"version": None},
        {"size": "5"},
        {"size": True},
        {"torch": float("nan")},
        {"of_a_later_version": 1},
        {"device": "lost"},
    ],
)
def test_a_marker_that_no_installation_writes_is_none(tmp_path: Path, changes: dict[str, object]) -> None:
    elsewhere, folder = tmp_path / "elsewhere", tmp_path / "runtime"
    for environment in (elsewhere, folder / "runtime-1.part"):
        environment_python(environment).parent.mkdir(parents=True)
        environment_python(environment).touch()
    (folder / "runtime-link").symlink_to(elsewhere)
    with_marker(folder)
    assert installed_runtime(folder) == GOOD
    with_marker(folder, **changes)
    assert installed_runtime(folder) is None
    assert answer_code(folder) == "runtime-missing"


def answer_code(folder: Path) -> str:
    return failure(RuntimeSettings(folder=folder)).code


def test_a_marker_of_an_older_extension_is_of_a_full_runtime(tmp_path: Path) -> None:
    with_marker(tmp_path, edition="lost", onnxruntime="lost", verified="lost")
    runtime = installed_runtime(tmp_path)
    assert runtime is not None and (runtime.edition, runtime.onnxruntime, runtime.verified) == ("full", "", False)


def test_a_runtime_folder_may_itself_be_a_link(tmp_path: Path) -> None:
    with_marker(tmp_path / "big_disk")
    (tmp_path / "runtime").symlink_to(tmp_path / "big_disk")
    assert installed_runtime(tmp_path / "runtime") == GOOD


def test_a_marker_is_never_written_through_a_link(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    (tmp_path / "runtime.json.incomplete").symlink_to(precious)
    with pytest.raises(OSError, match="where a file should be"):
        write_marker(tmp_path, GOOD)
    assert precious.read_text() == "precious"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no pipes among its files")
def test_a_marker_that_is_a_pipe_is_none(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "runtime.json")
    assert installed_runtime(tmp_path) is None


def test_commands(tmp_path: Path) -> None:
    python = environment_python(tmp_path / "runtime-1")
    python.parent.mkdir(parents=True)
    python.touch()
    write_marker(tmp_path, InstalledRuntime("runtime-1", "1", "hash", "3.12", "2.13", "cpu", 5))
    worker = ["-m", "model_runtime", "worker"]
    assert worker_command(RuntimeSettings(folder=tmp_path)) == [str(python), "-I", *worker]
    settings = RuntimeSettings("python", python=str(python), models_folder="/big disk/models")
    assert worker_command(settings) == [str(python), *worker, "--models", "/big disk/models"]
    settings = RuntimeSettings("command", command="ssh -p 2222 'gpu box' da3-runtime worker")
    if os.name != "nt":
        assert worker_command(settings) == ["ssh", "-p", "2222", "gpu box", "da3-runtime", "worker"]


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        (RuntimeSettings(folder=Path("/nowhere")), "runtime-missing"),
        (RuntimeSettings("python"), "python-missing"),
        (RuntimeSettings("python", python="/nowhere/python"), "python-missing"),
        (RuntimeSettings("command", command=" "), "command-unreadable"),
        (RuntimeSettings("command", command="ssh 'gpubox"), "command-unreadable"),
    ],
)
def test_settings_that_name_no_worker(settings: RuntimeSettings, code: str) -> None:
    with pytest.raises(JobError) as caught:
        worker_command(settings)
    assert caught.value.failure.code == code
    assert failure(settings).code == code


@posix
def test_a_worker_that_works_is_told_in_lines(tmp_path: Path) -> None:
    python = program(tmp_path, SAY_HELLO.format(version=model_runtime.__version__))
    manager = RuntimeManager()
    manager.test(RuntimeSettings("python", python=python))
    assert manager.testing
    end = time.monotonic() + 60
    while manager.pump():
        assert time.monotonic() < end
        time.sleep(0.02)
    report = manager.report
    assert report is not None and not manager.testing and report.notes == ()
    assert report.lines[:-1] == (
        "Backend: PyTorch",
        "Device: A CPU (cpu)",
        "Memory: 24.0 GB",
        f"Worker {model_runtime.__version__}, protocol {PROTOCOL_VERSION}",
        "Python 3.12.9, torch 2.13.0+cpu",
        "Models ready: da3-tiny",
    )
    assert 0 < report.seconds < 60 and report.lines[-1] == f"Started in {report.seconds:.1f} s"


def hello(version: str = model_runtime.__version__, torch: str = "2.13.0+cu130", device: str = "cpu") -> Hello:
    backend = "torch" if torch else "onnx"
    return Hello(PROTOCOL_VERSION, version, "3.12.9", torch, device, "A device", 0, (), "1.32.0", backend)


def test_notes_tell_what_could_be_better() -> None:
    def codes(said: Hello, has_nvidia: bool) -> list[str]:
        return [note.code for note in worker_notes(said, has_nvidia)]

    assert codes(hello(), has_nvidia=False) == []
    assert codes(hello(device="cuda"), has_nvidia=True) == []
    assert codes(hello(), has_nvidia=True) == ["driver-too-old"]
    assert codes(hello(torch="2.13.0+cpu"), has_nvidia=True) == ["torch-without-gpu"]
    assert codes(hello(torch=""), has_nvidia=True) == ["onnxruntime-without-gpu"]
    assert codes(hello(torch="", device="cuda:0"), has_nvidia=True) == codes(hello(torch=""), has_nvidia=False) == []
    assert codes(hello(version="9.9"), has_nvidia=False) == ["version-mismatch"]
    assert "Memory: unknown" in report_lines(hello(), 1.0) and "Models ready: none" in report_lines(hello(), 1.0)


def test_what_a_worker_computes_with_is_told() -> None:
    both = report_lines(hello(), 1.0)
    assert both[0] == "Backend: PyTorch" and "Python 3.12.9, torch 2.13.0+cu130, ONNX Runtime 1.32.0" in both
    light = report_lines(hello(torch=""), 1.0)
    assert light[0] == "Backend: ONNX Runtime" and "Python 3.12.9, ONNX Runtime 1.32.0" in light
    assert set(light) - set(both) >= {"Cannot improve splats or train networks, which needs PyTorch"}


@posix
def test_reasons_of_workers_that_do_not_start(tmp_path: Path) -> None:
    dies = program(tmp_path, "import no_such_module_here")
    told = failure(RuntimeSettings("python", python=dies))
    assert told.code == "package-missing" and dies in told.sentence and "no_such_module_here" in told.log
    assert failure(RuntimeSettings("command", command=f"{dies} worker")).code == "remote-command"
    assert (
        failure(RuntimeSettings("command", command="sh -c 'echo no route >&2; exit 255'")).code == "remote-unreachable"
    )
    assert failure(RuntimeSettings("command", command="sh -c 'exit 127'")).code == "remote-command"
    assert failure(RuntimeSettings("command", command="/nowhere/ssh box")).code == "remote-command"
    assert failure(RuntimeSettings("command", command="sh -c 'exit 3'")).code == "worker-died"
    old = program(
        tmp_path, "print('da3-runtime: error: unrecognized arguments: --models', file=__import__('sys').stderr)"
    )
    assert failure(RuntimeSettings("python", python=old, models_folder="/m")).code == "version-mismatch"
    write_marker(tmp_path, InstalledRuntime("runtime-broken", "1", "hash", "3.12", "2.13", "cpu", 5))
    environment_python(tmp_path / "runtime-broken").parent.mkdir(parents=True)
    os.replace(program(tmp_path, "import no_such_module_here"), environment_python(tmp_path / "runtime-broken"))
    assert failure(RuntimeSettings(folder=tmp_path)).code == "runtime-broken"
