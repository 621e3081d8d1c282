"""Whether memory ran out, and how much of it there is. No torch: it may be what there is no memory for.

Python, torch, oneDNN, the makers' GPU libraries, the C++ library and the system's loader each say it in their own way.
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from model_runtime.contract.messages import Failure

PHRASES = re.compile(
    r"out[ _]of[ _]memory"  # CUDA, HIP, MPS, Pillow, Linux
    r"|OutOfMemory"  # Metal, hipError
    r"|(?:not enough|insufficient) memory"  # torch on Windows, Windows itself, Metal
    r"|(?:can't|cannot|unable to|failed to) allocate(?! memory in static TLS)"  # torch, numpy, errno 12
    r"|could not create a (?:primitive|memory)(?: object)?(?! \w)"  # oneDNN; with "descriptor" it is something else
    r"|bad[ _]alloc(?:ation)?"  # C++
    r"|failed to map segment"  # the loader of shared libraries
    r"|paging file is too small"  # Windows, where it loads one
    r"|_STATUS_ALLOC_FAILED"  # cuDNN, cuBLAS, hipBLAS
    r"|memory allocation still failed"  # OpenBLAS
    r"|can't start new thread|what\(\):\s+Resource temporarily unavailable",  # no room for a thread's stack
    re.IGNORECASE,
)

OUT_OF_MEMORY = Failure(
    "out-of-memory",
    "The worker's machine has not enough memory.",
    "Lower the resolution, use fewer photos, or close other programs there.",
)
"""Where nobody knows what took it."""

WINDOWS_ERRORS = (8, 14, 1455)
"""ERROR_NOT_ENOUGH_MEMORY, ERROR_OUTOFMEMORY, ERROR_COMMITMENT_LIMIT; their texts are in the system's language."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception, or what it was raised from, says that memory ran out."""
    return any(map(_says_so, _chain(error)))


def tells_out_of_memory(text: str) -> bool:
    """Whether a message, or the log of a process that has died, says that memory ran out."""
    return PHRASES.search(text) is not None


def available_memory() -> float:
    """Bytes that this process can still take, as far as the system tells; infinite where it does not."""
    return min(_of_the_system(), _of_the_address_space(), _of_control_groups())


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and its causes. An import that failed is often raised from the loader's own error."""
    cause: BaseException | None = error
    seen: list[BaseException] = []
    while cause is not None and cause not in seen:
        yield cause
        seen.append(cause)
        cause = cause.__cause__


def _says_so(error: BaseException) -> bool:
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":  # torch's, without loading it
        return True
    if isinstance(error, OSError) and (error.errno == errno.ENOMEM or _windows_error(error) in WINDOWS_ERRORS):
        return True
    return tells_out_of_memory(str(error))


def _windows_error(error: OSError) -> int | None:
    return getattr(error, "winerror", None)


def _of_the_system() -> float:
    if sys.platform == "win32":
        return _of_windows()
    with suppress(OSError, ValueError, KeyError):
        lines = (line.split() for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines())
        kibibytes = {name: int(number) for name, number, *_ in lines}
        return 1024.0 * (kibibytes["MemAvailable:"] + kibibytes["SwapFree:"])
    with suppress(OSError, ValueError, AttributeError):  # macOS tells only how much there is in all
        return float(os.sysconf("SC_PAGE_SIZE")) * os.sysconf("SC_PHYS_PAGES")
    return float("inf")


def _of_windows() -> float:
    """What Windows lets the process commit: memory and paging file (MEMORYSTATUSEX, ullAvailPageFile)."""

    class Status(ctypes.Structure):
        _fields_ = (
            *(("length", ctypes.c_uint32), ("load", ctypes.c_uint32)),
            *((name, ctypes.c_uint64) for name in ("memory", "free", "pages", "free_pages", "space", "rest", "more")),
        )

    status = Status(length=ctypes.sizeof(Status))
    library = getattr(ctypes, "windll", None)
    known = library is not None and library.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))
    return float(status.free_pages) if known else float("inf")


def _of_the_address_space() -> float:
    """What `ulimit -v` leaves."""
    if sys.platform == "win32":
        return float("inf")
    import resource

    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    with suppress(OSError, ValueError):
        used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
        return float("inf") if limit == resource.RLIM_INFINITY else float(max(0, limit - used))
    return float("inf")


def _of_control_groups(groups: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> float:
    """What the limits of containers and job schedulers leave: version 2, memory of the own group and those around it,
    or version 1 as a container sees it."""
    left = [float("inf"), _left(groups / "memory", "memory.limit_in_bytes", "memory.usage_in_bytes")]
    with suppress(OSError):
        for line in own.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("0::/"):
                place = Path(line.removeprefix("0::/"))
                left += [_left(groups / path, "memory.max", "memory.current") for path in (place, *place.parents)]
    return min(left)


def _left(group: Path, limit: str, used: str) -> float:
    """Cached files count as used although the system gives them up."""
    with suppress(OSError, ValueError):
        most, now = (int((group / name).read_text(encoding="ascii")) for name in (limit, used))
        lines = (group / "memory.stat").read_text(encoding="ascii").splitlines()
        files = {name: int(number) for name, number in (line.split() for line in lines)}
        cached = files.get("total_inactive_file", files.get("inactive_file", 0))
        return float(max(0, most - now + cached))
    return float("inf")  # "max", or no such group
