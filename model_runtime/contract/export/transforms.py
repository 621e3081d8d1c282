"""transforms.json of nerfstudio with its images/ and points.ply.

https://docs.nerf.studio/quickstart/data_conventions.html: camera-to-world, cameras look along -z with y up, the world's
up is +z, as Blender's. Intrinsics are of the pictures named; the middle of one W wide is cx = W / 2.
"""

from __future__ import annotations

import json
from pathlib import Path

from model_runtime.contract.lens import BROWN, Lens, named_coefficients
from model_runtime.contract.messages import JobError

from . import point_cloud
from .pictures import FOLDER, STRAIGHTENED, is_original, picture_names, write_pictures
from .scene import ExportCamera, ExportScene
from .settings import ExportSettings

BROWN_MODEL, FISHEYE_MODEL = "OPENCV", "OPENCV_FISHEYE"
BROWN_NAMES, FISHEYE_NAMES = ("k1", "k2", "k3", "p1", "p2"), ("k1", "k2", "k3", "k4")
DENOMINATOR = ("k4", "k5", "k6")
"""Coefficients of OpenCV's that nerfstudio has no word for; its own k4 of OPENCV is another one."""


def write(scene: ExportScene, folder: Path, settings: ExportSettings) -> None:
    lenses = [camera.lens if is_original(camera, settings) else None for camera in scene.cameras]
    content: dict[str, object] = {"camera_model": _model(scene, lenses)}
    write_pictures(scene, folder, settings)
    if len(scene.points.position):
        point_cloud.write(scene, folder, settings)
        content["ply_file_path"] = point_cloud.FILE
    names = picture_names(scene, settings)
    content["frames"] = [
        _frame(camera, lens, name) for camera, lens, name in zip(scene.cameras, lenses, names, strict=True)
    ]
    (folder / "transforms.json").write_text(json.dumps(content, indent=2), encoding="utf-8")


def _model(scene: ExportScene, lenses: list[Lens | None]) -> str:
    """The one camera model that the file has for all its frames. Raises JobError where there is none."""
    models = {lens.model for lens in lenses if lens is not None}
    if len(models) > 1 or (models and models != {BROWN} and None in lenses):
        sentence = "transforms.json has one kind of lens for all photos, and these photos have several."
        raise JobError("export-lens", sentence, STRAIGHTENED)
    for camera, lens in zip(scene.cameras, lenses, strict=True):
        if lens is not None and lens.model == BROWN and any(named_coefficients(lens)[name] for name in DENOMINATOR):
            sentence = f"transforms.json cannot tell the lens of {camera.name}, whose k4 to k6 are not 0."
            raise JobError("export-lens", sentence, STRAIGHTENED)
    return FISHEYE_MODEL if models - {BROWN} else BROWN_MODEL


def _frame(camera: ExportCamera, lens: Lens | None, name: str) -> dict[str, object]:
    size, intrinsics = (camera.size, camera.intrinsics) if lens is None else (lens.size, lens.intrinsics)
    numbers = {"fl_x": (0, 0), "fl_y": (1, 1), "cx": (0, 2), "cy": (1, 2)}
    frame: dict[str, object] = {"file_path": f"{FOLDER}/{name}", "w": size[0], "h": size[1]}
    frame |= {key: float(intrinsics[place]) for key, place in numbers.items()}
    if lens is not None:
        known = named_coefficients(lens)
        frame |= {key: known[key] for key in (BROWN_NAMES if lens.model == BROWN else FISHEYE_NAMES)}
    return frame | {"transform_matrix": camera.to_world.tolist()}
