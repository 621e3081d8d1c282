"""Random furnished rooms as plain numbers: a shell, furniture of boxes, ellipsoids and cylinders, materials, lights.

World frame of a room: metres, z up, the floor at z = 0, the room's middle at x = y = 0.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from model_runtime.training.textures import TextureBank

BOXES = 22
ELLIPSOIDS = 3
CYLINDERS = 3
LIGHTS = 2
SOLIDS = 1 + BOXES + ELLIPSOIDS + CYLINDERS
FIRST_ELLIPSOID = 1 + BOXES
FIRST_CYLINDER = FIRST_ELLIPSOID + ELLIPSOIDS
UNUSED_SIZE = 1e-3
"""Half size in metres of the solids of slots that a room leaves empty."""
MATERIAL_WIDTH = 13
"""Pattern index, metres per repeat, offset u and v, then three linear RGB colours."""


@dataclass
class Scene:
    """One room. Solid 0 is the shell seen from inside; then boxes, ellipsoids and cylinders (along their local z).

    centres [S,3] metres; axes [S,3,3] with the solid's local axes as columns; half_sizes [S,3] metres;
    materials [S,6,MATERIAL_WIDTH] per face (-x, +x, -y, +y, -z, +z of the solid's own frame);
    light_positions, light_colours [LIGHTS,3]; ambient [3], linear.
    """

    centres: np.ndarray
    axes: np.ndarray
    half_sizes: np.ndarray
    materials: np.ndarray
    light_positions: np.ndarray
    light_colours: np.ndarray
    ambient: np.ndarray

    @property
    def room_half_size(self) -> np.ndarray:
        return self.half_sizes[0]


def _yaw(angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


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


class RoomBuilder:
    """Fills the slots of one `Scene`; solids beyond the last free slot are dropped."""

    def __init__(self, rng: np.random.Generator, bank: TextureBank, difficulty: float) -> None:
        self.rng = rng
        self.bank = bank
        self.plain_share = 0.05 + 0.4 * difficulty
        half = np.array([rng.uniform(1.5, 4.0), rng.uniform(1.5, 4.0), rng.uniform(1.15, 1.8)])
        self.half = half
        unused = np.array([0.0, 0.0, -1e4])
        self.centres = np.tile(unused, (SOLIDS, 1))
        self.axes = np.tile(np.eye(3), (SOLIDS, 1, 1))
        self.half_sizes = np.full((SOLIDS, 3), UNUSED_SIZE)
        self.materials = np.zeros((SOLIDS, 6, MATERIAL_WIDTH))
        self.next_box, self.next_ellipsoid, self.next_cylinder = 1, FIRST_ELLIPSOID, FIRST_CYLINDER
        self._shell()

    def material(self, scale: float = 1.0, bright: bool = False) -> np.ndarray:
        """Random material row [MATERIAL_WIDTH]; `scale` multiplies the size of the pattern."""
        rng = self.rng
        pool = self.bank.plain if rng.random() < self.plain_share else self.bank.busy
        row = np.empty(MATERIAL_WIDTH)
        row[0] = pool[int(rng.integers(len(pool)))]
        row[1] = scale * np.exp(rng.uniform(np.log(0.5), np.log(2.2)))
        row[2:4] = rng.random(2)
        base = rng.random(3) if rng.random() < 0.5 else np.full(3, rng.random()) + 0.12 * rng.normal(size=3)
        others = np.clip(base + rng.normal(size=(2, 3)) * rng.uniform(0.15, 0.6), 0, 1)
        colours = np.concatenate([base[None], others]).clip(0.02, 0.98)
        row[4:] = ((0.5 + 0.5 * colours if bright else colours) ** 2.2).ravel()
        return row

    def _shell(self) -> None:
        self.centres[0] = [0.0, 0.0, self.half[2]]
        self.half_sizes[0] = self.half
        wall = self.material(1.5, bright=True)
        same_walls = self.rng.random() < 0.6
        for face in range(4):
            self.materials[0, face] = wall if same_walls else self.material(1.5)
        self.materials[0, 4] = self.material(1.2)
        ceiling = self.material(1.5, bright=True)
        if self.rng.random() < 0.6:
            ceiling[0] = self.bank.plain[0]
        self.materials[0, 5] = ceiling

    def _place(
        self, slot: int, centre: np.ndarray, half: np.ndarray, axes: np.ndarray | None, material: np.ndarray | None
    ) -> None:
        self.centres[slot] = centre
        self.half_sizes[slot] = half
        self.axes[slot] = np.eye(3) if axes is None else axes
        self.materials[slot] = self.material() if material is None else material
        self.materials[slot, :, 2] += 0.37 * np.arange(6)

    def box(
        self,
        centre: np.ndarray | list[float],
        half: np.ndarray | list[float],
        axes: np.ndarray | None = None,
        material: np.ndarray | None = None,
    ) -> None:
        if self.next_box < FIRST_ELLIPSOID:
            self._place(self.next_box, np.asarray(centre), np.asarray(half), axes, material)
            self.next_box += 1

    def ellipsoid(self, centre: np.ndarray | list[float], half: np.ndarray | list[float]) -> None:
        if self.next_ellipsoid < FIRST_CYLINDER:
            self._place(self.next_ellipsoid, np.asarray(centre), np.asarray(half), None, self.material(0.7))
            self.next_ellipsoid += 1

    def cylinder(
        self, centre: np.ndarray | list[float], half: np.ndarray | list[float], axes: np.ndarray | None = None
    ) -> None:
        if self.next_cylinder < SOLIDS:
            self._place(self.next_cylinder, np.asarray(centre), np.asarray(half), axes, self.material(0.7))
            self.next_cylinder += 1

    def floor_spot(self, margin: float = 0.4) -> np.ndarray:
        limit = np.maximum(self.half[:2] - margin, 0.1)
        return self.rng.uniform(-limit, limit)

    def wall_spot(self, depth: float) -> tuple[np.ndarray, float]:
        """A spot `depth` metres off a random wall and the yaw that turns local -y to face into the room."""
        wall = int(self.rng.integers(4))
        along, across = (0, 1) if wall < 2 else (1, 0)
        sign = 1.0 if wall % 2 else -1.0
        spot = np.zeros(2)
        spot[along] = self.rng.uniform(-1, 1) * max(self.half[along] - 0.6, 0.2)
        spot[across] = sign * (self.half[across] - depth)
        inward = -sign * np.eye(2)[across]
        return spot, float(np.arctan2(inward[1], inward[0]) + np.pi / 2)

    def finish(self) -> Scene:
        rng = self.rng
        limit = np.array([*(self.half[:2] * 0.8), 0.0])
        positions = rng.uniform(-limit, limit, (LIGHTS, 3))
        positions[:, 2] = self.half[2] * 2 * rng.uniform(0.6, 0.97, LIGHTS)
        tint = 1 + 0.15 * rng.normal(size=(LIGHTS, 3))
        colours = tint.clip(0.5, 1.5) * rng.uniform(0.5, 2.5, (LIGHTS, 1))
        ambient = rng.uniform(0.25, 0.9) * (1 + 0.08 * rng.normal(size=3))
        return Scene(
            self.centres, self.axes, self.half_sizes, self.materials, positions, colours, ambient.clip(0.1, 1.2)
        )


def _local_boxes(room: RoomBuilder, spot: np.ndarray, yaw: float, parts: list[tuple[list[float], list[float]]]) -> None:
    """Boxes given as (centre, half size) in the frame of a piece of furniture that shares one or two materials."""
    axes = _yaw(yaw)
    materials = [room.material(0.8), room.material(0.8)]
    for number, (centre, half) in enumerate(parts):
        position = axes @ np.asarray(centre) + [spot[0], spot[1], 0.0]
        room.box(position, half, axes, materials[min(number, 1)])


def add_table(room: RoomBuilder) -> None:
    rng = room.rng
    x, y, h = rng.uniform(0.3, 0.8), rng.uniform(0.3, 0.6), rng.uniform(0.35, 0.8)
    leg = 0.035
    corners = [(sx * (x - 0.06), sy * (y - 0.06)) for sx in (-1, 1) for sy in (-1, 1)]
    parts = [([0.0, 0.0, h], [x, y, 0.025])]
    parts += [([cx, cy, h / 2], [leg, leg, h / 2]) for cx, cy in corners]
    spot, yaw = room.floor_spot(0.7), rng.uniform(0, np.pi)
    _local_boxes(room, spot, yaw, parts)
    if rng.random() < 0.7:
        r = rng.uniform(0.06, 0.2)
        room.ellipsoid([spot[0], spot[1], h + 0.025 + r], [r, r, r * rng.uniform(0.7, 1)])


def add_sofa(room: RoomBuilder) -> None:
    rng = room.rng
    w, d, h = rng.uniform(0.4, 1.1), rng.uniform(0.35, 0.5), rng.uniform(0.2, 0.28)
    parts = [([0.0, 0.0, h], [w, d, h]), ([0.0, d, h * 1.8], [w, 0.12, h * 1.8])]
    parts += [([sx * w, 0.0, h * 1.4], [0.1, d, h * 1.4]) for sx in (-1, 1)]
    against_wall = rng.random() < 0.6
    spot, yaw = room.wall_spot(d + 0.2) if against_wall else (room.floor_spot(0.8), rng.uniform(0, 2 * np.pi))
    _local_boxes(room, spot, yaw, parts)


def add_cabinet(room: RoomBuilder) -> None:
    rng = room.rng
    w, d, h = rng.uniform(0.25, 0.9), rng.uniform(0.15, 0.35), rng.uniform(0.25, 1.0)
    spot, yaw = room.wall_spot(d + 0.02)
    _local_boxes(room, spot, yaw, [([0.0, 0.0, h], [w, d, h]), ([0.0, -d - 0.01, h], [w * 0.85, 0.02, h * 0.8])])


def add_chair(room: RoomBuilder) -> None:
    rng = room.rng
    s, h = rng.uniform(0.2, 0.28), rng.uniform(0.38, 0.5)
    parts = [([0.0, 0.0, h], [s, s, 0.04]), ([0.0, s, h * 1.5], [s, 0.03, h * 0.55])]
    parts += [([sx * s * 0.85, 0.0, h / 2], [0.03, s * 0.85, h / 2]) for sx in (-1, 1)]
    _local_boxes(room, room.floor_spot(0.4), rng.uniform(0, 2 * np.pi), parts)


def add_wall_panel(room: RoomBuilder) -> None:
    """A picture, a window or a door on a wall."""
    rng = room.rng
    w, h = rng.uniform(0.15, 0.7), rng.uniform(0.15, 0.6)
    spot, yaw = room.wall_spot(0.02)
    z = rng.uniform(0.9, max(1.0, 2 * room.half[2] - h - 0.2))
    room.box([spot[0], spot[1], z], [w, 0.02, h], _yaw(yaw), room.material(0.9, bright=rng.random() < 0.4))


def add_rug(room: RoomBuilder) -> None:
    rng = room.rng
    spot = room.floor_spot(0.6)
    room.box(
        [spot[0], spot[1], 0.008],
        [rng.uniform(0.5, 1.2), rng.uniform(0.4, 0.9), 0.008],
        _yaw(rng.uniform(0, np.pi)),
        room.material(1.3),
    )


def add_clutter(room: RoomBuilder) -> None:
    """A tilted or upright block on the floor or in the air."""
    rng = room.rng
    spot, half = room.floor_spot(), rng.uniform(0.06, 0.4, 3)
    upright = rng.random() < 0.6
    axes = _yaw(rng.uniform(0, np.pi)) if upright else random_rotation(rng)
    z = half[2] if upright else rng.uniform(0.2, 1.4)
    room.box([spot[0], spot[1], z], half, axes)


def add_ball(room: RoomBuilder) -> None:
    rng = room.rng
    spot, half = room.floor_spot(), rng.uniform(0.1, 0.45, 3)
    room.ellipsoid([spot[0], spot[1], half[2] + rng.choice([0.0, rng.uniform(0, 1)])], half)


def add_pillar(room: RoomBuilder) -> None:
    """A column, a bin, a lamp pole, or a roll lying about."""
    rng = room.rng
    spot, radius = room.floor_spot(), np.exp(rng.uniform(np.log(0.03), np.log(0.35)))
    height = rng.uniform(0.15, 0.95 if radius < 0.25 else 0.4)
    axes = None if rng.random() < 0.8 else random_rotation(rng)
    room.cylinder([spot[0], spot[1], height if axes is None else 0.6], [radius, radius, height], axes)


FURNITURE: tuple[Callable[[RoomBuilder], None], ...] = (
    add_table,
    add_sofa,
    add_cabinet,
    add_chair,
    add_wall_panel,
    add_wall_panel,
    add_rug,
    add_clutter,
    add_clutter,
    add_ball,
    add_pillar,
)


def sample_scene(rng: np.random.Generator, bank: TextureBank, difficulty: float = 1.0) -> Scene:
    """A random furnished room; `difficulty` 0..1 brings plainer surfaces."""
    room = RoomBuilder(rng, bank, difficulty)
    for _ in range(int(rng.integers(4, 11))):
        FURNITURE[int(rng.integers(len(FURNITURE)))](room)
    return room.finish()
