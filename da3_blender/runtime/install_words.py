"""The words and variables of the programs that install, so that the extension's hashes decide what they take. No bpy.

uv and pip are told to take nothing but what is listed in `locks/` with its hash (`--require-hashes`), to look for
nothing else (`--no-deps`: the lists are complete) and to run no package's own building (`--only-binary`). The Pythons
that uv fetches it checks by itself: it carries their hashes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from .folder import CACHE, PYTHONS, Wheel

OLDEST_UV, NEXT_UV = (0, 13, 9), (0, 14)
"""A uv of the artist's serves from the version in locks/uv.txt on, up to the next one that may change options, output
or the checks of hashes: uv keeps these within a minor version. Any other is left alone, and the listed one fetched."""

HASHED = ("--require-hashes", "--no-deps", "--only-binary", ":all:")

LEAKS = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "CONDA_PREFIX")
"""Variables that would let other installations of Python leak in."""

KEPT = (
    *("UV_CONCURRENT_", "UV_HTTP_", "UV_KEYRING_PROVIDER", "UV_LINK_MODE", "UV_NATIVE_TLS", "UV_SYSTEM_CERTS"),
    *("PIP_CACHE_DIR", "PIP_CERT", "PIP_CLIENT_CERT", "PIP_CONFIG_FILE", "PIP_DEFAULT_TIMEOUT", "PIP_PROXY"),
    *("PIP_BREAK_SYSTEM_PACKAGES", "PIP_DISABLE_PIP_VERSION_CHECK", "PIP_KEYRING_PROVIDER", "PIP_RETRIES"),
)
"""Beginnings of the variables of uv and pip that tell how to reach the network; all others could change what is
installed or how it is checked, and go. Proxies and certificates have names without UV_ and PIP_."""

MIRRORS = (
    *("UV_DEFAULT_INDEX", "UV_INDEX_", "UV_PYTHON_INSTALL_MIRROR"),
    *("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX"),
)
"""Beginnings of the variables that name other places for the same files: they stay where hashes are checked."""


def hashed_words(wheel: Wheel, lists: Iterable[str]) -> list[str]:
    """What uv's and pip's `install` are told: every package with its hash, and the worker itself.

    lists: names of files of locks/, without their ending.
    """
    words = [word for name in lists for word in ("-r", str(wheel.locks / f"{name}.txt"))]
    return [*HASHED, *words, f"da3_runtime @ {wheel.path.resolve().as_uri()}#sha256={wheel.sha256}"]


def unhashed_torch_words(wheel: Wheel, backend: str) -> list[str]:
    """torch alone, in the locked version, as uv chooses its build; what it needs is there already or comes with it."""
    return ["--only-binary", ":all:", "--constraints", str(wheel.constraints), f"--torch-backend={backend}", "torch"]


def locked_torch(wheel: Wheel) -> str:
    """The version that all lists of torch's files are for. Raises OSError, ValueError for a list without it."""
    lines = (wheel.locks / "torch-index.txt").read_text(encoding="utf-8").splitlines()
    versions = [line.removeprefix("torch==").split()[0] for line in lines if line.startswith("torch==")]
    if not versions:
        raise ValueError("torch-index.txt names no torch")
    return versions[0]


def installer_variables(folder: Path, given: Mapping[str, str] = os.environ, mirrors: bool = True) -> dict[str, str]:
    """The variables of uv and pip: `given` without those that change what is installed. mirrors: whether those stay
    that name other places for files."""
    stays = (*KEPT, *(MIRRORS if mirrors else ()))
    goes = [name for name in given if name.startswith(("UV_", "PIP_")) and not name.startswith(stays)]
    return {
        **{name: value for name, value in given.items() if name not in (*LEAKS, *goes)},
        "PYTHONNOUSERSITE": "1",
        "UV_NO_CONFIG": "1",
        "UV_CACHE_DIR": str(folder / CACHE),
        "UV_PYTHON_INSTALL_DIR": str(folder / PYTHONS),
    }
