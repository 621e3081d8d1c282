"""A rendered walk as COLMAP would know it: true cameras, and points with where the photos see them."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from model_runtime.contract.messages import ColmapFile, ColmapModel
from tests.model_runtime.cameras.features.made_walk import Walk

NEW_POINTS = 60
"""Of each photo; others may see them, too."""


def colmap_model(walk: Walk, names: list[str], points_each: int = NEW_POINTS) -> ColmapModel:
    """Of the first photos of a walk."""
    count = len(names)
    points, seen = _points(walk, count, points_each)
    width, height = walk.size
    k = walk.intrinsics
    cameras = f"1 PINHOLE {width} {height} {k[0, 0]} {k[1, 1]} {k[0, 2]} {k[1, 2]}\n"
    images, tracks = [], [[] for _ in points]
    for i, name in enumerate(names):
        quaternion = Rotation.from_matrix(walk.extrinsics[i, :3, :3]).as_quat(scalar_first=True)
        pose = " ".join(repr(float(value)) for value in (*quaternion, *walk.extrinsics[i, :3, 3]))
        images.append(f"{i + 1} {pose} 1 {name}\n")
        images.append(" ".join(f"{x} {y} {point + 1}" for point, (x, y) in seen[i]) + "\n")
        for place, (point, _) in enumerate(seen[i]):
            tracks[point].append(f"{i + 1} {place}")
    rows = [
        f"{p + 1} {' '.join(map(repr, xyz.tolist()))} 128 128 128 0.5 {' '.join(tracks[p])}\n"
        for p, xyz in enumerate(points)
    ]
    texts = {"cameras.txt": cameras, "images.txt": "".join(images), "points3D.txt": "".join(rows)}
    return ColmapModel(tuple(ColmapFile(name, text.encode()) for name, text in texts.items()))


def _points(walk: Walk, count: int, each: int) -> tuple[np.ndarray, list[list[tuple[int, np.ndarray]]]]:
    """[P,3] in the world, and for each photo which of them it sees, and where."""
    rng = np.random.default_rng(0)
    depths = [walk.depth(i) for i in range(count)]
    parts = []
    for depth, extrinsics in zip(depths, walk.extrinsics, strict=False):
        row, column = (rng.integers(0, side, each) for side in depth.shape)
        pixel = np.stack((column + 0.5, row + 0.5, np.ones(each)), 1)
        local = pixel @ np.linalg.inv(walk.intrinsics).T * depth[row, column, None]
        parts.append((local - extrinsics[:3, 3]) @ extrinsics[:3, :3])
    points = np.concatenate(parts)
    seen = []
    for depth, extrinsics in zip(depths, walk.extrinsics, strict=False):
        local = points @ extrinsics[:3, :3].T + extrinsics[:3, 3]
        z = local[:, 2]
        pixel = (local @ walk.intrinsics.T)[:, :2] / np.where(z > 0, z, 1)[:, None]
        inside = (z > 0) & (pixel >= 0).all(1) & (pixel < walk.size).all(1)
        index = np.flatnonzero(inside)
        column, row = pixel[index].astype(int).T
        index = index[np.abs(depth[row, column] / z[index] - 1) < 0.01]
        seen.append([(int(p), pixel[p]) for p in index])
    return points, seen
