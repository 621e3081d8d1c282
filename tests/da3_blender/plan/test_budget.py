"""Where there are more points than may be made, every place keeps as many, whoever shows it."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from da3_blender.plan.budget import within_budget
from da3_blender.plan.point_cloud import plan_points, surface_mask
from da3_blender.plan.splat_cloud import PART, plan_splats


def square(random, count, corner=(0.0, 0.0, 0.0)):
    """[count,3] by chance on a square of length 1."""
    points = np.zeros((count, 3))
    points[:, :2] = random.random((count, 2))
    return points + corner


def kept(parts, budget, repeated=None):
    repeated = repeated or [np.zeros(len(part), bool) for part in parts]
    return within_budget(repeated, lambda index: parts[index], budget)


def test_what_one_view_shows_is_as_dense_as_what_fifty_show():
    random = np.random.default_rng(0)
    wall = [square(random, 4000) for _ in range(50)]
    corner = square(random, 4000, (40.0, 3.0, 7.0))
    keep = kept([*wall, corner], 4000)
    assert sum(part.sum() for part in keep) == 4000
    assert keep[-1].sum() == pytest.approx(2000, rel=0.1)
    shares = [part.sum() for part in keep[:-1]]
    assert max(shares) < 80 and min(shares) > 15  # 40 of each on average
    tiles = np.concatenate([part[chosen] for part, chosen in zip(wall, keep, strict=False)])
    counts, _, _ = np.histogram2d(tiles[:, 0], tiles[:, 1], bins=4, range=((0, 1), (0, 1)))
    assert counts.min() > 0.7 * counts.mean() and counts.max() < 1.3 * counts.mean()


def test_the_choice_is_the_same_each_time_and_exact():
    random = np.random.default_rng(1)
    parts = [random.normal(size=(count, 3)) * 10.0**scale for count, scale in ((0, 0), (5000, 0), (300, 4), (1, -3))]
    for budget in (0, 1, 7, 1000, 5300):
        keep = kept(parts, budget)
        assert sum(part.sum() for part in keep) == budget
        assert all(np.array_equal(a, b) for a, b in zip(keep, kept(parts, budget), strict=True))
    assert all(part.all() for part in kept(parts, 5301))


def test_repeated_ones_fill_what_is_left():
    random = np.random.default_rng(2)
    parts = [square(random, 1000), square(random, 1000)]
    repeated = [np.arange(1000) % 2 > 0, np.ones(1000, bool)]
    keep = kept(parts, 400, repeated)
    assert sum(part.sum() for part in keep) == 400 and not keep[0][repeated[0]].any() and not keep[1].any()
    half = [np.array([*square(random, 500), *square(random, 500, (9, 0, 0))]), parts[1]]
    keep = kept(half, 1100, repeated)
    assert keep[0][~repeated[0]].all() and sum(part.sum() for part in keep) == 1100
    alone = keep[0][500:].sum() - 250  # which no other view shows, so all of them may stay
    assert alone > 1.5 * (keep[0][:500].sum() - 250)


def test_all_points_in_one_place():
    parts = [np.full((500, 3), 2.5)] * 3
    assert sum(part.sum() for part in kept(parts, 10)) == 10


def test_views_are_looked_at_one_after_the_other(room, tmp_path):
    """As they are mapped from files: what is in memory does not grow with them but for masks and choices."""

    def peak(count):
        views = []
        for number in range(count):
            view = room.view(eye=(0.02 * number, 0, 1.6), name=str(number), detail=4)
            arrays = {}
            for name in ("depth", "confidence", "color"):
                np.save(tmp_path / f"{number} {name}.npy", getattr(view, name))
                arrays[name] = np.load(tmp_path / f"{number} {name}.npy", mmap_mode="r")
            views.append(replace(view, **arrays))
        masks = [surface_mask(view, 0.0) for view in views]
        tracemalloc.start()
        points = plan_points(tuple(views), masks, np.eye(4), 1, 1000, 0.1)
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert len(points.position) == 1000
        return used

    pixels = 160 * 120
    assert peak(24) - peak(4) < 20 * 6 * pixels  # bytes; their positions alone would be 24 a pixel


def test_splats_are_chosen_as_points_are(room):
    random = np.random.default_rng(3)
    wall, corner = square(random, 20_000), square(random, 400, (5.0, 0, 0))
    gaussians = room.gaussians(np.concatenate([wall, corner]))
    view = room.view()
    plan = plan_splats(replace(gaussians, source="network"), (view,), [surface_mask(view, 0)], np.eye(4), 800)
    assert len(plan.position) == 800 and plan.left_out == 19_600 and PART > 800
    assert np.count_nonzero(plan.position[:, 0] > 3) == pytest.approx(400, rel=0.2)
