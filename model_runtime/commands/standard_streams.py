"""Keeps standard input and output for frames alone."""

from __future__ import annotations

import os
import sys
from io import FileIO

if sys.platform == "win32":
    import msvcrt


def claim_streams() -> tuple[FileIO, FileIO]:
    """The real standard input and output, binary and unbuffered.

    Whatever a library prints afterwards, from Python or from C, goes to standard error, and nothing else can read
    what comes in. To be called before anything heavy is imported.
    """
    if sys.platform == "win32":
        for descriptor in (0, 1):
            msvcrt.setmode(descriptor, os.O_BINARY)
    source, sink = FileIO(os.dup(0), "rb"), FileIO(os.dup(1), "wb")
    os.dup2(2, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    sys.stdout = sys.stderr
    return source, sink
