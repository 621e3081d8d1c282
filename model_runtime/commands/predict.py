"""The command `predict`: photos in, arrays out, without a worker."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np

from model_runtime.contract.disk import put_in_place
from model_runtime.contract.messages import JobError, Photo, Request
from model_runtime.contract.photo_names import distinct_names
from model_runtime.contract.stored_files import stored
from model_runtime.prediction.answer_file import arrays, write_npz
from model_runtime.prediction.predictor import Predictor

FILM_ENDINGS = (".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi")
"""Of files that are taken for videos, where somebody gives one as a photo."""


def run(options: argparse.Namespace) -> None:
    _check_output(options)
    _check_photos(options.photos)
    request = Request(
        photos=tuple(map(_read_photo, options.photos, distinct_names(options.photos))),
        checkpoint=options.checkpoint,
        resolution=options.resolution,
        camera_source=options.camera_source,
        reference_view=options.reference_view,
        gaussians=not options.no_gaussians,
        backend=options.backend,
        device=options.device,
        precision=options.precision,
        refine=options.refine,
        refine_depth=options.refine_depth,
        lens=options.lens,
        improve_splats=options.improve_splats,
        rays=options.rays,
    )
    prediction = Predictor().predict(request, _print_progress)
    _write(options.output, arrays(prediction))
    for note in (*(photo.reason.sentence for photo in prediction.left_out), *prediction.notes):
        print(note, file=sys.stderr)
    print(json.dumps(prediction.settings))


def _check_photos(paths: list[Path]) -> None:
    """Videos are told at once, and where they go instead."""
    for path in paths:
        if path.suffix.lower() in FILM_ENDINGS:
            advice = "Name it as a clip in a list of shots for `da3-runtime farm`, or give it to `build.py scene`."
            raise JobError("bad-request", f"{path} is a video, and this command takes photos.", advice)


def _check_output(options: argparse.Namespace) -> None:
    """Nothing is written over a photo, nor over another file without --overwrite, nor where no file can be made."""
    output = options.output
    try:
        with tempfile.TemporaryDirectory(prefix=".", dir=output.parent) as folder:
            (Path(folder) / output.name).touch()
    except OSError as error:
        raise _unwritten(output, error.strerror) from error
    if output.is_dir():
        raise _unwritten(output, "it is a folder")
    if output.exists() and any(path.exists() and path.samefile(output) for path in options.photos):
        raise JobError("output-exists", f"{output} is one of the photos.", "Choose another --output.")
    if output.exists() and not options.overwrite:
        raise JobError("output-exists", f"{output} is there already.", "Choose another --output, or give --overwrite.")


def _write(output: Path, named: dict[str, np.ndarray]) -> None:
    """In one move, so that what was there stays where something goes wrong."""
    try:
        with tempfile.TemporaryDirectory(prefix=".", dir=output.parent) as folder:
            part = Path(folder) / "part.npz"
            write_npz(part, named)
            put_in_place(part, output)
    except OSError as error:
        raise _unwritten(output, error.strerror) from error


def _unwritten(output: Path, why: str | None) -> JobError:
    return JobError("output-unwritten", f"{output} cannot be written: {why}.", "Choose another --output.")


def _read_photo(path: Path, name: str) -> Photo:
    try:
        return Photo(name, file=stored(path))
    except OSError as error:
        raise JobError("photo-unreadable", f"{path} cannot be read: {error.strerror}.", "Check the path.") from error


def _print_progress(_: str, fraction: float, sentence: str) -> None:
    print(f"{fraction:4.0%}  {sentence}", file=sys.stderr)
