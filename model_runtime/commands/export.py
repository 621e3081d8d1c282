"""The command `export`: what `predict` or the panel kept as NPZ, as files for other software."""

from __future__ import annotations

import argparse
import json
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from model_runtime.contract.depth_edges import flying_pixels
from model_runtime.contract.export import npz
from model_runtime.contract.export.formats import FORMATS, export
from model_runtime.contract.export.scene import ExportCamera, ExportPoints, ExportScene, no_points
from model_runtime.contract.export.settings import PICTURES, STRAIGHT, ExportSettings
from model_runtime.contract.lens import to_plane
from model_runtime.contract.messages import JobError, Photo
from model_runtime.contract.photo_names import match_names

Z_UP = np.array([[1.0, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1]])
"""Turns the reference photo's frame (y down, z forward) to one with z up, as the panel does with *Upright* off."""

ADVICE = "Give a file that `da3-runtime predict` or the panel's Export wrote."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("result", type=Path, help="the .npz of `predict`, or of the panel's Export")
    parser.add_argument("--to", nargs="+", choices=FORMATS, required=True, metavar="FORMAT", help=", ".join(FORMATS))
    parser.add_argument("--output", type=Path, required=True, help="the folder to write into")
    parser.add_argument("--overwrite", action="store_true", help="replace files that are there already")
    parser.add_argument("--photos", type=Path, help="the folder of the photos, to be copied along")
    parser.add_argument(
        "--pictures", choices=PICTURES, default=STRAIGHT, help="straightened photos, or original ones with their lenses"
    )
    parser.add_argument(
        "--hide-unsure", type=float, default=0.1, metavar="SHARE", help="of the points of `predict`; 0.1 by default"
    )
    parser.add_argument(
        "--edge-angle", type=float, default=10.0, help="degrees, as the panel's Edge Filter; 0 keeps all points"
    )
    parser.add_argument("--keep-all", action="store_true", help="points that another photo shows better, too")


def run(options: argparse.Namespace) -> None:
    scene = read_scene(options.result, options.hide_unsure, options.edge_angle, options.keep_all)
    if options.photos is not None:
        scene = with_photos(scene, options.photos)
    writers = [FORMATS[name] for name in dict.fromkeys(options.to)]
    settings = ExportSettings(options.pictures)
    for path in export(scene, writers, options.output, settings, options.overwrite):
        print(path)


def read_scene(path: Path, hide_unsure: float = 0.1, edge_angle: float = 10.0, keep_all: bool = False) -> ExportScene:
    """The scene of a file of `predict` or of an export as NPZ. The other settings choose among the points of the first.

    Raises JobError.
    """
    if not 0 <= hide_unsure <= 1 or not 0 <= edge_angle <= 89:
        sentence = "The share of unsure points is not between 0 and 1, or the edge angle not between 0 and 89 degrees."
        raise JobError("bad-request", sentence, "Give numbers between these.")
    try:
        with np.load(path, allow_pickle=False) as archive:
            named = dict(archive)
        meta = json.loads(str(named["meta"]))
        if "export" in meta:
            return npz.scene_of(named, meta)
        return _of_prediction(named, meta, hide_unsure, edge_angle, keep_all)
    except (OSError, EOFError, ValueError, LookupError, TypeError, zipfile.BadZipFile, zlib.error) as error:
        raise JobError("export-unreadable", f"{path} cannot be read as a result: {error}.", ADVICE) from error


def with_photos(scene: ExportScene, folder: Path) -> ExportScene:
    """The cameras with the files of their photos in `folder`, found by name. Raises JobError where one is missing."""
    files = {str(path.relative_to(folder)): path for path in sorted(folder.rglob("*")) if path.is_file()}
    try:
        found = match_names([camera.name for camera in scene.cameras], list(files))
    except ValueError as error:
        raise JobError("photo-name-twice", str(error), "Give the folder of these photos alone.") from error
    cameras = []
    for camera, name in zip(scene.cameras, found, strict=True):
        if name is None:
            raise JobError("photo-unreadable", f"{camera.name} is not in {folder}.", "Give the folder of the photos.")
        cameras.append(_with_photo(camera, files[name]))
    return replace(scene, cameras=tuple(cameras))


def _with_photo(camera: ExportCamera, path: Path) -> ExportCamera:
    if camera.lens is None:
        return replace(camera, photo=path)
    from model_runtime.photos.decode import stored_shape

    try:
        _, orientation = stored_shape(Photo(camera.name, path.read_bytes()))
    except OSError as error:
        sentence = f"{path} cannot be read: {error.strerror}."
        raise JobError("photo-unreadable", sentence, "Check the file.") from error
    return replace(camera, photo=path, turned=orientation != 1)


def _of_prediction(
    named: Mapping[str, np.ndarray], meta: Mapping[str, Any], hide_unsure: float, edge_angle: float, keep_all: bool
) -> ExportScene:
    """The scene of `predict`'s arrays, with z up: given cameras keep their frame, others the reference photo's."""
    back = np.eye(4) if meta["camera_source"] == "given" else Z_UP.T
    cameras = tuple(_camera(named, i, told, back) for i, told in enumerate(meta["views"]))
    every, repeated = _points(named, cameras, edge_angle)
    shown = ~repeated | keep_all
    sure = _rank(every.confidence, every.confidence[shown]) > hide_unsure
    checkpoint = {f"checkpoint_{key}": value for key, value in meta["checkpoint"].items()}
    return ExportScene(
        cameras=cameras,
        points=_chosen(every, shown & sure),
        repeated=_chosen(every, ~shown & sure),
        metric=bool(meta["metric"]),
        provenance={**checkpoint, "camera_source": meta["camera_source"], "match_error": meta["match_error"]},
    )


def _camera(named: Mapping[str, np.ndarray], i: int, told: Mapping[str, Any], back: np.ndarray) -> ExportCamera:
    """back: [4,4] from the exported world to the prediction's."""
    plate = named.get(f"view{i}_plate")
    rows, columns = named[f"view{i}_depth"].shape
    return ExportCamera(
        name=str(told["name"]),
        size=(int(told["photo_size"][0]), int(told["photo_size"][1])),
        intrinsics=named[f"view{i}_intrinsics"].astype(np.float64),
        extrinsics=named[f"view{i}_extrinsics"] @ back,
        map_size=(columns, rows),
        plate=b"" if plate is None else plate.tobytes(),
        lens=npz.lens_of(told.get("lens")),
        match_error=told.get("match_error"),
    )


def _points(
    named: Mapping[str, np.ndarray], cameras: Sequence[ExportCamera], edge_angle: float
) -> tuple[ExportPoints, np.ndarray]:
    """A point for each pixel of all views that lies on a surface, and which of them are repeated, [P] bool."""
    clouds, repeated = [], []
    for i, camera in enumerate(cameras):
        shown = _surface(named, i, camera, edge_angle)
        row, column = np.nonzero(shown)
        cloud = ExportPoints(
            _unproject(camera, row, column, named[f"view{i}_depth"][shown]),
            named[f"view{i}_color"][shown],
            named[f"view{i}_confidence"][shown].astype(np.float32),
            np.full(len(row), i, np.int32),
        )
        clouds.append(tuple(vars(cloud).values()))
        repeated.append(named.get(f"view{i}_repeated", np.zeros_like(shown))[shown])
    if not clouds:
        return no_points(), np.empty(0, bool)
    return ExportPoints(*map(np.concatenate, zip(*clouds, strict=True))), np.concatenate(repeated)


def _surface(named: Mapping[str, np.ndarray], i: int, camera: ExportCamera, edge_angle: float) -> np.ndarray:
    """[h,w] bool: pixels of a view that lie on a surface, neither sky, transparent nor flying."""
    depth = named[f"view{i}_depth"]
    with np.errstate(invalid="ignore"):
        shown = np.isfinite(depth) & (depth > 0) & ~named[f"view{i}_sky"]
    if f"view{i}_opaque" in named:
        shown &= named[f"view{i}_opaque"]
    focal = camera.intrinsics.diagonal()[:2] * camera.map_size / camera.size
    return shown & ~flying_pixels(depth, (float(focal[0]), float(focal[1])), edge_angle)


def _unproject(camera: ExportCamera, row: np.ndarray, column: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """[P,3] float32 points in the world of these pixels of the depth map [P]."""
    pixel = np.stack((column + 0.5, row + 0.5), axis=-1) * camera.size / camera.map_size
    plane = to_plane(camera.intrinsics, pixel)
    seen = np.concatenate((plane, np.ones((len(plane), 1))), axis=1) * depth[:, None].astype(np.float64)
    return ((seen - camera.extrinsics[:3, 3]) @ camera.extrinsics[:3, :3]).astype(np.float32)


def _chosen(points: ExportPoints, which: np.ndarray) -> ExportPoints:
    return ExportPoints(*(array[which] for array in vars(points).values()))


def _rank(values: np.ndarray, among: np.ndarray) -> np.ndarray:
    """[P] in 0..1: the share of `among` that is no larger than each of `values`."""
    return np.searchsorted(np.sort(among), values, side="right") / max(len(among), 1)
