"""What uv and pip print, as progress and as failures. Standard library only.

Without a terminal uv prints one line when the download of a large file starts (with its size) and one when it ends.
"""

from __future__ import annotations

import re

from model_runtime.contract.messages import Failure

UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
STARTED = re.compile(r"^\s*Downloading (.+) \((\d+(?:\.\d+)?) ?([KMG]?i?B)\)$")
ENDED = re.compile(r"^\s*Downloaded (.+)$")
RESOLVED = re.compile(r"^Resolved \d+ packages?\b")
PREPARED = re.compile(r"^Prepared \d+ packages?\b")
INSTALLED = re.compile(r"^Installed \d+ packages?\b")

UNPACKED = 2.5
"""Bytes on the disk per byte of a download, roughly: uv unpacks while it downloads."""

RESOLVED_AT, PREPARED_AT = 0.05, 0.92
"""Fractions of an installation of packages."""


class UvProgress:
    """How far uv is, from its lines and from the growth of the disk's use.

    fraction: 0..1, never falling. sentence: what it does now.
    """

    def __init__(self, sentence: str) -> None:
        self.fraction = 0.0
        self.sentence = sentence
        self._open: dict[str, float] = {}
        self._done = 0.0
        self._settled = 0.0

    def take(self, line: str) -> None:
        """A line of uv's output; lines that say nothing about progress change nothing."""
        if match := STARTED.match(line):
            self._open[match[1]] = float(match[2]) * UNITS[match[3]]
        elif match := ENDED.match(line):
            self._done += self._open.pop(match[1], 0.0)
            self._settled = self._done * UNPACKED
        elif RESOLVED.match(line):
            self._raise_to(RESOLVED_AT)
        elif PREPARED.match(line):
            self._open.clear()
            self._raise_to(PREPARED_AT)
            self.sentence = "Putting the packages into place."
        elif INSTALLED.match(line):
            self._raise_to(1.0)
        else:
            return
        self.grown(0.0)

    def grown(self, on_disk: float) -> None:
        """on_disk: bytes that the disk's use has grown by since the start."""
        total = self._done + sum(self._open.values())
        if not total or self.fraction >= PREPARED_AT:
            return
        waiting = max(self._open, key=lambda name: self._open[name], default="")
        in_flight = min(max(on_disk - self._settled, 0.0) / UNPACKED, 0.95 * sum(self._open.values()))
        self._raise_to(RESOLVED_AT + (PREPARED_AT - RESOLVED_AT) * (self._done + in_flight) / total)
        if waiting:
            size = self._open[waiting] / (1 << 20)
            self.sentence = f"Downloading {waiting} ({size:.0f} MiB); {len(self._open)} files to go."

    def _raise_to(self, fraction: float) -> None:
        self.fraction = max(self.fraction, min(fraction, 1.0))


OTHER_HASH = (
    "hash mismatch for",
    "do not match the hashes from the requirements file",
    "in `--require-hashes` mode",
    "in --require-hashes mode",
)
"""uv's and pip's words; the last ones where a package is offered that no list has a hash of."""
NO_SPACE = ("no space left on device", "os error 28", "errno 28", "not enough space on the disk", "os error 112")
NO_NETWORK = (
    "dns error",
    "error sending request",
    "connection refused",
    "connection reset",
    "failed to establish a new connection",
    "name resolution",
    "network is unreachable",
    "operation timed out",
    "tcp connect error",
    "peer certificate",
    "certificate verify failed",
)
NO_BUILD = ("no solution found", "no matching distribution", "has no wheels")


def explain_output(doing: str, output: str, has_nvidia: bool) -> Failure:
    """The Failure of uv or pip that ended badly. doing: what it was to do, for the sentence; output: its last lines.

    Codes: `package-changed`, `no-space`, `no-network`, `driver-too-old`, `no-build`, `install-failed`.
    """
    text = output.lower()
    if any(sign in text for sign in OTHER_HASH):
        return Failure(
            "package-changed",
            f"A file has not the hash that the add-on knows, found while {doing}: nothing of it was installed.",
            "Repair the runtime, which fetches everything anew. If this comes again, a proxy, a mirror or somebody "
            "else changes files; the log names the package.",
            output,
        )
    if any(sign in text for sign in NO_SPACE):
        return no_space(f"The disk became full while {doing}.", output)
    if any(sign in text for sign in NO_NETWORK):
        return Failure(
            "no-network",
            f"The network failed while {doing}.",
            "Check the connection, a proxy or a firewall (pypi.org, github.com and download.pytorch.org are needed), "
            "and try again: finished downloads are kept.",
            output,
        )
    if any(sign in text for sign in NO_BUILD) and has_nvidia:
        return Failure(
            "driver-too-old",
            "There is no build of torch for this machine's NVIDIA driver.",
            "Update the driver and try again, or choose the CPU build of torch.",
            output,
        )
    if any(sign in text for sign in NO_BUILD):
        return Failure(
            "no-build",
            "A package that the runtime needs has no build for this machine.",
            "Use a worker on another machine; the log names the package.",
            output,
        )
    return Failure(
        "install-failed", f"The installation failed while {doing}.", "The log tells more. Try again.", output
    )


def no_space(sentence: str, log: str = "") -> Failure:
    return Failure("no-space", sentence, "Free some disk space and try again: finished downloads are kept.", log)
