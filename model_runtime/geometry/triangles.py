"""Plain work on triangle meshes: vertices [V,3] float, triangles [T,3] int, counter-clockwise from outside."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components


def area_vectors(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """[T,3]: outward normals as long as the triangles' areas."""
    a, b, c = (vertices[triangles[:, i]] for i in range(3))
    return np.cross(b - a, c - a) / 2


def vertex_normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """[V,3]: unit normals, those of the triangles around a vertex by their areas; zero where there are none."""
    vectors = area_vectors(vertices, triangles)
    around = triangles.ravel()
    total = np.stack([np.bincount(around, np.repeat(vectors[:, axis], 3), len(vertices)) for axis in range(3)], axis=-1)
    return total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-30)


def neighbours(triangles: np.ndarray) -> np.ndarray:
    """[E,2]: pairs of triangles that share an edge; of an edge with more than two, each with the next one."""
    edges = np.sort(triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1).astype(np.int64)
    flat = edges[:, 0] * (int(triangles.max(initial=0)) + 1) + edges[:, 1]
    order = np.argsort(flat, kind="stable")
    same = flat[order[1:]] == flat[order[:-1]]
    return np.stack((order[:-1][same] // 3, order[1:][same] // 3), axis=-1)


def without_islands(vertices: np.ndarray, triangles: np.ndarray, least_area: float) -> np.ndarray:
    """`triangles` without connected pieces whose area is smaller than `least_area`."""
    pairs = neighbours(triangles)
    graph = coo_matrix((np.ones(len(pairs), bool), tuple(pairs.T)), shape=(len(triangles),) * 2)
    piece = connected_components(graph, directed=False)[1]
    area = np.bincount(piece, np.linalg.norm(area_vectors(vertices, triangles), axis=1))
    return triangles[area[piece] >= least_area]


def used_vertices(vertices: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both without the vertices that no triangle has."""
    used = np.zeros(len(vertices), bool)
    used[triangles] = True
    return vertices[used], (np.cumsum(used) - 1)[triangles]
