"""An EXR per photo, of the size of its depth map, with what the points that are shown tell of its pixels.

depth/: `Z` along the camera's axis, in the scene's unit. position/: `P.X`, `P.Y`, `P.Z` in Blender's world. Both have
`A`, 1 where a pixel has a value and 0 where it shows sky or what is hidden: there the others are 0, as compositing
programs expect, for NaN spreads in their filters.
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
        depth = project(camera, position)[1]
        write_exr(path, {"Z": _map(camera, position, depth), "A": _map(camera, position, np.ones(len(position)))})


def write_position(scene: ExportScene, folder: Path, settings: ExportSettings) -> None:
    for path, camera, position in _photos(scene, folder / "position", settings):
        channels = {f"P.{axis}": _map(camera, position, position[:, i]) for i, axis in enumerate("XYZ")}
        write_exr(path, {**channels, "A": _map(camera, position, np.ones(len(position)))})


def _photos(scene: ExportScene, folder: Path, settings: ExportSettings) -> list[tuple[Path, ExportCamera, np.ndarray]]:
    """For each photo its file, its camera and the points [M,3] that came from it. Raises JobError for none at all."""
    if not len(scene.points.position):
        raise JobError("export-nothing", "No points are shown, so there is no depth to export.", "Show the points.")
    result = []
    names = with_ending(picture_names(scene, settings), ".exr")
    for index, (camera, name) in enumerate(zip(scene.cameras, names, strict=True)):
        if not all(camera.map_size):
            sentence = f"The scene does not tell how large the depth map of {camera.name} is."
            raise JobError("export-nothing", sentence, "Update the scene; older versions did not keep it.")
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        result.append((path, camera, scene.points.position[scene.points.view == index]))
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
