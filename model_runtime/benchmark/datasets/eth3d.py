"""ETH3D high-resolution multi-view (Schöps et al. 2017), in the folders of the Depth Anything 3 benchmark.

    <root>/<scene>/images/<name>                              name as in images.txt, e.g. dslr_images/DSC_0286.JPG
    <root>/<scene>/dslr_calibration_undistorted/{cameras,images}.txt   or dslr_calibration_jpg/
    <root>/<scene>/combined_mesh.ply                          laser scan as a mesh, optional
    <root>/<scene>/ground_truth_depth/dslr_images/<file>      raw float32 of the photo's size, optional
    <root>/<scene>/masks_for_images/dslr_images/<file>.png    1 where the truth is not valid, optional

`dslr_calibration_jpg` describes the photos before undistortion; like the released evaluation, this reader then leaves
their lens distortion out of account.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.spatial.transform import Rotation

from model_runtime.benchmark.datasets.scene import (
    TruthScene,
    TruthView,
    pinhole,
    require,
    scene_folders,
    surface_points,
)
from model_runtime.benchmark.reconstruction import Protocol
from model_runtime.contract.messages import JobError

PROTOCOL = Protocol(cell=5 * 4 / 512, truncation=0.2, threshold=0.25)
CALIBRATIONS = ("dslr_calibration_undistorted", "dslr_calibration_jpg")

EXCLUDED_SCENES = ("meadow", "terrace")
EXCLUDED_PHOTOS = {
    "delivery_area": range(711, 715),
    "electro": (*range(9289, 9294), 9298),
    "playground": range(587, 593),
    "relief": range(427, 439),
    "relief_2": range(458, 469),
}
"""Numbers of photos in unusual poses that the released evaluation leaves out."""

SINGLE_FOCAL = ("SIMPLE_PINHOLE", "SIMPLE_RADIAL", "RADIAL")


def read(root: Path) -> list[TruthScene]:
    folders = scene_folders(root, "images", "ETH3D")
    return [_scene(folder) for folder in folders if folder.name not in EXCLUDED_SCENES]


def _scene(folder: Path) -> TruthScene:
    calibration = next((folder / name for name in CALIBRATIONS if (folder / name).is_dir()), folder / CALIBRATIONS[-1])
    cameras = read_cameras(require(calibration / "cameras.txt", "ETH3D"))
    excluded = EXCLUDED_PHOTOS.get(folder.name, ())
    views = []
    for name, camera, extrinsics in read_images(require(calibration / "images.txt", "ETH3D")):
        photo = folder / "images" / name
        if photo.is_file() and not any(photo.stem.endswith(str(number)) for number in excluded):
            depth = folder / "ground_truth_depth" / "dslr_images" / photo.name
            mask = folder / "masks_for_images" / "dslr_images" / f"{photo.stem}.png"
            size, intrinsics = cameras[camera]
            read_depth = partial(_depth, depth, mask, size) if depth.is_file() else None
            views.append(TruthView(photo, extrinsics, intrinsics, read_depth))
    mesh = folder / "combined_mesh.ply"
    surface = partial(surface_points, mesh, PROTOCOL.points) if mesh.is_file() else None
    return TruthScene("eth3d", folder.name, tuple(views), PROTOCOL, surface)


def read_cameras(path: Path) -> dict[int, tuple[tuple[int, int], np.ndarray]]:
    """COLMAP's cameras.txt: size (width, height) and intrinsics [3,3] of each camera; distortion is not read."""
    cameras = {}
    for line in _lines(path):
        number, model, width, height, *values = line.split()
        numbers = [float(value) for value in values]
        focal = [numbers[0], *numbers[:3]] if model in SINGLE_FOCAL else numbers[:4]
        cameras[int(number)] = (int(width), int(height)), pinhole(*focal)
    return cameras


def read_images(path: Path) -> list[tuple[str, int, np.ndarray]]:
    """COLMAP's images.txt: name, camera and extrinsics [4,4] of each photo."""
    poses = []
    for line in _lines(path):
        parts = line.split(maxsplit=9)
        if len(parts) == 10 and parts[0].isdigit() and not _is_number(parts[9].split()[-1]):
            extrinsics = np.eye(4)
            extrinsics[:3, :3] = Rotation.from_quat([float(q) for q in parts[1:5]], scalar_first=True).as_matrix()
            extrinsics[:3, 3] = [float(t) for t in parts[5:8]]
            poses.append((parts[9], int(parts[8]), extrinsics))
    if not poses:
        raise JobError("dataset-broken", f"{path} names no photos.", "Unpack the data set again.")
    return poses


def _lines(path: Path) -> list[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


def _is_number(text: str) -> bool:
    """Tells the lines of observations, which are all numbers, from those of photos, which end with a name."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def _depth(path: Path, mask: Path, size: tuple[int, int]) -> np.ndarray:
    depth = np.fromfile(path, np.float32).reshape(size[::-1])
    depth[~np.isfinite(depth)] = 0
    if mask.is_file():
        depth[np.asarray(Image.open(mask)) == 1] = 0
    return depth
