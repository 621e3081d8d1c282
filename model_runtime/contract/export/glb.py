"""Binary glTF 2.0 (https://registry.khronos.org/glTF): cameras, points and the surface with vertex colours, y up.

glTF's cameras look straight ahead: an off-centre principal point has no place there, and each camera's `extras` tell
its intrinsics. Colours are scene-linear, in 16 bits.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from .scene import Y_UP, ExportCamera, ExportScene, linear
from .settings import ExportSettings

FILE = "scene.glb"
MAGIC, JSON_CHUNK, BINARY_CHUNK = 0x46546C67, 0x4E4F534A, 0x004E4942
UNSIGNED_SHORT, UNSIGNED_INT, FLOAT = 5123, 5125, 5126
VERTICES, INDICES = 34962, 34963
POINTS, TRIANGLES = 0, 4
NEAR = 0.01


class _Buffer:
    """The file's numbers, and the accessors that tell where which of them are."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.views: list[dict[str, int]] = []
        self.accessors: list[dict[str, object]] = []

    def add(self, values: np.ndarray, component: int, kind: str, target: int, **more: object) -> int:
        """Appends little-endian `values`, whose rows are multiples of 4 bytes; returns the accessor."""
        view = {"buffer": 0, "byteOffset": len(self.data), "byteLength": values.nbytes, "target": target}
        self.data += values.tobytes()
        self.views.append(view)
        place = {"bufferView": len(self.views) - 1, "componentType": component, "count": len(values), "type": kind}
        self.accessors.append({**place, **more})
        return len(self.accessors) - 1

    def vertices(self, position: np.ndarray, colors: np.ndarray) -> dict[str, int]:
        """The attributes of vertices [N,3] in a z-up world and their sRGB colours [N,3] uint8."""
        turned = (position.astype(np.float64) @ Y_UP.T).astype("<f4")
        low, high = turned.min(0).tolist(), turned.max(0).tolist()
        rgba = np.full((len(colors), 4), 65535, "<u2")
        rgba[:, :3] = np.round(linear(colors) * 65535)
        return {
            "POSITION": self.add(turned, FLOAT, "VEC3", VERTICES, min=low, max=high),
            "COLOR_0": self.add(rgba, UNSIGNED_SHORT, "VEC4", VERTICES, normalized=True),
        }


def write(scene: ExportScene, folder: Path, _: ExportSettings) -> None:
    buffer, meshes = _Buffer(), []
    if len(scene.points.position):
        attributes = buffer.vertices(scene.points.position, scene.points.color)
        meshes.append({"name": "Points", "primitives": [{"attributes": attributes, "mode": POINTS}]})
    if scene.mesh is not None and len(scene.mesh.triangles):
        attributes = buffer.vertices(scene.mesh.vertices, scene.mesh.colors)
        corners = buffer.add(scene.mesh.triangles.astype("<u4").ravel(), UNSIGNED_INT, "SCALAR", INDICES)
        meshes.append(
            {"name": "Mesh", "primitives": [{"attributes": attributes, "indices": corners, "mode": TRIANGLES}]}
        )
    nodes = [{"name": mesh["name"], "mesh": index} for index, mesh in enumerate(meshes)]
    nodes += [_camera_node(camera, index) for index, camera in enumerate(scene.cameras)]
    content = {
        "asset": {"version": "2.0", "generator": "DA3 for Blender"},
        "scene": 0,
        "scenes": [{"nodes": list(range(len(nodes)))}],
        "nodes": nodes,
        "cameras": [_camera(camera) for camera in scene.cameras],
    }
    if meshes:
        content |= {"meshes": meshes, "accessors": buffer.accessors, "bufferViews": buffer.views}
        content["buffers"] = [{"byteLength": len(buffer.data)}]
    (folder / FILE).write_bytes(_packed(content, bytes(buffer.data)))


def with_cameras(data: bytes, cameras: Mapping[str, ExportCamera]) -> bytes:
    """The bytes of a GLB that somebody else wrote, with the lenses of the cameras that have these names."""
    length = int.from_bytes(data[12:16], "little")
    content = json.loads(data[20 : 20 + length])
    content["cameras"] = [
        {**_camera(cameras[each["name"]]), "name": each["name"]} if each.get("name") in cameras else each
        for each in content.get("cameras", [])
    ]
    return _packed(content, data[20 + length + 8 :])


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


def _packed(content: dict[str, object], data: bytes) -> bytes:
    words = json.dumps(content).encode()
    words += b" " * (-len(words) % 4)
    chunks = struct.pack("<II", len(words), JSON_CHUNK) + words
    if data:
        data += b"\0" * (-len(data) % 4)
        chunks += struct.pack("<II", len(data), BINARY_CHUNK) + data
    return struct.pack("<III", MAGIC, 2, 12 + len(chunks)) + chunks
