"""Things that stand in rooms, built of simple solids; every function puts one into a `Group` whose z = 0 it stands on.

Local frames: x to the right, y to the back, z up; sizes in metres. Each returns its half width, half depth and height.
"""

from collections.abc import Callable

import numpy as np

from model_runtime.training.world.materials import MaterialMaker
from model_runtime.training.world.solids import CYLINDER, Group, axes_along, barrel, bowl, frustum, random_rotation

Size = tuple[float, float, float]
Maker = Callable[[Group, MaterialMaker, np.random.Generator], Size]


def _pick(rng: np.random.Generator, *names: str) -> str:
    return names[int(rng.integers(len(names)))]


def _legs(g: Group, rng: np.random.Generator, x: float, y: float, h: float, material: np.ndarray) -> None:
    """Four legs up to height h: square, round, tapered or splayed."""
    style, r = int(rng.integers(3)), rng.uniform(0.012, 0.04)
    splay = rng.uniform(0.0, 0.12) if style == 2 else 0.0
    for sx in (-1, 1):
        for sy in (-1, 1):
            foot, top = [sx * (x + splay), sy * (y + splay), 0.0], [sx * x, sy * y, h]
            if style == 0:
                g.box([sx * x, sy * y, h / 2], [r, r, h / 2], material)
            else:
                g.rod(foot, top, r * 0.8, material, rng.uniform(1.0, 1.8))


def table(g: Group, m: MaterialMaker, rng: np.random.Generator) -> Size:
    x, y, h = rng.uniform(0.35, 1.0), rng.uniform(0.3, 0.55), rng.uniform(0.35, 0.78)
    top = m.of(_pick(rng, "wood", "wood", "lacquer", "stone", "tile"))
    leg = top if rng.random() < 0.5 else m.of(_pick(rng, "wood", "metal", "lacquer"))
    t = rng.uniform(0.012, 0.04)
    if rng.random() < 0.25:
        x = y = max(x, y) * 0.8
        g.quadric([0, 0, h - t], [x, x, t], CYLINDER, top)
        g.rod([0, 0, 0], [0, 0, h - 2 * t], rng.uniform(0.03, 0.07), leg)
        g.quadric([0, 0, 0.02], [0.5 * x, 0.5 * x, 0.02], frustum(0.5), leg)
    else:
        g.box([0, 0, h - t], [x, y, t], top)
        _legs(g, rng, x * 0.9, y * 0.88, h - 2 * t, leg)
        if rng.random() < 0.4:
            g.box([0, 0, h - 2 * t - 0.04], [x * 0.88, y * 0.86, 0.04], leg)
    if rng.random() < 0.3:
        g.box([0, 0, h + 0.003], [x * rng.uniform(0.3, 1.03), y * 1.03, 0.003], m.of("fabric", 2.0))
    return x, y, h


def chair(g: Group, m: MaterialMaker, rng: np.random.Generator) -> Size:
    s, h = rng.uniform(0.19, 0.25), rng.uniform(0.4, 0.5)
    frame = m.of(_pick(rng, "wood", "wood", "metal", "lacquer"))
    seat = frame if rng.random() < 0.4 else m.of(_pick(rng, "fabric", "leather"))
    if rng.random() < 0.5:
        g.rounded([0, 0, h], [s, s, 0.03], 0.025, seat)
    else:
        g.box([0, 0, h], [s, s, 0.018], seat)
    if rng.random() < 0.15:
        g.rod([0, 0, 0.06], [0, 0, h], 0.03, frame)
        for k in range(5):
            a = 2 * np.pi * k / 5
            g.rod([0, 0, 0.08], [0.28 * np.cos(a), 0.28 * np.sin(a), 0.03], 0.02, frame)
    else:
        _legs(g, rng, s * 0.88, s * 0.88, h, frame)
    top, lean, r = h + rng.uniform(0.35, 0.5), rng.uniform(0.0, 0.1), rng.uniform(0.012, 0.022)
    for sx in (-1, 1):
        g.rod([sx * s * 0.88, s * 0.88, h], [sx * s * 0.88, s * 0.88 + lean, top], r, frame)
    style = int(rng.integers(3))
    if style == 0:
        middle = (h + top) / 2 + 0.05
        g.rounded([0, s * 0.88 + lean / 2, middle], [s * 0.88, 0.02, (top - h) / 2 - 0.05], 0.02, seat)
    elif style == 1:
        for k in range(int(rng.integers(2, 4))):
            z = top - 0.04 - 0.12 * k
            g.box([0, s * 0.88 + lean * (z - h) / (top - h), z], [s * 0.86, 0.01, 0.03], frame)
    else:
        g.beam([-s * 0.9, s * 0.88 + lean, top], [s * 0.9, s * 0.88 + lean, top], 0.04, frame)
        for k in np.linspace(-0.6, 0.6, int(rng.integers(3, 6))):
            g.rod([k * s, s * 0.88, h], [k * s, s * 0.88 + lean, top], 0.008, frame)
    return s, s, top


def sofa(g: Group, m: MaterialMaker, rng: np.random.Generator) -> Size:
    seats = int(rng.integers(1, 4))
    w, d, h = seats * rng.uniform(0.28, 0.36), rng.uniform(0.38, 0.48), rng.uniform(0.18, 0.24)
    cloth = m.of(_pick(rng, "fabric", "fabric", "leather"))
    r = rng.uniform(0.03, 0.1)
    feet = 0.08
    g.rounded([0, 0, feet + h * 0.75], [w, d, h * 0.75], r, cloth)
    back = rng.uniform(0.7, 0.95)
    g.rounded([0, d - 0.08, back / 2 + feet], [w + 0.06, 0.11, back / 2], r, cloth)
    for sx in (-1, 1):
        arm = feet + h * 1.5 + rng.uniform(0.12, 0.14)
        g.rounded([sx * (w + 0.02), 0, arm / 2 + feet / 2], [0.09, d, arm / 2 - feet / 2], r, cloth)
    wide = w / seats
    for k in range(seats):
        x = (2 * k + 1) * wide - w
        g.rounded([x, -0.04, feet + h * 1.5 + 0.05], [wide * 0.97, d * 0.85, 0.07], 0.05, cloth)
        if rng.random() < 0.5:
            tilt = axes_along(np.array([rng.normal() * 0.15, -1.0, rng.uniform(0.3, 0.6)]))
            g.rounded([x, d - 0.28, feet + h * 1.5 + 0.28], [0.2, 0.2, 0.07], 0.065, m.of("fabric"), tilt)
    return w + 0.1, d, back


def bed(g: Group, m: MaterialMaker, rng: np.random.Generator) -> Size:
    x, y, h = rng.uniform(0.45, 0.95), rng.uniform(0.95, 1.05), rng.uniform(0.22, 0.4)
    frame, sheet = m.of(_pick(rng, "wood", "lacquer", "fabric")), m.of("fabric", 2.0)
    g.box([0, 0, h * 0.55], [x, y, h * 0.25], frame)
    g.rounded([0, 0, h + 0.06], [x * 0.97, y * 0.97, 0.12], 0.07, m.of("plaster"))
    g.rounded([0, -0.25 * y, h + 0.1], [x * 1.01, y * 0.74, 0.11], 0.07, sheet)
    g.box([0, y + 0.03, h], [x, 0.03, h + rng.uniform(0.1, 0.5)], frame)
    for sx in (-1, 1) if x > 0.65 else (0,):
        g.rounded([sx * x * 0.5, y * 0.78, h + 0.24], [min(0.33, x * 0.45), 0.2, 0.08], 0.075, m.of("plaster"))
    return x, y, h + 0.3


def cabinet(g: Group, m: MaterialMaker, rng: np.random.Generator) -> Size:
    """A cupboard, a chest of drawers, a wardrobe, a kitchen counter."""
    w, d, h = rng.uniform(0.25, 0.9), rng.uniform(0.18, 0.32), rng.uniform(0.45, 2.1)
    body = m.of(_pick(rng, "wood", "wood", "lacquer"))
    front = body if rng.random() < 0.6 else m.of(_pick(rng, "wood", "lacquer", "paint"))
    handle = m.of("metal")
    g.box([0, 0, h / 2], [w, d, h / 2], body)
    columns, rows = int(rng.integers(1, 4)), int(rng.integers(1, 4)) if h < 1.2 else 1
    fw, fh = w / columns, h * 0.94 / 2 / rows
    for i in range(columns):
        for j in range(rows):
            x, z = (2 * i + 1) * fw - w, h * 0.03 + (2 * j + 1) * fh
            g.box([x, -d - 0.006, z], [fw * 0.94, 0.008, fh * 0.94], front)
            g.rod([x + fw * 0.6, -d - 0.03, z - 0.05], [x + fw * 0.6, -d - 0.03, z + 0.05], 0.007, handle)
    if rng.random() < 0.5:
        g.box([0, -0.01, h + 0.012], [w + 0.02, d + 0.03, 0.012], m.of(_pick(rng, "wood", "stone")))
    return w, d, h + 0.02


def shelf(g: Group, m: MaterialMaker, rng: np.random.Generator) -> Size:
    """Boards between two sides, full of books, boxes and vessels."""
    w, d, h = rng.uniform(0.3, 0.7), rng.uniform(0.13, 0.2), rng.uniform(0.8, 2.1)
    wood, boards = m.of(_pick(rng, "wood", "wood", "lacquer")), int(rng.integers(3, 6))
    g.box([0, d - 0.01, h / 2], [w, 0.01, h / 2], wood)
    for sx in (-1, 1):
        g.box([sx * w, 0, h / 2], [0.015, d, h / 2], wood)
    gap = h / boards
    for k in range(boards + 1):
        g.box([0, 0, max(0.02, k * gap)], [w, d, 0.012], wood)
        if k == boards:
            break
        z, chance = k * gap + 0.012, rng.random()
        if chance < 0.65:
            books, tall = m.of("books"), gap * rng.uniform(0.3, 0.44)
            wide = w * rng.uniform(0.5, 0.95)
            books[1] = max(2 * wide, 0.5)
            g.box([rng.uniform(-1, 1) * (w - wide), 0.02, z + tall], [wide, d * rng.uniform(0.5, 0.8), tall], books)
        elif chance < 0.85:
            for x in np.linspace(-0.6, 0.6, int(rng.integers(1, 4))):
                small(g.at([x * w, 0, z]), m, rng, min(0.8 * gap, 0.3))
    return w, d, h


def floor_lamp(g: Group, m: MaterialMaker, rng: np.random.Generator) -> Size:
    h, metal, r = rng.uniform(1.3, 1.75), m.of("metal"), rng.uniform(0.13, 0.22)
    g.quadric([0, 0, 0.012], [0.14, 0.14, 0.012], CYLINDER, metal)
    g.rod([0, 0, 0], [0, 0, h], 0.012, metal)
    warm = np.array([1.0, rng.uniform(0.7, 0.95), rng.uniform(0.4, 0.85)])
    shade = m.glowing(0.8 * warm, rng.uniform(0.3, 2.5))
    g.quadric([0, 0, h], [r, r, rng.uniform(0.1, 0.18)], frustum(rng.uniform(0.5, 1.0), (False, False)), shade)
    return r, r, h + 0.15


def plant(g: Group, m: MaterialMaker, rng: np.random.Generator) -> Size:
    """A pot with leaves on thin stems, or a bush."""
    r, h = rng.uniform(0.08, 0.2), rng.uniform(0.15, 0.4)
    g.quadric(
        [0, 0, h / 2],
        [r, r, h / 2],
        frustum(rng.uniform(1.0, 1.5), (True, False)),
        m.of(_pick(rng, "ceramic", "brick", "wood")),
    )
    g.quadric([0, 0, h * 0.85], [r * 0.9, r * 0.9, 0.01], CYLINDER, m.of("earth"))
    tall, leaf, stem = rng.uniform(0.25, 0.8), m.of("leaf"), m.of("leaf")
    if rng.random() < 0.3:
        for _ in range(4):
            off = rng.normal(size=3) * r * 0.6
            g.ball([off[0], off[1], h + tall * 0.4 + 0.5 * off[2]], [r * 1.3, r * 1.2, tall * 0.35], leaf)
        return r * 1.7, r * 1.7, h + tall
    for k in range(int(rng.integers(6, 11))):
        a, lean = 2.4 * k + rng.uniform(-0.4, 0.4), rng.uniform(0.15, 0.9)
        direction = np.array([lean * np.cos(a), lean * np.sin(a), 1.0])
        direction /= np.linalg.norm(direction)
        length = tall * rng.uniform(0.5, 1.0)
        tip = direction * length + [0, 0, h * 0.8]
        g.rod([0, 0, h * 0.8], tip, 0.006, stem)
        frame = axes_along(direction - np.array([0, 0, 0.6 * lean]))
        g.ball(tip, [length * rng.uniform(0.12, 0.25), 0.012, length * rng.uniform(0.3, 0.45)], leaf, frame)
    return r * 1.5, r * 1.5, h + tall


def tub(g: Group, m: MaterialMaker, rng: np.random.Generator) -> Size:
    x, y, h = rng.uniform(0.3, 0.45), rng.uniform(0.65, 0.9), rng.uniform(0.35, 0.6)
    white = m.of("ceramic")
    g.quadric([0, 0, h], [x, y, h], bowl(0.0), white)
    g.quadric([0, 0, h * 0.3], [x * 0.6, y * 0.6, 0.02], CYLINDER, white)
    return x, y, h


def crates(g: Group, m: MaterialMaker, rng: np.random.Generator) -> Size:
    wood, z, s = m.of(_pick(rng, "wood", "paper", "lacquer")), 0.0, rng.uniform(0.15, 0.4)
    for _ in range(int(rng.integers(1, 4))):
        half = s * rng.uniform(0.6, 1.0, 3)
        box = g.at([*rng.normal(size=2) * 0.04, z], rng.normal() * 0.2)
        box.box([0, 0, half[2]], half, wood)
        z += 2 * half[2]
    return s, s, z


def _book_stack(g: Group, m: MaterialMaker, rng: np.random.Generator, s: float) -> None:
    z = 0.0
    for _ in range(int(rng.integers(1, 4))):
        t = 0.06 * s + rng.uniform(0, 0.02)
        g.at([0, 0, z], rng.normal() * 0.5).box(
            [0, 0, t], [0.4 * s, 0.3 * s, t], m.of(_pick(rng, "paper", "lacquer", "picture"))
        )
        z += 2 * t


def _vessel(g: Group, m: MaterialMaker, rng: np.random.Generator, s: float) -> None:
    """A vase: a belly, a neck, now and then flowers or handles."""
    clay = m.of("ceramic")
    r, h = s * rng.uniform(0.2, 0.4), s * rng.uniform(0.2, 0.35)
    if rng.random() < 0.5:
        g.ball([0, 0, h], [r, r, h], clay)
        g.quadric([0, 0, 2 * h], [r * 0.4, r * 0.4, h * 0.4], barrel(rng.uniform(1.0, 1.5), (False, False)), clay)
    else:
        g.quadric([0, 0, h], [r, r, h], barrel(rng.uniform(0.5, 1.6)), clay)
    if rng.random() < 0.3:
        for _ in range(4):
            tip = [*rng.normal(size=2) * 0.3 * s, 2 * h + s * rng.uniform(0.3, 0.7)]
            g.rod([0, 0, h], tip, 0.004, m.of("leaf"))
            g.ball(tip, [0.04 * s, 0.04 * s, 0.1 * s], m.of("fruit"))


def _cup(g: Group, m: MaterialMaker, rng: np.random.Generator, s: float) -> None:
    clay, r = m.of("ceramic"), s * rng.uniform(0.12, 0.3)
    h = r * rng.uniform(0.8, 1.4)
    g.quadric([0, 0, h], [r, r, h], frustum(rng.uniform(0.9, 1.4), (True, False)), clay)
    if rng.random() < 0.6:
        g.ring([r, 0, h], 0.55 * h, 0.12 * h, clay, axes_along(np.array([0.0, 1.0, 0.0])))
    if rng.random() < 0.6:
        g.quadric([0, 0, h * 1.6], [r * 0.9, r * 0.9, 0.002], CYLINDER, m.of("food"))


def filled_bowl(g: Group, m: MaterialMaker, rng: np.random.Generator, s: float) -> None:
    """A bowl or a plate of food: soup with things in it, or fruit."""
    clay, r = m.of(_pick(rng, "ceramic", "lacquer", "wood")), s * rng.uniform(0.4, 0.55)
    h = r * rng.uniform(0.25, 0.75)
    g.quadric([0, 0, h], [r, r, h], bowl(0.0), clay)
    g.ring([0, 0, h], r, 0.015 * s + 0.02 * r, clay)
    g.quadric([0, 0, 0.08 * h], [0.45 * r, 0.45 * r, 0.08 * h], CYLINDER, clay)
    g.quadric([0, 0, 0.75 * h], [0.95 * r, 0.95 * r, 0.01 * s], CYLINDER, m.of("food", 2 * s))
    for _ in range(int(rng.integers(2, 8))):
        spot, size = rng.uniform(-0.55, 0.55, 2) * r, r * rng.uniform(0.08, 0.35)
        if rng.random() < 0.3:
            g.ring([*spot, 0.78 * h], size, 0.25 * size, m.of("food", s))
        else:
            g.ball([*spot, 0.75 * h], [size, size * rng.uniform(0.6, 1), size * rng.uniform(0.3, 0.9)], m.of("food", s))


def _fruit(g: Group, m: MaterialMaker, rng: np.random.Generator, s: float) -> None:
    skin = m.of("fruit")
    for _ in range(int(rng.integers(1, 5))):
        r, spot = s * rng.uniform(0.1, 0.16), rng.normal(size=2) * 0.25 * s
        g.ball([*spot, r * 0.9], [r, r, r * rng.uniform(0.8, 1.1)], skin)


def _screen(g: Group, m: MaterialMaker, rng: np.random.Generator, s: float) -> None:
    x, z, dark = 0.7 * s, 0.42 * s, m.of("lacquer")
    g.box([0, 0, 0.008], [0.3 * s, 0.2 * s, 0.008], dark)
    g.rod([0, 0.03, 0], [0, 0.03, 0.4 * s], 0.02, dark)
    g.box([0, 0, 0.25 * s + z], [x, 0.015, z], dark)
    face = m.of("lacquer") if rng.random() < 0.6 else m.glowing(rng.uniform(0.1, 0.8, 3), 1.0, "collage")
    g.box([0, -0.016, 0.25 * s + z], [0.95 * x, 0.003, 0.93 * z], face)


def _table_lamp(g: Group, m: MaterialMaker, rng: np.random.Generator, s: float) -> None:
    g.quadric(
        [0, 0, 0.3 * s], [0.15 * s, 0.15 * s, 0.3 * s], barrel(rng.uniform(0.3, 1.5), (True, True)), m.of("ceramic")
    )
    warm = np.array([1.0, 0.85, 0.6])
    shade = m.glowing(0.8 * warm, rng.uniform(0.2, 2.0))
    g.quadric([0, 0, 0.8 * s], [0.3 * s, 0.3 * s, 0.22 * s], frustum(rng.uniform(0.4, 1.0), (False, False)), shade)


def _block(g: Group, m: MaterialMaker, rng: np.random.Generator, s: float) -> None:
    half = s * rng.uniform(0.1, 0.45, 3)
    if rng.random() < 0.5:
        g.rounded([0, 0, half[2]], half, 0.3 * half.min(), m.wild() if rng.random() < 0.3 else m.of("lacquer"))
    else:
        g.box([0, 0, half[2]], half, m.of(_pick(rng, "paper", "lacquer", "wood", "picture")))


def _toy(g: Group, m: MaterialMaker, rng: np.random.Generator, s: float) -> None:
    """An animal: body, head, ears, legs and tail."""
    fur = m.of(_pick(rng, "fur", "fur", "fabric"))
    g.ball([0, 0, 0.28 * s], [0.5 * s, 0.24 * s, 0.24 * s], fur)
    g.ball([0.52 * s, 0, 0.45 * s], [0.2 * s, 0.17 * s, 0.18 * s], fur)
    g.ball([0.7 * s, 0, 0.4 * s], [0.12 * s, 0.08 * s, 0.07 * s], fur)
    for sy in (-1, 1):
        g.quadric([0.48 * s, sy * 0.11 * s, 0.64 * s], [0.05 * s, 0.05 * s, 0.09 * s], frustum(0.1), fur)
        for x in (-0.3, 0.35):
            g.rod([x * s, sy * 0.15 * s, 0.25 * s], [(x + 0.08) * s, sy * 0.18 * s, 0.0], 0.07 * s, fur)
    g.rod([-0.45 * s, 0, 0.35 * s], [-0.7 * s, 0.1 * s, 0.5 * s], 0.06 * s, fur)


SMALL_THINGS: tuple[Callable[[Group, MaterialMaker, np.random.Generator, float], None], ...] = (
    _book_stack,
    _vessel,
    _vessel,
    _cup,
    filled_bowl,
    _fruit,
    _screen,
    _table_lamp,
    _block,
    _block,
    _toy,
)


def small(g: Group, m: MaterialMaker, rng: np.random.Generator, s: float) -> None:
    """Something of about size s that stands on a table or a board."""
    SMALL_THINGS[int(rng.integers(len(SMALL_THINGS)))](g.at([0, 0, 0], rng.uniform(0, 2 * np.pi)), m, rng, s)


def animal(g: Group, m: MaterialMaker, rng: np.random.Generator) -> Size:
    s = rng.uniform(0.4, 1.0)
    _toy(g, m, rng, s)
    return s, 0.4 * s, 0.8 * s


def clutter(g: Group, m: MaterialMaker, rng: np.random.Generator) -> Size:
    """A tilted block, a ball, a roll or a ring lying about."""
    half = rng.uniform(0.06, 0.4, 3)
    turned = random_rotation(rng) if rng.random() < 0.4 else None
    surface = m.wild() if rng.random() < 0.4 else m.of(_pick(rng, "fabric", "lacquer", "ceramic", "wood"))
    z = half[2] if turned is None else float(half.max())
    kind = int(rng.integers(4))
    if kind == 0:
        g.box([0, 0, z], half, surface, turned)
    elif kind == 1:
        g.ball([0, 0, z], half, surface, turned)
    elif kind == 2:
        g.quadric([0, 0, z], [half[0], half[0], half[2]], frustum(rng.uniform(0.3, 1.4)), surface, turned)
    else:
        g.ring([0, 0, 0.3 * half[0]], half[0], 0.3 * half[0], surface)
    return float(half.max()), float(half.max()), z + half[2]


FURNITURE: dict[str, Maker] = {
    "table": table,
    "chair": chair,
    "sofa": sofa,
    "bed": bed,
    "cabinet": cabinet,
    "shelf": shelf,
    "lamp": floor_lamp,
    "plant": plant,
    "tub": tub,
    "crates": crates,
    "animal": animal,
    "clutter": clutter,
}
