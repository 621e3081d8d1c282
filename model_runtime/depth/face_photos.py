"""Which photo shows each triangle of a mesh best, and what colours the photos give its vertices.

A photo shows a triangle where the triangle faces its camera, lies whole in its frame and nothing of the mesh stands
before it; it shows it best where it has most pixels of it. Neighbours rather share a photo: seams are what one sees
(Waechter et al. 2014, here with iterated local choices in place of graph cuts).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from model_runtime.contract.messages import View
from model_runtime.geometry.triangles import neighbours, vertex_normals
from model_runtime.geometry.z_buffer import z_buffer

CANDIDATES = 4
"""Photos that each triangle chooses from, its best ones, so that memory does not grow with the number of photos."""

FLATTEST = 0.17
"""Cosine between normal and line of sight, 80 degrees: flatter, a photo shows stretched pixels."""

OFF_DEPTH = 0.1
"""What a photo counts whose own depth map has something else there: its colours are likely those of another thing."""

TOGETHER = 0.35
"""What a neighbour with the same photo is worth, in shares of the best photo's pixels."""

ROUNDS = 12
BUFFER_SIDE = 1024
"""Longest side of the z-buffer at most; it has two pixels for one of the depth map."""

NOBODY = -2
"""The photo of a neighbour that is none."""

UNSEEN = 1e-4
"""What a photo counts for the colour of a vertex that stands hidden from it: only where no other sees it."""


@dataclass(frozen=True, eq=False)
class Sight:
    """How a view sees V vertices. pixel: [V,2] of the photo. depth: [V]. facing: [V] cosine between normal and line of
    sight. framed: [V] before the camera and within the photo. visible: [V] and not hidden. agrees: [V], the view's
    own depth map has them too.
    """

    pixel: np.ndarray
    depth: np.ndarray
    facing: np.ndarray
    framed: np.ndarray
    visible: np.ndarray
    agrees: np.ndarray


def see(view: View, vertices: np.ndarray, normals: np.ndarray, triangles: np.ndarray, tolerance: float) -> Sight:
    """tolerance: how far behind the nearest surface a vertex may lie and still be seen, world units."""
    seen = vertices @ view.extrinsics[:3, :3].T + view.extrinsics[:3, 3]
    depth = seen[:, 2]
    ahead = depth > 1e-9
    homogeneous = seen @ view.intrinsics.T
    pixel = homogeneous[:, :2] / np.where(ahead, depth, 1.0)[:, None]
    framed = ahead & (pixel >= 0).all(1) & (pixel <= view.photo_size).all(1)
    sight = -seen / np.maximum(np.linalg.norm(seen, axis=1, keepdims=True), 1e-30)
    facing = ((normals @ view.extrinsics[:3, :3].T) * sight).sum(1)

    height, width = view.depth.shape
    enlarge = min(2.0, max(1.0, BUFFER_SIDE / max(height, width)))
    shape = round(height * enlarge), round(width * enlarge)
    scale = np.array((shape[1] / view.photo_size[0], shape[0] / view.photo_size[1]))
    nearest = _at(z_buffer(pixel * scale, depth, triangles, shape), pixel * scale, framed)
    # Within a pixel a slanted surface recedes by a few times the pixel's own width.
    recedes = 2 * depth / (view.intrinsics[0, 0] * scale[0])
    visible = framed & (depth <= nearest + tolerance + recedes)
    scale = np.array((width / view.photo_size[0], height / view.photo_size[1]))
    own = _at(np.where(view.shown, view.depth, np.inf), pixel * scale, framed)
    return Sight(pixel, depth, facing, framed, visible, visible & (np.abs(own - depth) <= 2 * tolerance))


def _at(values: np.ndarray, pixel: np.ndarray, framed: np.ndarray) -> np.ndarray:
    """[V]: values [h,w] of the pixels [V,2] lies in; inf where not `framed`."""
    height, width = values.shape
    found = np.full(len(pixel), np.inf)
    column = np.minimum(pixel[framed, 0].astype(np.int64), width - 1)
    row = np.minimum(pixel[framed, 1].astype(np.int64), height - 1)
    found[framed] = values[row, column]
    return found


def choose_photos(
    views: Sequence[View],
    vertices: np.ndarray,
    triangles: np.ndarray,
    tolerance: float,
    on_view: Callable[[float], None] = lambda _: None,
) -> tuple[np.ndarray, np.ndarray]:
    """face_view [T] int32 and colors [V,3] uint8 as in `Mesh`. tolerance: see `see`. on_view: told the share done."""
    normals = vertex_normals(vertices, triangles)
    best = np.zeros((len(triangles), CANDIDATES))
    which = np.full((len(triangles), CANDIDATES), -1, np.int32)
    color, total = np.zeros((len(vertices), 3)), np.zeros(len(vertices))
    rows = np.arange(len(triangles))
    for index, view in enumerate(views):
        on_view(index / len(views))
        sight = see(view, vertices, normals, triangles, tolerance)
        score = _score(sight, triangles)
        worst = best.argmin(1)
        better = score > best[rows, worst]
        best[rows[better], worst[better]], which[rows[better], worst[better]] = score[better], index
        _add_colors(view, sight, color, total)
    color = np.where(total[:, None] > 0, color / np.maximum(total, 1e-30)[:, None], 128)
    return _agree(which, best, neighbours(triangles)), color.round().astype(np.uint8)


def _beside(pairs: np.ndarray, count: int) -> np.ndarray:
    """[K,T]: the neighbours of each of `count` triangles, as many as one has at most; `count` for none."""
    here, there = np.concatenate((pairs, pairs[:, ::-1])).T
    order = np.argsort(here, kind="stable")
    here, there = here[order], there[order]
    place = np.arange(len(here)) - np.searchsorted(here, here)
    beside = np.full((place.max(initial=-1) + 1, count), count)
    beside[place, here] = there
    return beside


def _score(sight: Sight, triangles: np.ndarray) -> np.ndarray:
    """[T]: the photo's pixels on each triangle, 0 where it does not show it whole."""
    corners = triangles.T
    (a_x, b_x, c_x), (a_y, b_y, c_y) = ([place[corner] for corner in corners] for place in sight.pixel.T.copy())
    # Counter-clockwise from outside is clockwise in a picture whose y goes down, which makes this product negative.
    area = -((b_x - a_x) * (c_y - a_y) - (b_y - a_y) * (c_x - a_x)) / 2
    area = np.where(_of_all(sight.visible & (sight.facing > FLATTEST), triangles), np.maximum(area, 0), 0)
    return np.where(_of_all(sight.agrees, triangles), area, OFF_DEPTH * area)


def _of_all(told: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """[T]: whether it is told of all three vertices, [V] bool."""
    a, b, c = triangles.T
    return told[a] & told[b] & told[c]


def _add_colors(view: View, sight: Sight, color: np.ndarray, total: np.ndarray) -> None:
    height, width = view.depth.shape
    usable = np.flatnonzero(sight.framed & (sight.facing > 0))
    pixel = sight.pixel[usable] * (width / view.photo_size[0], height / view.photo_size[1])
    column = np.minimum(pixel[:, 0].astype(np.int64), width - 1)
    row = np.minimum(pixel[:, 1].astype(np.int64), height - 1)
    weight = sight.facing[usable] / sight.depth[usable] ** 2
    weight = weight * np.where(sight.visible[usable], np.where(sight.agrees[usable], 1.0, OFF_DEPTH), UNSEEN)
    color[usable] += weight[:, None] * view.color[row, column]
    total[usable] += weight


def _agree(which: np.ndarray, best: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """[T] int32: of each triangle's candidates `which` [T,K] with scores `best` [T,K] one that also its neighbours,
    `pairs` [E,2], rather have; -1 without candidates.

    In each round a random half of the triangles chooses anew, so that neighbours do not swap places for ever.
    """
    worth = best / np.maximum(best.max(1, keepdims=True), 1e-30)
    worth[which < 0] = -np.inf
    rows = np.arange(len(which))
    chosen = which[rows, worth.argmax(1)]
    beside, candidates = _beside(pairs, len(which)), which.T.copy()
    random = np.random.default_rng(0)
    for _ in range(ROUNDS):
        support = np.zeros(candidates.shape, np.int8)
        theirs = np.append(chosen, NOBODY)
        for neighbour in beside:
            support += candidates == theirs[neighbour]
        wanted = which[rows, (worth + TOGETHER * support.T).argmax(1)]
        chosen = np.where(random.random(len(which)) < 0.5, wanted, chosen)
    return chosen
