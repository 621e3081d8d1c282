"""Furniture and shells that the test scenes add to those of the living room. Lengths in metres, +Z up."""

from __future__ import annotations

import furniture
import numpy as np
import paint
import surfaces as su
from shapes import Vector, anchor, box, lathe, panel, pillow, place


def tiles(seed: int, count: int, palette: tuple[su.Rgb, ...], joint: float = 0.06) -> np.ndarray:
    """A picture [512,512,3] of `count` x `count` tiles of mixed colours with pale joints; repeats seamlessly."""
    rng = np.random.default_rng(seed)
    v, u = np.mgrid[0:512, 0:512] / 512 * count
    row, column = v.astype(int), u.astype(int)
    colors = np.asarray(palette)[rng.integers(0, len(palette), (count, count))]
    picture = colors[row, column] * rng.uniform(0.85, 1.1, (count, count))[row, column][..., None]
    edge = np.minimum.reduce([u - column, column + 1 - u, v - row, row + 1 - v]) < joint / 2
    paint.over(picture, edge.astype(float), (0.86, 0.85, 0.82))
    return picture * (0.88 + 0.14 * paint.noise(rng, 512, 512, 6, 8))[..., None]


def bricks(seed: int) -> np.ndarray:
    """A picture [512,512,3] of a brick wall; repeats seamlessly."""
    rng = np.random.default_rng(seed)
    v, u = np.mgrid[0:512, 0:512] / 512
    row = (v * 12).astype(int)
    along = (u * 4 + 0.5 * (row % 2)) % 4
    column = along.astype(int)
    tone = rng.uniform(0.65, 1.1, (12, 4))[row, column]
    picture = tone[..., None] * np.array((0.62, 0.31, 0.23))
    edge = ((along - column) < 0.035) | ((v * 12 - row) < 0.1)
    paint.over(picture, edge.astype(float), (0.72, 0.69, 0.64))
    return picture * (0.8 + 0.3 * paint.noise(rng, 512, 512, 7, 10))[..., None]


def boards(seed: int, rgb: su.Rgb) -> np.ndarray:
    """A picture [512,512,3] of eight floor boards with grain; repeats along the boards' width."""
    rng = np.random.default_rng(seed)
    v = np.arange(512) / 64
    board = v.astype(int)
    grain = np.concatenate([paint.noise(rng, 64, 512, 5, 12)[:, ::-1] for _ in range(8)])
    picture = np.asarray(rgb) * (rng.uniform(0.75, 1.15, 8)[board][:, None, None] * (0.75 + 0.35 * grain[..., None]))
    paint.over(picture, np.repeat(((v - board) < 0.04)[:, None], 512, 1).astype(float), (0.12, 0.09, 0.07))
    return picture


def table(at: Vector, size: Vector, top: object, turn: float = 0) -> None:
    """A table of (width, depth, height) whose top has the material `top`."""
    width, depth, height = size
    root = anchor("table", at, (0, 0, turn))
    legs = su.plain("table legs", (0.3, 0.2, 0.13), 0.5)
    place(box("table top", (width, depth, 0.04), 0.008), top, (0, 0, height - 0.02), parent=root)
    for x in (-width / 2 + 0.06, width / 2 - 0.06):
        for y in (-depth / 2 + 0.06, depth / 2 - 0.06):
            place(box("leg", (0.05, 0.05, height - 0.04)), legs, (x, y, (height - 0.04) / 2), parent=root)


def chair(at: Vector, turn: float, rgb: su.Rgb) -> None:
    """A dining chair that faces -Y before it is turned."""
    root = anchor("chair", at, (0, 0, turn))
    frame, seat = su.plain("chair frame", (0.34, 0.22, 0.14), 0.5), su.plain("chair seat", rgb, 0.9)
    place(box("seat", (0.42, 0.42, 0.05), 0.015), seat, (0, 0, 0.45), parent=root)
    for x in (-0.18, 0.18):
        place(box("front leg", (0.04, 0.04, 0.43)), frame, (x, -0.18, 0.215), parent=root)
        place(box("back leg", (0.04, 0.04, 0.92)), frame, (x, 0.19, 0.46), parent=root)
    for z in (0.62, 0.75, 0.88):
        place(box("slat", (0.4, 0.02, 0.07), 0.008), frame, (0, 0.19, z), parent=root)


def bed(at: Vector, turn: float, cover: np.ndarray) -> None:
    """A double bed with its head at +Y before it is turned."""
    root = anchor("bed", at, (0, 0, turn))
    oak, linen = su.plain("bed wood", (0.5, 0.34, 0.2), 0.5), su.plain("linen", (0.86, 0.85, 0.82), 0.95)
    place(box("bed frame", (1.66, 2.08, 0.24), 0.02), oak, (0, 0, 0.2), parent=root)
    place(box("head board", (1.66, 0.07, 0.75), 0.02), oak, (0, 1.03, 0.6), parent=root)
    place(box("mattress", (1.58, 1.98, 0.2), 0.06, 5), linen, (0, 0, 0.42), parent=root)
    spread = su.painted("bed spread", cover, "xy", repeat=0.9, roughness=0.95)
    place(box("bed spread", (1.62, 1.35, 0.05), 0.02, 4), spread, (0, -0.34, 0.525), parent=root)
    for x in (-0.4, 0.4):
        place(pillow("bed pillow", 0.66, 0.4, 0.2), linen, (x, 0.76, 0.62), (-60, 0, 4 * x), root)


def cupboard(at: Vector, size: Vector, turn: float, rgb: su.Rgb, doors: int = 2) -> None:
    """A cupboard of (width, depth, height) with doors towards -Y before it is turned; `at` is its foot."""
    width, depth, height = size
    root = anchor("cupboard", at, (0, 0, turn))
    body, front = su.plain("cupboard body", rgb, 0.55), su.plain("cupboard door", tuple(0.92 * c for c in rgb), 0.5)
    knob = su.plain("knob", (0.75, 0.68, 0.5), 0.3, metallic=1)
    place(box("body", size), body, (0, 0, height / 2), parent=root)
    for k in range(doors):
        x = ((k + 0.5) / doors - 0.5) * width
        door = box("door", (width / doors - 0.02, 0.02, height - 0.06), 0.006)
        place(door, front, (x, -depth / 2 - 0.012, height / 2), parent=root)
        side = 1 if k % 2 == 0 else -1
        spot = (x + side * (width / doors / 2 - 0.05), -depth / 2 - 0.035, height * 0.55)
        place(furniture.ball("knob", 0.018, 16), knob, spot, parent=root)


def crate(at: Vector, size: Vector, turn: float, seed: int) -> None:
    """A wooden crate of boards; `at` is its foot."""
    width, depth, height = size
    root = anchor("crate", at, (0, 0, turn))
    tone = float(np.random.default_rng(seed).uniform(0.75, 1.15))
    wood = su.painted("crate", boards(seed, (0.58 * tone, 0.43 * tone, 0.27 * tone)), "xz", repeat=0.7)
    rail = su.plain("crate rail", (0.42 * tone, 0.3 * tone, 0.19 * tone), 0.8)
    place(box("crate", (width - 0.04, depth - 0.04, height - 0.02)), wood, (0, 0, height / 2), parent=root)
    for x in (-1, 1):
        for y in (-1, 1):
            spot = (x * (width / 2 - 0.02), y * (depth / 2 - 0.02), height / 2)
            place(box("post", (0.045, 0.045, height)), rail, spot, parent=root)
    for z in (0.03, height - 0.03):
        place(box("rail", (width, depth, 0.035)), rail, (0, 0, z), parent=root)


def bathtub(at: Vector, turn: float) -> None:
    """A free-standing tub about 1.7 m long."""
    profile = [(0, 0.08), (0.3, 0.08), (0.38, 0.2), (0.42, 0.56), (0.46, 0.58), (0.45, 0.5), (0.34, 0.06), (0.28, 0)]
    ob = place(lathe("tub", profile, 64), su.plain("enamel", (0.93, 0.93, 0.92), 0.25, 40, 0.02), at, (0, 0, turn))
    ob.scale = (1.9, 1.0, 1.0)


def pedestal(at: Vector, height: float, thing: str, rgb: su.Rgb) -> None:
    """A white block with a vase, a ball or a plant on it."""
    white = su.plain("pedestal", (0.9, 0.9, 0.88), 0.8, 40, 0.02)
    place(box("pedestal", (0.4, 0.4, height)), white, (at[0], at[1], height / 2))
    top = (at[0], at[1], height)
    if thing == "vase":
        furniture.vase(None, top, 0.42, rgb, stems=8)
    elif thing == "ball":
        marble = su.painted("marble", paint.abstract(int(97 * sum(rgb)), furniture.COOL), "xz", repeat=0.3)
        place(furniture.ball("ball", 0.17), marble, (at[0], at[1], height + 0.17))
    else:
        furniture.plant(top, 0.8, 14, int(50 * sum(rgb)), 0.7)


def door(at: Vector, turn: float, rgb: su.Rgb) -> None:
    """A panelled door in its frame, facing -Y before it is turned; `at` is the middle of its sill."""
    root = anchor("door", at, (0, 0, turn))
    leaf, trim = su.plain("door leaf", rgb, 0.5), su.plain("door frame", (0.85, 0.84, 0.8), 0.6)
    place(box("leaf", (0.86, 0.04, 2.0)), leaf, (0, -0.02, 1.0), parent=root)
    for z, tall in ((0.5, 0.75), (1.42, 0.85)):
        for x in (-0.2, 0.2):
            place(box("panel", (0.28, 0.02, tall), 0.008), leaf, (x, -0.045, z), parent=root)
    for x in (-0.47, 0.47):
        place(box("jamb", (0.08, 0.08, 2.08)), trim, (x, -0.03, 1.04), parent=root)
    place(box("lintel", (1.02, 0.08, 0.08)), trim, (0, -0.03, 2.06), parent=root)
    knob = su.plain("door knob", (0.75, 0.68, 0.5), 0.3, metallic=1)
    place(furniture.ball("door knob", 0.03, 16), knob, (0.36, -0.07, 1.0), parent=root)


def shell(size: Vector, walls: object, floor: object, ceiling: bool = True) -> None:
    """Floor, four walls and ceiling around x 0..width, y 0..depth, z 0..height, with skirting."""
    width, depth, height = size
    white = su.plain("white paint", (0.88, 0.87, 0.85), 0.9, 60, 0.02)
    place(box("floor", (width, depth, 0.1), 0.001), floor, (width / 2, depth / 2, -0.05))
    if ceiling:
        place(box("ceiling", (width, depth, 0.1), 0.001), white, (width / 2, depth / 2, height + 0.05))
    for at, turn, long in (
        ((width / 2, depth, height / 2), 0, width),
        ((width / 2, 0, height / 2), 180, width),
        ((0, depth / 2, height / 2), 90, depth),
        ((width, depth / 2, height / 2), -90, depth),
    ):
        place(panel("wall", long, height), walls, at, (0, 0, turn))
        root = anchor("skirting", (at[0], at[1], 0), (0, 0, turn))
        place(box("skirting", (long, 0.02, 0.09), 0.004), white, (0, -0.01, 0.045), parent=root)
