"""Exact pictures of splats as files, a frame at a time, so that a panel can stop in between; no window is needed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np

from model_runtime.contract.disk import INCOMPLETE_SUFFIX, put_in_place, write_file
from model_runtime.contract.export.exr import write_exr
from model_runtime.contract.messages import JobError

from ..plan.conventions import srgb_to_linear
from ..scene.find import scene_of
from .cloud import changed_geometry
from .exact import Painter, start_gpu
from .png import png_of

KINDS = ("png", "exr")


@dataclass(frozen=True)
class PictureSettings:
    """kind: one of KINDS; background: colour (sRGB) behind the splats, or None where they stay transparent; solids:
    whether meshes hide what is behind them; overwrite: whether files that are there are replaced."""

    kind: str = "png"
    background: tuple[float, float, float] | None = None
    solids: bool = True
    overwrite: bool = False


def frame_file(folder: Path, frame: int, kind: str) -> Path:
    """Where the picture of a frame goes."""
    return folder / f"splats_{frame:04d}.{kind}"


class Sequence:
    """The frames of `scene` through its camera, one `step` each. Raises JobError where it can be seen before that they
    cannot be made."""

    def __init__(self, scene: bpy.types.Scene, frames: Iterable[int], folder: Path, settings: PictureSettings) -> None:
        self.frames, self.done = list(frames), 0
        self._scene_uid, self._folder, self._settings = scene.session_uid, folder, settings
        self._before = scene.frame_current
        self._painter = Painter()
        if scene.camera is None:
            raise JobError("no-camera", "The scene has no camera.", "Add one, or look through a photo.")
        check_free((frame_file(folder, frame, settings.kind) for frame in self.frames), settings.overwrite)
        start_gpu()

    def step(self, view_layer: bpy.types.ViewLayer) -> bool:
        """Draw and write the next frame; True while there are more. Raises JobError."""
        scene = self._scene()
        if self.done < len(self.frames):
            frame = self.frames[self.done]
            with noting_changes(self._painter):
                scene.frame_set(frame)
            camera = scene.camera
            if camera is None:
                raise JobError("no-camera", "The scene has no camera.", "Add one, or look through a photo.")
            picture = self._painter.paint(view_layer.depsgraph, camera, self._settings.solids)
            write_picture(picture, frame_file(self._folder, frame, self._settings.kind), self._settings)
            self.done += 1
        return self.done < len(self.frames)

    def end(self) -> None:
        """Go back to the frame that was shown before."""
        scene = scene_of(self._scene_uid)
        if scene is not None:
            scene.frame_set(self._before)

    def _scene(self) -> bpy.types.Scene:
        scene = scene_of(self._scene_uid)
        if scene is None:
            raise JobError("scene-gone", "The scene is gone.", "Start again in another one.")
        return scene


@contextmanager
def noting_changes(painter: Painter) -> Iterator[None]:
    """Whose geometry changes meanwhile, as the scene goes to another frame, the painter will read anew."""

    def note(_: bpy.types.Scene, graph: bpy.types.Depsgraph) -> None:
        painter.changed |= changed_geometry(graph)

    bpy.app.handlers.frame_change_post.append(note)
    try:
        yield
    finally:
        bpy.app.handlers.frame_change_post.remove(note)


def check_free(files: Iterable[Path], overwrite: bool) -> None:
    """Raises JobError where one of `files` is there and must stay."""
    there = None if overwrite else next((file for file in files if file.exists()), None)
    if there is not None:
        sentence = f"{there} is there already."
        raise JobError("output-exists", sentence, "Choose another folder, or switch Overwrite on.")


def write_picture(picture: np.ndarray, file: Path, settings: PictureSettings) -> None:
    """A picture of `Painter.paint` as a whole file, or none. Raises JobError.

    PNG: the colours as they are, alpha beside them. EXR: linear, with alpha multiplied into them.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        colors, alpha = over(picture, settings.background)
        if settings.kind == "exr":
            linear = srgb_to_linear(colors) * alpha
            part = file.with_name(file.name + INCOMPLETE_SUFFIX)
            write_exr(part, {name: linear[..., i] for i, name in enumerate("RGB")} | {"A": alpha[..., 0]})
            put_in_place(part, file)
        else:
            shades = np.concatenate([colors, alpha], axis=2).clip(0, 1) * 255 + 0.5
            write_file(file, png_of(shades.astype(np.uint8)))
    except OSError as error:
        sentence = f"{file} cannot be written: {error.strerror or error}."
        raise JobError("output-unwritten", sentence, "Free some space, or choose another folder.") from error


def over(picture: np.ndarray, background: tuple[float, float, float] | None) -> tuple[np.ndarray, np.ndarray]:
    """Colours [h,w,3], not multiplied by alpha, and alpha [h,w,1] of a premultiplied picture over `background`."""
    colors, alpha = picture[..., :3], picture[..., 3:]
    if background is None:
        return np.divide(colors, alpha, out=np.zeros_like(colors), where=alpha > 0), alpha
    return colors + (1 - alpha) * np.array(background, np.float32), np.ones_like(alpha)
