"""Blending by kept pairs, against the renderer that finds them anew at every call."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from model_runtime.splats import blending
from model_runtime.splats.blending import blend, find_pairs
from model_runtime.splats.renderer import Splats, in_sight, project, render_splats

SIZE = (30, 40)
INTRINSICS = torch.tensor([[35.0, 0, 20], [0, 36.0, 15], [0, 0, 1]])
EXTRINSICS = torch.eye(4)


def _splats(count: int) -> Splats:
    draw = torch.Generator().manual_seed(3)
    means = torch.rand(count, 3, generator=draw) * torch.tensor([4.0, 3.0, 3.0]) - torch.tensor([2.0, 1.5, -1.5])
    scales = torch.rand(count, 3, generator=draw) * 0.2 + 0.02
    rotations = torch.randn(count, 4, generator=draw)
    harmonics = torch.randn(count, 3, 4, generator=draw) * 0.3
    return Splats(means, scales, rotations, harmonics, torch.rand(count, generator=draw) * 0.98)


def _blended(splats: Splats) -> tuple[torch.Tensor, torch.Tensor]:
    order = in_sight(splats, EXTRINSICS, INTRINSICS, SIZE)
    projected = project(splats, order, EXTRINSICS, INTRINSICS, SIZE)
    values = torch.cat([projected.colour, torch.ones(len(order), 1)], 1)
    picture = blend(projected, values, find_pairs(projected, SIZE)).T.unflatten(1, SIZE)
    return picture[:3], picture[3]


def test_pictures_and_gradients_are_those_of_the_renderer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blending, "FAINTEST", 0.0)
    target = torch.rand(3, *SIZE, generator=torch.Generator().manual_seed(4))
    gradients = []
    pictures = []
    for render in (_blended, lambda splats: render_splats(splats, EXTRINSICS, INTRINSICS, SIZE)):
        leaves = {name: value.clone().requires_grad_() for name, value in vars(_splats(150)).items()}
        picture, coverage = render(Splats(**leaves))
        ((picture - target).square().sum() + coverage.square().sum()).backward()
        gradients.append({name: leaf.grad for name, leaf in leaves.items()})
        pictures.append(torch.cat([picture, coverage[None]]).detach())
    torch.testing.assert_close(pictures[0], pictures[1], atol=2e-6, rtol=0)
    for name, gradient in gradients[1].items():
        scale = float(gradient.abs().max())
        assert float((gradients[0][name] - gradient).abs().max()) < 2e-5 * scale, name


def test_what_is_too_faint_to_be_seen_changes_no_pixel_by_much() -> None:
    splats = _splats(150)
    exact, _ = render_splats(splats, EXTRINSICS, INTRINSICS, SIZE)
    picture, _ = _blended(splats)
    assert float((picture - exact).abs().mean()) < 0.004


def test_nothing_in_sight_is_a_black_picture() -> None:
    behind = replace(_splats(5), means=torch.tensor([[0.0, 0.0, -3.0]]).repeat(5, 1))
    picture, coverage = _blended(behind)
    assert picture.abs().max() == 0 and coverage.abs().max() == 0
