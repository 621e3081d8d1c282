"""A prediction as named arrays in one .npz, the same bytes whenever it is written."""

from __future__ import annotations

import json
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import IO

import numpy as np

from model_runtime.contract.export.npz import told_lens
from model_runtime.contract.messages import Prediction, View

VIEW_ARRAYS = (
    *("depth", "confidence", "sky", "opaque", "repeated", "color"),
    *("extrinsics", "intrinsics", "ray", "ray_confidence"),
)
TRACK_ARRAYS = ("numbers", "seconds", "extrinsics", "intrinsics", "match_error")

TIMES = ("seconds", "mesh_seconds")
"""Settings of a prediction that differ from one run to the next."""

LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""When all parts of the file count as written: the earliest that a ZIP can say."""


def write_npz(file: Path | IO[bytes], named: dict[str, np.ndarray]) -> None:
    """As numpy.savez_compressed, which on a full disk leaves an open archive that complains when it is collected, and
    which writes the time."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in named.items():
            part = zipfile.ZipInfo(f"{name}.npy", LONG_AGO)
            part.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(part, "w", force_zip64=True) as written:
                np.lib.format.write_array(written, array, allow_pickle=False)


def arrays(prediction: Prediction, with_times: bool = True) -> dict[str, np.ndarray]:
    """A prediction as named arrays: `view0_depth`, ..., `gaussian_means`, ..., `track_extrinsics`, ..., and the rest as
    JSON in `meta`.

    `view0_plate`: the bytes of the picture that the camera sees, where the photo's file shows another. with_times:
    whether `meta` has how long things took.
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
    if prediction.track is not None:
        named |= {f"track_{name}": getattr(prediction.track, name) for name in TRACK_ARRAYS}
    settings = {name: value for name, value in prediction.settings.items() if with_times or name not in TIMES}
    meta = {
        "views": [_told(view) for view in prediction.views],
        "gaussians": prediction.gaussians and prediction.gaussians.source,
        "checkpoint": asdict(prediction.checkpoint),
        "camera_source": prediction.camera_source,
        "metric": prediction.metric,
        "match_error": prediction.match_error,
        "settings": settings,
        "notes": prediction.notes,
        "left_out": [asdict(photo) for photo in prediction.left_out],
        **_track_told(prediction),
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
        **({} if view.frame is None else {"frame": view.frame}),
    }


def _track_told(prediction: Prediction) -> dict[str, object]:
    """What `meta` tells of a clip's camera, where there is one."""
    track = prediction.track
    if track is None:
        return {}
    lens = told_lens(track.lens)
    told = {"rate": track.rate, "photo_size": track.photo_size, "lens": lens, "still": track.still}
    return {"track": told | {"sources": track.sources}}
