"""What kind of picture a file is: by its first bytes, and by the ending of its name only where those do not tell.

Standard library only.
"""

from __future__ import annotations

import re
from pathlib import PurePath

from model_runtime.contract.exr_header import EXR_START

START = 64
"""Bytes that tell a kind."""

READ = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"),
    "PNG": (".png",),
    "WebP": (".webp",),
    "TIFF": (".tif", ".tiff"),
    "HEIC": (".heic", ".heif", ".hif"),
    "AVIF": (".avif",),
    "RAW": (
        *(".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dng", ".erf", ".fff", ".iiq", ".mef", ".mos", ".mrw", ".nef"),
        *(".nrw", ".orf", ".pef", ".raf", ".rw2", ".rwl", ".sr2", ".srf", ".srw", ".x3f"),
    ),
    "EXR": (".exr",),
}
"""Kinds of photos that are read, with the usual endings of their names."""

READ_NAMES = "JPEG, PNG, WebP, TIFF, HEIC, AVIF, RAW, EXR"
"""As sentences list them."""

VIDEO = "video"
VIDEO_SUFFIXES = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v", ".mts", ".m2ts", ".mpg", ".mpeg")
"""Usual endings of films, each of which is a clip of its own and none of several photos."""

OTHERS = {
    VIDEO: VIDEO_SUFFIXES,
    **{kind: (f".{kind.lower()}",) for kind in ("GIF", "BMP", "ICO", "HDR", "DDS", "TGA", "PSD", "XCF", "SVG")},
    "PPM": (".ppm", ".pgm", ".pbm", ".pnm", ".pam"),
    "JPEG 2000": (".jp2",),
    "JPEG XL": (".jxl",),
}
"""Kinds of pictures that are not read as photos."""

BY_SUFFIX = {suffix: kind for kind, suffixes in (READ | OTHERS).items() for suffix in suffixes}

BY_START = tuple(
    (re.compile(pattern, re.DOTALL), kind)
    for pattern, kind in (
        (rb"\xff\xd8\xff", "JPEG"),
        (rb"\x89PNG\r\n\x1a\n", "PNG"),
        (rb"RIFF.{4}WEBP", "WebP"),
        (rb"II\*\0.{4}CR|FUJIFILMCCD-RAW|IIR[OS]|MMOR|IIU\0|II\x1a\0\0\0HEAP|FOVb|\0MRM", "RAW"),
        (rb".{4}ftypcrx ", "RAW"),
        (rb"II\*\0|MM\0\*", "TIFF"),
        (rb".{4}ftyp(?:avi[fs]|(?:mif1|msf1).{4}(?:.{4})*?avi[fs])", "AVIF"),
        (rb".{4}ftyp(?:hei[cxms]|hev[cxms]|mif1|msf1)", "HEIC"),
        (rb".{4}(?:ftyp|moov|mdat|wide|skip)|\x1aE\xdf\xa3|RIFF.{4}AVI ", VIDEO),
        (re.escape(EXR_START), "EXR"),
        (rb"GIF8", "GIF"),
        (rb"BM.{4}\0\0\0\0", "BMP"),
        (rb"#\?R", "HDR"),
        (rb"8BPS", "PSD"),
        (rb"P[1-6]\s+[\d#]", "PPM"),
        (rb"\0\0\x01\0[^\0]\0", "ICO"),
        (rb"\xff\x0a|\0\0\0\x0cJXL ", "JPEG XL"),
        (rb"\0\0\0\x0cjP  ", "JPEG 2000"),
    )
)
"""First bytes of each kind, the most telling first."""


def kind_by_start(start: bytes) -> str:
    """The kind of a file that begins with these START bytes; empty where they do not tell."""
    return next((kind for pattern, kind in BY_START if pattern.match(start)), "")


def kind_by_name(name: str | PurePath) -> str:
    """The kind that a file is called; empty where its ending is none of a picture."""
    return BY_SUFFIX.get(PurePath(name).suffix.lower(), "")
