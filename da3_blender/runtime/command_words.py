"""The words of a command that somebody wrote as in a terminal. Standard library only."""

from __future__ import annotations

import os
import shlex

ADVICE = "Write it as in a terminal, such as: ssh gpubox da3-runtime worker"


def split_command(command: str) -> list[str]:
    """The program and its arguments. Raises ValueError with a sentence where there is none or a quote stays open."""
    windows = os.name == "nt"  # where a backslash is part of a path
    try:
        words = shlex.split(command, posix=not windows)
    except ValueError as error:
        raise ValueError(f"The worker's command cannot be read: {error}.") from error
    words = [word.strip('"') for word in words] if windows else words
    if not words or not words[0]:
        raise ValueError("The worker's command is empty.")
    return words
