"""Starts the worker once and tells what it runs on, or why it does not. No bpy; nothing here waits."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

import model_runtime
from model_runtime.contract.messages import Failure, Hello, JobError

from .chosen_worker import worker_of
from .folder import has_nvidia_driver
from .worker_command import RuntimeSettings
from .worker_process import WorkerProcess

BACKEND_NAMES = {"torch": "PyTorch", "onnx": "ONNX Runtime"}


@dataclass(frozen=True)
class RuntimeReport:
    """A worker that works. settings: which one; lines: what the artist reads; notes: what could be better and how;
    seconds: to start."""

    settings: RuntimeSettings
    hello: Hello
    seconds: float
    lines: tuple[str, ...]
    notes: tuple[Failure, ...]


class RuntimeCheck:
    """One start of the worker; `poll` until it tells a RuntimeReport or a Failure."""

    def __init__(self, settings: RuntimeSettings) -> None:
        self._settings = settings
        self._worker: WorkerProcess | None = None
        self._started = time.monotonic()
        self._early: Failure | None = None

    def start(self) -> None:
        self._started = time.monotonic()
        try:
            self._worker = worker_of(self._settings)
        except JobError as error:
            self._early = error.failure
            return
        self._worker.start()

    def poll(self) -> RuntimeReport | Failure | None:
        """The answer, once, and then the worker is gone; None while there is none."""
        if self._early is not None:
            failure, self._early = self._early, None
            return failure
        for event in self._worker.poll() if self._worker else ():
            if isinstance(event.message, Hello | Failure):
                assert self._worker is not None
                # A process as large as torch takes a while to end, and the caller must not wait for that.
                threading.Thread(target=self._worker.close, name="da3-close", daemon=True).start()
                self._worker = None
                return self._answer(event.message)
        return None

    def close(self) -> None:
        """End the worker."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    def _answer(self, message: Hello | Failure) -> RuntimeReport | Failure:
        if isinstance(message, Failure):
            return message
        seconds = time.monotonic() - self._started
        notes = worker_notes(message, self._settings.local and has_nvidia_driver())
        return RuntimeReport(self._settings, message, seconds, report_lines(message, seconds), notes)


def report_lines(hello: Hello, seconds: float) -> tuple[str, ...]:
    """What a worker said of itself, a line for each thing."""
    memory = f"{hello.device_memory / 1e9:.1f} GB" if hello.device_memory else "unknown"
    programs = (("torch", hello.torch), ("ONNX Runtime", hello.onnxruntime))
    there = ", ".join(f"{name} {version}" for name, version in programs if version)
    return (
        f"Backend: {BACKEND_NAMES.get(hello.backend, hello.backend)}",
        f"Device: {hello.device_name} ({hello.device})",
        f"Memory: {memory}",
        f"Worker {hello.version}, protocol {hello.protocol}",
        f"Python {hello.python}, {there}",
        *(() if hello.torch else ("Cannot improve splats or train networks, which needs PyTorch",)),
        f"Models ready: {', '.join(hello.checkpoints) or 'none'}",
        f"Started in {seconds:.1f} s",
    )


def worker_notes(hello: Hello, has_nvidia: bool) -> tuple[Failure, ...]:
    """What is wrong with a worker that works all the same. has_nvidia: whether its machine has an NVIDIA driver."""
    notes = []
    if hello.version != model_runtime.__version__:
        notes.append(
            Failure(
                "version-mismatch",
                f"The worker has version {hello.version}, the add-on {model_runtime.__version__}.",
                "Install the runtime again, or the same version on the worker's machine.",
            )
        )
    if has_nvidia and hello.device == "cpu":
        notes.append(_gpu_note(hello))
    return tuple(notes)


def _gpu_note(hello: Hello) -> Failure:
    """Why a worker computes on the CPU beside an NVIDIA GPU, and what helps."""
    if not hello.torch:
        return Failure(
            "onnxruntime-without-gpu",
            "This machine has an NVIDIA GPU, but the worker's ONNX Runtime computes on the CPU.",
            "Update the NVIDIA driver, then repair the runtime; or install the full one.",
        )
    if "+cpu" in hello.torch:
        return Failure(
            "torch-without-gpu",
            "This machine has an NVIDIA GPU, but the worker's torch is the CPU build.",
            "Install the runtime again with torch for this machine's GPU.",
        )
    return Failure(
        "driver-too-old",
        f"torch {hello.torch} cannot use this machine's NVIDIA GPU, so jobs run on the CPU.",
        "Update the NVIDIA driver, then repair the runtime.",
    )
