"""The film or the pictures behind a clip's camera: Blender's movie clip, at the frames that the camera's keys are for.

Measured in Blender 4.2, 4.5 and 5.3: at frame f a film shows the last of its frames that has begun (f - 1) / rate
seconds after its start, with the rate that the movie clip tells; pictures show the number that f says. Films that are
stored turned are shown upright from Blender 4.4 on; before, as they are stored.
"""

from __future__ import annotations

import math
from typing import Any

import bpy

from model_runtime.contract.lens import BROWN, Lens, named_coefficients

from ..plan.clip_plan import ClipFiles
from .cameras import MADE_HERE, PLATE_DEPTH, PLATE_OPACITY
from .film_turns import quarter_turns

SHOWS = "da3_clip"
"""On movie clips that the add-on made: what they show, and with which lens."""

TERMS = ("k1", "k2", "k3", "p1", "p2")
"""Coefficients that Blender's lens has, too; the others are not 0 only of rare lenses."""


def movie_clip(files: ClipFiles, first: int, size: tuple[int, int], lens: Lens | None) -> bpy.types.MovieClip | None:
    """The movie clip of a film, or of pictures of which the first is shown at the scene's frame `first`, with the lens.

    size: upright (width, height), as it is to be seen, of a film whose pixels are no squares.
    None where there is no file. One that the add-on made before serves again; the artist's own are left alone.
    """
    file = files.path or next(iter(files.files), None)
    if file is None or not file.is_file():
        return None
    start = 1 if files.path else first
    shows = f"{file.resolve()} {start} {_lens_text(lens)}"
    there = (each for each in bpy.data.movieclips if each.get(SHOWS) == shows and each.library is None)
    clip = next(there, None)
    if clip is None:
        clip = bpy.data.movieclips.load(str(file.resolve()))
        clip[SHOWS], clip[MADE_HERE] = shows, True
        clip.frame_start = start
        _set_shape(clip, size)
        if lens is not None:
            _set_lens(clip, lens)
    return clip


def shown_rate(clip: bpy.types.MovieClip | None, rate: float) -> float:
    """Frames a second at which Blender shows the clip; `rate` of pictures, and where it does not tell."""
    if clip is None or clip.source != "MOVIE" or not clip.fps > 0:
        return rate
    return float(clip.fps)


def put_clip_behind(data: bpy.types.Camera, clip: bpy.types.MovieClip, size: tuple[int, int], straight: bool) -> None:
    """Add the clip behind the camera, so that it covers the camera's frame. size: upright (width, height) of the clip.
    straight: whether lines that its lens bends are shown straight."""
    background: Any = data.background_images.new()
    background.source, background.clip = "MOVIE_CLIP", clip
    background.frame_method = "FIT"
    background.alpha, background.display_depth = PLATE_OPACITY, PLATE_DEPTH
    turns = _turns_to_make(clip, size)
    # The lens is that of the upright clip, which this Blender has not.
    background.clip_user.use_render_undistorted = straight and not turns
    background.rotation = turns * math.pi / 2
    background.scale = max(size) / min(size) if turns % 2 else 1.0
    data.show_background_images = True


def clip_behind(camera: bpy.types.Object) -> bpy.types.MovieClip | None:
    """The movie clip that a camera has behind it first."""
    shown: Any = camera.data.background_images
    return shown[0].clip if shown and shown[0].source == "MOVIE_CLIP" else None


def take_over_clip(data: bpy.types.Camera, fresh: bpy.types.Camera) -> None:
    """Let the camera show the clip that `fresh` does, with all else about it as the artist has it."""
    new: Any = next((each for each in fresh.background_images if each.source == "MOVIE_CLIP"), None)
    if new is None:
        return
    old: Any = next((each for each in data.background_images if each.source == "MOVIE_CLIP"), None)
    if old is None:
        old = data.background_images.new()
        for name in ("source", "frame_method", "alpha", "display_depth", "rotation", "scale"):
            setattr(old, name, getattr(new, name))
        data.show_background_images = True
    elif old.clip is not None and not old.clip.get(MADE_HERE):
        return  # the artist's own
    old.clip = new.clip
    old.clip_user.use_render_undistorted = new.clip_user.use_render_undistorted


def can_straighten(lens: Lens) -> bool:
    """Whether Blender's movie clips know such a lens."""
    known = named_coefficients(lens)
    return lens.model == BROWN and not any(value for name, value in known.items() if name not in TERMS)


def _set_lens(clip: bpy.types.MovieClip, lens: Lens) -> None:
    """Blender's lens of the clip; where it knows none like it, the clip stays bent.

    Its Brown model is OpenCV's with y upward: there p1 is OpenCV's p2, and p2 is -p1. Measured against a drawn grid.
    """
    if not can_straighten(lens):
        return
    known, camera = named_coefficients(lens), clip.tracking.camera
    height, intrinsics = lens.size[1], lens.intrinsics
    camera.pixel_aspect = float(intrinsics[0, 0] / intrinsics[1, 1])
    camera.units = "PIXELS"
    camera.focal_length_pixels = float(intrinsics[0, 0])
    camera.principal_point_pixels = (float(intrinsics[0, 2]), float(height - intrinsics[1, 2]))
    camera.distortion_model = "BROWN"
    camera.brown_k1, camera.brown_k2, camera.brown_k3 = known["k1"], known["k2"], known["k3"]
    camera.brown_p1, camera.brown_p2 = known["p2"], -known["p1"]


def _set_shape(clip: bpy.types.MovieClip, size: tuple[int, int]) -> None:
    """Let pixels that are no squares be shown as what they are."""
    stored: Any = clip.size
    turned = (stored[0] > stored[1]) != (size[0] > size[1])
    width, height = (size[1], size[0]) if turned else size
    if min(stored) > 0:
        wide = width / stored[0] / (height / stored[1])
        clip.display_aspect = (max(wide, 1.0), max(1 / wide, 1.0))


def _lens_text(lens: Lens | None) -> str:
    if lens is None:
        return ""
    return f"{lens.model} {lens.intrinsics.ravel().tolist()} {lens.coefficients.tolist()}"


def _turns_to_make(clip: bpy.types.MovieClip, size: tuple[int, int]) -> int:
    """By how many quarters, clockwise, a film must be turned that this Blender shows as it is stored; size: upright."""
    if clip.source != "MOVIE":
        return 0
    turns = quarter_turns(bpy.path.abspath(clip.filepath))
    upright = bpy.app.version >= (4, 4) if turns == 2 else tuple(clip.size) == tuple(size)
    return 0 if upright else turns
