"""Ends a command at once when it is told to: by Ctrl-C, SIGTERM or a closed terminal. Standard library only.

Nothing is raised for it. Blender swallows exceptions of the Python that it calls, a KeyboardInterrupt as well, so that
one in a render or while Blender starts leads nowhere, or to a crash; and while it renders or saves, the main thread
looks at no signal. So a thread of its own waits for signals, cleans up, and ends the process.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
"""Those of them that the system has."""

BY_SIGNAL = 128
"""Exit status of a program that a signal ended, less the signal's number, as shells tell it."""

STARTING_SECONDS = 5.0
"""A process that is just being started gets this long until it can be ended, too."""

_cleanups: list[Callable[[], None]] = []
_starting = threading.Lock()
_begun = threading.Event()


def end_on_signals() -> None:
    """From now on a signal ends this program with status 128 + its number, and what was `cleaned`. Main thread only.

    Signals that were blocked until now are told, too; those that the caller had ignored (as `nohup` does) stay so.
    """
    numbers = {getattr(signal, name) for name in SIGNALS if hasattr(signal, name)}
    numbers = {number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN}
    receiver, sender = socket.socketpair()
    sender.setblocking(False)
    signal.set_wakeup_fd(sender.detach(), warn_on_full_buffer=False)
    threading.Thread(target=_wait, args=(receiver, numbers), name="da3-signals", daemon=True).start()
    for number in numbers:
        signal.signal(number, lambda *_: None)
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)


@contextlib.contextmanager
def cleaned(cleanup: Callable[[], None]) -> Iterator[None]:
    """Lets `cleanup` be called, in another thread, where a signal ends the program meanwhile."""
    _cleanups.append(cleanup)
    try:
        yield
    finally:
        _cleanups.remove(cleanup)


def removed(folder: Path | str) -> contextlib.AbstractContextManager[None]:
    """Lets a folder be removed where a signal ends the program meanwhile."""
    return cleaned(lambda: _remove(folder))


def starting() -> contextlib.AbstractContextManager[object]:
    """Lets the end wait while a process is started that a `cleanup` ends."""
    return _starting


def wait_if_ending() -> None:
    """Goes no further where a signal is ending the program: what fails now fails because of that."""
    if _begun.is_set():
        threading.Event().wait()


def leave(status: int) -> NoReturn:
    """Ends the program without taking Blender's package down: that crashes at times, or hangs after a render."""
    wait_if_ending()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # nobody reads it any more
            stream.flush()
    _clean()
    os._exit(status)


def _wait(receiver: socket.socket, numbers: set[int]) -> None:
    number = receiver.recv(1)[0]
    while number not in numbers:
        number = receiver.recv(1)[0]
    _begun.set()
    _starting.acquire(timeout=STARTING_SECONDS)
    _clean()
    with contextlib.suppress(OSError):  # of a terminal that is closed
        os.write(2, b"cancelled\n")
    os._exit(BY_SIGNAL + number)


def _clean() -> None:
    for cleanup in reversed(_cleanups):
        with contextlib.suppress(Exception):  # nobody is left to be told, and the others come next
            cleanup()


def _remove(folder: Path | str) -> None:
    """Twice: the main thread may have made a file between the look into the folder and its removal."""
    for _ in range(2):
        shutil.rmtree(folder, ignore_errors=True)
