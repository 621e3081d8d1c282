"""Rooms of splats made from nothing: textured walls, floor and a ball of flat splats, and loose ones in the air."""

from __future__ import annotations

import numpy as np

from tests.da3_blender.conftest import look_at
from tests.da3_blender.scene.splats.reference_splatter import Camera, Splats

BASE = 0.28209479177387814


def made_room(count: int, degree: int = 2, seed: int = 0) -> Splats:
    """`count` splats in a z-up room 6 m wide, 4 m deep and 3 m high; sized so that surfaces are closed."""
    rng = np.random.default_rng(seed)
    loose = count // 10
    position, normal = _surfaces(count - loose, rng)
    spacing = np.sqrt(70 / (count - loose))  # 70 m^2 of surface
    scales = np.concatenate([rng.uniform(0.6, 1.2, (count - loose, 2)) * spacing, np.full((count - loose, 1), 1e-3)], 1)
    opacities = rng.beta(5, 1.2, count)
    colours = _texture(position)
    air = (
        position[rng.choice(len(position), loose)] * (0.96, 0.96, 0.9) + rng.normal(0, 0.1, (loose, 3)) + (0, 0.1, 0.1)
    )
    means = np.concatenate([position + normal * rng.normal(0, 0.004, (len(position), 1)), air])
    scales = np.concatenate([scales, np.exp(rng.uniform(np.log(0.1), np.log(1.5), (loose, 3))) * spacing])
    opacities[count - loose :] = rng.uniform(0.03, 0.6, loose)
    turns = rng.normal(size=(count, 4))
    turns[: len(position)] = _facing(normal, rng.uniform(0, np.pi, len(position)))
    harmonics = rng.normal(0, 0.02, (count, 3, (degree + 1) ** 2))
    harmonics[:, :, 0] = (np.concatenate([colours, _texture(air)]) - 0.5) / BASE
    order = rng.permutation(count)
    parts = means, scales, turns / np.linalg.norm(turns, axis=1, keepdims=True), harmonics, opacities
    return Splats(*(part[order].astype(np.float32).astype(np.float64) for part in parts))


def _surfaces(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Places [G,3] on floor, back wall, side walls and a ball, and the surfaces' normals [G,3]."""
    a, b = rng.uniform(size=(2, count))
    kind = rng.choice(5, count, p=(0.34, 0.26, 0.17, 0.17, 0.06))
    zero = np.zeros(count)
    ball = rng.normal(size=(count, 3))
    ball /= np.linalg.norm(ball, axis=1, keepdims=True)
    places = [
        np.stack([6 * a - 3, 4 * b + 2, zero], 1),
        np.stack([6 * a - 3, zero + 6, 3 * b], 1),
        np.stack([zero - 3, 4 * a + 2, 3 * b], 1),
        np.stack([zero + 3, 4 * a + 2, 3 * b], 1),
        0.6 * ball + (0.7, 4.0, 0.6),
    ]
    normals = [np.tile(np.array(n, float), (count, 1)) for n in ((0, 0, 1), (0, -1, 0), (1, 0, 0), (-1, 0, 0))]
    rows = np.arange(count)
    return np.stack(places)[kind, rows], np.stack([*normals, ball])[kind, rows]


def _texture(position: np.ndarray) -> np.ndarray:
    """[G,3] displayed colours 0.02..0.98: chequers, waves and grain, with hard edges between bright and dark."""
    x, y, z = position.T
    chequers = (np.floor(x * 2) + np.floor(y * 2) + np.floor(z * 2)) % 2
    waves = np.stack([np.sin(3 * x + z), np.sin(2 * y - 2 * x + 1), np.sin(4 * z + y + 2)], 1) * 0.12
    grain = np.sin(position * (41, 37, 29)).prod(axis=1) * 0.08
    return np.clip(0.25 + 0.45 * chequers[:, None] + waves + grain[:, None], 0.02, 0.98)


def _facing(normal: np.ndarray, spin: np.ndarray) -> np.ndarray:
    """Quaternions [G,4] wxyz that turn z to `normal` [G,3] after a turn about z by `spin` [G]."""
    up = np.where(normal[:, 2:] < -0.99, (1.0, 0, 0, 0), np.concatenate([1 + normal[:, 2:], _across(normal)], 1))
    up = np.where(normal[:, 2:] < -0.99, (0.0, 1, 0, 0), up)
    up /= np.linalg.norm(up, axis=1, keepdims=True)
    w, x, y, z = up.T
    cosine, sine = np.cos(spin / 2), np.sin(spin / 2)
    return np.stack([w * cosine - z * sine, x * cosine + y * sine, y * cosine - x * sine, z * cosine + w * sine], 1)


def _across(normal: np.ndarray) -> np.ndarray:
    """z cross normal."""
    return np.stack([-normal[:, 1], normal[:, 0], np.zeros(len(normal))], 1)


def room_camera(width: int, height: int) -> Camera:
    """From the open side into the room, a little turned and tilted; 70 degrees wide."""
    extrinsics = look_at(np.array((-0.6, 0.2, 1.5)), np.array((0.3, 4.0, 1.1)))
    focal = width / 2 / np.tan(np.radians(35))
    return Camera(extrinsics, np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]]), (height, width))
