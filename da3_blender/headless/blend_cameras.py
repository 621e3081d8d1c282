"""Known cameras out of a .blend, read in a process of its own: a damaged file takes down the Blender that opens it.

What comes back is numbers in a file of JSON, and checked like those of anybody's file.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import bpy
import numpy as np

import model_runtime
from model_runtime.contract.camera_checks import check_intrinsics, check_lens, check_pose
from model_runtime.contract.disk import write_file
from model_runtime.contract.lens import Lens
from model_runtime.contract.messages import Cameras, JobError

from ..photos.contents import known_size
from ..photos.header import read_header
from ..photos.known_cameras import CameraPhoto, given_cameras, match_cameras, scene_cameras
from ..runtime.guarded_process import GuardedProcess
from .blend_file import reason
from .ending import starting

SECONDS = 300.0
"""For opening the file and telling its cameras: a production file of some gigabytes takes a minute or two."""

ADVICE = "Give a .blend that this Blender can open."
ANSWER = "cameras.json"
PHOTOS = "photos.json"
READ = """
import sys
sys.path[:0] = {folders!r}
from {package}.headless.blend_cameras import answer
answer({folder!r}, {path!r})
"""


def read_blend_cameras(path: Path, photos: Sequence[Path], seconds: float = SECONDS) -> Cameras:
    """The cameras of the scene in a .blend that belong to the photos (`known_cameras.match_cameras`), in its world.

    Raises JobError where the file cannot be opened within `seconds`, ends Blender, or a photo has no camera there or
    one that cannot be used.
    """
    rows = [(photo.name, str(photo.resolve()), *_size(photo)) for photo in photos]
    with tempfile.TemporaryDirectory(prefix="da3_", dir=bpy.app.tempdir or None) as folder:
        (Path(folder) / PHOTOS).write_text(json.dumps(rows), encoding="utf-8")
        log = _run(_command(path.resolve(), folder), folder, path, seconds)
        try:
            answer = json.loads((Path(folder) / ANSWER).read_bytes())
        except (OSError, ValueError) as error:
            sentence = f"{path} cannot be read: Blender ends while it opens the file."
            raise JobError("cameras-unreadable", sentence, ADVICE, log) from error
    return _checked(answer, path, [photo.name for photo in photos])


def _size(photo: Path) -> tuple[int, int]:
    try:
        return known_size(read_header(photo).size, photo.name)
    except (OSError, ValueError) as error:
        raise JobError("photo-unreadable", f"{photo} cannot be read: {error}.", "Check the file.") from error


def _command(path: Path, folder: str) -> list[str]:
    """This Python where Blender is a package of it, else Blender itself."""
    here = Path(__file__).resolve().parents[1]
    folders = [str(here.parent), str(Path(str(model_runtime.__file__)).resolve().parents[1])]
    code = READ.format(folders=folders, package=here.name, folder=folder, path=str(path))
    if not bpy.app.binary_path:
        return [sys.executable, "-c", code]
    return [bpy.app.binary_path, "--background", "--factory-startup", "--disable-autoexec", "--python-expr", code]


def _run(command: list[str], folder: str, path: Path, seconds: float) -> str:
    """Runs it to its end, whatever that is; returns what it printed. Raises JobError after `seconds`.

    folder: for what Blender leaves behind where it does not end in its own way."""
    began = time.monotonic()
    with starting():
        process = GuardedProcess(command, os.environ | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), folder), Path.cwd())
    late: list[float] = []

    def stop_when_late(*_: str) -> None:
        if time.monotonic() - began > seconds:
            late.append(seconds)
            process.stop()

    try:
        _, log = process.wait(stop_when_late, stop_when_late)
    finally:
        process.stop()
    if late:
        sentence = f"{path} cannot be read: Blender is not done with it after {seconds:.0f} seconds."
        raise JobError("cameras-unreadable", sentence, ADVICE, log)
    return log


def _checked(answer: Any, path: Path, names: Sequence[str]) -> Cameras:
    """The answer as cameras; raises the JobError that it tells of, or one that says why it is none."""
    match answer:
        case {"failure": [str(code), str(sentence), str(advice)]}:
            raise JobError(code, sentence, advice)
    try:
        extrinsics, intrinsics = (np.array(answer[key], float) for key in ("extrinsics", "intrinsics"))
        extrinsics, intrinsics = extrinsics.reshape(len(names), 4, 4), intrinsics.reshape(len(names), 3, 3)
        lenses = tuple(map(_told_lens, answer["lenses"], intrinsics))
        if len(lenses) not in (0, len(names)):
            raise ValueError(f"{len(lenses)} lenses")
    except (LookupError, TypeError, ValueError) as error:
        raise JobError("cameras-unreadable", f"{path} cannot be read: its cameras are no numbers.", ADVICE) from error
    for name, pose, k in zip(names, extrinsics, intrinsics, strict=True):
        check_pose(pose, name)
        check_intrinsics(k, name)
    for name, lens in zip(names, lenses, strict=False):
        if lens is not None:
            check_lens(lens, name)
    return Cameras(extrinsics, intrinsics, lenses)


def _told_lens(told: Any, intrinsics: np.ndarray) -> Lens | None:
    """The lens that `answer` told of a camera."""
    if told is None:
        return None
    width, height = map(int, told["size"])
    return Lens(str(told["model"]), (width, height), intrinsics, np.array(told["coefficients"], float))


def _lens_numbers(lens: Lens | None) -> dict[str, object] | None:
    if lens is None:
        return None
    return {"model": lens.model, "size": lens.size, "coefficients": lens.coefficients.tolist()}


def answer(folder: str, path: str) -> None:
    """In the other process: opens the .blend without running its scripts, and writes the answer into `folder`."""
    rows = [
        CameraPhoto(name, file, None, width, height)
        for name, file, width, height in json.loads((Path(folder) / PHOTOS).read_text(encoding="utf-8"))
    ]
    try:
        cameras = _opened_cameras(path, rows)
        content = {
            "extrinsics": cameras.extrinsics.tolist(),
            "intrinsics": cameras.intrinsics.tolist(),
            "lenses": list(map(_lens_numbers, cameras.lenses)),
        }
    except JobError as error:
        content = {"failure": [error.failure.code, error.failure.sentence, error.failure.advice]}
    write_file(Path(folder) / ANSWER, json.dumps(content).encode())
    os._exit(0)  # taking Blender down may crash, and is of no use


def _opened_cameras(path: str, rows: Sequence[CameraPhoto]) -> Cameras:
    bpy.context.preferences.filepaths.use_scripts_auto_execute = False
    try:
        bpy.ops.wm.open_mainfile(filepath=path, load_ui=False, use_scripts=False)
    except RuntimeError as error:
        sentence = f"{path} cannot be opened: {reason(error)}."
        raise JobError("cameras-unreadable", sentence, ADVICE) from error
    scene = bpy.context.scene
    return given_cameras(rows, match_cameras(rows, scene_cameras(scene)), scene)
