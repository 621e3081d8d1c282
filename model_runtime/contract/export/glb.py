"""Binary glTF 2.0 (https://registry.khronos.org/glTF): cameras, points and the surface with vertex colours, y up.

glTF's cameras look straight ahead: an off-centre principal point has no place there, and each camera's `extras` tell
its intrinsics. Colours are scene-linear, in 16 bits.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from model_runtime.contract.gltf import (
    GENERATOR,
    INDICES,
    POINTS,
    TRIANGLES,
    UNSIGNED_INT,
    UNSIGNED_SHORT,
    VERTICES,
    Buffer,
    head,
)

from .scene import Y_UP, ExportCamera, ExportScene, linear
from .settings import ExportSettings

FILE = "scene.glb"
NEAR = 0.01


def write(scene: ExportScene, folder: Path, _: ExportSettings) -> None:
    buffer, meshes = Buffer(), []
    if len(scene.points.position):
        attributes = _attributes(buffer, scene.points.position, scene.points.color)
        meshes.append({"name": "Points", "primitives": [{"attributes": attributes, "mode": POINTS}]})
    if scene.mesh is not None and len(scene.mesh.triangles):
        attributes = _attributes(buffer, scene.mesh.vertices, scene.mesh.colors)
        corners = buffer.add(scene.mesh.triangles.astype("<u4").ravel(), UNSIGNED_INT, "SCALAR", INDICES)
        meshes.append(
            {"name": "Mesh", "primitives": [{"attributes": attributes, "indices": corners, "mode": TRIANGLES}]}
        )
    nodes = [{"name": mesh["name"], "mesh": index} for index, mesh in enumerate(meshes)]
    nodes += [_camera_node(camera, index) for index, camera in enumerate(scene.cameras)]
    content = {
        "asset": GENERATOR,
        "scene": 0,
        "scenes": [{"nodes": list(range(len(nodes)))}],
        "nodes": nodes,
        "cameras": [_camera(camera) for camera in scene.cameras],
    }
    if meshes:
        content["meshes"] = meshes
    with (folder / FILE).open("wb") as file:
        buffer.write(file, content)


def with_cameras(data: bytes, cameras: Mapping[str, ExportCamera]) -> bytes:
    """The bytes of a GLB that somebody else wrote, with the lenses of the cameras that have these names."""
    length = int.from_bytes(data[12:16], "little")
    content = json.loads(data[20 : 20 + length])
    content["cameras"] = [
        {**_camera(cameras[each["name"]]), "name": each["name"]} if each.get("name") in cameras else each
        for each in content.get("cameras", [])
    ]
    numbers = data[20 + length + 8 :]
    return head(content, len(numbers)) + numbers


def _camera(camera: ExportCamera) -> dict[str, object]:
    (width, height), k = camera.size, camera.intrinsics
    lens = {
        "yfov": 2 * float(np.arctan(height / 2 / k[1, 1])),
        "aspectRatio": float((width / k[0, 0]) / (height / k[1, 1])),
        "znear": NEAR,
    }
    extras = {"size": list(camera.size), "intrinsics": k.tolist()}
    return {"name": camera.name, "type": "perspective", "perspective": lens, "extras": extras}


def _camera_node(camera: ExportCamera, index: int) -> dict[str, object]:
    matrix = camera.to_world
    matrix[:3] = Y_UP @ matrix[:3]
    return {"name": camera.name, "camera": index, "matrix": matrix.T.ravel().tolist()}


def _attributes(buffer: Buffer, position: np.ndarray, colors: np.ndarray) -> dict[str, int]:
    """Of vertices [N,3] in a z-up world and their sRGB colours [N,3] uint8."""
    rgba = np.full((len(colors), 4), 65535, "<u2")
    rgba[:, :3] = np.round(linear(colors) * 65535)
    return {
        "POSITION": buffer.add_positions((position.astype(np.float64) @ Y_UP.T).astype("<f4")),
        "COLOR_0": buffer.add(rgba, UNSIGNED_SHORT, "VEC4", VERTICES, normalized=True),
    }
