"""What counts as memory that ran out, how much of it is told to be there, and jobs that have too little."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from model_runtime.contract import memory
from model_runtime.contract.memory import available_memory, is_out_of_memory, tells_out_of_memory
from model_runtime.contract.messages import Photo

TOLD = [
    "CUDA out of memory. Tried to allocate 2.00 GiB",
    "CUDA error: out of memory",
    "HIP out of memory. Tried to allocate 20.00 MiB",
    "hipErrorOutOfMemory",
    "MPS backend out of memory (MPS allocated: 18.13 GB)",
    "Insufficient Memory (00000008:kIOGPUCommandBufferCallbackErrorOutOfMemory)",
    "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
    "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
    "[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate 8",
    "[enforce fail at alloc_cpu.cpp:121] data. DefaultCPUAllocator: not enough memory: you tried to allocate 8 bytes.",
    "could not create a primitive",
    "could not create a memory object",
    "std::bad_alloc",
    "bad allocation",
    "terminate called after throwing an instance of 'std::bad_alloc'\n  what():  std::bad_alloc",
    "Unable to allocate 7.45 GiB for an array with shape (1000000000,) and data type float64",
    "unable to mmap 17361226 bytes from file <model.safetensors>: Cannot allocate memory (12)",
    "cannot allocate memory for thread-local data: ABORT",
    "libtorch_cpu.so: failed to map segment from shared object",
    "[WinError 1455] The paging file is too small for this operation to complete. Error loading c10.dll",
    "terminate called after throwing an instance of 'std::system_error'\n  what():  Resource temporarily unavailable",
    "OpenBLAS error: Memory allocation still failed after 10 retries, giving up.",
]

NOT_TOLD = [
    "mat1 and mat2 shapes cannot be multiplied",
    "could not create a primitive descriptor for a convolution forward propagation primitive",
    "libgomp.so.1: cannot allocate memory in static TLS block",
    "No module named 'pycolmap'",
]


@pytest.mark.parametrize("text", TOLD)
def test_every_makers_words_are_known(text: str) -> None:
    assert is_out_of_memory(RuntimeError(text)) and is_out_of_memory(ImportError(text)) and tells_out_of_memory(text)


@pytest.mark.parametrize("text", NOT_TOLD)
def test_other_errors_are_not_taken_for_it(text: str) -> None:
    assert not is_out_of_memory(RuntimeError(text)) and not tells_out_of_memory(text)


def test_errors_that_say_it_by_their_kind() -> None:
    windows = OSError("c10.dll: Die Auslagerungsdatei ist zu klein")
    windows.winerror = 1455  # type: ignore[attr-defined]
    broken_import = RuntimeError("Cannot import the C++ backend pycolmap._core.")
    broken_import.__cause__ = ImportError("_core.so: failed to map segment from shared object")
    kinds = (MemoryError(), torch.OutOfMemoryError(), OSError(errno.ENOMEM, "kein Speicher"), windows, broken_import)
    assert all(map(is_out_of_memory, kinds))
    broken_import.__cause__ = broken_import
    assert not is_out_of_memory(broken_import) and not is_out_of_memory(OSError(errno.ENOSPC, "full"))


def test_numpy_says_it() -> None:
    import numpy as np

    with pytest.raises(MemoryError) as caught:
        np.zeros(1 << 60, np.uint8)
    assert is_out_of_memory(caught.value)


def test_what_is_left_is_told_in_bytes() -> None:
    assert 1 << 20 < available_memory() < float("inf")


def test_limits_of_containers_and_schedulers_count(tmp_path: Path) -> None:
    own, mine = tmp_path / "own", tmp_path / "job" / "step"
    mine.mkdir(parents=True)
    own.write_text("9:name=systemd:/\n0::/job/step\n")
    assert memory._of_control_groups(tmp_path, own) == float("inf")
    for group, limit, used in ((mine, "max", 900), (mine.parent, "1000", 950)):
        (group / "memory.max").write_text(f"{limit}\n")
        (group / "memory.current").write_text(f"{used}\n")
        (group / "memory.stat").write_text("anon 700\ninactive_file 200\n")
    assert memory._of_control_groups(tmp_path, own) == 250
    old = tmp_path / "memory"
    old.mkdir()
    (old / "memory.limit_in_bytes").write_text("500\n")
    (old / "memory.usage_in_bytes").write_text("600\n")
    (old / "memory.stat").write_text("inactive_file 1\ntotal_inactive_file 120\n")
    assert memory._of_control_groups(tmp_path, own) == 20


linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the address space of a process")

LIMITED_JOB = """
import resource, sys
from model_runtime.prediction.predictor import Predictor
from model_runtime.contract.messages import JobError, Photo, Request
from pathlib import Path

limit = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize() + (int(sys.argv[1]) << 20)
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
photos = tuple(Photo(Path(name).name, Path(name).read_bytes()) for name in sys.argv[2:])
try:
    Predictor().predict(Request(photos, resolution=126), lambda *_: None)
    print("result")
except JobError as error:
    print(error.failure.code)
"""
"""A small job that may take so many MiB of address space more than its libraries do."""


def limited_job(folder: Path, photos: tuple[Photo, ...], left: int) -> tuple[str, str]:
    """Its answer or its failure's code, and its log."""
    files = [folder / photo.name for photo in photos]
    for file, photo in zip(files, photos, strict=True):
        file.write_bytes(photo.data)
    command = [sys.executable, "-c", LIMITED_JOB, str(left), *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    return done.stdout.strip(), done.stderr


@linux
def test_a_job_with_too_little_memory_says_so(tmp_path: Path, photos: tuple[Photo, ...]) -> None:
    code, log = limited_job(tmp_path, photos, 100)
    assert code == "out-of-memory", log


@linux
@pytest.mark.fuzz
@pytest.mark.parametrize("left", range(500, 1000, 50))
def test_a_job_ends_well_or_says_that_memory_is_short(tmp_path: Path, photos: tuple[Photo, ...], left: int) -> None:
    code, log = limited_job(tmp_path, photos, left)
    assert code in ("result", "out-of-memory") or (not code and tells_out_of_memory(log)), (code, log)
