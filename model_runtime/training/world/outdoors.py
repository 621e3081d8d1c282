"""Outdoor scenes: streets, gardens, squares and open land under a sky."""

import numpy as np

from model_runtime.training.world import furniture
from model_runtime.training.world.layout import Layout
from model_runtime.training.world.materials import MaterialMaker, linear_from_hsv
from model_runtime.training.world.solids import (
    BOX,
    CYLINDER,
    LIGHTS,
    Group,
    Scene,
    SolidList,
    axes_along,
    bowl,
    frustum,
)
from model_runtime.training.world.textures import TextureBank

GROUND_REACH = 400.0
SUN_DISTANCE = 200.0


def sample_sky(rng: np.random.Generator, bank: TextureBank) -> np.ndarray:
    """Sky numbers as in `Scene`."""
    grey = rng.random() < 0.3
    saturation = rng.uniform(0, 0.12) if grey else rng.uniform(0.25, 0.75)
    zenith = linear_from_hsv(rng.uniform(0.54, 0.64), saturation, rng.uniform(0.5, 0.95))
    hue = rng.uniform(0.04, 0.12) if rng.random() < 0.25 else rng.uniform(0.5, 0.6)
    horizon = linear_from_hsv(hue, saturation * rng.uniform(0.1, 0.7), rng.uniform(0.75, 1.0))
    clouds = bank.families["noise"]
    share = max(0.0, rng.uniform(-0.3, 1.0))
    return np.array([*zenith, *horizon, share, clouds[int(rng.integers(len(clouds)))], rng.random()])


def outdoors(rng: np.random.Generator, bank: TextureBank, difficulty: float) -> Scene:
    """A street, a garden, a square or open land."""
    half = rng.uniform(4.0, 12.0, 2)
    layout = Layout(rng, bank, difficulty, half, 6.0)
    ground = layout.materials.of(("asphalt", "grass", "grass", "stone", "earth", "stone")[int(rng.integers(6))])
    layout.enclosure(BOX, [0, 0, -5.0], [GROUND_REACH, GROUND_REACH, 5.0], np.stack([ground] * 6))
    _backdrop(layout)
    makers = (tree, tree, bush, bench, car, post, sculpture, fence, stall)
    chosen = [makers[int(rng.integers(len(makers)))] for _ in range(3)]
    for _ in range(int(rng.integers(4, 12))):
        make = chosen[int(rng.integers(3))]
        things = SolidList()
        radius, height = make(Group(things, [0, 0, 0], np.eye(3)), layout.materials, rng)
        spot = layout.spot(radius)
        if spot is not None:
            layout.place(things, spot, rng.uniform(0, 2 * np.pi))
            layout.look_here(spot, 0.5 * height, max(radius, height / 2))
    for _ in range(int(rng.integers(0, 3))):
        spot = layout.spot(0.5)
        if spot is not None:
            furniture.clutter(layout.group(spot), layout.materials, rng)
            layout.look_here(spot, 0.3, 0.5)
    stand = np.array([[*(0.5 - 1.3 * half), 0.5], [*(1.3 * half - 0.5), 2.2 if rng.random() < 0.8 else 8.0]])
    return layout.finish(*_lighting(rng), sample_sky(rng, bank), stand)


def _lighting(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    lights = np.zeros((LIGHTS, 8))
    height, around = rng.uniform(0.2, 1.2), rng.uniform(0, 2 * np.pi)
    lights[0, :3] = SUN_DISTANCE * np.array(
        [np.cos(height) * np.cos(around), np.cos(height) * np.sin(around), np.sin(height)]
    )
    lights[0, 7] = 1
    low = 1 - min(1.0, height / 0.6)
    lights[0, 3:6] = rng.choice([0.15, 1.0, 1.3, 1.8]) * np.array([1.0, 0.95 - 0.2 * low, 0.85 - 0.45 * low])
    above = np.array([0.8, 0.9, 1.1]) * rng.uniform(0.3, 0.7)
    return lights, np.stack([above * rng.uniform(0.3, 0.7), above])


def _backdrop(layout: Layout) -> None:
    """Buildings, hedges, walls or hills round about, and lanes on the ground."""
    rng, m, g = layout.rng, layout.materials, layout.group([0, 0])
    kind = int(rng.integers(4))
    reach = float(layout.half.max()) * 1.35
    if kind < 2:
        facade = m.of("facade")
        for k in range(int(rng.integers(4, 12))):
            a = rng.uniform(0, 2 * np.pi) if kind == 0 else np.pi * (k % 2) + rng.normal() * 0.5
            w, d, h = rng.uniform(3, 9), rng.uniform(3, 8), rng.uniform(3, 18)
            distance = reach + d + abs(rng.normal()) * 12
            block = g.at([distance * np.cos(a), distance * np.sin(a), 0], a)
            material = facade if rng.random() < 0.3 else m.of("facade")
            block.box([0, 0, h / 2], [d, w, h / 2], material)
            if rng.random() < 0.4:
                block.box([0, 0, h + 0.3], [d * 1.05, w * 1.03, 0.3], m.of("stone"))
    elif kind == 2:
        hedge = m.of(("leaf", "brick", "stone", "wood")[int(rng.integers(4))], 3.0)
        for sign in (-1, 1):
            h = rng.uniform(0.6, 3.0)
            g.box([0, sign * reach, h / 2], [reach, 0.4, h / 2], hedge)
            if rng.random() < 0.5:
                g.box([sign * reach, 0, h / 2], [0.4, reach, h / 2], hedge)
    for _ in range(int(rng.integers(1, 5))):
        a, size = rng.uniform(0, 2 * np.pi), rng.uniform(10, 40)
        distance = reach + 10 + size * 1.2
        hill = m.of(("grass", "leaf", "stone")[int(rng.integers(3))], 6.0)
        g.ball(
            [distance * np.cos(a), distance * np.sin(a), -1.0], [size, size * 0.8, size * rng.uniform(0.1, 0.35)], hill
        )
    if rng.random() < 0.6:
        lane = m.of(("asphalt", "stone", "earth", "tile", "water")[int(rng.integers(5))])
        g.at([0, rng.uniform(-0.5, 0.5) * layout.half[1], 0], rng.normal() * 0.2).box(
            [0, 0, 0.01], [GROUND_REACH / 4, rng.uniform(0.8, 3.0), 0.01], lane
        )


def tree(g: Group, m: MaterialMaker, rng: np.random.Generator) -> tuple[float, float]:
    h, r = rng.uniform(1.2, 3.0), rng.uniform(0.08, 0.25)
    bark, leaf = m.of("bark"), m.of("leaf", 2.0)
    g.rod([0, 0, 0], [0, 0, h], r, bark, 0.6)
    if rng.random() < 0.35:
        for k in range(3):
            w = 1.2 * r * (9 - 2 * k)
            g.quadric([0, 0, h + 0.9 * k], [w, w, 0.9], frustum(0.1), leaf)
        return 0.6, h + 3.0
    for _ in range(int(rng.integers(3, 7))):
        tip = np.array([*(rng.normal(size=2) * 0.6), h + rng.uniform(0.2, 1.4)])
        g.rod([0, 0, 0.8 * h], tip, 0.4 * r, bark, 0.4)
        g.ball(tip, rng.uniform(0.5, 1.1, 3), leaf)
    return 0.6, h + 1.5


def bush(g: Group, m: MaterialMaker, rng: np.random.Generator) -> tuple[float, float]:
    leaf = m.of("leaf")
    for _ in range(int(rng.integers(2, 5))):
        size = rng.uniform(0.25, 0.6, 3)
        g.ball([*(rng.normal(size=2) * 0.35), size[2] * 0.7], size, leaf)
    return 0.8, 0.9


def bench(g: Group, m: MaterialMaker, rng: np.random.Generator) -> tuple[float, float]:
    wood, iron, w = m.of("wood"), m.of("metal"), rng.uniform(0.6, 1.0)
    for k in range(3):
        g.box([0, -0.15 + 0.13 * k, 0.45], [w, 0.05, 0.018], wood)
        g.box([0, 0.26 + 0.02 * k, 0.58 + 0.13 * k], [w, 0.015, 0.05], wood)
    for sx in (-1, 1):
        for y in (-0.18, 0.2):
            g.rod([sx * w * 0.8, y, 0], [sx * w * 0.8, y, 0.44], 0.025, iron)
        g.beam([sx * w * 0.8, 0.2, 0.44], [sx * w * 0.8, 0.32, 0.9], 0.04, iron)
    return w, 0.9


def car(g: Group, m: MaterialMaker, rng: np.random.Generator) -> tuple[float, float]:
    paint, glass, dark = m.of("lacquer"), m.of("metal"), m.of("asphalt")
    w, length = rng.uniform(0.75, 0.9), rng.uniform(1.7, 2.3)
    g.rounded([0, 0, 0.58], [length, w, 0.32], 0.15, paint)
    g.rounded([-0.2, 0, 1.0], [length * 0.5, w * 0.9, 0.38], 0.2, glass)
    g.rounded([-0.2, 0, 1.33], [length * 0.42, w * 0.8, 0.05], 0.04, paint)
    side = axes_along(np.array([0.0, 1.0, 0.0]))
    for x in (-0.62, 0.62):
        for sy in (-1, 1):
            g.ring([x * length, sy * w, 0.32], 0.23, 0.09, dark, side)
            g.quadric([x * length, sy * w, 0.32], [0.18, 0.18, 0.06], CYLINDER, glass, side)
    return length, 1.4


def post(g: Group, m: MaterialMaker, rng: np.random.Generator) -> tuple[float, float]:
    """A street lamp or a sign."""
    h, iron = rng.uniform(1.8, 4.5), m.of("metal")
    g.rod([0, 0, 0], [0, 0, h], rng.uniform(0.03, 0.07), iron, 0.7)
    if rng.random() < 0.5:
        g.rod([0, 0, h], [0.7, 0, h + 0.2], 0.03, iron)
        g.ball([0.75, 0, h + 0.15], [0.22, 0.15, 0.1], m.of("plaster"))
    elif rng.random() < 0.5:
        g.box([0, -0.05, h - 0.3], [0.4, 0.01, 0.3], m.of("picture"))
    else:
        g.quadric([0, -0.05, h - 0.3], [0.3, 0.3, 0.01], CYLINDER, m.wild(), axes_along(np.array([0.0, 1.0, 0.0])))
    return 0.4, h


def sculpture(g: Group, m: MaterialMaker, rng: np.random.Generator) -> tuple[float, float]:
    """Shells, rings or balls on a plinth."""
    stone, s = m.of(("stone", "metal", "plaster", "lacquer")[int(rng.integers(4))]), rng.uniform(0.5, 1.6)
    g.box([0, 0, 0.25], [s, 0.7 * s, 0.25], m.of("stone"))
    kind = int(rng.integers(3))
    for k in range(int(rng.integers(2, 5))):
        x = (k - 1.5) * 0.5 * s
        if kind == 0:
            lean = axes_along(np.array([rng.uniform(0.4, 1.0), 0.2 * rng.normal(), 0.4]))
            g.quadric([x, 0, 0.5], [0.5 * s, 0.5 * s, s * rng.uniform(0.7, 1.3)], bowl(0.0), stone, lean)
        elif kind == 1:
            lean = axes_along(np.array([rng.normal(), 1.0, 0.3 * rng.normal()]))
            g.ring([x, 0, 0.5 + 0.6 * s], 0.5 * s, 0.1 * s, stone, lean)
        else:
            r = s * rng.uniform(0.2, 0.45)
            g.ball([x, 0.2 * s * rng.normal(), 0.5 + r], r, stone)
    return 1.2 * s, 0.5 + s


def fence(g: Group, m: MaterialMaker, rng: np.random.Generator) -> tuple[float, float]:
    wood, w, h = m.of(("wood", "metal", "plaster")[int(rng.integers(3))]), rng.uniform(1.0, 1.8), rng.uniform(0.6, 1.2)
    for x in np.linspace(-w, w, int(rng.integers(6, 11))):
        g.box([x, 0, h / 2], [0.035, 0.012, h / 2], wood)
    for z in (0.25 * h, 0.8 * h):
        g.box([0, 0.02, z], [w, 0.012, 0.03], wood)
    return w, h


def stall(g: Group, m: MaterialMaker, rng: np.random.Generator) -> tuple[float, float]:
    """A table under a roof on posts, with goods."""
    x, y, h = furniture.table(g, m, rng)
    for k in (-0.5, 0.1, 0.6):
        furniture.small(g.at([k * x, 0, h]), m, rng, 0.35)
    if rng.random() < 0.6:
        pole = m.of("metal")
        for sx in (-1, 1):
            for sy in (-1, 1):
                g.rod([sx * x, sy * y, 0], [sx * x, sy * y, 2.1], 0.02, pole)
        g.quadric([0, 0, 2.3], [1.5 * x, 1.5 * x, 0.2], frustum(0.1), m.of("fabric", 2.0))
    return max(x, y) + 0.2, 1.0
