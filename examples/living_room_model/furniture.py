"""The pieces of furniture. Each function builds one piece and puts it into the room."""

from __future__ import annotations

import numpy as np
import paint
import surfaces as su
from shapes import Vector, anchor, box, cloth, grid, lathe, panel, pillow, place

WARM = ((0.78, 0.45, 0.22), (0.9, 0.83, 0.7), (0.35, 0.2, 0.15), (0.62, 0.25, 0.18), (0.85, 0.66, 0.38))
COOL = ((0.16, 0.28, 0.42), (0.86, 0.84, 0.78), (0.35, 0.5, 0.55), (0.75, 0.55, 0.3), (0.1, 0.14, 0.2))


def seat(name: str, width: float, seats: int, at: Vector, turn: float, rgb: su.Rgb) -> None:
    """A sofa or an armchair that faces -Y before it is turned about Z."""
    root = anchor(name, at, (0, 0, turn))
    cloth_, legs = su.fabric(name + " cloth", rgb), su.wood(name + " legs", (0.36, 0.22, 0.13), "z")
    place(box("base", (width, 0.82, 0.2), 0.03), cloth_, (0, 0, 0.24), parent=root)
    place(box("back", (width, 0.2, 0.62), 0.07, 6), cloth_, (0, 0.36, 0.5), (-7, 0, 0), root)
    for side in (-1, 1):
        place(box("arm", (0.18, 0.86, 0.46), 0.07, 6), cloth_, (side * (width / 2 + 0.03), 0, 0.4), parent=root)
        for y in (-0.34, 0.34):
            leg = lathe("leg", [(0.018, -0.07), (0.028, 0.07)], 16)
            place(leg, legs, (side * (width / 2 - 0.08), y, 0.07), parent=root)
    each = (width - 0.16) / seats
    for k in range(seats):
        x = (k - (seats - 1) / 2) * each
        place(box("seat cushion", (each - 0.01, 0.66, 0.17), 0.055, 6), cloth_, (x, -0.07, 0.42), parent=root)
        back = pillow("back cushion", each - 0.01, 0.5, 0.27)
        place(back, cloth_, (x, 0.2, 0.7), (-14, 0, 0), root)


def throw_pillow(picture: np.ndarray, size: float, at: Vector, turn: Vector) -> None:
    place(pillow("throw pillow", size, size, size * 0.36), su.painted("throw pillow", picture), at, turn)


def coffee_table(at: Vector) -> None:
    """A low table with a shelf under its top, and what lies on it."""
    root = anchor("coffee table", at)
    oak, dark = su.wood("table top", (0.62, 0.42, 0.25), "x", 0.3), su.plain("table legs", (0.1, 0.1, 0.1), 0.4)
    place(box("top", (1.15, 0.62, 0.035), 0.01), oak, (0, 0, 0.42), parent=root)
    place(box("shelf", (1.0, 0.5, 0.02), 0.006), oak, (0, 0, 0.16), parent=root)
    for x in (-0.52, 0.52):
        for y in (-0.26, 0.26):
            place(box("leg", (0.03, 0.03, 0.41), 0.005), dark, (x, y, 0.205), parent=root)
    rng = np.random.default_rng(5)
    height = 0.4375
    for k, (width, depth, thick) in enumerate(((0.3, 0.22, 0.035), (0.27, 0.2, 0.03), (0.22, 0.16, 0.025))):
        cover = su.painted("cover", paint.abstract(40 + k, COOL if k % 2 else WARM), "xy", roughness=0.4)
        spot = (-0.33 + 0.01 * k, -0.05, height + thick / 2)
        place(box("book", (width, depth, thick), 0.004), cover, spot, (0, 0, float(rng.normal(15, 12))), root)
        height += thick
    bowl = [
        (0.0, 0.01),
        (0.05, 0.0),
        (0.11, 0.03),
        (0.145, 0.085),
        (0.15, 0.09),
        (0.138, 0.085),
        (0.1, 0.04),
        (0, 0.02),
    ]
    place(lathe("bowl", bowl), su.plain("bowl", (0.2, 0.34, 0.42), 0.25), (0.06, 0.03, 0.4375), parent=root)
    orange = su.plain("orange", (0.9, 0.48, 0.1), 0.45, 160)
    for k in range(5):
        a = k * 2 * np.pi / 4
        spot = (0.06 + 0.055 * np.cos(a), 0.03 + 0.055 * np.sin(a), 0.505) if k < 4 else (0.06, 0.03, 0.565)
        place(ball("orange", 0.043), orange, spot, parent=root)
    mug = [(0, 0.004), (0.034, 0), (0.04, 0.008), (0.04, 0.09), (0.036, 0.09), (0.035, 0.012), (0, 0.01)]
    place(lathe("mug", mug, 32), su.plain("mug", (0.75, 0.28, 0.2), 0.3), (0.28, -0.18, 0.4375), parent=root)
    magazine = su.painted("magazine", paint.landscape(12), "xy", roughness=0.3)
    place(box("magazine", (0.29, 0.21, 0.008), 0.002), magazine, (0.02, -0.19, 0.4415), (0, 0, -12), root)
    place(box("magazine", (0.29, 0.21, 0.03), 0.002), magazine, (0.2, 0.0, 0.186), (0, 0, 24), root)
    vase(root, (0.4, 0.12, 0.4375), 0.2, (0.87, 0.82, 0.74), stems=14)


def ball(name: str, radius: float, sides: int = 32) -> object:
    angle = np.linspace(-np.pi / 2, np.pi / 2, 17)
    return lathe(name, list(zip(radius * np.cos(angle), radius * np.sin(angle), strict=True)), sides)


def vase(root: object, at: Vector, height: float, rgb: su.Rgb, stems: int = 0) -> None:
    """A vase, with dried grasses when stems > 0."""
    shape = (
        (0.3, 0),
        (0.42, 0.1),
        (0.5, 0.35),
        (0.4, 0.62),
        (0.18, 0.82),
        (0.16, 0.92),
        (0.22, 1),
        (0.17, 0.98),
        (0.1, 0.8),
    )
    profile = [(r * height, h * height) for r, h in shape]
    place(lathe("vase", profile), su.plain("vase", rgb, 0.35, 60, 0.2), at, parent=root)
    rng = np.random.default_rng(3)
    straw, ear = su.plain("straw", (0.62, 0.5, 0.3), 0.8), su.plain("ear", (0.78, 0.62, 0.4), 0.9, 200, 0.3)
    for _ in range(stems):
        lean, turn = float(rng.uniform(3, 24)), float(rng.uniform(0, 360))
        length = float(rng.uniform(0.25, 0.42))
        foot = (at[0], at[1], at[2] + height * 0.85)
        place(lathe("stem", [(0.0016, 0), (0.0014, length)], 6), straw, foot, (lean, 0, turn), root)
        tip = [(0.001, length * 0.72), (0.011, length * 0.82), (0.009, length * 0.95), (0.001, length * 1.08)]
        place(lathe("ear", tip, 10), ear, foot, (lean, 0, turn), root)


def bookshelf(at: Vector, turn: float) -> None:
    """A shelf 1.5 m wide that faces -Y before it is turned, filled with books and small things."""
    root = anchor("bookshelf", at, (0, 0, turn))
    oak = su.wood("shelf wood", (0.5, 0.33, 0.2), "x")
    width, height, depth, tiers = 1.5, 1.95, 0.32, 5
    for x in (-width / 2, 0, width / 2):
        upright = su.wood("upright wood", (0.5, 0.33, 0.2), "z")
        place(box("upright", (0.028, depth, height)), upright, (x, 0, height / 2), parent=root)
    for k in range(tiers + 1):
        z = 0.06 + k * (height - 0.075) / tiers
        place(box("board", (width, depth, 0.026)), oak, (0, 0, z), parent=root)
    place(
        box("back", (width, 0.01, height), 0.002),
        su.wood("back wood", (0.42, 0.28, 0.17)),
        (0, 0.155, height / 2),
        parent=root,
    )
    rng = np.random.default_rng(8)
    spines = [su.painted("spine", paint.spine(k), "xz", roughness=0.5) for k in range(24)]
    for tier in range(tiers):
        z = 0.073 + tier * (height - 0.075) / tiers
        for left in (-width / 2 + 0.025, 0.025):
            shelf_row(root, rng, spines, left, z)


def shelf_row(root: object, rng: np.random.Generator, spines: list, left: float, z: float) -> None:
    """Fills one compartment, 0.7 m wide, from the left; about a third of them end in a vase or a globe."""
    room = 0.68 if rng.random() < 0.55 else 0.4
    x = left
    while x < left + room - 0.06:
        thick, tall, deep = rng.uniform(0.018, 0.05), rng.uniform(0.2, 0.3), rng.uniform(0.17, 0.24)
        lean = float(rng.normal(0, 0.8))
        book = box("book", (thick, deep, tall), 0.003, 2)
        spot = (x + thick / 2, -0.13 + deep / 2, z + tall / 2 + 0.002)
        place(book, spines[int(rng.integers(len(spines)))], spot, (0, lean, 0), root)
        x += thick + 0.002
    middle = (x + left + 0.69) / 2
    if room < 0.5 and rng.random() < 0.5:
        vase(root, (middle, -0.02, z), 0.2, tuple(rng.uniform(0.25, 0.85, 3)))
    elif room < 0.5:
        globe = su.painted("globe", paint.landscape(int(rng.integers(90))), "xz", roughness=0.35)
        place(ball("globe", 0.095), globe, (middle, -0.02, z + 0.13), parent=root)
        foot = [(0, 0.035), (0.012, 0.03), (0.06, 0.006), (0.06, 0)]
        place(
            lathe("globe foot", foot, 24),
            su.plain("brass", (0.75, 0.6, 0.3), 0.3, metallic=1),
            (middle, -0.02, z),
            parent=root,
        )


def floor_lamp(at: Vector) -> None:
    root = anchor("floor lamp", at)
    brass = su.plain("lamp brass", (0.72, 0.55, 0.28), 0.3, metallic=1)
    place(lathe("foot", [(0, 0.03), (0.13, 0.022), (0.14, 0)], 48), brass, parent=root)
    place(lathe("pole", [(0.012, 0.02), (0.012, 1.45)], 16), brass, parent=root)
    shade = lathe("shade", [(0.22, 1.3), (0.15, 1.62)], 64)
    place(shade, su.glowing("lamp shade", (1.0, 0.82, 0.58), 2.2), parent=root)


def plant(at: Vector, height: float, leaves: int, seed: int, scale: float = 1.0) -> None:
    """A pot plant with long arching leaves."""
    root = anchor("plant", at)
    root.scale = (scale,) * 3
    rng = np.random.default_rng(seed)
    pot = [(0, 0.02), (0.13, 0), (0.17, 0.3), (0.175, 0.31), (0.155, 0.31), (0.15, 0.27), (0, 0.27)]
    place(lathe("pot", pot), su.plain("terracotta", (0.68, 0.38, 0.26), 0.8, 40, 0.25), parent=root)
    place(lathe("soil", [(0, 0.28), (0.15, 0.275)]), su.plain("soil", (0.12, 0.08, 0.05), 1, 80, 0.5), parent=root)
    greens = [su.plain("leaf", (0.16 * t, 0.38 * t, 0.14 * t), 0.4, 25, 0.35) for t in (0.75, 1.0, 1.25)]
    for k in range(leaves):
        length = height * rng.uniform(0.55, 1.0)
        reach = rng.uniform(0.15, 0.5) * length
        s = np.linspace(0, 1, 16)[:, None]
        w = np.linspace(-1, 1, 5)[None]
        half = 0.075 * length * np.sin(np.pi * np.clip(s, 0, 1) ** 0.75) + 0.002
        up = length * (s - 0.45 * s**2.5)
        points = np.stack(np.broadcast_arrays(reach * s**1.6 + 0 * w, half * w, up - 0.5 * half * np.abs(w)), -1)
        turn = (0, float(rng.normal(0, 5)), float(k * 137.5))
        place(grid("leaf", points.copy()), greens[k % 3], (0, 0, 0.26), turn, root)


def framed_picture(picture: np.ndarray, width: float, height: float, at: Vector, turn: float, rgb: su.Rgb) -> None:
    """A picture in a frame with a mount; faces -Y before it is turned about Z."""
    root = anchor("picture", at, (0, 0, turn))
    rail = su.wood("frame", rgb, "x", 0.35)
    for side in (-1, 1):
        place(
            box("rail", (width + 0.05, 0.03, 0.03), 0.006), rail, (0, -0.015, side * (height / 2 + 0.01)), parent=root
        )
        place(
            box("rail", (0.03, 0.03, height + 0.05), 0.006), rail, (side * (width / 2 + 0.01), -0.015, 0), parent=root
        )
    place(panel("mount", width, height), su.plain("mount", (0.9, 0.88, 0.83), 0.9), (0, -0.008, 0), parent=root)
    margin = 0.06
    art = panel("art", width - 2 * margin, height - 2 * margin)
    place(art, su.painted("art", picture, roughness=0.5), (0, -0.01, 0), parent=root)


def curtain(at: Vector, width: float, height: float, seed: int) -> None:
    """A hanging curtain in the YZ plane, in deep folds; `at` is the middle of its upper edge."""
    rng = np.random.default_rng(seed)
    y = np.linspace(-width / 2, width / 2, 160)
    z = np.linspace(0, -height, 24)
    folds = 0.035 * np.sin(y / width * 2 * np.pi * 7 + rng.uniform(0, 6)) + 0.01 * np.sin(y / width * 41)
    x = folds[None] * (0.6 + 0.4 * np.linspace(0, 1, 24)[:, None])
    points = np.stack(np.broadcast_arrays(x, y[None], z[:, None]), -1)
    linen = su.painted("linen", paint.stripes(77, COOL[:3], False), "yz", 0.5)
    place(grid("curtain", points.copy()), linen, at)


def blanket(at: Vector, turn: float) -> None:
    """A plaid blanket over an arm of the sofa."""
    profile = [(-0.106, -0.14), (-0.105, -0.03), (-0.05, 0.016), (0.05, 0.016), (0.105, -0.03), (0.125, -0.4)]
    plaid = su.painted("plaid", paint.stripes(21, WARM, True))
    ob = place(cloth("blanket", profile, 0.5, 0.004, 4), plaid, at, (0, 0, turn))
    ob.modifiers.new("thickness", "SOLIDIFY").thickness = 0.012
