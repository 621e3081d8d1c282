"""Zstandard, which Python has from 3.14 on, Blender brings as a package, and other Pythons may have."""

from __future__ import annotations

from typing import Any

from .refusals import SplatFileError

LEVEL = 6
"""A file is one percent larger than at the reference's 12, and written four times as fast."""

MISSING = "this Python has no Zstandard, which SPZ 4 needs"
ADVICE = "Use PLY or SPZ 3 instead, or install the package zstandard."


def decompress(data: bytes, size: int) -> bytes:
    """At most `size` bytes of what `data` holds, and one more where there are more; fewer where it is damaged. Raises
    SplatFileError where there is no Zstandard."""
    module = _module()
    try:
        if hasattr(module, "ZstdFile"):
            return module.ZstdDecompressor().decompress(data, max_length=size + 1)
        with module.ZstdDecompressor().stream_reader(data) as reader:
            return reader.read(size + 1)
    except (module.ZstdError, EOFError):
        return b""


def compress(data: bytes) -> bytes:
    """One frame that tells its size. Raises SplatFileError where there is no Zstandard."""
    module = _module()
    if hasattr(module, "ZstdFile"):
        return module.compress(data, level=LEVEL)
    return module.ZstdCompressor(level=LEVEL).compress(data)


def _module() -> Any:
    for name in MODULES:
        try:
            return __import__(name, fromlist=["ZstdError"])
        except ImportError:
            continue
    raise SplatFileError(MISSING, ADVICE)


MODULES: tuple[str, ...] = ("compression.zstd", "zstandard")
