"""Overlap against a walk over all pixels, and what the curriculum does with it."""

import numpy as np
import pytest
import torch

from model_runtime.geometry.overlap import STRIDE, TOLERANCE, view_overlap
from model_runtime.training.learning.curriculum import MANY_VIEWS, Curriculum, ViewPool, choose_views
from model_runtime.training.rendering.views import ViewBatch, ViewGenerator
from model_runtime.training.world.textures import make_texture_bank


@pytest.fixture(scope="module")
def generator() -> ViewGenerator:
    return ViewGenerator(3, make_texture_bank(variants=1))


def overlap(batch: ViewBatch, stride: int = STRIDE) -> torch.Tensor:
    return view_overlap(batch.depth, batch.intrinsics, batch.extrinsics, stride)


def overlap_by_hand(batch: ViewBatch, scene: int, one: int, two: int) -> float:
    """Pixel by pixel, in plain numpy."""
    depth, pose, k = (x[scene].double().numpy() for x in (batch.depth, batch.extrinsics, batch.intrinsics))
    height, width = depth.shape[1:]
    seen = known = 0
    for row in range(height):
        for column in range(width):
            if depth[one, row, column] == 0:
                continue
            known += 1
            ray = np.linalg.inv(k[one]) @ [column + 0.5, row + 0.5, 1]
            world = np.linalg.inv(pose[one]) @ [*(ray * depth[one, row, column]), 1]
            camera = (pose[two] @ world)[:3]
            if camera[2] <= 1e-3:
                continue
            x, y, _ = k[two] @ camera / camera[2]
            if 0 <= x < width and 0 <= y < height:
                seen += abs(camera[2] - depth[two, int(y), int(x)]) < TOLERANCE * camera[2]
    return seen / max(known, 1)


def test_overlap_is_what_counting_gives(generator: ViewGenerator):
    batch = generator.render(20, 3, 2, (28, 42), 0.7)
    every = overlap(batch, 1)
    for scene in range(3):
        for one, two in ((0, 1), (1, 0)):
            assert float(every[scene, one, two]) == pytest.approx(overlap_by_hand(batch, scene, one, two), abs=0.004)
    torch.testing.assert_close(every.diagonal(dim1=1, dim2=2), torch.ones(3, 2))
    assert (overlap(batch, 3) - every).abs().mean() < 0.05


def test_less_overlap_where_it_is_harder(generator: ViewGenerator):
    easy, hard = (overlap(generator.render(0, 12, 2, (28, 42), difficulty)) for difficulty in (0.0, 1.0))
    assert easy[:, 0, 1].mean() > hard[:, 0, 1].mean() + 0.1


def test_views_are_chosen_by_overlap():
    overlap = np.full((500, 4, 4), 0.2)
    overlap[:, range(4), range(4)] = 1
    overlap[:, 1, 3] = overlap[:, 2, 0] = 0.8
    chosen = choose_views(overlap, 2, 0.5, np.random.default_rng(0))
    good = [tuple(pair) in {(1, 3), (2, 0)} for pair in chosen]
    # One of six random ordered pairs out of twelve is good with probability 1 - (10/12)^6.
    assert np.mean(good) == pytest.approx(1 - (10 / 12) ** 6, abs=0.07)
    several = choose_views(overlap, 4, 0.5, np.random.default_rng(0))
    assert (np.sort(several, 1) == np.arange(4)).all()


def test_pool_gives_up_to_eight_views(generator: ViewGenerator):
    curriculum = Curriculum(400, images=16, reuse=1)
    stages = [curriculum.stage(step) for step in range(400)]
    assert {stage.views for stage in stages} == set(range(1, 9))
    assert stages[0].overlap > stages[-1].overlap
    step = next(k for k, stage in enumerate(stages) if stage.views == MANY_VIEWS)
    batch = ViewPool(curriculum, generator).batch(step)
    assert batch.images.shape == (stages[step].scenes, 8, 3, *stages[step].size)
