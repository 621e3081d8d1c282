"""Progress and failures from lines that uv 0.13.9 and pip 26 printed."""

from __future__ import annotations

import pytest

from da3_blender.runtime.uv_output import PREPARED_AT, RESOLVED_AT, UNPACKED, UvProgress, explain_output

MIB = 1 << 20


def test_downloads_count_by_their_size() -> None:
    progress = UvProgress("Choosing.")
    progress.take("Using Python 3.11.7 environment at: env")
    assert (progress.fraction, progress.sentence) == (0.0, "Choosing.")
    progress.take("Resolved 16 packages in 1.86s")
    assert progress.fraction == RESOLVED_AT
    for line in ("Downloading numpy (16.0MiB)", "Downloading torch (1.5GiB)", "Downloading networkx (512.0KiB)"):
        progress.take(line)
    assert progress.sentence == "Downloading torch (1536 MiB); 3 files to go."
    progress.take(" Downloaded numpy")
    total = 16 + 1536 + 0.5
    assert progress.fraction == pytest.approx(RESOLVED_AT + (PREPARED_AT - RESOLVED_AT) * 16 / total)
    progress.take(" Downloaded torch")
    assert progress.fraction == pytest.approx(RESOLVED_AT + (PREPARED_AT - RESOLVED_AT) * 1552 / total)
    progress.take("Prepared 16 packages in 27.60s")
    assert progress.fraction == PREPARED_AT
    progress.take("Installed 16 packages in 2.18s")
    assert progress.fraction == 1.0


def test_the_growth_of_the_disk_moves_a_long_download() -> None:
    progress = UvProgress("Choosing.")
    progress.take("Downloading torch (1000MiB)")
    progress.grown(500 * MIB * UNPACKED)
    half = RESOLVED_AT + (PREPARED_AT - RESOLVED_AT) / 2
    assert progress.fraction == pytest.approx(half)
    progress.grown(0.0)
    assert progress.fraction == pytest.approx(half), "never backwards"
    progress.grown(1e15)
    assert progress.fraction < PREPARED_AT, "other programs' files are no proof that it is done"


@pytest.mark.parametrize(
    ("output", "has_nvidia", "code"),
    [
        (
            "error: Failed to download `idna==3.20`\n  cause: Hash mismatch for `idna==3.20`\n\n  Expected:\n"
            "    sha256:0000\n\n  Computed:\n    sha256:ab7a",
            True,
            "package-changed",
        ),
        (
            "error: In `--require-hashes` mode, all requirements must have a hash, but none were provided for: tiny",
            False,
            "package-changed",
        ),
        (
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE. If you have updated\n"
            "    idna==3.20:\n        Expected sha256 0000\n             Got        ab7a",
            False,
            "package-changed",
        ),
        ("  error: Failed to extract archive\n  Caused by: No space left on device (os error 28)", False, "no-space"),
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", False, "no-space"),
        (
            "error: Failed to fetch: `https://pypi.org/simple/torch/`\n  cause: client error (Connect)\n"
            "  cause: dns error\n  cause: failed to lookup address information: Name or service not known",
            True,
            "no-network",
        ),
        (
            "WARNING: Retrying ... NewConnectionError: Failed to establish a new connection: [Errno 111]\n"
            "ERROR: No matching distribution found for uv==0.13.9",
            False,
            "no-network",
        ),
        (
            "WARNING: Retrying ... '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed'\n"
            "ERROR: No matching distribution found for uv==0.13.9",
            False,
            "no-network",
        ),
        ("  x No solution found when resolving dependencies:\n  because there is no torch", True, "driver-too-old"),
        ("  x No solution found when resolving dependencies:\n  because there is no torch", False, "no-build"),
        ("thread 'main' panicked", True, "install-failed"),
    ],
)
def test_failures_are_told_apart(output: str, has_nvidia: bool, code: str) -> None:
    failure = explain_output("installing packages", output, has_nvidia)
    assert failure.code == code
    assert failure.log == output and failure.sentence.endswith(".") and failure.advice
