"""Why a file of splats is refused, and what is counted before memory is taken for it."""

from __future__ import annotations

from model_runtime.contract.memory import available_memory
from model_runtime.contract.messages import JobError

AGAIN = "Save or download it again."
THINNER = "Close other programs, or thin the splats out first."


class SplatFileError(ValueError):
    """What is wrong with a file, as the end of a sentence that begins with its name, and what to do about it."""

    def __init__(self, reason: str, advice: str = AGAIN) -> None:
        super().__init__(reason)
        self.advice = advice


def check_memory(needed: float) -> None:
    """Before `needed` bytes are taken. Raises JobError."""
    free = available_memory()
    if needed > free:
        raise JobError(
            "out-of-memory",
            f"These splats need {needed / 1e9:.1f} GB of memory, and {free / 1e9:.1f} GB are free.",
            THINNER,
        )


def check_count(count: int) -> None:
    """Raises SplatFileError where a file says to have no splats, or more than anything can hold."""
    if count < 1:
        raise SplatFileError("it has no splats")
    if count > MOST_SPLATS:
        raise SplatFileError(f"it claims to have {count} splats")


MOST_SPLATS = 2**31 - 1
