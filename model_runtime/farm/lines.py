"""What a farm tells while it works: a line for each shot, and a table at the end."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import TextIO

UP, CLEAR = "\x1b[{}A", "\x1b[2K"
"""For a terminal: up some lines; empty the line (ECMA-48)."""

MOST_LINES = 40
"""Of a terminal that are rewritten; of more shots each tells its news below the last."""


class Lines:
    """On a terminal each shot's line is rewritten; elsewhere each new stage of a shot is a line of its own."""

    def __init__(self, shots: Sequence[str], stream: TextIO) -> None:
        self._told = {shot: "" for shot in shots}
        self._stages: dict[str, str] = {}
        self._stream = stream
        self._width = max(map(len, shots), default=0)
        self._rewritten = stream.isatty() and len(shots) <= MOST_LINES
        self._drawn = False

    def tell(self, shot: str, stage: str, text: str) -> None:
        self._told[shot] = text
        if self._rewritten:
            self._draw()
        elif self._stages.get(shot) != stage:
            print(self._line(shot), file=self._stream, flush=True)
        self._stages[shot] = stage

    def _draw(self) -> None:
        width = shutil.get_terminal_size().columns - 1
        up = UP.format(len(self._told)) if self._drawn else ""
        lines = "".join(f"{CLEAR}{self._line(shot)[:width]}\n" for shot in self._told)
        self._stream.write(up + lines)
        self._stream.flush()
        self._drawn = True

    def _line(self, shot: str) -> str:
        return f"{shot:{self._width}}  {self._told[shot] or 'waits'}"


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows of texts below each other, each column as wide as its longest."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(f"{text:{width}}" for text, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)
