"""The photos that go along: what they are called beside the files that name them, and their copies."""

from __future__ import annotations

import re
import shutil
from collections.abc import Collection, Iterable
from pathlib import Path, PurePosixPath

from model_runtime.contract.exr_header import EXR_START
from model_runtime.contract.messages import JobError

from .scene import ExportCamera, ExportScene
from .settings import ORIGINAL, ExportSettings

FOLDER, STRAIGHT_FOLDER = "images", "straightened"
"""The second is for straightened photos where the first has original ones."""

ENDINGS = {b"\x89PNG": (".png",), b"\xff\xd8": (".jpg", ".jpeg"), EXR_START: (".exr",)}
"""Of the names of plates, by how their bytes begin."""

UNUSABLE = re.compile(r'[\x00-\x1f<>:"|?*\\]')
"""In names of files, on one system or another."""

STRAIGHTENED = "Export the straightened photos instead."


def is_original(camera: ExportCamera, settings: ExportSettings) -> bool:
    """Whether the camera is exported as its lens, with the photo as it was taken."""
    return camera.lens is not None and settings.pictures == ORIGINAL


def picture_names(scene: ExportScene, settings: ExportSettings) -> list[str]:
    """For each camera the name of its picture in the folder of pictures, with `/` between folders, each another."""
    names: list[str] = []
    taken: set[str] = set()
    for camera in scene.cameras:
        name = _free(_picture_name(camera, settings), taken)
        taken.add(name.casefold())
        names.append(name)
    return names


def with_ending(names: Iterable[str], ending: str) -> list[str]:
    """The pictures' names with another ending, each still another one."""
    result: list[str] = []
    for name in names:
        result.append(_free(str(PurePosixPath(name).with_suffix(ending)), {each.casefold() for each in result}))
    return result


def write_pictures(scene: ExportScene, folder: Path, settings: ExportSettings, into: str = FOLDER) -> None:
    """Copies into `folder`/`into`, where they are wanted and not there yet. A photo that is nowhere has none."""
    check_originals(scene, settings)
    if not settings.copy_pictures:
        return
    for camera, name in zip(scene.cameras, picture_names(scene, settings), strict=True):
        path = folder / into / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if camera.plate and not is_original(camera, settings):
            path.write_bytes(camera.plate)
        elif camera.photo is not None and not (camera.lens is not None and not is_original(camera, settings)):
            _copy(camera.photo, path)


def check_originals(scene: ExportScene, settings: ExportSettings) -> None:
    """Raises JobError for an original photo that other programs would see lying on its side."""
    for camera in scene.cameras:
        if is_original(camera, settings) and camera.turned:
            sentence = f"{camera.name} is stored turned, which not every program heeds, so its lens would not fit."
            raise JobError("export-lens", sentence, STRAIGHTENED)


def identifiers(names: Iterable[str]) -> list[str]:
    """For each name another one of ASCII letters, digits and underscores alone, beginning with a letter."""
    result: list[str] = []
    for name in names:
        word = re.sub(r"[^A-Za-z0-9]+", "_", PurePosixPath(name).stem).strip("_") or "photo"
        result.append(_free(word if word[0].isalpha() else f"photo_{word}", {each.casefold() for each in result}))
    return result


def _picture_name(camera: ExportCamera, settings: ExportSettings) -> str:
    parts = [part.strip(" .") for part in re.split(r"[/\\]", camera.name)]
    parts = [UNUSABLE.sub("_", part) for part in parts if part] or ["photo"]
    name = PurePosixPath(*parts)
    if camera.plate and not is_original(camera, settings):
        endings = next((each for start, each in ENDINGS.items() if camera.plate.startswith(start)), (name.suffix,))
    else:
        endings = (camera.photo.suffix if camera.photo else name.suffix,)
    fits = name.suffix.casefold() in {ending.casefold() for ending in endings}
    return str(name if fits else name.with_name(name.name + endings[0]))


def _free(name: str, taken: Collection[str]) -> str:
    path, number, free = PurePosixPath(name), 2, name
    while free.casefold() in taken:
        free, number = str(path.with_name(f"{path.stem}_{number}{path.suffix}")), number + 1
    return free


def _copy(photo: Path, path: Path) -> None:
    try:
        shutil.copyfile(photo, path)
    except OSError as error:
        sentence = f"{photo} cannot be read: {error.strerror}."
        raise JobError("photo-unreadable", sentence, "Find it again, or export without the photos.") from error
