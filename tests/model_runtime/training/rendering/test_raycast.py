"""Exactness of the ray caster against intersections worked out by hand, and its culling against none."""

import numpy as np
import pytest
import torch

from model_runtime.training.rendering import raycast
from model_runtime.training.rendering.raycast import FAR, Beams, SceneBatch, nearest_surface
from model_runtime.training.rendering.trajectories import sample_intrinsics, sample_poses
from model_runtime.training.rendering.views import view_beams
from model_runtime.training.world import solids
from model_runtime.training.world.materials import MATERIAL_WIDTH
from model_runtime.training.world.scenes import sample_scene
from model_runtime.training.world.solids import Group, Scene, SolidList, barrel, bowl, frustum
from model_runtime.training.world.textures import make_texture_bank

MATERIAL = np.zeros(MATERIAL_WIDTH)


class Builder(Group):
    """A shell of 6 x 6 x 3 m with the floor at z = 0, to be filled."""

    def __init__(self) -> None:
        super().__init__(SolidList(), [0, 0, 0], np.eye(3))
        self.solids.add(
            solids.SHELL, np.array([0, 0, 1.5]), np.array([3, 3, 1.5]), np.eye(3), np.tile(MATERIAL, (6, 1))
        )

    def scene(self) -> Scene:
        s = self.solids
        return Scene(
            kinds=np.array(s.kinds),
            centres=np.stack(s.centres),
            axes=np.stack(s.axes),
            half_sizes=np.stack(s.half_sizes),
            shapes=np.stack(s.shapes),
            materials=np.stack(s.materials),
            lights=np.zeros((solids.LIGHTS, 8)),
            ambient=np.ones((2, 3)),
            sky=np.zeros(9),
            focus=np.zeros((1, 4)),
            stand=np.zeros((2, 3)),
        )


def shoot(builder: Builder, origin: list[float], directions: list[list[float]]) -> tuple[list[float], list[int]]:
    o = torch.tensor(origin, dtype=torch.float32)[:, None, None]
    d = torch.tensor(directions, dtype=torch.float32).T[:, None]
    beams = Beams(
        torch.zeros(1, dtype=torch.long), (o[0], o[1], o[2]), (d[0], d[1], d[2]),
        torch.tensor([[1.0, 0.0, 0.0]]), torch.full((1,), 100.0), torch.zeros(1),
    )  # fmt: skip
    distance, index = nearest_surface(SceneBatch.stack([builder.scene()]), beams)
    return distance[0].tolist(), index[0].tolist()


def test_walls_of_an_empty_room():
    distance, index = shoot(Builder(), [1.0, 0.0, 1.0], [[1, 0, 0], [-1, 0, 0], [0, 0, -1], [0, 0.5, 0.25]])
    assert distance == pytest.approx([2, 4, 1, 6], rel=1e-5)
    assert index == [0, 0, 0, 0]


def test_turned_box():
    builder, c = Builder(), np.sqrt(0.5)
    builder.box([2.0, 0.0, 1.0], [0.5, 0.5, 0.5], MATERIAL, np.array([[c, -c, 0], [c, c, 0], [0, 0, 1]]))
    distance, index = shoot(builder, [0.0, 0.0, 1.0], [[1, 0, 0], [1, 0.2, 0], [1, 0, 0.9]])
    # An edge points at the camera; its faces are x = 2 - sqrt(1/2) + |y|.
    edge = 2 - 0.5 * np.sqrt(2)
    assert distance[:2] == pytest.approx([edge, edge / 0.8], rel=1e-5)
    assert index == [1, 1, 0]
    assert distance[2] == pytest.approx(2 / 0.9, rel=1e-5)


def test_ellipsoid():
    builder = Builder()
    builder.ball([2.0, 0.0, 1.0], [0.5, 1.0, 0.25], MATERIAL)
    distance, index = shoot(builder, [0.0, 0.0, 1.0], [[1, 0, 0], [1, 0, 0.25]])
    assert distance[0] == pytest.approx(1.5, rel=1e-5)
    # ((x - 2) / 0.5)^2 + (0.25 x / 0.25)^2 = 1 has no real root.
    assert index == [1, 0]
    above, _ = shoot(builder, [2.0, 0.5, 2.0], [[0, 0, -1]])
    assert above[0] == pytest.approx(1 - 0.25 * np.sqrt(0.75), rel=1e-5)


def test_bowl_is_hollow():
    builder = Builder()
    builder.quadric([2.0, 0.0, 1.0], [0.5, 0.5, 0.5], bowl(0.0), MATERIAL)
    # From above through the open rim onto the inside; from the side onto the outside; over the rim onto the far inside.
    down, _ = shoot(builder, [2.3, 0.0, 2.0], [[0, 0, -1]])
    assert down[0] == pytest.approx(1 + 0.4, rel=1e-5)
    side, index = shoot(builder, [0.0, 0.0, 0.7], [[1, 0, 0]])
    assert (side[0], index) == (pytest.approx(2 - 0.4, rel=1e-5), [1])
    over, index = shoot(builder, [0.0, 0.0, 1.4], [[1, 0, -0.25]])
    t = over[0]
    assert index == [1]
    assert (t - 2) ** 2 + (0.4 - 0.25 * t) ** 2 == pytest.approx(0.25, rel=1e-4)
    assert t > 2


def test_cylinder_side_and_cap():
    builder = Builder()
    builder.quadric([2.0, 0.0, 0.5], [0.4, 0.4, 0.5], solids.CYLINDER, MATERIAL)
    side, index = shoot(builder, [0.0, 0.24, 0.5], [[1, 0, 0]])
    assert side[0] == pytest.approx(2 - np.sqrt(0.4**2 - 0.24**2), rel=1e-5)
    assert index == [1]
    cap, index = shoot(builder, [2.1, 0.0, 2.0], [[0, 0, -1]])
    assert cap[0] == pytest.approx(1.0, rel=1e-5)
    assert index == [1]


def test_cone_and_barrel():
    builder = Builder()
    builder.quadric([2.0, 0.0, 1.0], [0.4, 0.4, 0.5], frustum(0.5), MATERIAL)
    builder.quadric([-2.0, 0.0, 1.0], [0.4, 0.4, 0.5], barrel(0.5), MATERIAL)
    # The cone's radius falls from 0.4 at z = 0.5 to 0.2 at z = 1.5.
    distance, index = shoot(builder, [0.0, 0.0, 1.25], [[1, 0, 0], [-1, 0, 0]])
    assert distance[0] == pytest.approx(2 - 0.25, rel=1e-5)
    # The barrel's squared radius is 0.16 (1 - 0.75 u^2) with u = (z - 1) / 0.5.
    assert distance[1] == pytest.approx(2 - 0.4 * np.sqrt(1 - 0.75 * 0.25), rel=1e-5)
    assert index == [1, 2]


def test_rod_joins_its_ends():
    builder = Builder()
    builder.rod([1.0, -1.0, 0.5], [2.0, 1.0, 1.5], 0.05, MATERIAL)
    # The bar's middle is (1.5, 0, 1); along x its surface is radius / sin(angle to x) in front of it.
    angle = np.arccos(1 / np.sqrt(6))
    distance, index = shoot(builder, [0.0, 0.0, 1.0], [[1, 0, 0]])
    assert index == [1]
    assert distance[0] == pytest.approx(1.5 - 0.05 / np.sin(angle), rel=1e-4)


def test_rounded_box():
    builder = Builder()
    builder.rounded([2.0, 0.0, 1.0], [0.5, 0.5, 0.5], 0.2, MATERIAL)
    distance, index = shoot(builder, [0.0, 0.0, 1.0], [[1, 0, 0], [1, 0, 0.3]])
    assert distance[0] == pytest.approx(1.5, rel=1e-4)
    # The upper front edge is a quarter of a cylinder of radius 0.2 about (1.7, 1.3).
    t = distance[1]
    assert index == [1, 1]
    assert np.hypot(t - 1.7, 0.3 * t - 0.3) == pytest.approx(0.2, abs=2e-3)


def test_torus():
    builder = Builder()
    builder.ring([2.0, 0.0, 1.0], 0.4, 0.1, MATERIAL)
    distance, index = shoot(builder, [0.0, 0.0, 1.0], [[1, 0, 0]])
    assert distance[0] == pytest.approx(1.5, rel=1e-3)
    above, index = shoot(builder, [2.4, 0.05, 2.0], [[0, 0, -1], [-0.4, 0, -1]])
    ring = np.hypot(0.4, 0.05) - 0.4
    assert above[0] == pytest.approx(1 - np.sqrt(0.1**2 - ring**2), rel=1e-3)
    # Through the hole onto the floor.
    assert index == [1, 0]


def test_nearest_of_several_solids_wins():
    builder = Builder()
    builder.box([2.0, 0.0, 1.0], [0.2, 0.2, 0.2], MATERIAL)
    builder.ball([1.0, 0.0, 1.0], 0.1, MATERIAL)
    distance, index = shoot(builder, [0.0, 0.0, 1.0], [[1, 0, 0]])
    assert distance == pytest.approx([0.9], rel=1e-5)
    assert index == [2]


def test_culling_misses_nothing(monkeypatch: pytest.MonkeyPatch):
    bank = make_texture_bank(variants=1)
    scenes, poses, cameras = [], [], []
    for number in range(6):
        rng = np.random.default_rng([5, number])
        scenes.append(sample_scene(rng, bank))
        poses.append(sample_poses(rng, scenes[-1], 1))
        cameras.append(sample_intrinsics(rng, 1, 42, 56))
    beams, _ = view_beams(torch.tensor(np.stack(poses)).float(), torch.tensor(np.stack(cameras)).float(), 42, 56)
    batch = SceneBatch.stack(scenes)
    culled = nearest_surface(batch, beams)
    monkeypatch.setattr(raycast, "beam_meets", lambda frames, *_: torch.ones(frames.shape[1:], dtype=torch.bool))
    everything = nearest_surface(batch, beams)
    assert torch.equal(culled[1], everything[1])
    assert torch.equal(culled[0], everything[0])
    assert (culled[0] < FAR).float().mean() > 0.7
