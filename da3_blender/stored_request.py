"""What a DA3 scene was asked for, written on its collection, so that it can be asked for again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import bpy

from model_runtime.messages import JobError

from . import photo_list
from .scene import find
from .scene.marks import VIEW
from .scene.surfaces import photo_behind

REQUEST = "da3_request"
"""Custom property of the top collection: photos and settings as JSON."""

NOT_STORED = {"name", "active_photo", "active_view", "only_commercial"}
"""Of `scene.da3`: what is chosen in the panel itself."""


def describe(settings: Any, names: Iterable[str]) -> str:
    """The usable photos of the list, under the `names` they have in the job, and the settings, as JSON."""
    photos = [
        {"name": name, "reference": photo.reference, **_source(photo), **_camera(photo)}
        for name, photo in zip(names, photo_list.usable(settings), strict=True)
    ]
    return json.dumps({"photos": photos, "settings": {key: getattr(settings, key) for key in _stored(settings)}})


def photo_names(collection: bpy.types.Collection) -> dict[str, str]:
    """The names that photos have in a result, by their `photo_key`."""
    return {row.get("path") or row.get("image", ""): row["name"] for row in _read(collection)["photos"]}


def photo_key(photo: Any) -> str:
    """Tells the photos of the list apart: their file, or the image in this .blend."""
    return next(iter(_source(photo).values()), "")


def tell_left_out(collection: bpy.types.Collection, settings: Any, left_out: Mapping[str, str]) -> None:
    """Write on the rows of the list why the result has no camera for their photos. left_out: by the photos' names."""
    names = photo_names(collection)
    for photo in settings.photos:
        photo.problem = left_out.get(names.get(photo_key(photo), ""), photo.problem)


def load_photos(collection: bpy.types.Collection, settings: Any) -> None:
    """Let the list hold the photos that the result was made from. Raises JobError where the result does not tell."""
    rows = _read(collection)["photos"]
    if not rows:
        raise JobError(
            "no-request", "This DA3 scene does not tell which photos it was made from.", "Add them to the list."
        )
    photo_list.clear(settings)
    for row in rows:
        photo = settings.photos.add()
        photo.path, photo.reference = row.get("path", ""), row["reference"]
        photo.image = bpy.data.images.get(row.get("image", ""))
        camera = bpy.data.objects.get(row.get("camera", ""))
        photo.camera = camera if camera and camera.type == "CAMERA" else None
        photo.name = Path(photo.path).name or row.get("image", "")
        photo_list.inspect(photo)


def load_settings(collection: bpy.types.Collection, settings: Any) -> None:
    """Set what the result was made with; what this version of the add-on does not know stays as it is."""
    known = settings.bl_rna.properties
    for key, value in _read(collection)["settings"].items():
        if key in known and (known[key].type != "ENUM" or value in known[key].enum_items):
            setattr(settings, key, value)


def _source(photo: Any) -> dict[str, str]:
    if photo.path:
        return {"path": bpy.path.abspath(photo.path)}
    return {"image": photo.image.name} if photo.image else {}


def _camera(photo: Any) -> dict[str, str]:
    return {"camera": photo.camera.name} if photo.camera else {}


def _stored(settings: Any) -> Iterator[str]:
    for prop in settings.bl_rna.properties:
        plain = prop.type in ("BOOLEAN", "INT", "FLOAT", "STRING", "ENUM")
        if (
            plain
            and not prop.is_readonly
            and prop.identifier not in NOT_STORED
            and not getattr(prop, "is_array", False)
        ):
            yield prop.identifier


def _read(collection: bpy.types.Collection) -> dict[str, Any]:
    stored = {"photos": [], "settings": {}, **json.loads(collection.get(REQUEST, "{}"))}
    return stored if stored["photos"] else {**stored, "photos": list(_photos_behind(collection))}


def _photos_behind(collection: bpy.types.Collection) -> Iterator[dict[str, Any]]:
    """The photos of a scene that was not made from the panel: those behind its cameras."""
    for camera in find.objects_of(collection, "camera"):
        image = photo_behind(camera)
        if image is not None:
            path = bpy.path.abspath(image.filepath, library=image.library)
            source = {"image": image.name} if image.packed_file else {"path": path}
            yield {"name": camera.get(VIEW, image.name), "reference": False, **source}
