"""A program that never outlives who asked for it: stopped at once, with everything it started, or when we are gone.

A small guard starts the program and waits at its own standard input. Its end, which comes when we close it and also
when this process is killed, makes the guard end itself and all that it started. Standard library only.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue

LOG_LINES = 200
TICK_SECONDS = 0.5

GUARD = """
import os, signal, subprocess, sys, threading
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
def watch():
    while os.read(0, 1):
        pass
    if os.name == "nt":
        subprocess.call(["taskkill", "/F", "/T", "/PID", str(os.getpid())])
    os.killpg(0, signal.SIGKILL)
threading.Thread(target=watch, daemon=True).start()
status = child.wait()
os._exit(status if status >= 0 else 128 - status)
"""


class GuardedProcess:
    """One run of a program whose output is read by lines.

    command: program and arguments. environment, folder: its variables and working folder. python: runs the guard.
    Raises OSError where the guard cannot be started.
    """

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], folder: Path, python: str = sys.executable
    ) -> None:
        self._process = subprocess.Popen(
            [python, "-I", "-c", GUARD, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=dict(environment),
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            start_new_session=sys.platform != "win32",
        )
        self._lines: SimpleQueue[str | None] = SimpleQueue()
        threading.Thread(target=self._read, name="da3-output", daemon=True).start()

    @property
    def pid(self) -> int:
        """The guard's process id; on POSIX also its group's."""
        return self._process.pid

    def wait(self, on_line: Callable[[str], None], on_tick: Callable[[], None]) -> tuple[int, str]:
        """Exit status and the last LOG_LINES of output, when the program has ended.

        on_line gets each line without its end, on_tick is called while there is none.
        """
        last: deque[str] = deque(maxlen=LOG_LINES)
        while True:
            try:
                line = self._lines.get(timeout=TICK_SECONDS)
            except Empty:
                on_tick()
                continue
            if line is None:
                break
            last.append(line)
            on_line(line)
        status = self._process.wait()
        self._close_input()
        return status, "\n".join(last)

    def stop(self) -> None:
        """End the program and everything it started, now. May be called from any thread and more than once."""
        if sys.platform != "win32" and self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._close_input()

    def _close_input(self) -> None:
        with contextlib.suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as output:
            for line in output:
                self._lines.put(line.decode(errors="replace").rstrip("\r\n"))
        self._lines.put(None)
