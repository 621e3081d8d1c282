"""The worker that settings choose, and why one like that does not start. No bpy."""

from __future__ import annotations

from dataclasses import dataclass

from model_runtime.contract.messages import Failure

from .worker_command import KINDS, RuntimeSettings, worker_command
from .worker_process import WorkerProcess


def worker_of(settings: RuntimeSettings) -> WorkerProcess:
    """Not started yet. Raises JobError as `worker_command` does."""
    return WorkerProcess(worker_command(settings), explain=lambda failure: explain_failure(failure, settings))


@dataclass(frozen=True)
class Reason:
    """Why a worker did not start: for these kinds of runtime, where one of the signs is in what it said."""

    kinds: tuple[str, ...]
    signs: tuple[str, ...]
    failure: Failure


REASONS = (
    Reason(
        KINDS,
        ("unrecognized arguments", "invalid choice: 'worker'"),
        Failure(
            "version-mismatch",
            "The worker has another version than the add-on.",
            "Install the same version of the worker's package there.",
        ),
    ),
    Reason(
        ("installed",),
        ("No module named", "ImportError", "No such file"),
        Failure("runtime-broken", "The installed runtime does not start.", "Repair it."),
    ),
    Reason(
        ("python",),
        ("No module named", "SyntaxError", "ImportError"),
        Failure(
            "package-missing",
            "{python} is not a Python that has model_runtime.",
            "Let its package be installed into it, which needs Python 3.11 or newer, or install the runtime instead.",
        ),
    ),
    Reason(
        ("command",),
        ("exit status 255",),
        Failure(
            "remote-unreachable",
            "The remote machine cannot be reached, or the connection to it broke.",
            "The log tells why. Try the command in a terminal; it must log in without asking for a password.",
        ),
    ),
    Reason(
        ("command",),
        ("No module named", "exit status 127", "not found", "No such file"),
        Failure(
            "remote-command",
            "The worker's program was not found.",
            "Install the worker's package on the other machine, and give the full path of da3-runtime in the command.",
        ),
    ),
)
"""The first that fits is told. The status 255 is ssh's own for a connection that failed, 127 a shell's for a program
that is not there."""


def explain_failure(failure: Failure, settings: RuntimeSettings) -> Failure:
    """The same failure with what its log and the kind of runtime tell about its reason."""
    if failure.code not in ("worker-died", "worker-start"):
        return failure
    said = f"{failure.sentence}\n{failure.log}"
    for reason in REASONS:
        if settings.kind in reason.kinds and any(sign in said for sign in reason.signs):
            found = reason.failure
            return Failure(found.code, found.sentence.format(python=settings.python), found.advice, said)
    return failure
