"""Procedural surface patterns: seamless two-channel pictures, one function per family.

A pattern says how much of a material's second and third colour to mix over its first, so that a few hundred patterns
and random colours give an endless supply of surfaces.
"""

from collections.abc import Callable

import numpy as np

SIZE = 128

Pattern = np.ndarray
"""[SIZE, SIZE, 2] float32 in 0..1: weights of the second and the third colour."""


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


def _smooth(values: np.ndarray, low: float, high: float) -> np.ndarray:
    t = np.clip((values - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def _fur(rng: np.random.Generator) -> Pattern:
    """Short strands of one direction: fur, grass, carpet."""
    strands = rng.random((SIZE, SIZE)).astype(np.float32)
    length = int(rng.integers(3, 14))
    slope = int(rng.integers(-1, 2))
    drawn = np.mean([np.roll(strands, (k, slope * (k // 2)), (0, 1)) for k in range(length)], 0)
    spread = (drawn - drawn.mean()) / (drawn.std() + 1e-6)
    return _two(0.45 + 0.22 * spread, value_noise(rng, int(rng.integers(2, 5)), 3) * rng.uniform(0.3, 0.9))


def _leaves(rng: np.random.Generator) -> Pattern:
    """Overlapping pointed leaves of many tones."""
    u, v = _grid()
    first = np.zeros((SIZE, SIZE), np.float32)
    second = np.full((SIZE, SIZE), rng.random(), np.float32)
    size = rng.uniform(0.04, 0.12)
    for _ in range(int(rng.integers(30, 80))):
        cu, cv = rng.random(2)
        angle = rng.uniform(0, np.pi)
        du, dv = (u - cu + 0.5) % 1 - 0.5, (v - cv + 0.5) % 1 - 0.5
        along, across = du * np.cos(angle) + dv * np.sin(angle), dv * np.cos(angle) - du * np.sin(angle)
        inside = np.abs(across) < 0.35 * size * (1 - (along / size) ** 2)
        first[inside] = rng.uniform(0.3, 1)
        second[inside] = rng.uniform(0, 0.6) + 0.4 * (np.abs(across[inside]) < 0.05 * size)
    return _two(first, second)


def _plaid(rng: np.random.Generator) -> Pattern:
    u, v = _grid()
    repeats = int(rng.integers(1, 4))
    stripes = []
    for axis in (u, v):
        x = (axis * repeats) % 1
        bands = sum((np.abs(x - rng.random()) < rng.uniform(0.02, 0.16)) * rng.uniform(0.3, 0.7) for _ in range(4))
        thin = sum((np.abs(x - rng.random()) < 0.02) * 0.6 for _ in range(2))
        stripes.append((bands, thin))
    weave = 0.9 + 0.1 * ((np.arange(SIZE)[:, None] + np.arange(SIZE)) % 2)
    return _two(0.55 * (stripes[0][0] + stripes[1][0]) * weave, stripes[0][1] + stripes[1][1])


def _damask(rng: np.random.Generator) -> Pattern:
    """A mirrored motif on a lattice with every other row shifted."""
    u, v = _grid()
    count = 2 * int(rng.integers(1, 4))
    x = (u * count + 0.5 * ((v * count).astype(int) % 2)) % 1
    y = (v * count) % 1
    folded_u, folded_v = np.abs(x - 0.5) * 2, np.abs(y - 0.5) * 2
    a, b, c = rng.uniform(2, 7, 3)
    figure = np.sin(a * folded_u + b * folded_v**2) + np.cos(b * folded_v - c * folded_u**2)
    return _two(figure > rng.uniform(-0.2, 0.6), np.abs(figure) < rng.uniform(0.05, 0.3))


def _planks(rng: np.random.Generator) -> Pattern:
    """Boards of a floor with joints, each with its own tone and grain."""
    u, v = _grid()
    rows, lengths = 2 * int(rng.integers(2, 6)), int(rng.integers(1, 3))
    row = (v * rows).astype(int)
    x = (u * lengths + rng.random(rows)[row]) % lengths
    board = x.astype(int)
    tone = _cell_values(rng, row, board)
    grain = value_noise(rng, 32, 2)[:, (np.arange(SIZE) // 8) % SIZE]
    joint = ((v * rows) % 1 < 0.05) | (x % 1 < 0.008 * lengths)
    return _two(0.75 * tone + 0.35 * (grain - 0.5), 0.9 * joint)


def _medallion(rng: np.random.Generator) -> Pattern:
    """A woven rug: rings of ornaments about the middle, and borders."""
    u, v = _grid()
    x, y = 2 * u - 1, 2 * v - 1
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    petals, rings = 2 * int(rng.integers(2, 8)), rng.uniform(2, 5)
    wave = radius * rings + 0.25 * np.cos(petals * angle)
    tones = rng.random((2, 12))
    ring = np.clip(wave.astype(int), 0, 11)
    ornament = (np.cos(petals * 2 * angle + ring) > 0.4) & ((wave % 1) > 0.35)
    field = tones[:, ring] * 0.8 + 0.4 * ornament * (tones[::-1, ring] - 0.3)
    edge = np.maximum(np.abs(x), np.abs(y))
    border = np.digitize(edge, np.sort(rng.uniform(0.72, 0.97, 3)))
    marks = ((u * 16).astype(int) + (v * 16).astype(int)) % 2
    framed = np.where(border > 0, rng.random((2, 4))[:, border] * (0.7 + 0.3 * marks), field)
    return _two(framed[0], framed[1])


def _landscape(rng: np.random.Generator) -> Pattern:
    """A painted view: sky, hills behind hills, and a foreground."""
    v = _grid()[1]
    sky = 0.4 * value_noise(rng, 3, 4)
    first, second = sky, np.zeros_like(sky)
    for layer in range(int(rng.integers(2, 5))):
        crest = 0.45 - 0.1 * layer + 0.18 * value_noise(rng, int(rng.integers(2, 6)), 4)[0]
        below = v < crest
        first = np.where(below, rng.uniform(0.2, 1) + 0.3 * (value_noise(rng, 12, 3) - 0.5), first)
        second = np.where(below, rng.random(), second)
    return _two(first, second)


def _books(rng: np.random.Generator) -> Pattern:
    """Rows of upright book backs of uneven width, height and tone on shelves."""
    u, v = _grid()
    rows = int(rng.integers(1, 5))
    first, second = np.zeros((SIZE, SIZE)), np.zeros((SIZE, SIZE))
    for row in range(rows):
        edges = np.cumsum(rng.uniform(0.015, 0.06, 60))
        edges = edges[edges < 1]
        book = np.searchsorted(edges, u)
        tall = rng.uniform(0.55, 0.93, len(edges) + 1)[book]
        y = v * rows - row
        inside = (y > 0.06) & (y < tall)
        title = (np.abs(y - 0.4 * tall) < rng.uniform(0.02, 0.1)) | (np.abs(y - 0.8 * tall) < 0.02)
        tones = rng.random((2, len(edges) + 1))[:, book]
        round_back = 1 - 0.3 * (np.abs(u - np.append(edges, 1.0)[book]) < 0.006)
        first = np.where(inside, np.where(title, 1 - tones[0], tones[0]) * round_back, first)
        second = np.where(inside, tones[1] * round_back, second)
    return _two(first, second)


def _facade(rng: np.random.Generator) -> Pattern:
    """Storeys of windows, some of them with blinds or the sky in them."""
    u, v = _grid()
    rows, columns = int(rng.integers(2, 7)), int(rng.integers(2, 8))
    x, y = (u * columns) % 1, (v * rows) % 1
    width, height = rng.uniform(0.35, 0.9), rng.uniform(0.45, 0.85)
    inside = (np.abs(x - 0.5) < width / 2) & (np.abs(y - 0.5) < height / 2)
    bar = (np.abs(x - 0.5) < 0.03) | (np.abs(y - 0.6) < 0.025)
    state = _cell_values(rng, (v * rows).astype(int), (u * columns).astype(int))
    sill = (np.abs(x - 0.5) < width / 2 + 0.05) & (np.abs(y - 0.5 + height / 2) < 0.05)
    glass = inside & ~bar
    return _two(
        glass * (0.6 + 0.4 * state) + 0.06 * value_noise(rng, 16, 2), 0.8 * (glass * (state > 0.7)) + 0.5 * sill
    )


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
    "fur": _fur,
    "leaves": _leaves,
    "plaid": _plaid,
    "damask": _damask,
    "planks": _planks,
    "medallion": _medallion,
    "landscape": _landscape,
    "books": _books,
    "facade": _facade,
}
