"""A Nuke script with plates, cameras and lenses, and the cameras as a .chan file, one frame a photo.

https://learn.foundry.com/nuke/content/reference_guide/3d_nodes/camera.html. Nuke's world has y up and its cameras look
along -z. Rotations are in its default order ZXY: about z first, then x, then y. `win_translate` counts half widths of
the film for both axes, and `win_scale` gives the height a focal length of its own (as nukescripts projects points). A
.chan has neither: only the vertical angle of view.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from model_runtime.contract.lens import Lens

from .pictures import FOLDER, STRAIGHT_FOLDER, identifiers, picture_names, write_pictures
from .scene import Y_UP, ExportCamera, ExportScene
from .settings import ORIGINAL, STRAIGHT, ExportSettings
from .stmap import FOLDER as MAPS
from .stmap import distort_map, lens_key, undistort_map, write_map

FILM_WIDTH = 36.0
"""Millimetres."""

COLUMN, ROW = 260, 120
"""Between nodes in the graph."""

HERE = r"\[file dirname \[value root.name]]"
"""The script's folder, as an expression of Nuke's that a script keeps."""


class _Knobs(NamedTuple):
    """A camera as Nuke's knobs: translate [3], rotate [3] in degrees, focal in millimetres, win_translate and win_scale
    [2]."""

    translate: np.ndarray
    rotate: np.ndarray
    focal: float
    win_translate: np.ndarray
    win_scale: np.ndarray


def write_chan(scene: ExportScene, folder: Path, _: ExportSettings) -> None:
    """`cameras.chan`: frame, translation, rotation, vertical angle of view in degrees; one row a photo, or a frame of
    the clip."""
    cameras = scene.cameras if scene.track is None else scene.track.cameras
    frames = range(1, len(cameras) + 1) if scene.track is None else scene.track.frames
    rotations = np.unwrap([_knobs(camera).rotate for camera in cameras], axis=0, period=360)
    lines = []
    for frame, camera, rotate in zip(frames, cameras, rotations, strict=True):
        angle = 2 * np.degrees(np.arctan(camera.size[1] / 2 / camera.intrinsics[1, 1]))
        lines.append("\t".join([str(frame), *map(_number, (*_knobs(camera).translate, *rotate, angle))]))
    (folder / "cameras.chan").write_text("\n".join([*lines, ""]), encoding="ascii")


def write_script(scene: ExportScene, folder: Path, settings: ExportSettings) -> None:
    """`scene.nk`: for each photo a Read and a Camera, and where its lens bends it the STMaps that straighten the photo
    and bend a render of the camera like it. Its photos are straightened ones always: apart from original ones, which
    other formats put beside it under the same names."""
    straight = ExportSettings(STRAIGHT, settings.copy_pictures)
    pictures_folder = FOLDER if settings.pictures == STRAIGHT else STRAIGHT_FOLDER
    write_pictures(scene, folder, straight, pictures_folder)
    width, height = scene.cameras[0].size
    nodes = [
        _node(
            "Root",
            first_frame=1,
            last_frame=len(scene.cameras),
            fps=_number(scene.frame_rate),
            format=f'"{_format(width, height)}"',
        )
    ]
    words = identifiers(camera.name for camera in scene.cameras)
    pictures = picture_names(scene, straight)
    originals = picture_names(scene, ExportSettings(ORIGINAL, False))
    maps: dict[str, str] = {}  # by lens the first camera's word, after which its files are called
    for column, (camera, word) in enumerate(zip(scene.cameras, words, strict=True)):
        place = COLUMN * column
        nodes.append(_read(f"{word}_plate", f"{pictures_folder}/{pictures[column]}", camera.size, (place, 0)))
        nodes.append(f"set {word} [stack 0]")
        nodes.append(_camera_node(f"{word}_camera", camera, (place, ROW)))
        if camera.lens is not None:
            first = maps.setdefault(lens_key(camera.lens, camera.pinhole), word)
            if first == word:
                _write_maps(camera, camera.lens, folder / MAPS, word)
            photo = str(camera.photo) if camera.photo else f"{FOLDER}/{originals[column]}"
            nodes += _lens_nodes(word, first, photo, camera, camera.lens, place)
    (folder / "scene.nk").write_text("\n".join(nodes), encoding="utf-8")


def rotate_zxy(rotation: np.ndarray) -> np.ndarray:
    """[3] degrees about x, y, z of a rotation [3,3] = Ry @ Rx @ Rz."""
    x = np.arcsin(np.clip(-rotation[1, 2], -1, 1))
    if abs(rotation[1, 2]) > 1 - 1e-12:  # looking straight up or down: y and z turn about the same axis
        y, z = np.arctan2(-rotation[2, 0], rotation[0, 0]), 0.0
    else:
        y = np.arctan2(rotation[0, 2], rotation[2, 2])
        z = np.arctan2(rotation[1, 0], rotation[1, 1])
    return np.degrees([x, y, z])


def _knobs(camera: ExportCamera) -> _Knobs:
    (width, height), matrix = camera.size, camera.to_world
    fx, fy = camera.intrinsics[0, 0], camera.intrinsics[1, 1]
    taller = fx / fy
    middle = camera.intrinsics[:2, 2]
    return _Knobs(
        translate=Y_UP @ matrix[:3, 3],
        rotate=rotate_zxy(Y_UP @ matrix[:3, :3]),
        focal=float(fx * FILM_WIDTH / width),
        win_translate=np.array([1 - 2 * middle[0] / width, (2 * middle[1] - height) / width * taller]),
        win_scale=np.array([1.0, taller]),
    )


def _camera_node(name: str, camera: ExportCamera, place: tuple[int, int]) -> str:
    knobs = _knobs(camera)
    return _node(
        "Camera2",
        inputs=0,
        rot_order="ZXY",
        translate=_vector(knobs.translate),
        rotate=_vector(knobs.rotate),
        focal=_number(knobs.focal),
        haperture=_number(FILM_WIDTH),
        vaperture=_number(FILM_WIDTH * camera.size[1] / camera.size[0]),
        win_translate=_vector(knobs.win_translate),
        win_scale=_vector(knobs.win_scale),
        name=name,
        xpos=place[0],
        ypos=place[1],
    )


def _read(name: str, file: str, size: tuple[int, int], place: tuple[int, int], raw: bool = False) -> str:
    """raw: numbers, not colours."""
    return _node(
        "Read",
        inputs=0,
        file=f'"{_path(file)}"',
        format=f'"{_format(*size)}"',
        **({"raw": "true"} if raw else {}),
        name=name,
        xpos=place[0],
        ypos=place[1],
    )


def _lens_nodes(word: str, maps: str, photo: str, camera: ExportCamera, lens: Lens, column: int) -> list[str]:
    """The photo straightened by one map; and bent by the other the plate, in whose place a render goes. maps: how
    the files of these begin."""
    original = f"{word}_original"
    nodes = [_read(original, photo, lens.size, (column, 2 * ROW)), f"set {original} [stack 0]"]
    for row, kind, source, size in ((3, "straighten", original, camera.size), (5, "bend", word, lens.size)):
        file = f"{MAPS}/{maps}_{kind}.exr"
        nodes.append(_read(f"{word}_{kind}_map", file, size, (column + COLUMN // 2, row * ROW), raw=True))
        nodes.append(f"push ${source}")  # the last on the stack is the first input, the picture; the map the second
        place = {"xpos": column, "ypos": (row + 1) * ROW}
        nodes.append(_node("STMap", inputs=2, channels="rgb", uv="rgb", name=f"{word}_{kind}", **place))
    return nodes


def _write_maps(camera: ExportCamera, lens: Lens, folder: Path, word: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_map(folder / f"{word}_straighten.exr", undistort_map(lens, camera.pinhole))
    write_map(folder / f"{word}_bend.exr", distort_map(lens, camera.pinhole))


def _node(kind: str, **knobs: object) -> str:
    return "\n".join([f"{kind} {{", *(f" {name} {value}" for name, value in knobs.items()), "}"])


def _format(width: int, height: int) -> str:
    return f"{width} {height} 0 0 {width} {height} 1 DA3_{width}x{height}"


def _path(file: str) -> str:
    """In the script's folder, but for absolute ones; Nuke writes `/` on every system."""
    escaped = re.sub(r'([\[\]$"\\{}])', r"\\\1", file.replace("\\", "/"))
    return escaped if Path(file).is_absolute() else f"{HERE}/{escaped}"


def _vector(values: Iterable[float]) -> str:
    return "{" + " ".join(map(_number, values)) + "}"


def _number(value: float) -> str:
    return f"{float(value):.12g}"
