"""The program that orders splats, as seen from Blender: asked by a line, answered by a file, never waited for."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from . import sorting

STARTS = 3
"""How often it is started without ever answering until it is given up."""


class Positions:
    """Places of splats, [G,3] float32, in a file that goes with this object; `file` is None where it was not to be
    written, and they are kept in memory."""

    def __init__(self, values: np.ndarray, file: Path | None) -> None:
        self.file, self._values = file, values
        if file is not None:
            try:
                values.tofile(file)
                self._values = None
            except OSError:
                self.file = None

    def read(self) -> np.ndarray:
        if self._values is not None or self.file is None:
            return self._values if self._values is not None else np.zeros((0, 3), np.float32)
        return np.fromfile(self.file, np.float32).reshape(-1, 3)

    def __del__(self) -> None:
        if self.file is not None:
            with contextlib.suppress(OSError):
                self.file.unlink()


class _Request(NamedTuple):
    positions: Positions
    ranges: list[sorting.Range]
    token: Any


class OrderProcess:
    """One program for all views; it has one request at a time, and of each view only the last that it has not begun.

    python: what runs it, with numpy. parent: where its folder is made. Nothing starts before the first request.
    """

    def __init__(self, python: str = sys.executable, parent: str | None = None) -> None:
        self._python, self._parent = python, parent
        self._folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._waiting: dict[int, _Request] = {}
        self._asked: tuple[int, _Request, Path] | None = None
        self._files = self._starts = 0
        self.trouble = ""
        """Why there will be no more answers; empty while all is well."""

    @property
    def busy(self) -> bool:
        return self._asked is not None or bool(self._waiting)

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    def keep(self, positions: np.ndarray) -> Positions:
        """Places [G,3] float32 for requests."""
        self._files += 1
        return Positions(positions, self._place() / f"positions-{self._files}")

    def ask(self, view: int, positions: Positions, ranges: Sequence[sorting.Range], token: Any = None) -> None:
        """Ask for the order of `ranges`, in place of what `view` asked for before and was not begun yet. token: comes
        back with the answer."""
        self._waiting[view] = _Request(positions, list(ranges), token)
        self._go_on()

    def poll(self) -> tuple[int, Any, np.ndarray] | None:
        """The view that has got an answer, its token, and the order [M] float32 as of `back_to_front`; None while there
        is none.

        A program that has died is started anew, and asked again.
        """
        if self._asked is not None and self._asked[2].exists():
            view, request, answer = self._asked
            order = np.fromfile(answer, np.float32)
            answer.unlink()
            self._asked, self._starts = None, 0
            self._go_on()
            return view, request.token, order
        if self._process is not None and self._process.poll() is not None:
            self._died(f"it ended with status {self._process.returncode}")
        self._go_on()
        return None

    def close(self) -> None:
        """End the program and take its files away."""
        self._waiting.clear()
        self._asked = None
        self._end()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _place(self) -> Path:
        if self._folder is None or not self._folder.exists():
            self._folder = Path(tempfile.mkdtemp(prefix="da3-order-", dir=self._parent))
        return self._folder

    def _go_on(self) -> None:
        """Send one of the requests that wait, if nothing is being done."""
        if self._asked is not None or not self._waiting or self.trouble:
            return
        view = next(iter(self._waiting))
        request = self._waiting[view]
        self._files += 1
        try:
            answer = self._place() / f"order-{self._files}"
            asked = {"positions": str(request.positions.file), "ranges": request.ranges, "answer": str(answer)}
            process = self._process = self._process or self._start()
            assert process.stdin is not None
            process.stdin.write(json.dumps(asked).encode() + b"\n")
            process.stdin.flush()
        except OSError as error:
            self._died(str(error))
            return
        del self._waiting[view]
        self._asked = view, request, answer

    def _start(self) -> subprocess.Popen[bytes]:
        self._starts += 1
        return subprocess.Popen(
            [self._python, "-I", sorting.__file__, str(Path(np.__file__).parents[1])],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            cwd=self._place(),
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            start_new_session=sys.platform != "win32",  # Ctrl-C in Blender's terminal is not meant for it
        )

    def _died(self, why: str) -> None:
        """What it was doing waits again, unless it has died too often."""
        self._end()
        if self._asked is not None:
            view, request, _ = self._asked
            self._waiting.setdefault(view, request)
            self._asked = None
        if self._starts >= STARTS:
            self.trouble = why
            self._waiting.clear()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            with contextlib.suppress(OSError):
                assert process.stdin is not None
                process.stdin.close()
