"""Normals, shadows, light and sky against what geometry says, and the renderer's place for them in a picture."""

import numpy as np
import pytest
import torch

from model_runtime.training.rendering.raycast import BEAM, FAR, SceneBatch
from model_runtime.training.rendering.shading import Hits, cast, sky_colour, surface_of
from model_runtime.training.rendering.shadows import shadows
from model_runtime.training.rendering.trajectories import look_at
from model_runtime.training.rendering.views import ViewGenerator, view_beams
from model_runtime.training.world import solids
from model_runtime.training.world.layout import Layout
from model_runtime.training.world.materials import MATERIAL_WIDTH
from model_runtime.training.world.solids import frustum
from model_runtime.training.world.textures import TextureBank, make_texture_bank

GREY = np.zeros(MATERIAL_WIDTH)
GREY[1], GREY[4:13] = 1.0, 0.5
DARK = np.zeros((solids.LIGHTS, 8))


@pytest.fixture(scope="module")
def bank() -> TextureBank:
    return make_texture_bank(variants=1)


def empty_room(bank: TextureBank) -> Layout:
    layout = Layout(np.random.default_rng(0), bank, 0.0, np.array([3.0, 3.0]), 3.0)
    layout.enclosure(solids.SHELL, [0, 0, 1.5], [3, 3, 1.5], np.tile(GREY, (6, 1)))
    return layout


def finished(
    layout: Layout, lights: np.ndarray = DARK, ambient: float = 1.0, sky: np.ndarray | None = None
) -> SceneBatch:
    sky = np.zeros(9) if sky is None else sky
    return SceneBatch.stack([layout.finish(lights, np.full((2, 3), ambient), sky, np.zeros((2, 3)))])


def normals_at(batch: SceneBatch, solid: int, points: list[list[float]], eye: list[float]) -> np.ndarray:
    point = torch.tensor(points, dtype=torch.float32).T[:, None]
    view = point - torch.tensor(eye)[:, None, None]
    view = view / view.norm(dim=0)
    index = torch.full(point.shape[1:], solid)
    p = batch.frames[0, solid][:, None, None].expand(-1, *index.shape)
    hits = Hits(index, (point[0], point[1], point[2]), (view[0], view[1], view[2]), torch.ones(index.shape))
    return torch.stack(surface_of(hits, batch.kinds[0, solid].expand(index.shape), p).normal, -1)[0].numpy()


def test_normals(bank: TextureBank):
    room = empty_room(bank)
    g = room.group([0, 0])
    g.ball([0, 0, 1], [0.5, 1.0, 0.25], GREY)
    g.quadric([2, 0, 0.5], [0.4, 0.4, 0.5], frustum(0.5), GREY)
    g.rounded([0, 2, 1], [0.5, 0.5, 0.5], 0.2, GREY)
    g.ring([-2, 0, 1], 0.4, 0.1, GREY)
    g.box([0, -2, 1], [0.2, 0.3, 0.4], GREY, solids.yaw_axes(np.pi / 6))
    batch = finished(room)
    eye = [0.0, 0.0, 2.9]
    # Gradient of x^2/a^2 + y^2/b^2 + z^2/c^2.
    on_ball = np.array([0.3, 0.2, 0.25 * np.sqrt(1 - 0.36 - 0.04)])
    gradient = on_ball / [0.25, 1.0, 0.0625]
    found = normals_at(batch, 1, [list(on_ball + np.array([0, 0, 1]))], eye)[0]
    np.testing.assert_allclose(found, gradient / np.linalg.norm(gradient), atol=1e-4)
    # The cone narrows by 0.2 over a height of 1; its closed top looks up.
    side, top = normals_at(batch, 2, [[2 - 0.3, 0, 0.5], [2.0, 0.1, 1.0]], eye)
    np.testing.assert_allclose(side, np.array([-1, 0, 0.2]) / np.hypot(1, 0.2), atol=1e-4)
    np.testing.assert_allclose(top, [0, 0, 1], atol=1e-6)
    # A rounded edge halfway between its faces.
    c = np.sqrt(0.5)
    edge = normals_at(batch, 3, [[0.0, 2 - 0.3 - 0.2 * c, 1.3 + 0.2 * c]], eye)[0]
    np.testing.assert_allclose(edge, [0, -c, c], atol=1e-3)
    on_ring = normals_at(batch, 4, [[-2 + 0.4 + 0.1 * c, 0.0, 1 + 0.1 * c]], eye)[0]
    np.testing.assert_allclose(on_ring, [c, 0, c], atol=1e-3)
    axis = solids.yaw_axes(np.pi / 6)[:, 1]
    face = normals_at(batch, 5, [list(np.array([0, -2, 1.1]) + 0.3 * axis)], eye)[0]
    np.testing.assert_allclose(face, axis, atol=1e-5)
    # The shell is seen from inside.
    np.testing.assert_allclose(normals_at(batch, 0, [[1.0, 1.0, 0.0]], eye)[0], [0, 0, 1], atol=1e-6)


def blocked(lamp: np.ndarray, points: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Whether the segments from the lamp to points [...,3] cross an upright box."""
    step = points - lamp
    with np.errstate(divide="ignore"):
        ends = np.stack([(low - lamp) / step, (high - lamp) / step])
    near, far = ends.min(0).max(-1), ends.max(0).min(-1)
    return (near < far) & (near < 1) & (far > 0)


def test_shadows_of_a_box(bank: TextureBank):
    room = empty_room(bank)
    room.group([0, 0]).box([0.2, 0.1, 1.0], [0.4, 0.3, 0.2], GREY)
    axis = np.linspace(-1.5, 1.5, BEAM)
    points = np.stack([*np.meshgrid(axis, axis), np.zeros((BEAM, BEAM))], -1)
    lamp = np.array([-0.3, 0.4, 2.5])
    plane = torch.tensor(points, dtype=torch.float32).reshape(1, -1, 3).unbind(-1)
    index = torch.zeros(1, BEAM * BEAM, dtype=torch.long)
    up = (torch.zeros_like(plane[0]), torch.zeros_like(plane[0]), torch.ones_like(plane[0]))
    lamps = torch.tensor(lamp, dtype=torch.float32).reshape(3, 1, 1, 1).unbind(0)
    lit = shadows(
        finished(room), torch.zeros(1, dtype=torch.long), index, (plane[0], plane[1], plane[2]), up,
        (lamps[0], lamps[1], lamps[2]), torch.ones(1, 1, BEAM * BEAM, dtype=torch.bool),
    ).view(BEAM, BEAM)  # fmt: skip
    truth = ~blocked(lamp, points, np.array([-0.2, -0.2, 0.8]), np.array([0.6, 0.4, 1.2]))
    assert 0.05 < 1 - truth.mean() < 0.5
    np.testing.assert_array_equal(lit[::2, ::2].numpy(), truth[::2, ::2].astype(np.float32))
    # Between the tested pixels stands their mean.
    np.testing.assert_allclose(lit[0:12:2, 1:13:2], (lit[0:12:2, 0:12:2] + lit[0:12:2, 2:14:2]) / 2)


def photo(batch: SceneBatch, bank: TextureBank, pose: np.ndarray) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Colour [3,14,14], distance and solids [14,14] seen by a camera of focal length 14."""
    extrinsics = torch.from_numpy(np.linalg.inv(pose)).float()[None, None]
    intrinsics = torch.tensor([[14.0, 0, 7], [0, 14, 7], [0, 0, 1]])[None, None]
    beams, pixel = view_beams(extrinsics, intrinsics, BEAM, BEAM)
    colours, distance, index = cast(batch, bank, beams, pixel)
    return torch.cat(colours).view(3, BEAM, BEAM), distance.view(BEAM, BEAM), index.view(BEAM, BEAM)


def test_a_lamp_lights_by_cosine_and_distance(bank: TextureBank):
    room = empty_room(bank)
    lights = DARK.copy()
    lights[0] = [0, 0, 2.0, 1.0, 0.5, 0.25, 0.3, 1.0]
    colour, distance, _ = photo(
        finished(room, lights, ambient=0.0), bank, look_at(np.array([0.01, 0, 1.5]), np.zeros(3))
    )
    rows, columns = torch.meshgrid(torch.arange(BEAM), torch.arange(BEAM), indexing="ij")
    radius = torch.hypot((rows + 0.5 - 7) / 14 * 1.5, (columns + 0.5 - 7) / 14 * 1.5)
    torch.testing.assert_close(distance, torch.full_like(distance, 1.5), atol=0.02, rtol=0)
    squared = radius**2 + 4
    expected = 0.5 * 2 / squared.sqrt() / (1 + 0.3 * squared)
    torch.testing.assert_close(colour[0], expected, atol=0.004, rtol=0)
    torch.testing.assert_close(colour[2], 0.25 * expected, atol=0.001, rtol=0)


def test_sky_has_a_colour_and_no_depth(bank: TextureBank):
    layout = Layout(np.random.default_rng(0), bank, 0.0, np.array([5.0, 5.0]), 3.0)
    layout.enclosure(solids.BOX, [0, 0, -5], [400, 400, 5], np.tile(GREY, (6, 1)))
    sky = np.array([0.1, 0.2, 0.9, 0.8, 0.8, 0.8, 0.0, 0.0, 0.0])
    batch = finished(layout, sky=sky)
    colour, distance, index = photo(batch, bank, look_at(np.array([0, 0, 1.0]), np.array([5.0, 0, 1.0])))
    assert (index[:7] == -1).all()
    assert (index[7:] == 0).all()
    assert (distance[:7] == FAR).all()
    # Row r looks down by (r + 0.5 - 7) / 14 per metre, from one metre up.
    torch.testing.assert_close(distance[7:, 3], 14 / (torch.arange(7.0) + 0.5), rtol=1e-4, atol=0)
    assert colour[0, 0].mean() < colour[0, 6].mean()
    straight_up = (torch.zeros(1, 1), torch.zeros(1, 1), torch.ones(1, 1))
    zenith = sky_colour(batch, bank, torch.zeros(1, dtype=torch.long), straight_up)
    assert [float(plane) for plane in zenith] == pytest.approx([0.1, 0.2, 0.9], abs=1e-5)


def test_no_camera_stands_in_a_solid(bank: TextureBank):
    batch = ViewGenerator(11, bank).render(0, 24, 2, (28, 28), 1.0)
    known = batch.depth > 0
    assert known.flatten(1).any(1).all()
    assert batch.depth[known].min() > 0.08
    assert torch.isfinite(batch.images).all()
    assert (batch.images >= 0).all()
