"""Exactness of the ray caster against intersections worked out by hand."""

import numpy as np
import pytest
import torch

from model_runtime.training import scenes
from model_runtime.training.raycast import SceneBatch, nearest_surface
from model_runtime.training.scenes import LIGHTS, MATERIAL_WIDTH, SOLIDS, Scene


def empty_room(half: tuple[float, float, float] = (3.0, 3.0, 1.5)) -> Scene:
    centres = np.tile([0.0, 0.0, -1e4], (SOLIDS, 1))
    half_sizes = np.full((SOLIDS, 3), scenes.UNUSED_SIZE)
    centres[0], half_sizes[0] = [0.0, 0.0, half[2]], half
    lights = np.zeros((LIGHTS, 3))
    return Scene(
        centres,
        np.tile(np.eye(3), (SOLIDS, 1, 1)),
        half_sizes,
        np.zeros((SOLIDS, 6, MATERIAL_WIDTH)),
        lights,
        lights,
        np.ones(3),
    )


def shoot(scene: Scene, origin: list[float], directions: list[list[float]]) -> tuple[list[float], list[int]]:
    o = torch.tensor(origin, dtype=torch.float32)[:, None, None]
    d = torch.tensor(directions, dtype=torch.float32).T[:, None]
    o = o.expand_as(d)
    distance, index = nearest_surface(SceneBatch.stack([scene]), (o[0], o[1], o[2]), (d[0], d[1], d[2]))
    return distance[0].tolist(), index[0].tolist()


def test_walls_of_an_empty_room():
    distance, index = shoot(empty_room(), [1.0, 0.0, 1.0], [[1, 0, 0], [-1, 0, 0], [0, 0, -1], [0, 0.5, 0.25]])
    assert distance == pytest.approx([2, 4, 1, 6], rel=1e-5)
    assert index == [0, 0, 0, 0]


def test_turned_box():
    scene = empty_room()
    c = np.sqrt(0.5)
    scene.centres[1], scene.half_sizes[1] = [2.0, 0.0, 1.0], [0.5, 0.5, 0.5]
    scene.axes[1] = [[c, -c, 0], [c, c, 0], [0, 0, 1]]
    distance, index = shoot(scene, [0.0, 0.0, 1.0], [[1, 0, 0], [1, 0.2, 0], [1, 0, 0.9]])
    # An edge points at the camera; its faces are x = 2 - sqrt(1/2) + |y|.
    edge = 2 - 0.5 * np.sqrt(2)
    assert distance[:2] == pytest.approx([edge, edge / 0.8], rel=1e-5)
    assert index == [1, 1, 0]
    assert distance[2] == pytest.approx(2 / 0.9, rel=1e-5)


def test_ellipsoid():
    scene = empty_room()
    slot = scenes.FIRST_ELLIPSOID
    scene.centres[slot], scene.half_sizes[slot] = [2.0, 0.0, 1.0], [0.5, 1.0, 0.25]
    distance, index = shoot(scene, [0.0, 0.0, 1.0], [[1, 0, 0], [1, 0, 0.25]])
    assert distance[0] == pytest.approx(1.5, rel=1e-5)
    # ((x - 2) / 0.5)^2 + (0.25 x / 0.25)^2 = 1 has no real root.
    assert index == [slot, 0]
    above, _ = shoot(scene, [2.0, 0.5, 2.0], [[0, 0, -1]])
    assert above[0] == pytest.approx(1 - 0.25 * np.sqrt(0.75), rel=1e-5)


def test_cylinder_side_and_cap():
    scene = empty_room()
    slot = scenes.FIRST_CYLINDER
    scene.centres[slot], scene.half_sizes[slot] = [2.0, 0.0, 0.5], [0.4, 0.4, 0.5]
    side, index = shoot(scene, [0.0, 0.24, 0.5], [[1, 0, 0]])
    assert side[0] == pytest.approx(2 - np.sqrt(0.4**2 - 0.24**2), rel=1e-5)
    assert index == [slot]
    cap, index = shoot(scene, [2.1, 0.0, 2.0], [[0, 0, -1]])
    assert cap[0] == pytest.approx(1.0, rel=1e-5)
    assert index == [slot]


def test_nearest_of_several_solids_wins():
    scene = empty_room()
    scene.centres[1], scene.half_sizes[1] = [2.0, 0.0, 1.0], [0.2, 0.2, 0.2]
    scene.centres[2], scene.half_sizes[2] = [1.0, 0.0, 1.0], [0.1, 0.1, 0.1]
    distance, index = shoot(scene, [0.0, 0.0, 1.0], [[1, 0, 0]])
    assert distance == pytest.approx([0.9], rel=1e-5)
    assert index == [2]
