"""DTU (Jensen et al. 2014) as MVSNet keeps it, in the folders of the Depth Anything 3 benchmark. Millimetres.

49 photos a scene, for surfaces (22 scenes):

    <root>/Rectified/<scan>/rect_<number from 001>_*.png
    <root>/Cameras/<8 digits from 00000000>_cam.txt
    <root>/depth_raw/Depths/<scan>/depth_map_<4 digits>.pfm      optional
    <root>/Points/stl/stl<3 digits>_total.ply                    optional
    <root>/SampleSet/mvs_data/ObsMask/ObsMask<scan>_10.mat, Plane<scan>.mat    optional: where the scanner saw

64 photos a scene, for cameras only (13 scenes):

    <root>/<scan>/image/<8 digits>.png
    <root>/Cameras/<8 digits>_cam.txt

Photo 33 comes first, as the reference view.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
from scipy.io import loadmat

from model_runtime.benchmark.datasets.scene import TruthScene, TruthView, missing, require, surface_points
from model_runtime.benchmark.reconstruction import Protocol
from model_runtime.contract.messages import JobError

PROTOCOL = Protocol(cell=0.5, truncation=2.5, threshold=2.0, outlier=20.0)
"""The published measure here is the Chamfer distance; the threshold only serves this project's own F-score."""
REFERENCE = 33


def read(root: Path) -> list[TruthScene]:
    cameras = require(root / "Cameras", "DTU")
    if (root / "Rectified").is_dir():
        folders = {folder.name: sorted(folder.glob("rect_*.png")) for folder in (root / "Rectified").iterdir()}
    else:
        folders = {folder.parent.name: sorted(folder.glob("*.png")) for folder in root.glob("scan*/image")}
    scenes = [_scene(root, cameras, name, photos) for name, photos in folders.items() if photos]
    if not scenes:
        raise missing("DTU: no scene found", root / "Rectified" / "scan*")
    return sorted(scenes, key=lambda scene: int(scene.name.removeprefix("scan")))


def _scene(root: Path, cameras: Path, name: str, photos: list[Path]) -> TruthScene:
    if len(photos) > REFERENCE:
        photos = [photos[REFERENCE], *photos[:REFERENCE], *photos[REFERENCE + 1 :]]
    views = []
    for photo in photos:
        parts = photo.stem.split("_")
        number = int(parts[1]) - 1 if parts[0] == "rect" else int(parts[0])
        intrinsics, extrinsics = read_camera(require(cameras / f"{number:08}_cam.txt", "DTU"))
        depth = root / "depth_raw" / "Depths" / name / f"depth_map_{number:04}.pfm"
        views.append(TruthView(photo, extrinsics, intrinsics, partial(read_pfm, depth) if depth.is_file() else None))
    number = int(name.removeprefix("scan"))
    cloud = root / "Points" / "stl" / f"stl{number:03}_total.ply"
    surface = partial(surface_points, cloud, PROTOCOL.points) if cloud.is_file() else None
    masks = root / "SampleSet" / "mvs_data" / "ObsMask"
    seen, plane = masks / f"ObsMask{number}_10.mat", masks / f"Plane{number}.mat"
    judge = partial(_scanned, seen, plane) if seen.is_file() and plane.is_file() else None
    return TruthScene("dtu", name, tuple(views), PROTOCOL, surface, judge)


def _scanned(seen: Path, plane: Path, predicted: np.ndarray, true: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Predicted points in the volume the scanner observed, and scanned points above the table."""
    volume = loadmat(seen)
    observed, lowest, edge = volume["ObsMask"].astype(bool), volume["BB"][0], float(volume["Res"].item())
    cell = np.around((predicted - lowest) / edge).astype(np.int64)
    inside = ((cell >= 0) & (cell < observed.shape)).all(1)
    counts = np.zeros(len(predicted), bool)
    counts[inside] = observed[tuple(cell[inside].T)]
    a, b, c, d = loadmat(plane)["P"].ravel()
    return counts, true @ (a, b, c) + d > 0


def read_camera(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Intrinsics [3,3] and world-to-camera extrinsics [4,4] of an MVSNet camera file."""
    words = path.read_text(encoding="utf-8").split()
    if words[0] != "extrinsic" or "intrinsic" not in words:
        raise JobError("dataset-broken", f"{path} is no camera of DTU.", "Unpack the data set again.")
    begin = words.index("intrinsic") + 1
    extrinsics = np.array(words[1:17], np.float64).reshape(4, 4)
    return np.array(words[begin : begin + 9], np.float64).reshape(3, 3), extrinsics


def read_pfm(path: Path) -> np.ndarray:
    """A grey portable float map [H,W] float32, first row on top."""
    with path.open("rb") as file:
        if file.readline().strip() != b"Pf":
            raise JobError("dataset-broken", f"{path} is no grey PFM file.", "Unpack the data set again.")
        width, height = (int(word) for word in file.readline().split())
        order = "<" if float(file.readline()) < 0 else ">"
        values = np.frombuffer(file.read(), f"{order}f4", width * height)
    return values.reshape(height, width)[::-1].astype(np.float32)
