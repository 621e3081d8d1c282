"""What is seen of a DA3 scene, as plain data to be exported: cameras of the photos that are not hidden, the points and
surfaces that the viewport shows, everything where it stands now in Blender's world."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from model_runtime.contract.export.scene import (
    NO_VIEW,
    ExportCamera,
    ExportMesh,
    ExportPoints,
    ExportScene,
    ExportTrack,
    no_points,
)

from .cameras import seen_by
from .clip_camera import is_clip, key_frames
from .clip_export import key_cameras, moving_camera
from .find import objects_of, parts_of
from .lenses import read_lens
from .marks import HIDDEN, INDEX, MAP_SIZE, MATCH_ERROR, METRIC, RESOLUTION, VIEW
from .materials import POINT_COLOR
from .meshes import input_value, read_attribute
from .placement import frame_to_world, written
from .repeated import REPEATED, keeps_all
from .shown_points import shown_instances
from .surfaces import photo_behind

SURFACES = ("mesh", "sheet")
RANK = "confidence_rank"
WHITE = 255


def seen_scene(
    collection: bpy.types.Collection,
    scene: bpy.types.Scene,
    graph: bpy.types.Depsgraph,
    originals: Mapping[str, tuple[Path, bool]] | None = None,
) -> ExportScene:
    """The result `collection` as it is seen in `scene`, at its current frame.

    graph: as evaluated now. originals: by the photos' names their files, and whether these are stored turned; needed
    where a lens bends them. Raises JobError for a camera that cannot be exported.
    """
    shown = [item for item in objects_of(collection, "camera") if not item.get(HIDDEN)]
    cameras = [
        camera
        for item in shown
        for camera in (key_cameras(item) if is_clip(item) else [_camera(item, scene, graph, originals or {})])
    ]
    clips = [item for item in shown if is_clip(item)]
    return ExportScene(
        cameras=tuple(cameras),
        points=_points(collection, graph, shown, _shown_cloud),
        repeated=_points(collection, graph, shown, _repeated_cloud),
        mesh=_mesh(collection, graph),
        metric=bool(collection.get(METRIC)),
        frame_rate=scene.render.fps / scene.render.fps_base,
        provenance=_provenance(collection),
        track=_track(clips[0], scene, graph) if clips else None,
    )


def _track(item: bpy.types.Object, scene: bpy.types.Scene, graph: bpy.types.Depsgraph) -> ExportTrack:
    """A clip's camera in every frame, with the lens that it has now."""
    size = tuple(item.data[RESOLUTION])
    return moving_camera(item, _pose_and_pixels(item, size, scene, graph)[1])


def shown_parts(
    collection: bpy.types.Collection, graph: bpy.types.Depsgraph, roles: tuple[str, ...]
) -> Iterator[tuple[Any, np.ndarray]]:
    """The evaluated objects of some roles that the viewport shows, and where each stands, [4,4]."""
    parts = parts_of(collection)
    return shown_instances({item for role in roles for item in parts[role]}, graph)


def _camera(
    item: bpy.types.Object,
    scene: bpy.types.Scene,
    graph: bpy.types.Depsgraph,
    originals: Mapping[str, tuple[Path, bool]],
) -> ExportCamera:
    data: Any = item.data
    render = scene.render
    size = tuple(data.get(RESOLUTION, (render.resolution_x, render.resolution_y)))
    extrinsics, intrinsics = _pose_and_pixels(item, size, scene, graph)
    lens, name = read_lens(data), item.get(VIEW, item.name)
    photo, plate = _picture(item)
    turned = False
    if lens is not None:
        photo, turned = originals.get(name, (None, False))
    return ExportCamera(
        name=name,
        size=size,
        intrinsics=intrinsics,
        extrinsics=extrinsics,
        map_size=tuple(data.get(MAP_SIZE, (0, 0))),
        photo=photo,
        plate=plate,
        turned=turned,
        lens=lens,
        match_error=data.get(MATCH_ERROR),
    )


def _pose_and_pixels(
    item: bpy.types.Object, size: tuple[int, int], scene: bpy.types.Scene, graph: bpy.types.Depsgraph
) -> tuple[np.ndarray, np.ndarray]:
    """Extrinsics [4,4] and intrinsics [3,3], with everything that moves the camera, and its lens, applied.

    A camera that the viewport hides is not evaluated; where it stands is reckoned.
    """
    evaluated: Any = item.evaluated_get(graph)
    matrix = evaluated.matrix_world if item.visible_get() else frame_to_world(item) @ written(item)
    return seen_by(item, np.array(matrix), evaluated.data, size, scene)


def _picture(item: bpy.types.Object) -> tuple[Path | None, bytes]:
    """The file of what lies behind a camera, or its bytes where the .blend holds them."""
    image: Any = photo_behind(item)
    if image is None:
        return None, b""
    if image.packed_file is not None:
        return None, bytes(image.packed_file.data)
    return Path(bpy.path.abspath(image.filepath, library=image.library)), b""


def _points(
    collection: bpy.types.Collection,
    graph: bpy.types.Depsgraph,
    cameras: list[bpy.types.Object],
    read: Callable[[Any], ExportPoints],
) -> ExportPoints:
    """What `read` finds in the point clouds that are shown, in the world; views are places among what `cameras` saw:
    a photo each, or a clip's key frames."""
    places = {camera.get(INDEX, 0): place for place, camera in enumerate(cameras)}
    for camera in filter(is_clip, cameras):
        places = {place: place for place in range(len(key_frames(camera)))}
    clouds = []
    for item, matrix in shown_parts(collection, graph, ("points",)):
        cloud = read(item)
        known, index = np.unique(cloud.view, return_inverse=True)
        view = np.array([places.get(int(each), NO_VIEW) for each in known], np.int32)[index.ravel()]
        clouds.append((_moved(cloud.position, matrix), cloud.color, cloud.confidence, view))
    return ExportPoints(*map(np.concatenate, zip(*clouds, strict=True))) if clouds else no_points()


def _shown_cloud(item: Any) -> ExportPoints:
    """The points of an evaluated object, in its own frame; views as its attribute has them."""
    attributes = item.data.attributes
    position = read_attribute(attributes, "position", "vector", 3)
    count = len(position)
    return ExportPoints(
        position,
        _colors(attributes, count),
        read_attribute(attributes, "confidence", "value", 1, 1.0, count=count).ravel(),
        read_attribute(attributes, "view", "value", 1, NO_VIEW, np.int32, count).ravel(),
    )


def _repeated_cloud(item: Any) -> ExportPoints:
    """The points that are hidden only because another photo shows them better, likewise."""
    original = item.original
    attributes = original.data.attributes
    if isinstance(
        item.data, bpy.types.Mesh
    ):  # what is left of it beside the points, which are an instance of their own
        return no_points()
    if keeps_all(original) or REPEATED not in attributes or RANK not in attributes:
        return no_points()
    every = _shown_cloud(original)
    repeated = read_attribute(attributes, REPEATED, "value", 1, kind=np.bool_).ravel()
    rank = read_attribute(attributes, RANK, "value", 1).ravel()
    hidden = read_attribute(attributes, HIDDEN, "value", 1, False, np.bool_, len(rank)).ravel()
    least = max(_inputs(original, "Confidence"), default=0.0)
    kept = repeated & ~hidden & (rank > least)
    return ExportPoints(*(array[kept] for array in vars(every).values()))


def _inputs(item: bpy.types.Object, name: str) -> Iterator[float]:
    """The values that the item's node groups have for an input of this name."""
    for modifier in item.modifiers:
        if isinstance(modifier, bpy.types.NodesModifier):
            try:
                yield float(input_value(modifier, name))
            except KeyError:  # a group of the artist's own
                continue


def _mesh(collection: bpy.types.Collection, graph: bpy.types.Depsgraph) -> ExportMesh | None:
    """All surfaces that are shown, as one."""
    vertices, triangles, colors, count = [], [], [], 0
    for item, matrix in shown_parts(collection, graph, SURFACES):
        mesh = item.data
        corners = _triangles(mesh)
        if not len(corners):
            continue
        mirrored = np.linalg.det(matrix[:3, :3]) < 0
        position = read_attribute(mesh.attributes, "position", "vector", 3)
        vertices.append(_moved(position, matrix))
        triangles.append((corners[:, ::-1] if mirrored else corners) + count)
        colors.append(_colors(mesh.attributes, len(position)))
        count += len(position)
    if not count:
        return None
    return ExportMesh(*map(np.concatenate, (vertices, triangles, colors)))


def _triangles(mesh: Any) -> np.ndarray:
    """[T,3] int32."""
    mesh.calc_loop_triangles()
    corners = np.empty((len(mesh.loop_triangles), 3), np.int32)
    mesh.loop_triangles.foreach_get("vertices", corners.reshape(-1))
    return corners


def _moved(position: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return (position @ matrix[:3, :3].T + matrix[:3, 3]).astype(np.float32)


def _colors(attributes: Any, count: int) -> np.ndarray:
    """[N,3] uint8, sRGB-encoded; white where there are none."""
    kind = attributes[POINT_COLOR].data_type if POINT_COLOR in attributes else ""
    if kind not in ("BYTE_COLOR", "FLOAT_COLOR") or len(attributes[POINT_COLOR].data) != count:
        return np.full((count, 3), WHITE, np.uint8)
    encoded = read_attribute(attributes, POINT_COLOR, "color_srgb", 4)[:, :3]
    return np.round(np.clip(encoded, 0, 1) * WHITE).astype(np.uint8)


def _provenance(collection: bpy.types.Collection) -> dict[str, object]:
    """What the result tells of how it was made."""
    plain = {key: value for key, value in collection.items() if key.startswith("da3_")}
    return {key: value for key, value in plain.items() if isinstance(value, (str, int, float, bool))}
