"""Reading and writing files of splats, whatever their format, which their suffix tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from model_runtime.contract.disk import INCOMPLETE_SUFFIX, put_in_place
from model_runtime.contract.json_files import shown
from model_runtime.contract.messages import JobError
from model_runtime.contract.plain_files import open_own, open_plain

from . import antimatter, glb, ply, sog, spz, usd
from .axes import OPENCV, Y_UP, Z_UP
from .cloud import SplatCloud, usable
from .refusals import THINNER, SplatFileError
from .suffixes import META, READ, WRITTEN, format_of

AXES: Mapping[str, str] = {
    ".ply": OPENCV,
    ".splat": OPENCV,
    ".sog": OPENCV,
    META: OPENCV,
    ".spz": Y_UP,
    ".glb": Y_UP,
    ".usda": Z_UP,
}
"""Format -> the axes that its files have by convention, of `axes.TO_Z_UP`."""

READ_ADVICE = "Choose a .ply, .spz, .sog or .splat file, or the meta.json of a SOG."
WRITTEN_ADVICE = "Choose a name that ends in .ply, .spz, .glb or .usda."
NOTHING, NOTHING_ADVICE = "No splats are shown.", "Show some, or choose other ones."


@dataclass(frozen=True)
class SplatFile:
    """splats: in the axes of the file. axes: those that files of the kind have by convention."""

    splats: SplatCloud
    axes: str


def nobody(_: float) -> None:
    """Takes a report of progress that nobody asked for."""


def axes_of(path: Path) -> str:
    """The axes that such a file has by convention."""
    return AXES.get(format_of(path), OPENCV)


def read_splats(
    path: Path, decode_webp: sog.DecodeWebp | None = None, report: Callable[[float], None] = nobody
) -> SplatFile:
    """All splats of a file that are usable (see `cloud.usable`).

    decode_webp: SOG needs it. report: is told the share that is done. Raises JobError.
    """
    kind = format_of(path)
    if kind not in READ:
        sentence = f"{shown(path.name)} is no known file of splats."
        raise JobError("splats-format", sentence, READ_ADVICE)
    try:
        with np.errstate(over="ignore", invalid="ignore"):  # such splats are left out
            return SplatFile(usable(_read(kind, path, decode_webp, report)), AXES[kind])
    except SplatFileError as error:
        sentence = f"{shown(path.name)} cannot be read: {error}."
        raise JobError("splats-unreadable", sentence, error.advice) from error
    except MemoryError as error:
        raise JobError("out-of-memory", f"There is not enough memory to read {shown(path.name)}.", THINNER) from error
    except (OSError, ValueError) as error:  # ValueError: a name with NUL
        reason = getattr(error, "strerror", None) or str(error)
        raise JobError(
            "splats-unreadable", f"{shown(path.name)} cannot be read: {reason}.", "Choose another."
        ) from error


def write_splats(
    path: Path,
    cloud: SplatCloud,
    spz_version: int = 3,
    report: Callable[[float], None] = nobody,
) -> None:
    """Writes all of the file, or nothing. cloud: in the axes that the file shall have. GLB has degree 3 at most, so
    coefficients above it are left out there. Raises JobError."""
    kind = format_of(path)
    if kind not in WRITTEN:
        sentence = f"Splats cannot be written as {shown(path.name)}."
        raise JobError("splats-format", sentence, WRITTEN_ADVICE)
    if not len(cloud):
        raise JobError("export-nothing", NOTHING, NOTHING_ADVICE)
    beside = path.with_name(path.name + INCOMPLETE_SUFFIX)
    try:
        _write_beside(beside, _writer(kind, spz_version), cloud, report)
        put_in_place(beside, path)
    except SplatFileError as error:
        raise JobError("output-unwritten", f"{shown(path.name)} cannot be written: {error}.", error.advice) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        sentence = f"{shown(path.name)} cannot be written: {reason}."
        raise JobError("output-unwritten", sentence, "Free some space, or choose another folder.") from error


def _read(kind: str, path: Path, decode_webp: sog.DecodeWebp | None, report: Callable[[float], None]) -> SplatCloud:
    if kind == META:
        return sog.read_folder(path, decode_webp, report)
    with open_plain(path) as file:
        if kind == ".sog":
            return sog.read_zip(file, decode_webp, report)
        return {".ply": ply.read, ".spz": spz.read, ".splat": antimatter.read}[kind](file, report)


Writer = Callable[[BinaryIO, SplatCloud, Callable[[float], None]], None]


def _writer(kind: str, spz_version: int) -> Writer:
    if kind == ".spz":
        return spz.write_gzip if spz_version == 3 else spz.write_zstd
    return {".ply": ply.write, ".glb": glb.write, ".usda": usd.write}[kind]


def _write_beside(beside: Path, write: Writer, cloud: SplatCloud, report: Callable[[float], None]) -> None:
    try:
        with open_own(beside) as file:
            file.truncate(0)
            write(file, cloud, report)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise
