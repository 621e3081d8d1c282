"""Procedural surface patterns: a seeded bank of periodic two-channel textures with mip levels.

A pattern says how much of a material's second and third colour to mix over its first, so that a few hundred patterns
and random colours give an endless supply of surfaces. Every pattern repeats seamlessly.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch

SIZE = 128
PLAIN_FAMILIES = ("plain", "gradient")

Pattern = np.ndarray
"""[SIZE, SIZE, 2] float32 in 0..1: weights of the second and the third colour."""


@dataclass(frozen=True)
class TextureBank:
    """Patterns of all families, every mip level in one flat table.

    texels: [count, texels per pattern, 2] float32; level l is SIZE >> l wide and starts at `level_offsets[l]`.
    plain, busy: indices of the patterns without and with strong structure.
    """

    texels: torch.Tensor
    level_offsets: tuple[int, ...]
    plain: np.ndarray
    busy: np.ndarray


def _grid() -> tuple[np.ndarray, np.ndarray]:
    axis = (np.arange(SIZE, dtype=np.float32) + 0.5) / SIZE
    u, v = np.meshgrid(axis, axis, indexing="xy")
    return u, v


def value_noise(rng: np.random.Generator, cells: int, octaves: int) -> np.ndarray:
    """Periodic fractal value noise [SIZE, SIZE] in 0..1: smooth interpolation between random lattice values."""
    u, v = _grid()
    total = np.zeros((SIZE, SIZE), np.float32)
    weight = 1.0
    for octave in range(octaves):
        count = min(cells << octave, SIZE)
        lattice = rng.random((count, count), dtype=np.float32)
        x, y = u * count, v * count
        x0, y0 = x.astype(int), y.astype(int)
        fx, fy = x - x0, y - y0
        fx, fy = fx * fx * (3 - 2 * fx), fy * fy * (3 - 2 * fy)
        x1, y1 = (x0 + 1) % count, (y0 + 1) % count
        top = lattice[y0, x0] * (1 - fx) + lattice[y0, x1] * fx
        bottom = lattice[y1, x0] * (1 - fx) + lattice[y1, x1] * fx
        total += weight * (top * (1 - fy) + bottom * fy)
        weight *= 0.55
    return (total - total.min()) / (np.ptp(total) + 1e-6)


def _two(first: np.ndarray, second: np.ndarray) -> Pattern:
    return np.stack([np.clip(first, 0, 1), np.clip(second, 0, 1)], -1).astype(np.float32)


def _cell_values(rng: np.random.Generator, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    table = rng.random((int(rows.max()) + 1, int(columns.max()) + 1))
    return table[rows, columns]


def _plain(rng: np.random.Generator) -> Pattern:
    return _two(0.12 * value_noise(rng, 32, 2), 0.08 * value_noise(rng, 2, 2))


def _gradient(rng: np.random.Generator) -> Pattern:
    u, v = _grid()
    phase = rng.random(2)
    return _two(0.5 + 0.5 * np.sin(2 * np.pi * (u + phase[0])), 0.3 + 0.3 * np.sin(2 * np.pi * (v + phase[1])))


def _checker(rng: np.random.Generator) -> Pattern:
    u, v = _grid()
    count = 2 * int(rng.integers(1, 5))
    rows, columns = (v * count).astype(int), (u * count).astype(int)
    return _two((rows + columns) % 2, 0.5 * _cell_values(rng, rows, columns))


def _stripes(rng: np.random.Generator) -> Pattern:
    u, v = _grid()
    slope = int(rng.integers(0, 2))
    phase = (u * int(rng.integers(2, 8)) + v * slope * int(rng.integers(1, 4))) % 1
    return _two(phase < rng.uniform(0.2, 0.7), 0.4 * value_noise(rng, 4, 2))


def _bands(rng: np.random.Generator) -> Pattern:
    """Columns of uneven width and tone, like books on a shelf or curtains."""
    u, v = _grid()
    edges = np.sort(rng.random(int(rng.integers(6, 22))))
    column = np.searchsorted(edges, u)
    tall = rng.uniform(0.6, 1.0, len(edges) + 1)
    tones = rng.random((2, len(edges) + 1))
    inside = v < tall[column]
    return _two(tones[0][column] * inside, tones[1][column] * inside)


def _bricks(rng: np.random.Generator) -> Pattern:
    u, v = _grid()
    rows_count, columns_count = 2 * int(rng.integers(2, 6)), int(rng.integers(2, 6))
    row = (v * rows_count).astype(int)
    x = (u * columns_count + 0.5 * (row % 2)) % columns_count
    joint = rng.uniform(0.04, 0.14)
    mortar = ((v * rows_count) % 1 < joint * 2) | (x % 1 < joint)
    tone = _cell_values(rng, row, x.astype(int))
    return _two(mortar, 0.7 * tone * ~mortar + 0.2 * value_noise(rng, 16, 2))


def _tiles(rng: np.random.Generator) -> Pattern:
    u, v = _grid()
    count = int(rng.integers(2, 7))
    joint = rng.uniform(0.03, 0.1)
    grout = ((u * count) % 1 < joint) | ((v * count) % 1 < joint)
    return _two(grout, 0.6 * _cell_values(rng, (v * count).astype(int), (u * count).astype(int)) * ~grout)


def _dots(rng: np.random.Generator) -> Pattern:
    u, v = _grid()
    count, radius = int(rng.integers(2, 8)), rng.uniform(0.15, 0.42)
    distance = np.hypot((u * count) % 1 - 0.5, (v * count) % 1 - 0.5)
    return _two(distance < radius, 0.8 * _cell_values(rng, (v * count).astype(int), (u * count).astype(int)))


def _noise(rng: np.random.Generator) -> Pattern:
    cells = int(2 ** rng.integers(1, 5))
    contrast = rng.uniform(1, 3)
    first, second = value_noise(rng, cells, 4), value_noise(rng, cells, 3)
    return _two((first - 0.5) * contrast + 0.5, (second - 0.5) * contrast + 0.4)


def _wood(rng: np.random.Generator) -> Pattern:
    u, v = _grid()
    planks = int(rng.integers(1, 6))
    plank = (u * planks).astype(int)
    warp = value_noise(rng, 2, 3) * rng.uniform(0.5, 2)
    shift = rng.random(planks)[plank]
    rings = 0.5 + 0.5 * np.sin(2 * np.pi * (v + 6 * u * rng.integers(1, 3) + warp + shift))
    seam = (u * planks) % 1 < 0.04
    return _two(rings * 0.7 + 0.3 * seam, 0.5 * shift + 0.8 * seam)


def _blotches(rng: np.random.Generator) -> Pattern:
    """Thresholded noise: camouflage, marble, foliage."""
    first, second = value_noise(rng, int(rng.integers(2, 9)), 3), value_noise(rng, int(rng.integers(2, 9)), 4)
    return _two(first > rng.uniform(0.4, 0.6), second > rng.uniform(0.5, 0.7))


def _cells(rng: np.random.Generator) -> Pattern:
    """Voronoi cells on the torus: stone, leather, mosaics."""
    u, v = _grid()
    seeds = rng.random((int(rng.integers(12, 60)), 2)).astype(np.float32)
    du = np.abs(u[..., None] - seeds[:, 0])
    dv = np.abs(v[..., None] - seeds[:, 1])
    distance = np.hypot(np.minimum(du, 1 - du), np.minimum(dv, 1 - dv))
    nearest = np.partition(distance, 1, axis=-1)
    edge = (nearest[..., 1] - nearest[..., 0]) < rng.uniform(0.005, 0.03)
    tones = rng.random((len(seeds), 2))[distance.argmin(-1)]
    return _two(tones[..., 0] * ~edge, tones[..., 1] + edge)


def _collage(rng: np.random.Generator) -> Pattern:
    """Overlapping rectangles and discs, unlike anywhere else in the pattern: posters, shelves, clutter."""
    u, v = _grid()
    canvas = np.broadcast_to(rng.random(2), (SIZE, SIZE, 2)).copy()
    for _ in range(int(rng.integers(10, 40))):
        cu, cv = rng.random(2)
        du = np.abs((u - cu + 0.5) % 1 - 0.5)
        dv = np.abs((v - cv + 0.5) % 1 - 0.5)
        su, sv = rng.uniform(0.02, 0.22, 2)
        inside = (du < su) & (dv < sv) if rng.random() < 0.6 else np.hypot(du / su, dv / sv) < 1
        canvas[inside] = rng.random(2)
    return _two(canvas[..., 0], canvas[..., 1])


def _script(rng: np.random.Generator) -> Pattern:
    """Lines of short dark marks, like print on paper."""
    u, v = _grid()
    lines, marks = int(rng.integers(6, 14)), int(rng.integers(12, 32))
    row, column = (v * lines).astype(int), (u * marks).astype(int)
    written = (_cell_values(rng, row, column) > 0.35) & ((v * lines) % 1 > 0.45)
    return _two(written, 0.3 * value_noise(rng, 2, 2))


FAMILIES: dict[str, Callable[[np.random.Generator], Pattern]] = {
    "plain": _plain,
    "gradient": _gradient,
    "checker": _checker,
    "stripes": _stripes,
    "bands": _bands,
    "bricks": _bricks,
    "tiles": _tiles,
    "dots": _dots,
    "noise": _noise,
    "wood": _wood,
    "blotches": _blotches,
    "cells": _cells,
    "collage": _collage,
    "script": _script,
}


@cache
def make_texture_bank(seed: int = 0, variants: int = 20) -> TextureBank:
    """`variants` patterns of every family in `FAMILIES`; the same seed gives the same bank."""
    patterns: list[np.ndarray] = []
    plain: list[int] = []
    busy: list[int] = []
    for number, (family, make) in enumerate(FAMILIES.items()):
        for variant in range(variants):
            (plain if family in PLAIN_FAMILIES else busy).append(len(patterns))
            patterns.append(make(np.random.default_rng([seed, number, variant])))
    level = torch.from_numpy(np.stack(patterns)).permute(0, 3, 1, 2)
    levels, offsets, start = [], [], 0
    while True:
        levels.append(level.permute(0, 2, 3, 1).reshape(len(patterns), -1, 2))
        offsets.append(start)
        start += level.shape[-1] ** 2
        if level.shape[-1] == 2:
            break
        level = torch.nn.functional.avg_pool2d(level, 2)
    return TextureBank(torch.cat(levels, 1).contiguous(), tuple(offsets), np.array(plain), np.array(busy))
