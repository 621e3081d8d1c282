"""Meshes the room is built from: bevelled boxes, turned shapes, pillows and cloth. Lengths in metres, +Z up."""

from __future__ import annotations

from collections.abc import Sequence

import bpy
import numpy as np

Vector = Sequence[float]


def mesh_object(
    name: str, vertices: np.ndarray, faces: Sequence[Sequence[int]], smooth: bool = True
) -> bpy.types.Object:
    """An object of [V,3] vertices and faces as vertex numbers, linked into the scene."""
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata([tuple(v) for v in vertices], [], [tuple(f) for f in faces])
    mesh.validate()
    if smooth:
        mesh.polygons.foreach_set("use_smooth", np.ones(len(mesh.polygons), bool))
    ob = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(ob)
    return ob


def place(
    ob: bpy.types.Object,
    material: bpy.types.Material | None = None,
    at: Vector = (0, 0, 0),
    turn: Vector = (0, 0, 0),
    parent: bpy.types.Object | None = None,
) -> bpy.types.Object:
    """Gives an object its material, place (metres), rotation (XYZ Euler degrees) and parent."""
    if material is not None:
        ob.data.materials.append(material)
    ob.location = at
    ob.rotation_euler = np.radians(turn)
    ob.parent = parent
    return ob


def anchor(name: str, at: Vector, turn: Vector = (0, 0, 0)) -> bpy.types.Object:
    """An empty that a piece of furniture hangs on."""
    ob = bpy.data.objects.new(name, None)
    bpy.context.scene.collection.objects.link(ob)
    return place(ob, at=at, turn=turn)


def box(name: str, size: Vector, bevel: float = 0.006, segments: int = 3) -> bpy.types.Object:
    """A box centred on its origin, with rounded edges `bevel` metres wide."""
    half = np.asarray(size, float) / 2
    corners = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) * half
    faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    ob = mesh_object(name, corners, faces)
    modifier = ob.modifiers.new("bevel", "BEVEL")
    modifier.width = min(bevel, float(half.min()) * 0.9)
    modifier.segments = segments
    modifier.harden_normals = True
    return ob


def grid(name: str, points: np.ndarray, closed: bool = False) -> bpy.types.Object:
    """A surface through [rows,columns,3] points with UVs; `closed` joins the last column to the first."""
    rows, columns = points.shape[:2]
    index = np.arange(rows * columns).reshape(rows, columns)
    right = np.roll(index, -1, axis=1)
    if not closed:
        index, right = index[:, :-1], right[:, :-1]
    quads = np.stack([index[:-1], right[:-1], right[1:], index[1:]], -1).reshape(-1, 4)
    ob = mesh_object(name, points.reshape(-1, 3), quads.tolist())
    rim = np.stack(np.meshgrid(np.linspace(0, 1, columns), np.linspace(0, 1, rows)), -1).reshape(-1, 2)
    corners = np.empty(len(ob.data.loops), np.int32)
    ob.data.loops.foreach_get("vertex_index", corners)
    ob.data.uv_layers.new().uv.foreach_set("vector", rim[corners].astype(np.float32).ravel())
    return ob


def panel(name: str, width: float, height: float) -> bpy.types.Object:
    """An upright rectangle in the XZ plane that faces -Y, with UVs."""
    x, z = np.meshgrid([-width / 2, width / 2], [-height / 2, height / 2])
    return grid(name, np.stack([x, 0 * x, z], -1))


def lathe(name: str, profile: Sequence[tuple[float, float]], sides: int = 48) -> bpy.types.Object:
    """A turned shape from a profile of (radius, height)."""
    radius, height = np.array(profile, float).T
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    x, y = radius[:, None] * np.cos(angle), radius[:, None] * np.sin(angle)
    return grid(name, np.stack([x, y, np.repeat(height[:, None], sides, 1)], -1), closed=True)


def pillow(name: str, width: float, height: float, thickness: float) -> bpy.types.Object:
    """A cushion standing in the XZ plane: thick in the middle, pinched at its corners."""
    u, v = np.meshgrid(np.linspace(-1, 1, 33), np.linspace(-1, 1, 33))
    swell = ((1 - u**2) * (1 - v**2)) ** 0.42
    waist = 1 - 0.07 * (1 - u**2) * np.abs(v), 1 - 0.07 * (1 - v**2) * np.abs(u)
    x, z = u * width / 2 * waist[1], v * height / 2 * waist[0]
    front = np.stack([x, -swell * thickness / 2, z], -1)
    back = np.stack([x, swell * thickness / 2, z], -1)[:, ::-1]
    return grid(name, np.concatenate([front, back[:, 1:-1]], 1), closed=True)


def cloth(
    name: str, profile: Sequence[tuple[float, float]], width: float, ripple: float, seed: int
) -> bpy.types.Object:
    """Cloth laid along a profile of (x, z) and `width` deep in y, with folds of `ripple` metres."""
    rng = np.random.default_rng(seed)
    corners = np.array(profile, float)
    lengths = np.r_[0, np.cumsum(np.linalg.norm(np.diff(corners, axis=0), axis=1))]
    along = np.linspace(0, lengths[-1], 60)
    x, z = (np.interp(along, lengths, corners[:, k]) for k in (0, 1))
    across = np.linspace(-width / 2, width / 2, 40)
    phase = rng.uniform(0, 6, 3)
    fold = sum(np.sin(across[None] * f + along[:, None] * 3 + p) for f, p in zip((17, 31, 47), phase, strict=True))
    points = np.stack(np.broadcast_arrays(x[:, None], across[None], z[:, None] + ripple * fold), -1)
    return grid(name, points.copy())
