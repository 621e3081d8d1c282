"""The command `predict`: photos in, arrays out, without a worker."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import zipfile
from dataclasses import asdict
from pathlib import Path

import numpy as np

from model_runtime.contract.disk import put_in_place
from model_runtime.contract.export.npz import told_lens
from model_runtime.contract.messages import JobError, Photo, Prediction, Request, View
from model_runtime.contract.photo_names import distinct_names
from model_runtime.prediction.predictor import Predictor

VIEW_ARRAYS = (
    *("depth", "confidence", "sky", "opaque", "repeated", "color"),
    *("extrinsics", "intrinsics", "ray", "ray_confidence"),
)


def run(options: argparse.Namespace) -> None:
    _check_output(options)
    request = Request(
        photos=tuple(map(_read_photo, options.photos, distinct_names(options.photos))),
        checkpoint=options.checkpoint,
        resolution=options.resolution,
        camera_source=options.camera_source,
        reference_view=options.reference_view,
        gaussians=not options.no_gaussians,
        device=options.device,
        precision=options.precision,
        refine=options.refine,
        refine_depth=options.refine_depth,
        lens=options.lens,
        improve_splats=options.improve_splats,
    )
    prediction = Predictor().predict(request, _print_progress)
    _write(options.output, arrays(prediction))
    for note in (*(photo.reason.sentence for photo in prediction.left_out), *prediction.notes):
        print(note, file=sys.stderr)
    print(json.dumps(prediction.settings))


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
            _write_npz(part, named)
            put_in_place(part, output)
    except OSError as error:
        raise _unwritten(output, error.strerror) from error


def _write_npz(path: Path, named: dict[str, np.ndarray]) -> None:
    """As numpy.savez_compressed, which on a full disk leaves an open archive that complains when it is collected."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in named.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, array, allow_pickle=False)


def _unwritten(output: Path, why: str | None) -> JobError:
    return JobError("output-unwritten", f"{output} cannot be written: {why}.", "Choose another --output.")


def _read_photo(path: Path, name: str) -> Photo:
    try:
        return Photo(name, path.read_bytes())
    except OSError as error:
        raise JobError("photo-unreadable", f"{path} cannot be read: {error.strerror}.", "Check the path.") from error


def _print_progress(_: str, fraction: float, sentence: str) -> None:
    print(f"{fraction:4.0%}  {sentence}", file=sys.stderr)


def arrays(prediction: Prediction) -> dict[str, np.ndarray]:
    """A prediction as named arrays: `view0_depth`, ..., `gaussian_means`, ..., and the rest as JSON in `meta`.

    `view0_plate`: the bytes of the picture that the camera sees, where the photo's file shows another.
    """
    named: dict[str, np.ndarray] = {}
    for i, view in enumerate(prediction.views):
        for name in VIEW_ARRAYS:
            if (array := getattr(view, name)) is not None:
                named[f"view{i}_{name}"] = array
        if view.plate:
            named[f"view{i}_plate"] = np.frombuffer(view.plate, np.uint8)
    if prediction.gaussians is not None:
        there = {name: array for name, array in vars(prediction.gaussians).items() if array is not None}
        named |= {f"gaussian_{name}": array for name, array in there.items() if name != "source"}
    meta = {
        "views": [_told(view) for view in prediction.views],
        "gaussians": prediction.gaussians and prediction.gaussians.source,
        "checkpoint": asdict(prediction.checkpoint),
        "camera_source": prediction.camera_source,
        "metric": prediction.metric,
        "match_error": prediction.match_error,
        "settings": prediction.settings,
        "notes": prediction.notes,
        "left_out": [asdict(photo) for photo in prediction.left_out],
    }
    named["meta"] = np.array(json.dumps(meta))
    return named


def _told(view: View) -> dict[str, object]:
    """What `meta` tells of a view."""
    return {
        "name": view.name,
        "photo_size": view.photo_size,
        "camera_source": view.camera_source,
        "lens": told_lens(view.lens),
        "match_error": view.match_error,
    }
