"""An EXR per photo, of the size of its depth map, with what its points tell of its pixels.

depth/: `Z`, the same in `R`, `G` and `B`, along the camera's axis in the scene's unit. position/: x, y and z of
Blender's world in `R`, `G` and `B`, which every program reads. Both have `A`, 1 where a pixel has a value and 0 where
it shows sky or what is hidden: there the others are 0, as compositing programs expect, for NaN spreads in filters.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from model_runtime.contract.messages import JobError

from .exr import write_exr
from .pictures import picture_names, with_ending
from .scene import ExportCamera, ExportScene, project
from .settings import ExportSettings


def write_depth(scene: ExportScene, folder: Path, settings: ExportSettings) -> None:
    for path, camera, position in _photos(scene, folder / "depth", settings):
        depth = _map(camera, position, project(camera, position)[1])
        write_exr(path, {**dict.fromkeys("RGBZ", depth), "A": _map(camera, position, np.ones(len(position)))})


def write_position(scene: ExportScene, folder: Path, settings: ExportSettings) -> None:
    for path, camera, position in _photos(scene, folder / "position", settings):
        channels = {name: _map(camera, position, position[:, i]) for i, name in enumerate("RGB")}
        write_exr(path, {**channels, "A": _map(camera, position, np.ones(len(position)))})


def _photos(scene: ExportScene, folder: Path, settings: ExportSettings) -> list[tuple[Path, ExportCamera, np.ndarray]]:
    """For each photo its file, its camera and the points [M,3] that came from it. Raises JobError for none at all."""
    points = [scene.points, scene.repeated]
    position, view = (np.concatenate([getattr(each, name) for each in points]) for name in ("position", "view"))
    if not len(position):
        raise JobError("export-nothing", "No points are shown, so there is no depth to export.", "Show the points.")
    result = []
    names = with_ending(picture_names(scene, settings), ".exr")
    for index, (camera, name) in enumerate(zip(scene.cameras, names, strict=True)):
        if not all(camera.map_size):
            sentence = f"The scene does not tell how large the depth map of {camera.name} is."
            raise JobError("export-nothing", sentence, "Update the scene; older versions did not keep it.")
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        result.append((path, camera, position[view == index]))
    return result


def _map(camera: ExportCamera, position: np.ndarray, values: np.ndarray) -> np.ndarray:
    """[h,w] float32 of the values [M] at the pixels that show their points; of several the nearest one's, else 0."""
    width, height = camera.map_size
    pixels, depth = project(camera, position)
    place = np.floor(np.nan_to_num(pixels * (width / camera.size[0], height / camera.size[1]), nan=-1.0))
    inside = ((place >= 0) & (place < (width, height))).all(-1)
    order = np.argsort(-depth[inside])  # the nearest is written last
    column, row = place[inside][order].astype(int).T
    result = np.zeros((height, width), np.float32)
    result[row, column] = values[inside][order]
    return result
