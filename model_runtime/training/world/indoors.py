"""Furnished rooms: living rooms, bedrooms, studies, halls, galleries, store rooms, and tables seen close up."""

import numpy as np

from model_runtime.training.world import furniture
from model_runtime.training.world.layout import Layout
from model_runtime.training.world.materials import linear_from_hsv
from model_runtime.training.world.outdoors import sample_sky
from model_runtime.training.world.solids import CYLINDER, LIGHTS, SHELL, Group, Scene, SolidList, frustum
from model_runtime.training.world.textures import TextureBank

WALLS = ("plaster", "plaster", "plaster", "paint", "paint", "wallpaper", "brick", "tile", "wood", "concrete")
FLOORS = ("parquet", "parquet", "tile", "carpet", "concrete", "stone")
AT_WALL = ("sofa", "cabinet", "shelf", "bed", "cabinet", "shelf", "tub", "lamp")
THEMES: dict[str, tuple[str, ...]] = {
    "living": ("sofa", "sofa", "table", "shelf", "lamp", "plant", "cabinet", "chair", "animal"),
    "bedroom": ("bed", "cabinet", "cabinet", "chair", "lamp", "plant", "clutter"),
    "dining": ("cabinet", "shelf", "plant", "lamp", "cabinet"),
    "study": ("shelf", "shelf", "chair", "lamp", "cabinet", "plant"),
    "store": ("crates", "crates", "crates", "cabinet", "chair", "table", "clutter", "shelf"),
    "bath": ("tub", "cabinet", "plant", "chair", "crates"),
    "gallery": ("pedestal", "pedestal", "pedestal", "plant", "chair"),
    "any": tuple(furniture.FURNITURE),
}


def room(rng: np.random.Generator, bank: TextureBank, difficulty: float) -> Scene:
    """A furnished room; cameras may stand anywhere in it."""
    half = rng.uniform(1.4, 3.3, 2)
    if rng.random() < 0.15:
        half = np.array([rng.uniform(0.8, 1.2), rng.uniform(2.5, 4.5)])
    height = rng.uniform(2.2, 3.3)
    layout = Layout(rng, bank, difficulty, half, height)
    _shell(layout)
    theme = list(THEMES)[int(rng.integers(len(THEMES)))]
    if theme in ("dining", "study", "living") or rng.random() < 0.3:
        _table_with_things(layout, chairs=4 if theme == "dining" else int(rng.integers(0, 3)))
    names = THEMES[theme]
    for _ in range(int(rng.integers(4, 11))):
        _furnish(layout, names[int(rng.integers(len(names)))])
    _fittings(layout)
    if rng.random() < 0.75:
        _rug(layout)
    stand = np.array([[*(0.25 - half), 0.3], [*(half - 0.25), min(2.0, height - 0.3)]])
    return layout.finish(*_lighting(layout), sample_sky(rng, bank), stand)


def _shell(layout: Layout) -> None:
    rng, m = layout.rng, layout.materials
    walls = m.of(WALLS[int(rng.integers(len(WALLS)))])
    faces = np.stack([walls] * 6)
    if rng.random() < 0.3:
        faces[int(rng.integers(4))] = m.of(WALLS[int(rng.integers(len(WALLS)))])
    faces[4] = m.of(FLOORS[int(rng.integers(len(FLOORS)))])
    faces[5] = m.of("ceiling" if rng.random() < 0.85 else "wood")
    h = layout.height / 2
    layout.enclosure(SHELL, [0, 0, h], [*layout.half, h], faces)


def _furnish(layout: Layout, name: str) -> None:
    """One piece of furniture, along a wall or anywhere."""
    rng, m = layout.rng, layout.materials
    if name == "pedestal":
        if (spot := layout.spot(0.35)) is not None:
            s, h = rng.uniform(0.14, 0.25), rng.uniform(0.5, 1.1)
            g = layout.group(spot, rng.uniform(0, np.pi))
            g.box([0, 0, h / 2], [s, s, h / 2], m.of("plaster"))
            furniture.small(layout.group(spot, z=h), m, rng, 2 * s)
            layout.look_here(spot, h, 0.5)
        return
    make = furniture.FURNITURE[name]
    things = SolidList()
    width, depth, height = make(Group(things, [0, 0, 0], np.eye(3)), m, rng)
    if height > layout.height - 0.1:
        return
    if name in AT_WALL and rng.random() < 0.85:
        found = layout.wall_spot(width, depth)
    else:
        open_spot = layout.spot(0.8 * max(width, depth))
        found = None if open_spot is None else (open_spot, rng.uniform(0, 2 * np.pi))
    if found is None:
        return
    spot, yaw = found
    layout.place(things, spot, yaw)
    layout.look_here(spot, height * rng.uniform(0.3, 0.8), max(width, depth, height / 2))
    if name == "cabinet" and height < 1.3:
        for x in np.linspace(-0.7, 0.7, int(rng.integers(1, 4))):
            on_top = layout.group(spot, yaw).at([x * width, 0, height])
            furniture.small(on_top, m, rng, rng.uniform(0.15, 0.4))


def _table_with_things(layout: Layout, chairs: int) -> None:
    rng, m = layout.rng, layout.materials
    spot = layout.spot(0.8)
    if spot is None:
        return
    yaw = rng.uniform(0, np.pi) if rng.random() < 0.5 else float(rng.integers(2)) * np.pi / 2
    g = layout.group(spot, yaw)
    x, y, h = furniture.table(g, m, rng)
    count = int(rng.integers(1, 7))
    for k in range(count):
        s = rng.uniform(0.12, 0.45)
        at = [x * (2 * (k + 0.5) / count - 1) * 0.8, y * rng.uniform(-0.7, 0.7), h + 0.006]
        furniture.small(g.at(at), m, rng, s)
        layout.look_here(g.world(at)[:2], h + 0.3 * s, s)
    layout.look_here(spot, h, max(x, y))
    for k in range(chairs):
        side = -1 if k % 2 else 1
        at = [x * rng.uniform(-0.6, 0.6), side * (y + rng.uniform(0.05, 0.3)), 0]
        furniture.chair(g.at(at, (np.pi if side < 0 else 0) + rng.normal() * 0.2), m, rng)


def _rug(layout: Layout) -> None:
    rng, m = layout.rng, layout.materials
    x, y = rng.uniform(0.4, 1.3), rng.uniform(0.35, 0.9)
    spot = rng.uniform(-0.5, 0.5, 2) * layout.half
    rug = m.of("rug")
    rug[1], rug[2:4] = 2 * max(x, y), 0.5
    g = layout.group(spot, rng.uniform(0, np.pi) if rng.random() < 0.6 else 0.0)
    if rng.random() < 0.15:
        g.quadric([0, 0, 0.005], [y, y, 0.005], CYLINDER, rug)
    else:
        g.box([0, 0, 0.006], [x, y, 0.006 + rng.choice([0, 0.015])], rug)
    layout.look_here(spot, 0.05, x)


def _fittings(layout: Layout) -> None:
    """Skirting, pictures, doors, windows with curtains, beams and a lamp on the ceiling."""
    rng, m, half, height = layout.rng, layout.materials, layout.half, layout.height
    if rng.random() < 0.6:
        board, z = m.of("plaster" if rng.random() < 0.6 else "wood"), rng.uniform(0.03, 0.07)
        g = layout.group([0, 0])
        for sign in (-1, 1):
            g.box([0, sign * half[1], z], [half[0], 0.015, z], board)
            g.box([sign * half[0], 0, z], [0.015, half[1], z], board)
    for wall in range(4):
        for _ in range(int(rng.integers(0, 3))):
            _on_wall(layout, wall)
    if rng.random() < 0.2:
        beam = m.of("wood")
        for x in np.linspace(-0.7, 0.7, int(rng.integers(2, 5))):
            layout.group([x * half[0], 0]).box([0, 0, height - 0.08], [0.07, half[1], 0.08], beam)
    if rng.random() < 0.3:
        spot, drop = rng.uniform(-0.4, 0.4, 2) * half, rng.uniform(0.2, 0.8)
        g = layout.group(spot, z=height)
        g.rod([0, 0, -drop], [0, 0, 0], 0.006, m.of("metal"))
        shade = m.glowing(np.array([1.0, 0.9, 0.7]), rng.uniform(0.2, 2.0))
        g.quadric([0, 0, -drop], [0.2, 0.2, 0.1], frustum(rng.uniform(0.2, 1.0), (False, False)), shade)
    if rng.random() < 0.12:
        # A sloping ceiling as under a roof.
        lean = rng.uniform(0.5, 0.9)
        axes = np.array([[np.cos(lean), 0, np.sin(lean)], [0, 1, 0], [-np.sin(lean), 0, np.cos(lean)]])
        roof = m.of("plaster")
        g = layout.group([half[0], 0], z=height)
        g.box([-0.1, 0, -0.1], [0.9, half[1], 0.05], roof, axes)


def _on_wall(layout: Layout, wall: int) -> None:
    rng, m, height = layout.rng, layout.materials, layout.height
    along, across = (0, 1) if wall < 2 else (1, 0)
    sign = 1.0 if wall % 2 else -1.0
    spot = np.zeros(2)
    spot[along] = rng.uniform(-0.8, 0.8) * layout.half[along]
    spot[across] = sign * layout.half[across]
    inward = -sign * np.eye(2)[across]
    g = layout.group(spot, float(np.arctan2(inward[1], inward[0]) + np.pi / 2))
    frame = m.of(("wood", "lacquer", "plaster", "metal")[int(rng.integers(4))])
    kind = rng.random()
    if kind < 0.55:
        w, h, z = rng.uniform(0.12, 0.5), rng.uniform(0.12, 0.4), rng.uniform(1.2, 1.7)
        picture = m.of("picture")
        picture[1], picture[2:4] = 2 * max(w, h), 0.5
        g.box([0, -0.01, z], [w + 0.03, 0.012, h + 0.03], frame)
        g.box([0, -0.024, z], [w, 0.004, h], picture)
        layout.look_here(spot * 0.97, z - 0.3, 0.9)
    elif kind < 0.75:
        w, h = rng.uniform(0.38, 0.5), min(1.02, height / 2 - 0.1)
        g.box([0, -0.005, h], [w + 0.07, 0.012, h + 0.07], frame)
        g.box([0, -0.02, h], [w, 0.012, h], m.of("wood" if rng.random() < 0.5 else "lacquer"))
        g.ball([0.8 * w, -0.06, h], 0.025, m.of("metal"))
    elif kind < 0.95:
        w, h, z = rng.uniform(0.35, 0.9), rng.uniform(0.4, 0.65), rng.uniform(1.3, 1.5)
        pane = m.glowing(
            linear_from_hsv(rng.uniform(0.45, 0.65), rng.uniform(0, 0.4), 0.9), rng.uniform(0.6, 2.5), "landscape"
        )
        pane[1] = 2 * w
        g.box([0, -0.004, z], [w, 0.006, h], pane)
        for x in np.linspace(-w, w, int(rng.integers(2, 5))):
            g.box([x, -0.02, z], [0.025, 0.025, h + 0.03], frame)
        for z_bar in (z - h, z + h):
            g.box([0, -0.02, z_bar], [w + 0.03, 0.03, 0.025], frame)
        if rng.random() < 0.4:
            cloth = m.of("fabric", 2.0)
            for side in (-1, 1):
                for k in range(3):
                    x = side * (w + 0.05 - 0.11 * k)
                    g.rod([x, -0.07, 0.05], [x, -0.07, z + h + 0.1], 0.055, cloth)
    else:
        board = m.of("wood")
        g.box([0, -0.12, 1.4], [0.45, 0.12, 0.012], board)
        for x in (-0.3, 0.0, 0.3):
            furniture.small(g.at([x, -0.12, 1.412]), m, rng, 0.2)


def _lighting(layout: Layout) -> tuple[np.ndarray, np.ndarray]:
    rng = layout.rng
    lights = np.zeros((LIGHTS, 8))
    warmth = rng.normal() * 0.12
    for number in range(int(rng.choice([1, 2, 2, 3]))):
        limit = layout.half * 0.85
        spot = rng.uniform(-limit, limit)
        lights[number, :3] = [*spot, layout.height * rng.uniform(0.6, 0.97)]
        colour = np.array([1 + warmth, 1.0, 1 - 1.5 * warmth]) * (1 + 0.06 * rng.normal(size=3))
        lights[number, 3:6] = colour.clip(0.3, 1.8) * rng.uniform(0.4, 1.8)
        lights[number, 6] = rng.uniform(0.05, 0.5)
        lights[number, 7] = number == 0 or (number == 1 and rng.random() < 0.5)
    tint = np.array([1 + 0.7 * warmth, 1.0, 1 - warmth])
    above = rng.uniform(0.2, 0.7) * tint
    ambient = np.stack([above * rng.uniform(0.4, 0.9), above])
    return lights, ambient.clip(0.05, 1.5)
