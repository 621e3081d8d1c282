"""Keeps things apart: which parts of the ground are taken, and the scene that comes of it all."""

import numpy as np

from model_runtime.training.world.materials import MaterialMaker
from model_runtime.training.world.solids import Group, Scene, SolidList, yaw_axes
from model_runtime.training.world.textures import TextureBank

TRIES = 8


class Layout:
    """A scene under construction on the ground rectangle -half..half (metres)."""

    def __init__(
        self, rng: np.random.Generator, bank: TextureBank, difficulty: float, half: np.ndarray, height: float
    ) -> None:
        self.rng, self.half, self.height = rng, half, height
        self.materials = MaterialMaker(rng, bank, difficulty)
        self.solids = SolidList()
        self.taken: list[tuple[np.ndarray, float]] = []
        self.focus: list[np.ndarray] = []

    def enclosure(self, kind: int, centre: list[float], half: list[float], faces: np.ndarray) -> None:
        """Solid 0, with the materials [6,...] of its faces."""
        self.solids.add(kind, np.array(centre), np.array(half), np.eye(3), faces)

    def group(self, spot: np.ndarray | list[float], yaw: float = 0.0, z: float = 0.0) -> Group:
        return Group(self.solids, [spot[0], spot[1], z], yaw_axes(yaw))

    def place(self, things: SolidList, spot: np.ndarray, yaw: float) -> None:
        """Puts solids built about the origin down at `spot`."""
        self.solids.place(things, np.array([spot[0], spot[1], 0.0]), yaw_axes(yaw))

    def is_open(self, spot: np.ndarray, radius: float) -> bool:
        return all(np.hypot(*(spot - other)) > radius + size for other, size in self.taken)

    def take(self, spot: np.ndarray, radius: float) -> None:
        self.taken.append((np.asarray(spot), radius))

    def spot(self, radius: float) -> np.ndarray | None:
        """A random open place for something of this radius, or None where there is none."""
        for _ in range(TRIES):
            limit = np.maximum(self.half - radius, 0.05)
            spot = self.rng.uniform(-limit, limit)
            if self.is_open(spot, radius):
                self.take(spot, radius)
                return spot
        return None

    def wall_spot(self, width: float, depth: float) -> tuple[np.ndarray, float] | None:
        """An open place along a wall for something of this half width and half depth, and the yaw that turns its front
        (local -y) into the room."""
        for _ in range(TRIES):
            wall = int(self.rng.integers(4))
            along, across = (0, 1) if wall < 2 else (1, 0)
            sign = 1.0 if wall % 2 else -1.0
            reach = self.half[along] - width
            if reach < 0.05:
                continue
            spot = np.zeros(2)
            spot[along] = self.rng.uniform(-reach, reach)
            spot[across] = sign * (self.half[across] - depth - 0.02)
            if self.is_open(spot, 0.8 * max(width, depth)):
                self.take(spot, 0.8 * max(width, depth))
                inward = -sign * np.eye(2)[across]
                return spot, float(np.arctan2(inward[1], inward[0]) + np.pi / 2)
        return None

    def look_here(self, spot: np.ndarray, z: float, radius: float) -> None:
        """Notes something worth a photo."""
        self.focus.append(np.array([spot[0], spot[1], z, radius]))

    def finish(self, lights: np.ndarray, ambient: np.ndarray, sky: np.ndarray, stand: np.ndarray) -> Scene:
        s = self.solids
        middle = np.array([0.0, 0.0, 0.4 * min(self.height, 2.5), 1.0])
        return Scene(
            np.array(s.kinds),
            np.stack(s.centres),
            np.stack(s.axes),
            np.stack(s.half_sizes),
            np.stack(s.shapes),
            np.stack(s.materials),
            lights,
            ambient,
            sky,
            np.stack(self.focus or [middle]),
            stand,
        )
