"""The twelve test scenes: what stands in each and where its six photos are taken from. Metres, +Z up.

Half of them have plain painted walls, which give a feature matcher little to hold on to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import furniture
import numpy as np
import paint
import pieces
import surfaces as su
from shapes import Vector, box, cloth, lathe, panel, place

PHOTOS = 6
PAINTS = {
    "white": (0.88, 0.87, 0.84),
    "cream": (0.84, 0.78, 0.66),
    "grey": (0.66, 0.67, 0.68),
    "blue": (0.5, 0.6, 0.68),
}


@dataclass(frozen=True)
class Scene:
    """One test scene. furnish: builds it. lights: (place, aim, watts, size) of area lamps.

    standpoints: [6] pairs of camera place and what it looks at. lens: millimetres on a sensor 36 mm wide.
    """

    name: str
    walls: str
    furnish: Callable[[], None]
    standpoints: tuple[tuple[Vector, Vector], ...]
    lens: float
    lights: tuple[tuple[Vector, Vector, float, float], ...]
    sky: float = 0.35


def arc(target: Vector, radius: float, start: float, end: float, height: float, seed: int):
    """Standpoints around `target` from angle `start` to `end` (degrees), held by an unsteady hand."""
    rng = np.random.default_rng(seed)
    for angle in np.radians(np.linspace(start, end, PHOTOS)):
        reach = radius * rng.uniform(0.94, 1.06)
        spot = np.array((target[0] + reach * np.cos(angle), target[1] + reach * np.sin(angle), height))
        yield tuple(spot + rng.normal(0, 0.04, 3)), tuple(np.asarray(target) + rng.normal(0, 0.07, 3))


def line(start: Vector, end: Vector, ahead: Vector, seed: int):
    """Standpoints on the way from `start` to `end`, looking `ahead` of themselves."""
    rng = np.random.default_rng(seed)
    for t in np.linspace(0, 1, PHOTOS):
        spot = np.asarray(start) * (1 - t) + np.asarray(end) * t + rng.normal(0, 0.03, 3)
        yield tuple(spot), tuple(spot + ahead + rng.normal(0, 0.06, 3))


def wall_paint(name: str) -> object:
    return su.plain(f"{name} walls", PAINTS[name], 0.9, 3, 0.02)


def floor_boards(seed: int, rgb: su.Rgb) -> object:
    return su.painted("floor", pieces.boards(seed, rgb), "xy", repeat=1.1, roughness=0.5)


def lounge() -> None:
    paper = su.painted("wallpaper", paint.wallpaper(), "xz", repeat=0.8)
    pieces.shell((5.2, 4.6, 2.6), paper, floor_boards(1, (0.6, 0.44, 0.3)))
    rug = su.painted("rug", paint.rug(4), "xy", roughness=1.0)
    place(box("rug", (2.6, 1.9, 0.014)), rug, (2.6, 2.5, 0.007))
    furniture.seat("sofa", 1.9, 3, (2.6, 4.0, 0), 0, (0.5, 0.24, 0.2))
    furniture.seat("armchair", 0.68, 1, (0.95, 2.9, 0), 60, (0.25, 0.36, 0.3))
    furniture.coffee_table((2.6, 2.6, 0.014))
    furniture.throw_pillow(paint.stripes(5, furniture.COOL, True), 0.42, (2.0, 3.92, 0.68), (-22, 6, 5))
    furniture.throw_pillow(paint.stripes(9, furniture.WARM, False), 0.4, (3.2, 3.92, 0.68), (-22, -8, -5))
    furniture.bookshelf((4.95, 2.9, 0), -90)
    furniture.floor_lamp((4.1, 4.2, 0))
    furniture.framed_picture(paint.landscape(14), 0.9, 0.65, (2.6, 4.6, 1.65), 0, (0.2, 0.15, 0.1))


def study() -> None:
    pieces.shell((4.6, 4.2, 2.5), wall_paint("cream"), floor_boards(2, (0.5, 0.36, 0.25)))
    furniture.bookshelf((0.85, 3.98, 0), 0)
    oak = su.painted("desk top", pieces.boards(7, (0.55, 0.38, 0.24)), "xy", repeat=0.9)
    pieces.table((2.9, 3.7, 0), (1.5, 0.7, 0.75), oak)
    pieces.chair((2.85, 3.05, 0), 195, (0.2, 0.3, 0.45))
    furniture.vase(None, (3.45, 3.85, 0.75), 0.26, (0.3, 0.5, 0.55), stems=9)
    place(box("screen", (0.62, 0.03, 0.38), 0.01), su.plain("screen", (0.05, 0.06, 0.08), 0.3), (2.8, 3.88, 1.0))
    place(box("stand", (0.2, 0.14, 0.07)), su.plain("stand", (0.3, 0.3, 0.32), 0.4), (2.8, 3.88, 0.78))
    for k, at in enumerate(((2.35, 3.65), (2.37, 3.66))):
        cover = su.painted("cover", paint.abstract(60 + k, furniture.WARM), "xy", roughness=0.5)
        place(box("book", (0.25, 0.19, 0.03)), cover, (*at, 0.765 + 0.03 * k), (0, 0, 12 + 20 * k))
    furniture.plant((4.2, 3.7, 0), 1.1, 18, 8)
    pieces.cupboard((4.35, 2.2, 0), (1.0, 0.42, 0.8), -90, (0.7, 0.68, 0.62))
    furniture.framed_picture(paint.abstract(31, furniture.COOL), 0.5, 0.66, (2.9, 4.2, 1.75), 0, (0.1, 0.1, 0.1))


def bedroom() -> None:
    carpet = su.plain("carpet", (0.55, 0.5, 0.46), 1.0, 90, 0.3)
    pieces.shell((4.8, 4.6, 2.5), wall_paint("blue"), carpet)
    pieces.bed((2.3, 3.5, 0), 0, paint.stripes(31, furniture.WARM, True))
    for x, seed in ((1.15, 1), (3.45, 2)):
        pieces.cupboard((x, 4.32, 0), (0.45, 0.4, 0.5), 0, (0.62, 0.46, 0.3), doors=1)
        furniture.vase(None, (x, 4.32, 0.5), 0.22, (0.75, 0.6 + 0.1 * seed, 0.4), stems=5 * seed)
    pieces.cupboard((4.45, 2.7, 0), (1.5, 0.58, 2.05), -90, (0.82, 0.8, 0.76), doors=3)
    rug = su.painted("bedside rug", paint.rug(11), "xy", roughness=1.0)
    place(box("rug", (1.5, 1.05, 0.014)), rug, (2.2, 1.9, 0.007), (0, 0, -8))
    furniture.framed_picture(paint.landscape(41), 1.0, 0.6, (2.3, 4.6, 1.6), 0, (0.6, 0.45, 0.28))


def kitchen() -> None:
    walls = su.painted("tiles", pieces.tiles(3, 6, ((0.75, 0.8, 0.8), (0.6, 0.7, 0.72), (0.86, 0.86, 0.82))), "xz", 0.9)
    checks = su.painted("floor tiles", pieces.tiles(5, 4, ((0.3, 0.27, 0.25), (0.72, 0.66, 0.58)), 0.04), "xy", 1.4)
    pieces.shell((4.8, 4.2, 2.6), walls, checks)
    for k in range(5):
        pieces.cupboard((0.6 + 0.9 * k, 3.88, 0), (0.88, 0.6, 0.88), 0, (0.35, 0.45, 0.42), doors=2)
    oak = su.painted("worktop", pieces.boards(9, (0.6, 0.42, 0.26)), "xy", repeat=0.8)
    place(box("worktop", (4.6, 0.64, 0.04), 0.008), oak, (2.4, 3.87, 0.9))
    for k in range(3):
        pieces.cupboard((0.9 + 1.1 * k, 4.02, 1.5), (1.0, 0.34, 0.7), 0, (0.8, 0.78, 0.72), doors=2)
    furniture.vase(None, (3.2, 3.8, 0.92), 0.24, (0.7, 0.3, 0.2), stems=10)
    pot = [(0, 0.01), (0.12, 0), (0.13, 0.02), (0.13, 0.15), (0.12, 0.16), (0.02, 0.19), (0, 0.2)]
    place(lathe("pot", pot), su.plain("steel", (0.6, 0.6, 0.62), 0.3, metallic=1), (1.5, 3.8, 0.92))
    for k in range(4):
        mug = [(0, 0.004), (0.034, 0), (0.04, 0.09), (0.036, 0.09), (0.035, 0.012), (0, 0.01)]
        rgb = furniture.WARM[k]
        place(lathe("mug", mug, 24), su.plain("mug", rgb, 0.3), (2.1 + 0.13 * k, 3.75 + 0.04 * (k % 2), 0.92))
    top = su.painted("cloth", paint.stripes(13, furniture.COOL, True), "xy", repeat=0.7)
    pieces.table((2.3, 2.1, 0), (1.3, 0.8, 0.75), top)
    pieces.chair((1.4, 2.15, 0), 90, (0.6, 0.25, 0.2))
    pieces.chair((3.2, 2.05, 0), -90, (0.6, 0.25, 0.2))
    place(lathe("bowl", [(0, 0.01), (0.06, 0), (0.14, 0.08), (0.13, 0.08), (0, 0.02)]), oak, (2.4, 2.1, 0.75))


def gallery() -> None:
    pieces.shell((6.0, 4.8, 3.0), wall_paint("white"), su.plain("concrete", (0.55, 0.54, 0.52), 0.7, 5, 0.15))
    black = (0.08, 0.08, 0.08)
    for k, x in enumerate((0.9, 2.3, 3.7, 5.1)):
        picture = paint.landscape(50 + k) if k % 2 else paint.abstract(50 + k, furniture.COOL)
        wide, tall = (0.95, 0.7) if k % 2 else (0.62, 0.84)
        furniture.framed_picture(picture, wide, tall, (x, 4.8, 1.6), 0, black)
    furniture.framed_picture(paint.abstract(71, furniture.WARM), 0.8, 1.1, (0, 3.2, 1.6), 90, black)
    furniture.framed_picture(paint.landscape(72), 1.1, 0.8, (6.0, 3.2, 1.6), -90, black)
    pieces.pedestal((1.7, 3.3), 1.0, "vase", (0.35, 0.5, 0.6))
    pieces.pedestal((3.1, 3.7), 0.9, "ball", (0.6, 0.4, 0.3))
    pieces.pedestal((4.5, 3.1), 1.0, "plant", (0.5, 0.5, 0.5))
    oak = su.painted("bench", pieces.boards(17, (0.5, 0.34, 0.22)), "xy", repeat=0.6)
    pieces.table((3.0, 2.3, 0), (1.5, 0.4, 0.44), oak)


def library() -> None:
    pieces.shell(
        (5.4, 4.6, 2.7),
        su.painted("panelling", pieces.boards(21, (0.42, 0.29, 0.19)), "zx", repeat=1.2),
        floor_boards(4, (0.45, 0.31, 0.2)),
    )
    for x in (0.95, 2.7, 4.45):
        furniture.bookshelf((x, 4.36, 0), 0)
    furniture.bookshelf((0.24, 2.7, 0), 90)
    rug = su.painted("rug", paint.rug(23), "xy", roughness=1.0)
    place(box("rug", (2.4, 1.75, 0.014)), rug, (2.7, 2.5, 0.007), (0, 0, 4))
    furniture.seat("armchair", 0.72, 1, (1.7, 3.2, 0), 20, (0.45, 0.16, 0.13))
    furniture.seat("armchair", 0.72, 1, (3.9, 3.1, 0), -35, (0.45, 0.16, 0.13))
    furniture.floor_lamp((2.75, 3.9, 0))
    pieces.crate((2.75, 2.75, 0.014), (0.5, 0.5, 0.42), 20, 3)


def hallway() -> None:
    stripes = su.painted(
        "striped paper", paint.stripes(61, ((0.75, 0.7, 0.6), (0.6, 0.62, 0.55), (0.83, 0.8, 0.74)), False), "xz", 1.1
    )
    floor = su.painted(
        "floor tiles", pieces.tiles(15, 5, ((0.25, 0.26, 0.3), (0.8, 0.78, 0.74), (0.6, 0.4, 0.3))), "xy", 1.5
    )
    pieces.shell((2.4, 8.0, 2.6), stripes, floor)
    for y, turn, x in ((5.0, 90, 0.0), (6.6, -90, 2.4), (3.2, -90, 2.4)):
        pieces.door((x, y, 0), turn, (0.72, 0.7, 0.64))
    pieces.door((1.2, 8.0, 0), 0, (0.32, 0.2, 0.16))
    furniture.framed_picture(paint.landscape(81), 0.6, 0.45, (0, 3.6, 1.6), 90, (0.5, 0.36, 0.2))
    furniture.framed_picture(paint.abstract(82, furniture.WARM), 0.45, 0.6, (0, 6.4, 1.6), 90, (0.1, 0.1, 0.1))
    furniture.framed_picture(paint.abstract(83, furniture.COOL), 0.45, 0.6, (2.4, 4.8, 1.6), -90, (0.1, 0.1, 0.1))
    pieces.cupboard((2.2, 4.2, 0), (0.9, 0.34, 0.8), -90, (0.5, 0.36, 0.24))
    furniture.vase(None, (2.2, 4.2, 0.8), 0.28, (0.3, 0.42, 0.55), stems=12)
    furniture.plant((0.35, 7.3, 0), 1.0, 16, 17)
    rug = su.painted("runner", paint.rug(27), "yx", roughness=1.0)
    place(box("rug", (1.0, 3.6, 0.012)), rug, (1.2, 5.4, 0.006))


def dining() -> None:
    pieces.shell((4.8, 4.6, 2.6), wall_paint("grey"), floor_boards(6, (0.68, 0.52, 0.36)))
    oak = su.painted("table top", pieces.boards(27, (0.5, 0.33, 0.2)), "xy", repeat=0.9)
    pieces.table((2.4, 2.9, 0), (1.8, 0.95, 0.75), oak)
    for x, y, turn in (
        (1.85, 2.2, 180),
        (2.95, 2.25, 172),
        (1.8, 3.6, 4),
        (3.0, 3.6, -6),
        (1.15, 2.9, 92),
        (3.7, 2.95, -85),
    ):
        pieces.chair((x, y, 0), turn, (0.7, 0.55, 0.3))
    furniture.vase(None, (2.45, 2.9, 0.75), 0.3, (0.55, 0.6, 0.5), stems=14)
    plate = [(0, 0.004), (0.08, 0), (0.13, 0.018), (0.128, 0.022), (0.08, 0.006), (0, 0.008)]
    for x, y in ((1.85, 2.6), (2.95, 2.6), (1.85, 3.2), (2.95, 3.2)):
        place(lathe("plate", plate), su.plain("china", (0.85, 0.87, 0.9), 0.3), (x, y, 0.75))
    pieces.cupboard((2.4, 4.36, 0), (1.8, 0.42, 0.85), 0, (0.42, 0.3, 0.2), doors=3)
    furniture.framed_picture(paint.landscape(91), 1.2, 0.7, (2.4, 4.6, 1.7), 0, (0.3, 0.22, 0.14))
    furniture.plant((4.3, 4.1, 0), 1.3, 20, 29)


def workshop() -> None:
    brick = su.painted("bricks", pieces.bricks(3), "xz", repeat=1.0, roughness=0.95)
    pieces.shell((5.4, 4.8, 3.0), brick, su.plain("screed", (0.45, 0.44, 0.42), 0.85, 6, 0.3))
    rng = np.random.default_rng(12)
    for k, (x, y, z) in enumerate(
        (
            (0.6, 4.2, 0),
            (1.3, 4.3, 0),
            (0.75, 4.25, 0.55),
            (4.6, 4.2, 0),
            (4.65, 4.25, 0.6),
            (3.9, 4.4, 0),
            (4.7, 3.3, 0),
        )
    ):
        size = (float(rng.uniform(0.5, 0.7)), float(rng.uniform(0.45, 0.6)), (0.55, 0.6)[k > 2])
        pieces.crate((x, y, z), size, float(rng.uniform(-18, 18)), k)
    oak = su.painted("bench top", pieces.boards(37, (0.5, 0.36, 0.24)), "xy", repeat=0.6)
    pieces.table((2.6, 4.1, 0), (1.8, 0.7, 0.9), oak)
    for k in range(5):
        rgb = furniture.COOL[k] if k % 2 else furniture.WARM[k]
        tin = [(0, 0), (0.06, 0), (0.06, 0.14 + 0.02 * k), (0, 0.14 + 0.02 * k)]
        place(lathe("tin", tin, 24), su.plain("tin", rgb, 0.4), (1.9 + 0.2 * k, 4.15 + 0.05 * (k % 3), 0.9))
    pieces.chair((2.5, 3.2, 0), 160, (0.3, 0.3, 0.3))
    furniture.framed_picture(paint.abstract(99, furniture.WARM), 0.5, 0.7, (2.6, 4.8, 1.9), 0, (0.1, 0.1, 0.1))


def still_life() -> None:
    paper = su.painted("backdrop", paint.stripes(71, furniture.COOL[:4], True), "xz", repeat=1.2)
    pieces.shell((3.4, 3.4, 2.4), paper, floor_boards(8, (0.5, 0.38, 0.27)))
    plaid = su.painted("table cloth", paint.stripes(73, furniture.WARM, True), "xy", repeat=0.8)
    pieces.table((1.7, 1.9, 0), (1.2, 0.9, 0.72), plaid)
    furniture.vase(None, (1.75, 2.1, 0.72), 0.34, (0.35, 0.45, 0.3), stems=16)
    orange, apple = su.plain("orange", (0.9, 0.48, 0.1), 0.45, 160), su.plain("apple", (0.65, 0.15, 0.1), 0.3, 12, 0.3)
    for k, (x, y) in enumerate(((1.5, 1.78), (1.58, 1.7), (1.62, 1.82), (1.86, 1.72), (2.02, 1.8))):
        place(furniture.ball("fruit", 0.042), apple if k % 2 else orange, (x, y, 0.762))
    jug = [(0, 0), (0.07, 0), (0.09, 0.08), (0.06, 0.2), (0.05, 0.24), (0.06, 0.26), (0.05, 0.25), (0, 0.05)]
    place(lathe("jug", jug), su.plain("glaze", (0.3, 0.42, 0.6), 0.25, 8, 0.25), (1.4, 2.05, 0.72))
    for k in range(3):
        cover = su.painted("cover", paint.abstract(110 + k, furniture.COOL), "xy", roughness=0.5)
        place(box("book", (0.26, 0.2, 0.035)), cover, (2.05, 2.05, 0.7375 + 0.035 * k), (0, 0, 25 - 18 * k))
    fold = [(-0.25, 0.02), (-0.1, 0.004), (0.1, 0.01), (0.22, 0.004)]
    napkin = su.painted("napkin", paint.stripes(75, furniture.COOL, True))
    place(cloth("napkin", fold, 0.3, 0.004, 6), napkin, (1.75, 1.62, 0.722), (0, 0, 20))
    furniture.bookshelf((1.0, 3.2, 0), 0)


def bathroom() -> None:
    floor = su.painted("floor tiles", pieces.tiles(35, 6, ((0.8, 0.8, 0.78), (0.7, 0.72, 0.74)), 0.05), "xy", 1.8)
    pieces.shell((4.2, 4.0, 2.5), wall_paint("white"), floor)
    pieces.bathtub((2.2, 3.3, 0), 0)
    pieces.cupboard((0.35, 2.4, 0), (0.9, 0.5, 0.8), 90, (0.5, 0.4, 0.3))
    basin = [(0, 0.02), (0.1, 0.0), (0.22, 0.1), (0.23, 0.13), (0.21, 0.12), (0.1, 0.03), (0, 0.04)]
    place(lathe("basin", basin), su.plain("basin", (0.92, 0.92, 0.9), 0.25, 40, 0.02), (0.35, 2.4, 0.8))
    furniture.plant((3.75, 3.6, 0), 1.1, 18, 33)
    mat = su.painted("bath mat", paint.stripes(81, furniture.COOL, True), "xy", repeat=0.6)
    place(box("mat", (0.9, 0.6, 0.02)), mat, (2.0, 2.3, 0.01), (0, 0, 7))
    pieces.chair((3.5, 2.5, 0), -110, (0.85, 0.83, 0.78))
    towel = su.painted("towel", paint.stripes(83, furniture.WARM, False))
    place(cloth("towel", [(-0.02, -0.6), (-0.01, 0), (0.01, 0), (0.02, -0.5)], 0.45, 0.003, 5), towel, (0.03, 3.4, 1.5))
    furniture.framed_picture(paint.landscape(103), 0.6, 0.42, (2.2, 4.0, 1.6), 0, (0.8, 0.78, 0.72))


def attic() -> None:
    pieces.shell((4.8, 4.4, 2.4), wall_paint("cream"), floor_boards(10, (0.42, 0.3, 0.21)))
    beam = su.painted("beam", pieces.boards(41, (0.36, 0.25, 0.17)), "yx", repeat=0.4)
    for x in (0.9, 2.4, 3.9):
        place(box("beam", (0.14, 4.4, 0.18), 0.01), beam, (x, 2.2, 2.31))
        place(box("post", (0.14, 0.14, 2.24), 0.01), beam, (x, 4.3, 1.12))
    for k, (x, y, z) in enumerate(((0.7, 3.7, 0), (0.75, 3.75, 0.5), (1.4, 3.9, 0), (4.3, 3.3, 0))):
        pieces.crate((x, y, z), (0.6, 0.5, 0.5), (8, -12, 20, 80)[k], 30 + k)
    furniture.seat("armchair", 0.7, 1, (2.5, 3.6, 0), 12, (0.62, 0.5, 0.22))
    furniture.throw_pillow(paint.stripes(91, furniture.COOL, True), 0.38, (2.47, 3.55, 0.68), (-20, 6, 12))
    furniture.floor_lamp((3.3, 3.95, 0))
    rug = su.painted("rug", paint.rug(37), "xy", roughness=1.0)
    place(box("rug", (1.9, 1.4, 0.014)), rug, (2.5, 2.5, 0.007), (0, 0, -12))
    furniture.vase(None, (1.4, 3.9, 0.5), 0.3, (0.6, 0.4, 0.5), stems=10)
    place(panel("print", 0.7, 0.5), su.painted("print", paint.landscape(121)), (3.1, 4.395, 1.35))


CEILING_LAMP = ((2.5, 2.2, 2.35), (2.5, 2.4, 0), 70.0, 1.2)
SIDE_LAMP = ((0.4, 0.5, 2.1), (2.8, 3.0, 0.6), 45.0, 0.8)
LAMPS = (CEILING_LAMP, SIDE_LAMP)
BRIGHT_LAMPS = tuple((at, aim, 2 * watts, size) for at, aim, watts, size in LAMPS)
"""For dark walls."""

SCENES = tuple(
    Scene(furnish.__name__, walls, furnish, tuple(standpoints), lens, lamps)
    for furnish, walls, standpoints, lens, lamps in (
        (lounge, "textured", arc((2.5, 3.3, 0.8), 2.6, -128, -55, 1.5, 1), 25.0, LAMPS),
        (study, "plain", arc((2.3, 3.4, 0.9), 2.6, -122, -62, 1.45, 2), 24.0, LAMPS),
        (bedroom, "plain", arc((2.4, 3.2, 0.7), 2.7, -118, -58, 1.6, 3), 23.0, LAMPS),
        (kitchen, "textured", arc((2.3, 2.9, 0.95), 2.3, -125, -58, 1.55, 4), 22.0, LAMPS),
        (
            gallery,
            "plain",
            line((1.4, 0.9, 1.6), (4.4, 0.8, 1.55), (0.1, 2.6, -0.2), 5),
            25.0,
            (((3.0, 2.2, 2.9), (3.0, 2.6, 0), 120.0, 2.0), SIDE_LAMP),
        ),
        (library, "textured", arc((2.7, 3.2, 0.9), 2.7, -130, -62, 1.5, 6), 26.0, BRIGHT_LAMPS),
        (
            hallway,
            "textured",
            line((0.9, 0.6, 1.5), (1.5, 2.6, 1.55), (0.05, 3.0, -0.35), 7),
            24.0,
            (((1.2, 3.0, 2.5), (1.2, 3.2, 0), 80.0, 0.9), ((1.2, 6.2, 2.5), (1.2, 6.2, 0), 80.0, 0.9)),
        ),
        (dining, "plain", arc((2.4, 3.0, 0.8), 2.4, -130, -50, 1.65, 8), 24.0, LAMPS),
        (workshop, "textured", arc((2.7, 3.6, 0.8), 3.0, -120, -60, 1.5, 9), 25.0, BRIGHT_LAMPS),
        (
            still_life,
            "textured",
            arc((1.72, 1.9, 0.8), 1.15, -140, -45, 1.25, 10),
            30.0,
            (((1.7, 1.4, 2.3), (1.7, 2.0, 0.7), 40.0, 0.9), ((0.3, 0.5, 2.0), (1.7, 2.0, 0.7), 25.0, 0.6)),
        ),
        (bathroom, "plain", arc((2.1, 3.0, 0.6), 2.4, -125, -60, 1.5, 11), 23.0, LAMPS),
        (attic, "plain", arc((2.5, 3.3, 0.8), 2.5, -122, -58, 1.45, 12), 24.0, LAMPS),
    )
)
