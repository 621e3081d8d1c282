"""A scene as plain numbers: solids, materials, lights and sky, and the builder that fills them in.

World frame: metres, z up, the floor or ground at z = 0. Solid 0 is the enclosure: a room's shell seen from inside, or
the ground outdoors.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

SHELL, BOX, QUADRIC, OPEN_QUADRIC, ROUNDED, TORUS = range(6)
"""Kinds of solids; an OPEN_QUADRIC has no closed ends, ROUNDED is a box with rounded edges, TORUS lies in its local xy
plane."""
UNUSED = -1
"""Kind of the rows that pad a batch."""
MOST_SOLIDS = 160
LIGHTS = 3
ENCLOSURE_FACES = 6
SHAPE_WIDTH = 7
"""Numbers of a solid's shape. QUADRIC: x^2 + y^2 = a + b z + c z^2 in units of the half sizes, from z = lo to z = hi,
then whether the ends are closed: a, b, c, lo, hi, closed lo, closed hi. ROUNDED: radius in metres, then zeros."""

Vector = np.ndarray | Sequence[float]
BALL = (1.0, 0.0, -1.0, -1.0, 1.0, 0.0, 0.0)
CYLINDER = (1.0, 0.0, 0.0, -1.0, 1.0, 1.0, 1.0)


def bowl(rim: float) -> tuple[float, ...]:
    """The part of a ball below `rim` (-1..1), hollow and open."""
    return (1.0, 0.0, -1.0, -1.0, rim, 0.0, 0.0)


def frustum(top: float, closed: tuple[bool, bool] = (True, True)) -> tuple[float, ...]:
    """A cone cut off: its radius at the upper end is `top` (0..) times that at the lower end."""
    low, high = np.array([1.0, top]) / max(1.0, top)
    middle, slope = (low + high) / 2, (high - low) / 2
    return (middle**2, 2 * middle * slope, slope**2, -1.0, 1.0, float(closed[0]), float(closed[1]))


def barrel(waist: float, closed: tuple[bool, bool] = (True, False)) -> tuple[float, ...]:
    """Round about z with its ends' radius `waist` times the middle's: below 1 a belly, above 1 a waist."""
    middle = 1.0 / max(1.0, waist)
    return (middle**2, 0.0, (waist**2 - 1) * middle**2, -1.0, 1.0, float(closed[0]), float(closed[1]))


@dataclass
class Scene:
    """kinds [S]; centres [S,3] metres; axes [S,3,3], local axes as columns; half_sizes [S,3] metres of the local
    bounding box; shapes [S,SHAPE_WIDTH]; materials [ENCLOSURE_FACES - 1 + S, MATERIAL_WIDTH], the first six those of
    the enclosure's faces (-x, +x, -y, +y, -z, +z).

    lights [LIGHTS,8]: position, linear RGB, falloff (0 for the sun), whether it casts shadows; ambient [2,3] from below
    and above; sky: zenith RGB, horizon RGB, cloud share, cloud pattern, pattern offset. focus [F,4]: spots worth a
    photo and their radius.
    stand: low and high corner [2,3] of where cameras may be.
    """

    kinds: np.ndarray
    centres: np.ndarray
    axes: np.ndarray
    half_sizes: np.ndarray
    shapes: np.ndarray
    materials: np.ndarray
    lights: np.ndarray
    ambient: np.ndarray
    sky: np.ndarray
    focus: np.ndarray
    stand: np.ndarray


def yaw_axes(angle: float) -> np.ndarray:
    """Rotation [3,3] about z by `angle` radians."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def axes_along(direction: Vector) -> np.ndarray:
    """Rotation [3,3] whose z axis is `direction`."""
    # Plain floats: numpy's cross product costs more than the rest of a rod.
    x, y, z = (float(value) for value in direction)
    length = max((x * x + y * y + z * z) ** 0.5, 1e-9)
    x, y, z = x / length, y / length, z / length
    a, b, c = (0.0, -z, y) if abs(x) < 0.9 else (z, 0.0, -x)
    side = (a * a + b * b + c * c) ** 0.5
    a, b, c = a / side, b / side, c / side
    return np.array([[a, y * c - z * b, x], [b, z * a - x * c, y], [c, x * b - y * a, z]])


def random_rotation(rng: np.random.Generator) -> np.ndarray:
    """Uniform rotation [3,3] from a normalised Gaussian quaternion."""
    w, x, y, z = (q := rng.normal(size=4)) / np.linalg.norm(q)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


@dataclass
class SolidList:
    """Solids put down one by one; those beyond MOST_SOLIDS are dropped."""

    kinds: list[int] = field(default_factory=list)
    centres: list[np.ndarray] = field(default_factory=list)
    axes: list[np.ndarray] = field(default_factory=list)
    half_sizes: list[np.ndarray] = field(default_factory=list)
    shapes: list[np.ndarray] = field(default_factory=list)
    materials: list[np.ndarray] = field(default_factory=list)

    def add(
        self,
        kind: int,
        centre: np.ndarray,
        half: np.ndarray,
        axes: np.ndarray,
        material: np.ndarray,
        shape: Sequence[float] = (),
    ) -> None:
        if len(self.kinds) >= MOST_SOLIDS:
            return
        self.kinds.append(kind)
        self.centres.append(centre)
        self.half_sizes.append(half)
        self.axes.append(axes)
        self.shapes.append(np.array([*shape, *([0.0] * (SHAPE_WIDTH - len(shape)))]))
        rows = material if material.ndim == 2 else material[None]
        self.materials.extend(rows)

    def place(self, other: "SolidList", position: np.ndarray, axes: np.ndarray) -> None:
        """Adds all solids of another list, moved to `position` and turned by `axes`."""
        free = max(0, MOST_SOLIDS - len(self.kinds))
        self.kinds += other.kinds[:free]
        self.centres += [position + axes @ centre for centre in other.centres[:free]]
        self.axes += [axes @ turned for turned in other.axes[:free]]
        self.half_sizes += other.half_sizes[:free]
        self.shapes += other.shapes[:free]
        self.materials += other.materials[:free]


class Group:
    """Solids given in a local frame: at `position`, turned by `yaw` about z, or by any rotation."""

    def __init__(self, solids: SolidList, position: Vector, axes: np.ndarray) -> None:
        self.solids, self.position, self.axes = solids, np.asarray(position, float), axes

    def at(self, position: Vector, yaw: float = 0.0) -> "Group":
        """A frame inside this one."""
        return Group(self.solids, self.world(position), self.axes @ yaw_axes(yaw))

    def world(self, position: Vector) -> np.ndarray:
        return self.position + self.axes @ np.asarray(position, float)

    def _add(
        self, kind: int, centre: Vector, half: Vector, axes: np.ndarray | None, material: np.ndarray, shape: Vector = ()
    ) -> None:
        turned = self.axes if axes is None else self.axes @ axes
        # A small turn of the pattern between parts keeps them from looking cut out of one picture.
        moved = material.copy()
        moved[..., 2] += 0.37 * len(self.solids.kinds)
        self.solids.add(kind, self.world(centre), np.asarray(half, float), turned, moved, list(shape))

    def box(self, centre: Vector, half: Vector, material: np.ndarray, axes: np.ndarray | None = None) -> None:
        self._add(BOX, centre, half, axes, material)

    def rounded(
        self, centre: Vector, half: Vector, radius: float, material: np.ndarray, axes: np.ndarray | None = None
    ) -> None:
        self._add(ROUNDED, centre, half, axes, material, [min(radius, 0.99 * float(np.min(half)))])

    def quadric(
        self, centre: Vector, half: Vector, shape: Vector, material: np.ndarray, axes: np.ndarray | None = None
    ) -> None:
        self._add(QUADRIC if any(shape[5:7]) else OPEN_QUADRIC, centre, half, axes, material, shape)

    def ball(self, centre: Vector, half: Vector | float, material: np.ndarray, axes: np.ndarray | None = None) -> None:
        size = [half] * 3 if isinstance(half, float | int) else half
        self.quadric(centre, size, BALL, material, axes)

    def rod(self, start: Vector, end: Vector, radius: float, material: np.ndarray, top: float = 1.0) -> None:
        """A round bar from `start` to `end`, its ends open; `top` is its radius at the end by that at the start."""
        a, b = np.asarray(start, float), np.asarray(end, float)
        half = [radius * max(1.0, top)] * 2 + [float(np.linalg.norm(b - a)) / 2]
        self.quadric((a + b) / 2, half, frustum(top, (False, False)), material, axes_along(b - a))

    def beam(self, start: Vector, end: Vector, width: float, material: np.ndarray) -> None:
        """A square bar from `start` to `end`."""
        a, b = np.asarray(start, float), np.asarray(end, float)
        self._add(
            BOX, (a + b) / 2, [width / 2, width / 2, float(np.linalg.norm(b - a)) / 2], axes_along(b - a), material
        )

    def ring(
        self, centre: Vector, radius: float, thickness: float, material: np.ndarray, axes: np.ndarray | None = None
    ) -> None:
        """A torus; `thickness` is the radius of its tube, `radius` that of the tube's middle line."""
        outer = radius + thickness
        self._add(TORUS, centre, [outer, outer, thickness], axes, material)
