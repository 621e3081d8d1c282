"""Which program the worker is: in the environment installed for it, in another Python, or behind a command. No bpy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from model_runtime.contract.messages import JobError

from .command_words import ADVICE as COMMAND_ADVICE
from .command_words import split_command
from .edition import Wanted
from .folder import installed_python

KINDS = ("installed", "python", "command")
ARGUMENTS = ("-m", "model_runtime", "worker")


@dataclass(frozen=True)
class RuntimeSettings:
    """Where the worker runs.

    kind: one of KINDS. folder: of the installed runtime. python: path of a Python that has model_runtime.
    command: as in a terminal, such as `ssh gpubox da3-runtime worker`. models_folder: where local workers keep
    checkpoints; empty takes the worker's own choice. wanted: of an installation.
    """

    kind: str = "installed"
    folder: Path = Path()
    python: str = ""
    command: str = ""
    models_folder: str = ""
    wanted: Wanted = Wanted()  # noqa: RUF009 - frozen

    @property
    def local(self) -> bool:
        """Whether the worker is known to run on this machine."""
        return self.kind != "command"


def worker_command(settings: RuntimeSettings) -> list[str]:
    """The program and its arguments. Raises JobError `runtime-missing`, `python-missing` or `command-unreadable`."""
    if settings.kind == "installed":
        python = installed_python(settings.folder)
        if python is None:
            raise JobError(
                "runtime-missing",
                "The runtime, which computes the scenes, is not installed yet.",
                "Install it in the add-on's preferences, or choose an existing Python or a remote worker there.",
            )
        return [str(python), "-I", *ARGUMENTS, *_models(settings)]
    if settings.kind == "python":
        python = Path(settings.python).expanduser()
        if not settings.python or not python.is_file():
            sentence = f"There is no Python at '{settings.python}'." if settings.python else "No Python is chosen."
            raise JobError("python-missing", sentence, "Choose a Python that has model_runtime in the preferences.")
        return [str(python), *ARGUMENTS, *_models(settings)]
    return _split(settings.command)


def _models(settings: RuntimeSettings) -> list[str]:
    return ["--models", str(Path(settings.models_folder).expanduser())] if settings.models_folder else []


def _split(command: str) -> list[str]:
    try:
        return split_command(command)
    except ValueError as error:
        raise JobError("command-unreadable", str(error), COMMAND_ADVICE) from error
