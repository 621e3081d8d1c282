"""Pictures painted with numpy: rug, wallpaper, wall art, cushions, book spines. All [h,w,3], display colours 0..1."""

from __future__ import annotations

import numpy as np

Rgb = tuple[float, float, float]


def field(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates x, y in -1..1, y down."""
    x, y = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height))
    return x, y


def noise(rng: np.random.Generator, height: int, width: int, octaves: int = 6, start: int = 3) -> np.ndarray:
    """Smooth value noise, 0..1, [height,width]."""
    total = np.zeros((height, width))
    for octave in range(octaves):
        cells = start * 2**octave
        values = rng.random((cells + 2, cells + 2))
        v, u = np.linspace(0, cells, height)[:, None], np.linspace(0, cells, width)[None]
        row, column = v.astype(int), u.astype(int)
        a, b = (t * t * (3 - 2 * t) for t in (v - row, u - column))
        top = values[row, column] * (1 - b) + values[row, column + 1] * b
        low = values[row + 1, column] * (1 - b) + values[row + 1, column + 1] * b
        total += (top * (1 - a) + low * a) * 0.5**octave
    return (total - total.min()) / np.ptp(total)


def over(picture: np.ndarray, mask: np.ndarray, rgb: Rgb) -> None:
    """Paints `rgb` where mask is 1, in place."""
    picture[:] = picture * (1 - mask[..., None]) + np.asarray(rgb) * mask[..., None]


def rug(seed: int = 1) -> np.ndarray:
    """An oriental rug: borders of diamonds around a field of medallions."""
    rng = np.random.default_rng(seed)
    height, width = 760, 1040
    x, y = field(height, width)
    inset = np.minimum((1 - np.abs(x)) * 1.37, 1 - np.abs(y))
    red, navy, cream, gold, teal = (
        (0.55, 0.16, 0.13),
        (0.13, 0.17, 0.3),
        (0.86, 0.79, 0.64),
        (0.75, 0.54, 0.24),
        (0.2, 0.42, 0.42),
    )
    picture = np.ones((height, width, 3)) * red
    u, v = x * 1.37 * 7, y * 7
    flowers = np.abs(np.sin(u * np.pi / 2)) + np.abs(np.cos(v * np.pi / 2))
    for low, high, rgb in (
        (1.55, 1.75, navy),
        (1.75, 1.86, cream),
        (1.86, 2.1, teal),
        (0.0, 0.35, gold),
        (0.35, 0.5, navy),
    ):
        over(picture, ((flowers > low) & (flowers <= high)).astype(float), rgb)
    ring = np.hypot(x * 1.37, y) * (1 + 0.06 * np.cos(np.arctan2(y, x * 1.37) * 12))
    for low, high, rgb in ((0, 0.52, navy), (0.48, 0.52, cream), (0.3, 0.36, gold), (0, 0.2, red), (0.1, 0.14, cream)):
        over(picture, ((ring > low) & (ring <= high)).astype(float), rgb)
    petals = (ring < 0.47) & (ring > 0.37) & (np.cos(np.arctan2(y, x * 1.37) * 18) > 0.2)
    over(picture, petals.astype(float), cream)
    for low, high, rgb in ((0, 0.3, navy), (0.26, 0.3, gold), (0, 0.05, cream), (0.05, 0.07, red)):
        over(picture, ((inset >= low) & (inset < high)).astype(float), rgb)
    diamonds = (np.abs((u * 1.2) % 2 - 1) + np.abs((v * 1.2) % 2 - 1) < 0.75) & (inset > 0.08) & (inset < 0.25)
    over(picture, diamonds.astype(float), cream)
    hearts = (np.abs((u * 1.2) % 2 - 1) + np.abs((v * 1.2) % 2 - 1) < 0.4) & (inset > 0.08) & (inset < 0.25)
    over(picture, hearts.astype(float), red)
    return picture * (0.75 + 0.35 * noise(rng, height, width, 7, 6))[..., None]


def wallpaper(seed: int = 2) -> np.ndarray:
    """Leaves on sage green; tiles seamlessly."""
    size = 512
    rng = np.random.default_rng(seed)
    picture = np.ones((size, size, 3)) * (0.62, 0.68, 0.6)
    y, x = np.mgrid[0:size, 0:size] / size
    for stem in range(4):
        for leaf in range(10):
            side = 1 if leaf % 2 else -1
            cx, cy = (stem + 0.5) / 4 + side * 0.045, (leaf + 0.5 * (stem % 2)) / 10
            dx, dy = (x - cx + 0.5) % 1 - 0.5, (y - cy + 0.5) % 1 - 0.5
            angle = side * 0.7 + rng.normal(0, 0.12)
            a, b = dx * np.cos(angle) - dy * np.sin(angle), dx * np.sin(angle) + dy * np.cos(angle)
            shape = np.clip(1.2 - ((a / 0.022) ** 2 + (b / 0.055) ** 2), 0, 1)
            tone = rng.uniform(0.75, 1.1)
            over(picture, np.clip(shape * 3, 0, 1), (0.42 * tone, 0.52 * tone, 0.43 * tone))
            over(picture, (np.abs(a) < 0.002) * (shape > 0) * 0.6, (0.75, 0.78, 0.7))
        stalk = np.abs((x - (stem + 0.5) / 4 - 0.006 * np.sin(y * 6 * np.pi) + 0.5) % 1 - 0.5) < 0.003
        over(picture, stalk * 0.8, (0.4, 0.48, 0.4))
    return picture


def landscape(seed: int) -> np.ndarray:
    """Hills behind hills under an evening sky."""
    rng = np.random.default_rng(seed)
    height, width = 420, 600
    x, y = field(height, width)
    sky = np.linspace(0, 1, height)[:, None, None]
    picture = (
        np.array((0.35, 0.5, 0.68)) * (1 - sky) + np.array((0.98, 0.72, 0.45)) * sky + np.zeros((height, width, 3))
    )
    clouds = np.clip(noise(rng, height, width, 6, 3) * 2.4 - 1.2, 0, 1)
    over(picture, clouds * 0.7, (0.98, 0.9, 0.82))
    over(picture, (np.hypot(x * 1.43 - 0.5, y + 0.15) < 0.14).astype(float), (1, 0.93, 0.7))
    for layer in range(5):
        ridge = noise(rng, width, width, 6, 2 + layer)[0]
        top = -0.25 + 0.26 * layer - 0.5 * (ridge - 0.5)
        fade = layer / 4
        rgb = np.array((0.45, 0.5, 0.6)) * (1 - fade) + np.array((0.12, 0.25, 0.14)) * fade
        over(picture, (y > top[None]).astype(float), tuple(rgb))
    return picture * (0.8 + 0.35 * noise(rng, height, width, 7, 12))[..., None]


def abstract(seed: int, palette: tuple[Rgb, ...]) -> np.ndarray:
    """Discs, bars and arcs on paper."""
    rng = np.random.default_rng(seed)
    height, width = 600, 440
    x, y = field(height, width)
    y = y * height / width
    picture = np.ones((height, width, 3)) * (0.93, 0.9, 0.83)
    for k in range(14):
        cx, cy, r = rng.uniform(-0.8, 0.8), rng.uniform(-1.1, 1.1), rng.uniform(0.12, 0.5)
        angle = rng.uniform(0, np.pi)
        a, b = (x - cx) * np.cos(angle) + (y - cy) * np.sin(angle), (y - cy) * np.cos(angle) - (x - cx) * np.sin(angle)
        ring = np.hypot(a, b)
        mask = ((ring < r), (np.abs(a) < r * 1.5) & (np.abs(b) < r / 6), (ring < r) & (ring > r * 0.8) & (a > 0))[k % 3]
        over(picture, mask * 0.88, palette[k % len(palette)])
    return picture * (0.88 + 0.14 * noise(rng, height, width, 7, 10))[..., None]


def stripes(seed: int, palette: tuple[Rgb, ...], plaid: bool) -> np.ndarray:
    """Cushion or blanket cloth: random stripes, crossed when plaid."""
    rng = np.random.default_rng(seed)
    size = 384
    edges = np.sort(rng.integers(0, size, 34))
    bands = np.searchsorted(edges, np.arange(size))
    colors = np.asarray(palette)[rng.integers(0, len(palette), len(edges) + 1)][bands]
    picture = np.repeat(colors[None], size, 0)
    if plaid:
        picture = (picture + picture.transpose(1, 0, 2)) / 2
    weave = 0.85 + 0.15 * np.sign(np.sin(np.arange(size) * 2.1))[:, None] * np.sign(np.sin(np.arange(size) * 2.1))
    return picture * weave[..., None]


def spine(seed: int) -> np.ndarray:
    """The back of a book: bands, and blocks where the title would be."""
    rng = np.random.default_rng(seed)
    height, width = 256, 48
    x, y = field(height, width)
    hues = np.array(
        [
            (0.5, 0.13, 0.12),
            (0.12, 0.22, 0.38),
            (0.15, 0.33, 0.24),
            (0.82, 0.76, 0.62),
            (0.72, 0.48, 0.16),
            (0.2, 0.2, 0.21),
            (0.42, 0.28, 0.38),
        ]
    )
    base = hues[rng.integers(len(hues))] * rng.uniform(0.8, 1.2)
    ink = (0.9, 0.8, 0.5) if base.mean() < 0.45 else (0.2, 0.12, 0.1)
    picture = np.ones((height, width, 3)) * base
    for _ in range(rng.integers(1, 4)):
        edge = rng.uniform(-0.95, 0.95)
        over(picture, (np.abs(y - edge) < rng.uniform(0.01, 0.05)).astype(float), ink)
    letters = np.repeat(rng.random((26, 1)) > 0.25, 6, 0).ravel() * 1.0
    rows = np.zeros(height)
    start = int(rng.integers(20, 80))
    rows[start : start + len(letters)] = letters
    gaps = (np.arange(height) % 6 < 4) & (np.abs(x) < rng.uniform(0.25, 0.5)).T
    over(picture, (rows[None] * gaps).T.astype(float), ink)
    return picture * (0.85 + 0.2 * noise(rng, height, width, 5, 8))[..., None]


def garden(seed: int = 9) -> np.ndarray:
    """What the window looks out on: sky, trees, lawn."""
    rng = np.random.default_rng(seed)
    height, width = 400, 600
    _, y = field(height, width)
    picture = np.ones((height, width, 3)) * (0.75, 0.86, 0.97)
    over(picture, np.clip(noise(rng, height, width, 6, 3) * 2 - 1, 0, 1), (0.97, 0.98, 1))
    for top, rgb in ((0.0, (0.42, 0.55, 0.42)), (0.25, (0.26, 0.42, 0.22)), (0.7, (0.5, 0.62, 0.3))):
        crown = top - 0.55 * (noise(rng, width, width, 7, 5)[0] - 0.5) * (top < 0.6)
        over(picture, (y > crown[None]).astype(float), rgb)
    return picture * (0.7 + 0.5 * noise(rng, height, width, 7, 14))[..., None]
