"""Correspondences against the geometry of a pan, and the matching loss against perfect and useless attention."""

import math

import numpy as np
import pytest
import torch

from model_runtime.training.learning.matching import (
    AttentionProbe,
    bilinear_targets,
    matching_loss,
    patch_correspondences,
    sought_views,
)
from model_runtime.training.rendering.views import ViewBatch


def wall(shift: float) -> ViewBatch:
    """A wall at depth 2 seen by a 56 x 56 camera of focal length 56, then from `shift` metres to the right."""
    extrinsics = torch.eye(4).repeat(1, 2, 1, 1)
    extrinsics[0, 1, 0, 3] = -shift
    intrinsics = torch.tensor([[56.0, 0, 28], [0, 56, 28], [0, 0, 1]]).repeat(1, 2, 1, 1)
    return ViewBatch(torch.zeros(1, 2, 3, 56, 56), torch.full((1, 2, 56, 56), 2.0), extrinsics, intrinsics)


def test_a_sideways_step_shifts_patches():
    # 0.5 m at depth 2 with focal length 56 is 14 pixels: one patch.
    truth = patch_correspondences(wall(0.5))
    positions, visible = truth.positions, truth.visible
    columns = torch.arange(16) % 4
    # Patches are sampled at the pixel right below and right of their middle, half a pixel off.
    torch.testing.assert_close(positions[0, 0, 1, :, 0], columns - 1 + 0.5 / 14, atol=1e-5, rtol=0)
    torch.testing.assert_close(positions[0, 1, 0, :, 0], columns + 1 + 0.5 / 14, atol=1e-5, rtol=0)
    assert visible[0, 0, 1].tolist() == (columns > 0).tolist()
    assert not visible[0, 0, 0].any()


def test_hidden_points_have_no_match():
    batch = wall(0.0)
    batch.depth[0, 1, :, :28] = 1.0
    visible = patch_correspondences(batch).visible
    assert visible[0, 0, 1].tolist() == [False, False, True, True] * 4


def test_bilinear_targets_sum_to_one_and_hit_corners():
    positions = torch.tensor([[0.0, 0.0], [1.25, 0.5], [-0.4, 3.3]])
    weights = bilinear_targets(positions, 3, 4).view(3, 3, 4)
    assert weights.sum((1, 2)).tolist() == pytest.approx([1, 1, 1])
    assert weights[0, 0, 0] == 1
    assert weights[1, 0, 1] == pytest.approx(0.75 * 0.5)
    assert weights[2, 2, 0] == 1


def test_loss_of_attention_that_finds_the_other_view_its_own_or_nothing():
    truth = patch_correspondences(wall(0.5))
    probe = AttentionProbe(())
    content = torch.from_numpy(np.eye(17, dtype=np.float32))
    moved = content.clone()
    # View 1 sees at column c what view 0 sees at c + 1.
    moved[1:16], moved[16] = content[2:], content[1]
    side = torch.eye(2).repeat_interleave(17, 0)

    def loss(looks_at: torch.Tensor) -> tuple[float, float]:
        shown = torch.cat([content, moved])
        probe.keys = [6 * torch.cat([shown, side], 1)[None, None]]
        probe.queries = [6 * torch.cat([shown, looks_at], 1)[None, None]]
        value, matched = matching_loss(probe, truth)
        return float(value), float(matched)

    other, matched = loss(side.flip(0))
    own, own_matched = loss(side)
    assert matched == own_matched == 1
    probe.queries, probe.keys = [torch.zeros(1, 1, 34, 4)], [torch.zeros(1, 1, 34, 4)]
    nothing = float(matching_loss(probe, truth)[0])
    assert nothing == pytest.approx(math.log(34), rel=1e-5)
    assert other < 0.6 * nothing
    assert own > nothing


def test_all_views_look_in_the_reference_and_it_looks_in_all():
    assert sought_views(3).tolist() == [[False, True, True], [True, False, False], [True, False, False]]
