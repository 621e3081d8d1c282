"""What a DA3 scene was asked for, written on its collection, so that it can be asked for again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from model_runtime.contract.json_files import JsonError, parse_json
from model_runtime.contract.messages import JobError

from ..photos import clip_row, photo_list
from ..scene import find
from ..scene.lenses import read_lens
from ..scene.marks import PHOTO_FILE, REQUEST, VIEW
from ..scene.surfaces import photo_behind
from ..settings import ROW_KINDS, ListedPhoto, Settings

NOT_STORED = {"name", "active_photo", "active_view", "worst_first", "only_commercial"}
"""Of `scene.da3`: what is chosen in the panel itself."""


CLIP_SETTINGS = ("clip_first", "clip_last", "clip_step", "clip_rate", "set_frame_range")
"""Of `scene.da3`: what belongs to the clip in the list, and comes and goes with it."""

LARGEST_REQUEST = 16_000_000
"""Bytes. A photo takes about two hundred."""

MOST_PHOTOS = 10_000
"""Every one of them is looked at on the disk."""

KINDS = [kind for kind, _, _ in ROW_KINDS]

LONGEST_TEXT = 4096
"""Letters of a path or a name."""


@dataclass(frozen=True)
class StoredPhoto:
    """A row of the list as it was. name: in the result. kind: as in `ListedPhoto`. Of path and image one is set;
    `image` and `camera` are names in the .blend."""

    name: str
    kind: str = "photo"
    path: str = ""
    image: str = ""
    camera: str = ""
    reference: bool = False


def describe(settings: Settings, names: Iterable[str]) -> str:
    """The usable photos of the list, under the `names` they have in the job, and the settings, as JSON."""
    photos = [
        {"name": name, "kind": photo.kind, "reference": photo.reference, **_source(photo), **_camera(photo)}
        for name, photo in zip(names, photo_list.usable(settings), strict=True)
    ]
    return json.dumps({"photos": photos, "settings": {key: getattr(settings, key) for key in _stored(settings)}})


def describe_settings(values: Mapping[str, str | int | float | bool], clip: StoredPhoto | None = None) -> str:
    """Likewise where there is no list: the settings that are known; photos are those behind the cameras, but for a
    clip."""
    rows = {} if clip is None else {"photos": [{"name": clip.name, "kind": clip.kind, "path": clip.path}]}
    return json.dumps({**rows, "settings": dict(values)})


def clip_name(collection: bpy.types.Collection) -> str:
    """What the clip is called that a result was made from; empty where it was made from photos, or does not tell."""
    return next((row.name for row in _photos(collection)[0] if row.kind != "photo"), "")


def photo_names(collection: bpy.types.Collection) -> dict[str, str]:
    """The names that photos have in a result, by their `photo_key`."""
    return {row.path or row.image: row.name for row in _photos(collection)[0]}


def photo_key(photo: ListedPhoto) -> str:
    """Tells the photos of the list apart: their file, or the image in this .blend."""
    return next(iter(_source(photo).values()), "")


def tell_left_out(collection: bpy.types.Collection, settings: Settings, left_out: Mapping[str, str]) -> None:
    """Write on the rows of the list why the result has no camera for their photos. left_out: by the photos' names."""
    names = photo_names(collection)
    for photo in settings.photos:
        photo.problem = left_out.get(names.get(photo_key(photo), ""), photo.problem)


def is_damaged(collection: bpy.types.Collection) -> bool:
    """Whether something is stored, but nothing that can be read."""
    return REQUEST in collection and not _read(collection)


def load_photos(collection: bpy.types.Collection, settings: Settings) -> int:
    """Let the list hold the photos that the result was made from; how many of them it tells nothing usable about.

    Raises JobError where the result does not tell of any, and leaves the list as it is.
    """
    rows, unusable = _photos(collection)
    if not rows:
        raise JobError(
            "no-request", "This DA3 scene does not tell which photos it was made from.", "Add them to the list."
        )
    photo_list.clear(settings)
    for row in rows:
        photo = settings.photos.add()
        photo.kind, photo.path, photo.reference = row.kind, row.path, row.reference
        photo.image = bpy.data.images.get(row.image)
        camera = bpy.data.objects.get(row.camera)
        photo.camera = camera if camera and camera.type == "CAMERA" else None
        photo.name = row.name if row.kind != "photo" else Path(photo.path).name or row.image
        photo_list.inspect(photo)
    if clip_row.clip_of(settings) is not None:
        _set(collection, settings, CLIP_SETTINGS)
    return unusable


def load_settings(collection: bpy.types.Collection, settings: Settings) -> list[str]:
    """Set what the result was made with. What it says nothing usable about stays as it is: the labels of those."""
    return _set(collection, settings, _stored(settings))


def _set(collection: bpy.types.Collection, settings: Settings, keys: Iterable[str]) -> list[str]:
    stored = _read(collection).get("settings")
    values = stored if isinstance(stored, dict) else {}
    unusable = []
    for key in keys:
        prop = settings.bl_rna.properties[key]
        if key in values and _fits(values[key], prop):
            setattr(settings, key, values[key])
        elif key in values:
            unusable.append(prop.name)
    return unusable


def _source(photo: ListedPhoto) -> dict[str, str]:
    if photo.path:
        return {"path": bpy.path.abspath(photo.path)}
    return {"image": photo.image.name} if photo.image else {}


def _camera(photo: ListedPhoto) -> dict[str, str]:
    return {"camera": photo.camera.name} if photo.camera else {}


def _stored(settings: Settings) -> Iterator[str]:
    for prop in settings.bl_rna.properties:
        plain = prop.type in ("BOOLEAN", "INT", "FLOAT", "STRING", "ENUM")
        if (
            plain
            and not prop.is_readonly
            and prop.identifier not in NOT_STORED
            and not getattr(prop, "is_array", False)
        ):
            yield prop.identifier


def _fits(value: Any, prop: Any) -> bool:
    """Whether a property takes the value as it is."""
    if prop.type == "BOOLEAN":
        return isinstance(value, bool)
    if prop.type == "ENUM":
        return isinstance(value, str) and value in prop.enum_items
    if prop.type == "STRING":
        return _is_text(value) and len(value.encode()) < (prop.length_max or LONGEST_TEXT)
    is_number = type(value) is int or (prop.type == "FLOAT" and type(value) is float)
    return is_number and prop.hard_min <= value <= prop.hard_max


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_TEXT and "\0" not in value


def _photos(collection: bpy.types.Collection) -> tuple[list[StoredPhoto], int]:
    """The photos that can be told, and how many more are stored."""
    stored = _read(collection).get("photos")
    rows = stored if isinstance(stored, list) and stored else list(_photos_behind(collection))
    photos = [photo for photo in map(_photo, rows[:MOST_PHOTOS]) if photo is not None]
    photos = next(([photo] for photo in photos if photo.kind != "photo"), photos)  # a clip is alone in the list
    return photos, len(rows) - len(photos)


def _photo(row: Any) -> StoredPhoto | None:
    """None for a row that says something else than `describe` writes."""
    if not isinstance(row, dict):
        return None
    texts = {key: row.get(key, "") for key in ("name", "path", "image", "camera")}
    kind, reference = row.get("kind", "photo"), row.get("reference", False)
    if not all(map(_is_text, texts.values())) or not isinstance(reference, bool) or kind not in KINDS:
        return None
    if not texts["name"] or not (texts["path"] or (texts["image"] and kind == "photo")):
        return None
    return StoredPhoto(kind=kind, reference=reference, **texts)


def _read(collection: bpy.types.Collection) -> dict[str, Any]:
    """What is stored, by its names; empty where that cannot be read. Whoever made the .blend wrote it."""
    text = collection.get(REQUEST)
    try:
        stored = parse_json(text.encode(), LARGEST_REQUEST) if isinstance(text, str) else None
    except (JsonError, UnicodeEncodeError):
        return {}
    return stored if isinstance(stored, dict) else {}


def _photos_behind(collection: bpy.types.Collection) -> Iterator[dict[str, Any]]:
    """The photos of a scene that was not made from the panel: those behind its cameras, or the files of those that are
    straightened; with neither where that is not known."""
    for camera in find.objects_of(collection, "camera"):
        image = photo_behind(camera) if camera.type == "CAMERA" else None
        if image is None:
            continue
        row = {"name": camera.get(VIEW, image.name)}
        if read_lens(camera.data) is not None:
            yield {**row, "path": camera.data.get(PHOTO_FILE, "")}
        elif image.packed_file:
            yield {**row, "image": image.name}
        else:
            yield {**row, "path": bpy.path.abspath(image.filepath, library=image.library)}
