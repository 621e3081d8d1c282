"""Where a command line writes: never over what it reads, nor over a file that this program did not make.

Standard library only: asked before anything is installed or computed.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from model_runtime.contract.disk import put_in_place

from ..photos.names import is_text, readable
from ..photos.own_pictures import is_marked
from .ending import removed


def preview_of(blend: Path) -> Path:
    return blend.with_name(f"{blend.stem}_preview.png")


def check_outputs(
    blend: Path, preview: Path | None, inputs: Iterable[Path], overwrite: bool, others: Sequence[Path] = ()
) -> None:
    """Raises ValueError with a sentence where one of them may not be written."""
    inputs = list(inputs)
    for target in filter(None, (blend, preview, *others)):
        _check_place(target)
        read = next((path for path in inputs if _same(path, target)), None)
        if read is not None:
            raise ValueError(f"{target} would be written over {read}, which is read: choose another --output")
    for target in () if overwrite else (blend, *others):
        if target.exists():
            option = "--output" if target is blend else "--splats"
            raise ValueError(f"{target} is there already: choose another {option}, or give --overwrite to replace it")
    if preview is not None and preview.exists() and not is_marked(preview):
        raise ValueError(
            f"{preview} is there already and was not made by this program: "
            "choose another --output, or give --no-preview"
        )


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A place to write to, in a fresh folder beside `path`; what is there afterwards takes the place of `path`, in one
    move, when the disk has it. Where something goes wrong before, or a signal ends the program, `path` stays as it was.
    Raises OSError."""
    with (
        tempfile.TemporaryDirectory(prefix=".", dir=path.parent, ignore_cleanup_errors=True) as folder,
        removed(folder),
    ):
        part = Path(folder) / f"part{path.suffix}"
        yield part
        put_in_place(part, path)


def unclaimed(path: Path) -> Path:
    """`path`, or where that exists the same with the first number that is free: scene.blend, scene_2.blend, ..."""
    number, free = 2, path
    while free.exists():
        free = path.with_name(f"{path.stem}_{number}{path.suffix}")
        number += 1
    return free


def _check_place(target: Path) -> None:
    """Raises ValueError where `target`, or what it leads to as a link, is no place for a file of its kind."""
    place = _led_to(target) if os.path.islink(target) else target.absolute()
    if os.path.isdir(place):
        raise ValueError(f"{target} is a folder: give --output the name of a file")
    if os.path.exists(place) and not os.path.isfile(place):
        raise ValueError(f"{target} is a pipe or a device: choose another --output")
    if not is_text(place):
        raise ValueError(f"{readable(target)} is not written in UTF-8: choose another --output")
    folder = next(path for path in place.parents if os.path.lexists(path))
    if not os.path.isdir(folder):
        raise ValueError(f"{folder} is not a folder, so {target} cannot be written: choose another --output")
    if not os.access(folder, os.W_OK):
        raise ValueError(f"{folder} cannot be written to: choose another --output")
    for name in (place.relative_to(folder), *place.relative_to(folder).parts):
        try:
            (folder / name).lstat()
        except FileNotFoundError:
            continue
        except OSError as error:  # the name is too long
            raise ValueError(f"{target} cannot be written: {error.strerror}: choose another --output") from error


def _led_to(link: Path) -> Path:
    """The file at the end of a link, which need not be there. Raises ValueError where it must not be written."""
    place = Path(os.path.realpath(link))
    if place.is_symlink():
        raise ValueError(f"{link} is a link that leads to itself: choose another --output")
    if place.suffix != link.suffix:
        raise ValueError(f"{link} is a link to {place}, which is no {link.suffix} file: choose another --output")
    if not place.parent.is_dir():
        raise ValueError(f"{link} is a link to {place}, and there is no such folder: choose another --output")
    return place


def _same(one: Path, other: Path) -> bool:
    if os.path.realpath(one) == os.path.realpath(other):
        return True
    return os.path.exists(one) and os.path.exists(other) and one.samefile(other)
