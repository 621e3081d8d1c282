"""From what the artist set to a job: what is read at once from Blender, and what a thread reads later from disk."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import bpy

from model_runtime.contract.messages import Cameras, JobError, MeshSettings, Photo, Request
from model_runtime.contract.photo_names import distinct_names

from ..photos import clip_row, known_cameras, photo_list
from ..photos.clips import ClipSource
from ..photos.colmap_folder import read_colmap
from ..photos.contents import fit_in_memory, read_clip, read_photo
from ..plan.clip_plan import ClipFiles
from ..plan.scene_plan import PlanSettings
from ..scene import find, locks
from ..scene.marks import VIEW
from ..settings import ListedPhoto, Settings
from .state import JobTarget
from .stored_request import clip_name, describe, photo_key, photo_names


@dataclass(frozen=True, eq=False)
class PhotoSource:
    """A photo still to be read: from `path`, or `data` where it is packed in the .blend, in the image whose
    `session_uid` is `image_uid`."""

    name: str
    path: Path | None
    data: bytes = b""
    image_uid: int = 0

    def read(self, whole: bool = True) -> Photo:
        """As `contents.read_photo`; what is packed has no file of its own, and goes as bytes."""
        return Photo(self.name, self.data) if self.path is None else read_photo(self.name, self.path, whole)


def photo_sources(settings: Settings, known: Mapping[str, str] | None = None) -> tuple[PhotoSource, ...]:
    """The usable photos of the list, the reference photo first, under names that tell them apart.

    known: names that photos have already, by their `photo_key`. Raises JobError where there is none.
    """
    photos = photo_list.usable(settings)
    if not photos:
        sentence = "None of the photos can be used." if len(settings.photos) else "There are no photos yet."
        raise JobError("no-photos", sentence, "Add photos; two or more of the same place work best.")
    names = {key: name for key, name in (known or {}).items() if key in map(photo_key, photos)}
    fresh = [photo for photo in photos if photo_key(photo) not in names]
    taken = (known or {}).values()
    for photo, name in zip(fresh, distinct_names([_place(photo) for photo in fresh], taken), strict=True):
        names[photo_key(photo)] = name
    sources = []
    for photo in photos:
        name = names[photo_key(photo)]
        image = photo.image
        if photo.path or image is None:
            sources.append(PhotoSource(name, _place(photo)))
        else:
            sources.append(PhotoSource(name, None, bytes(image.packed_file.data), image.session_uid))
    return tuple(sources)


def _place(photo: ListedPhoto) -> Path:
    return Path(bpy.path.abspath(photo.path)) if photo.path else Path(photo.name)


def make_job(
    scene: bpy.types.Scene, cameras: Cameras | None = None, collection_id: str = ""
) -> tuple[Callable[[], Request], JobTarget]:
    """The job that `scene.da3` asks for: a function that reads the photos (for a thread), and where the result goes.

    cameras: known ones, one per photo in the order of `photo_sources`. collection_id: `da3_id` of the result to
    update, whose locked cameras are known, too; a new one is made where it is empty. Raises JobError where there is
    nothing to do.
    """
    settings = scene.da3
    if clip_row.clip_of(settings) is not None:
        return _make_clip_job(scene, collection_id)
    sources = updating_sources(scene, collection_id) if collection_id else photo_sources(settings)
    names = [source.name for source in sources]
    plan = plan_settings(settings)
    if cameras is None:
        cameras = cameras_in_blender(scene, names, collection_id)
        plan = replace(plan, in_world=cameras is not None and cameras.has_poses)
    request = base_request(settings, cameras)
    colmap = None
    if cameras is None and request.camera_source == "given":
        colmap = Path(bpy.path.abspath(settings.colmap_folder))

    def read() -> Request:
        whole = fit_in_memory(source.path for source in sources if source.path is not None)
        photos = tuple(source.read(whole) for source in sources)
        return replace(request, photos=photos, colmap=None if colmap is None else read_colmap(colmap, names))

    target = JobTarget(
        name=settings.scene_name.strip() or default_name(sources),
        scene_uid=scene.session_uid,
        scene_name=scene.name,
        photo_names=tuple(names),
        photo_paths=tuple(source.path for source in sources),
        photo_images=tuple(source.image_uid for source in sources),
        plan_settings=plan,
        collection_id=collection_id,
        request_text=describe(settings, names),
    )
    return read, target


def _make_clip_job(scene: bpy.types.Scene, collection_id: str) -> tuple[Callable[[], Request], JobTarget]:
    """As `make_job`, of the clip in the list."""
    settings = scene.da3
    source = clip_source(settings)
    if collection_id:
        _check_same_clip(scene, collection_id, source)
    if settings.camera_source == "given":
        raise JobError("bad-cameras", "Known cameras do not go with a clip.", "Choose another source of cameras.")
    request = base_request(settings)

    def read() -> Request:
        photos, clip = read_clip(source)
        return replace(request, photos=photos, clip=clip)

    frames = [PhotoSource(path.name, path) for path in source.files]
    target = JobTarget(
        name=settings.scene_name.strip() or (default_name(frames) if frames else source.path.stem),
        scene_uid=scene.session_uid,
        scene_name=scene.name,
        plan_settings=plan_settings(settings),
        collection_id=collection_id,
        request_text=describe(settings, [source.name]),
        clip=clip_files(source),
        set_frame_range=settings.set_frame_range,
    )
    return read, target


def clip_source(settings: Settings) -> ClipSource:
    """The frames that are wanted of the clip in the list. Raises JobError where it cannot be used."""
    row = clip_row.clip_of(settings)
    if row is None:
        raise JobError("no-photos", "There is no clip yet.", "Add one.")
    clip_row.inspect(row)
    if row.problem:
        advice = "Add the clip from where it is now, under the same name."
        raise JobError("no-photos", f"{row.name} cannot be used: {row.problem}.", advice)
    try:
        return clip_row.source_of(row, settings)
    except ValueError as error:
        raise JobError("bad-request", f"{error}.", "Choose other frames of the clip.") from error


def clip_files(source: ClipSource) -> ClipFiles:
    """Where the clip is, for the scene of it."""
    return ClipFiles(source.path if not source.frames else None, source.files, source.numbers)


def _check_same_clip(scene: bpy.types.Scene, collection_id: str, source: ClipSource) -> None:
    """Raises JobError where the result to update is gone, or was made from something else."""
    collection = find.result(scene, collection_id)
    if collection is None:
        raise _gone()
    if clip_name(collection) != source.name:
        raise JobError(
            "other-photos", "This DA3 scene was not made from the clip in the list.", "Load its own photos first."
        )
    if locks.locked(collection):
        raise JobError("bad-cameras", "A clip's camera is found anew, so it cannot stay locked.", "Unlock it first.")


def _gone() -> JobError:
    return JobError("scene-gone", "The DA3 scene to update is not there any more.", "Make a new one.")


def updating_sources(scene: bpy.types.Scene, collection_id: str) -> tuple[PhotoSource, ...]:
    """As `photo_sources`, under the names that the result to update knows them by.

    Raises JobError, too, where that result is gone, or none of the photos is one of its own.
    """
    collection = find.result(scene, collection_id)
    if collection is None:
        raise _gone()
    sources = photo_sources(scene.da3, photo_names(collection))
    there = {camera.get(VIEW) for camera in find.objects_of(collection, "camera")}
    if clip_name(collection) or (there and there.isdisjoint(source.name for source in sources)):
        raise JobError(
            "other-photos", "None of the photos in the list belongs to this DA3 scene.", "Load its own photos first."
        )
    return sources


def base_request(settings: Settings, cameras: Cameras | None = None) -> Request:
    """The request without its photos."""
    source = "given" if cameras is not None and cameras.has_poses else settings.camera_source
    if source == "given" and cameras is None and not settings.colmap_folder:
        raise JobError("no-cameras", "No COLMAP folder is chosen.", "Choose it, or another source of cameras.")
    referenced = any(photo.reference and not photo.problem for photo in settings.photos)
    return Request(
        photos=(),
        checkpoint=bpy.path.abspath(settings.checkpoint_path) if settings.checkpoint_path else settings.model,
        resolution=settings.resolution if settings.own_resolution else None,
        cameras=cameras,
        camera_source=source,
        reference_view="first" if referenced else Request.reference_view,
        gaussians=settings.make_splats,
        improve_splats=settings.improve_splats,
        refine=settings.refine,
        refine_depth=settings.refine_depth,
        lens=settings.lens,
        mesh=mesh_settings(settings),
        backend=settings.backend,
    )


def blender_cameras(scene: bpy.types.Scene) -> Cameras:
    """The cameras chosen for the photos, in the order of `photo_sources`; raises JobError where they cannot be used."""
    photos = photo_list.usable(scene.da3)
    return known_cameras.given_cameras(photos, [photo.camera for photo in photos], scene)


def cameras_in_blender(scene: bpy.types.Scene, names: Sequence[str], collection_id: str) -> Cameras | None:
    """What Blender knows of the cameras of photos: those that are chosen, and over them what is locked in the result to
    update. None where it knows none.

    names: of the photos, as that result calls them, in the order of `photo_sources`. Raises JobError where they cannot
    be used.
    """
    chosen = blender_cameras(scene) if uses_blender_cameras(scene.da3) else None
    collection = find.result(scene, collection_id)
    locked = None if collection is None else known_cameras.locked_cameras(names, collection, scene)
    if locked is None:
        return chosen
    if chosen is None and scene.da3.camera_source == "given":
        raise JobError(
            "bad-cameras",
            "Cameras of this DA3 scene are locked, but a COLMAP folder is to tell all of them.",
            "Unlock them, or choose another source of cameras.",
        )
    return locked if chosen is None else known_cameras.laid_over(chosen, locked)


def uses_blender_cameras(settings: Settings) -> bool:
    return settings.camera_source == "given" and settings.known_cameras == "blender"


def mesh_settings(settings: Settings) -> MeshSettings | None:
    if settings.make_mesh != "fused":
        return None
    return MeshSettings(edge_angle=settings.edge_angle, confidence_threshold=settings.confidence)


def plan_settings(settings: Settings) -> PlanSettings:
    return PlanSettings(
        edge_angle=settings.edge_angle,
        confidence_threshold=settings.confidence,
        points=settings.make_points,
        sheets=settings.make_mesh == "sheets",
        upright=settings.upright,
        centre=settings.centre,
        in_world=uses_blender_cameras(settings),
        standard_view=settings.standard_view,
    )


COMMON = re.compile(r"(photos?|images?|imgs?|pictures?|pics?|jpe?gs?|frames?|dcim|\d{3}\w{5})", re.IGNORECASE)
"""Names of folders that do not tell what is in them, as 100CANON of cameras: the folder around them does."""


def default_name(sources: Sequence[PhotoSource]) -> str:
    """The name of the folder that the photos have in common, or of the one around it where that says more."""
    folders = {source.path.parent for source in sources if source.path is not None}
    if not folders:
        return "Photos"
    folder = Path(os.path.commonpath(folders)) if len({each.anchor for each in folders}) == 1 else Path()
    telling = (each.name for each in (folder, *folder.parents) if each.name.strip() and not COMMON.fullmatch(each.name))
    return next(telling, "Photos")
