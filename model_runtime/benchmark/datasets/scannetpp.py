"""ScanNet++ (Yeshwanth et al. 2023), in the folders of the Depth Anything 3 benchmark.

    <root>/<scene>/merge_dslr_iphone/colmap/sparse_render_rgb/{cameras,images,points3D}.{bin,txt}
    <root>/<scene>/merge_dslr_iphone/images/<name>
    <root>/<scene>/merge_dslr_iphone/render_depth/<frame>.png     millimetres, 0 where unknown, optional
    <root>/<scene>/scans/mesh_aligned_0.05.ply                    optional

Only the photos taken with the iPhone count. Their distortion (COLMAP's OPENCV model) is taken out and the intrinsics
kept; the released evaluation changes the intrinsics a little as well, so that the photo's rim stays inside.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pycolmap

from model_runtime.benchmark.datasets.scene import (
    TruthScene,
    TruthView,
    depth_from_png,
    scene_folders,
    surface_points,
)
from model_runtime.benchmark.reconstruction import Protocol

PROTOCOL = Protocol(cell=0.02, truncation=0.15, threshold=0.05, farthest=5.0)
SCAN_MARGIN = 0.1
MODEL = "merge_dslr_iphone/colmap/sparse_render_rgb"


def read(root: Path) -> list[TruthScene]:
    return [_scene(folder) for folder in scene_folders(root, MODEL, "ScanNet++")]


def _scene(folder: Path) -> TruthScene:
    model = pycolmap.Reconstruction(str(folder / MODEL))
    photos = folder / "merge_dslr_iphone" / "images"
    views = []
    for image in sorted(model.images.values(), key=lambda image: image.name):
        if "iphone" in image.name and (photos / image.name).is_file():
            camera = model.camera(image.camera_id)
            extrinsics = np.vstack((image.cam_from_world().matrix(), (0, 0, 0, 1)))
            depth = folder / "merge_dslr_iphone" / "render_depth" / f"{Path(image.name).stem}.png"
            distortion = np.asarray(camera.params[4:8]) if camera.model == pycolmap.CameraModelId.OPENCV else None
            views.append(
                TruthView(
                    photos / image.name,
                    extrinsics,
                    np.asarray(camera.calibration_matrix(), np.float64),
                    partial(depth_from_png, depth, 1e-3) if depth.is_file() else None,
                    distortion,
                )
            )
    mesh = folder / "scans" / "mesh_aligned_0.05.ply"
    surface = partial(surface_points, mesh, PROTOCOL.points) if mesh.is_file() else None
    return TruthScene("scannetpp", folder.name, tuple(views), PROTOCOL, surface, _inside_scan)


def _inside_scan(predicted: np.ndarray, true: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Predicted points outside of the scan's box do not count: the scan stops at windows and doors."""
    inside = (predicted >= true.min(0) - SCAN_MARGIN) & (predicted <= true.max(0) + SCAN_MARGIN)
    return inside.all(1), np.ones(len(true), bool)
