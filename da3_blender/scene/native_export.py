"""Formats that Blender writes itself: Alembic, FBX and glTF, with the surfaces' textures.

Its exporters see stand-ins: a camera with a sensor of its own photo's shape, whatever the render's size is, the points
that are shown as vertices, and the surfaces as they are evaluated. They are gone again when the file is written, and
nothing of the artist's was touched, not even the selection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import bpy
import numpy as np
from mathutils import Matrix

from model_runtime.contract.export.formats import Writer
from model_runtime.contract.export.glb import with_cameras
from model_runtime.contract.export.pictures import identifiers
from model_runtime.contract.export.scene import ExportCamera, ExportScene
from model_runtime.contract.export.settings import ExportSettings
from model_runtime.contract.messages import JobError

from ..plan.conventions import SENSOR_WIDTH, to_blender_camera
from ..plan.plain_names import free_name
from .exporting import SURFACES, shown_parts
from .materials import POINT_COLOR, lit_material
from .meshes import Attribute, cloud_mesh

NEAR, FAR = 0.01, 10_000.0
COLLECTION = "DA3 Export"


class _StandIns(NamedTuple):
    """cameras: by the names of the stand-ins' data."""

    collection: bpy.types.Collection
    cameras: dict[str, ExportCamera]


def native_writers(collection: bpy.types.Collection) -> dict[str, Writer]:
    """By the format's name what writes it: from the scene that was seen, and the surfaces of the result."""
    calls = {"alembic": _alembic, "fbx": _fbx, "glb": _gltf}
    return {name: partial(_write, call, collection) for name, call in calls.items()}


def _write(
    call: Callable[[Path, _StandIns], object],
    collection: bpy.types.Collection,
    scene: ExportScene,
    folder: Path,
    _: ExportSettings,
) -> None:
    with _stand_ins(scene, collection) as stand_ins:
        try:
            call(folder, stand_ins)
        except RuntimeError as error:
            sentence = f"Blender cannot write the file: {error}."
            raise JobError("output-unwritten", sentence, "Export it in another format.") from error


def _alembic(folder: Path, stand_ins: _StandIns) -> None:
    frame = bpy.context.scene.frame_current
    bpy.ops.wm.alembic_export(
        filepath=str(folder / "scene.abc"),
        collection=stand_ins.collection.name,
        start=frame,
        end=frame,
        vcolors=True,
        as_background_job=False,
    )


def _fbx(folder: Path, stand_ins: _StandIns) -> None:
    """FBX has no material that gives off light: its surfaces are lit, with their photos as base colour."""
    with _lit(stand_ins.collection):
        bpy.ops.export_scene.fbx(
            filepath=str(folder / "scene.fbx"),
            collection=stand_ins.collection.name,
            object_types={"CAMERA", "MESH"},
            bake_anim=False,
            path_mode="COPY",
            embed_textures=True,
        )


def _gltf(folder: Path, stand_ins: _StandIns) -> None:
    """Blender gives all cameras the shape of the render's frame; here each has its photo's."""
    path = folder / "scene.glb"
    bpy.ops.export_scene.gltf(
        filepath=str(path),
        export_format="GLB",
        collection=stand_ins.collection.name,
        export_cameras=True,
        export_animations=False,
        use_mesh_vertices=True,
    )
    path.write_bytes(with_cameras(path.read_bytes(), stand_ins.cameras))


@contextmanager
def _stand_ins(scene: ExportScene, collection: bpy.types.Collection) -> Iterator[_StandIns]:
    graph = bpy.context.evaluated_depsgraph_get()  # anew: it knows the stand-ins of the format before
    surfaces = list(_surfaces(collection, graph))
    made = bpy.data.collections.new(COLLECTION)
    bpy.context.scene.collection.children.link(made)
    try:
        cameras: dict[str, ExportCamera] = {}
        for camera, word in zip(scene.cameras, identifiers(each.name for each in scene.cameras), strict=True):
            data = _camera(camera, free_name(f"{word}_camera", bpy.data.objects, bpy.data.cameras))
            cameras[data.name] = camera
            _add(made, data, camera.to_world)
        if len(scene.points.position):
            _add(made, _cloud(scene), np.eye(4))
        for mesh, matrix in surfaces:
            _add(made, mesh, matrix)
        bpy.context.view_layer.update()
        yield _StandIns(made, cameras)
    finally:
        items = list(made.objects)
        blocks: Any = [item.data for item in items]
        bpy.data.batch_remove([*items, made, *blocks])


def _add(collection: bpy.types.Collection, data: Any, matrix: np.ndarray) -> None:
    item = bpy.data.objects.new(data.name, data)
    item.matrix_world = Matrix(matrix.tolist())
    collection.objects.link(item)


def _camera(camera: ExportCamera, name: str) -> bpy.types.Camera:
    fitting = to_blender_camera(camera.extrinsics, camera.intrinsics, camera.size)
    data = bpy.data.cameras.new(name)
    data.sensor_fit = "HORIZONTAL"
    data.sensor_width, data.sensor_height = SENSOR_WIDTH, SENSOR_WIDTH / fitting.shape
    data.lens = fitting.lens
    data.shift_x, data.shift_y = fitting.shift_x, fitting.shift_y
    data.clip_start, data.clip_end = NEAR, FAR
    return data


def _cloud(scene: ExportScene) -> bpy.types.Mesh:
    rgba = np.ones((len(scene.points.color), 4), np.float32)
    np.divide(scene.points.color, 255, out=rgba[:, :3])
    name = free_name("points", bpy.data.objects, bpy.data.meshes)
    return cloud_mesh(name, scene.points.position, {POINT_COLOR: Attribute("BYTE_COLOR", "color_srgb", rgba)})


def _surfaces(
    collection: bpy.types.Collection, graph: bpy.types.Depsgraph
) -> Iterator[tuple[bpy.types.Mesh, np.ndarray]]:
    """Copies of the surfaces that are shown, as they are evaluated, and where they stand, [4,4]."""
    for item, matrix in list(shown_parts(collection, graph, SURFACES)):
        mesh = bpy.data.meshes.new_from_object(item, preserve_all_data_layers=True, depsgraph=graph)
        mesh.name = free_name(f"{item.original.name}_surface", bpy.data.objects, bpy.data.meshes)
        yield mesh, matrix


@contextmanager
def _lit(collection: bpy.types.Collection) -> Iterator[None]:
    """The surfaces in `collection` have materials with the photo as base colour; afterwards those are gone."""
    made: dict[bpy.types.Material, bpy.types.Material] = {}
    try:
        for item in collection.objects:
            slots: Any = getattr(item.data, "materials", ())
            for slot, material in enumerate(slots):
                if material is not None:
                    slots[slot] = made.get(material) or made.setdefault(material, lit_material(_image_of(material)))
        yield
    finally:
        bpy.data.batch_remove(list(made.values()))


def _image_of(material: bpy.types.Material) -> bpy.types.Image | None:
    """The photo that a surface's material shows, where it shows one."""
    nodes: Any = getattr(material.node_tree, "nodes", ())
    return next((node.image for node in nodes if node.type == "TEX_IMAGE"), None)
