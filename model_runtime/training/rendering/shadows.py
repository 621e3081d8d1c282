"""Cast shadows: which surfaces a lamp reaches.

Shadow rays are the dearest part of a picture, and real lamps have soft shadows. So every second pixel of every second
row is tested, and the pixels between take the mean of the tested ones about them that lie on the same solid.
"""

import torch

from model_runtime.training.rendering.raycast import BEAM, Beams, Planes, SceneBatch, dot, nearest_surface

SHADOW_GAP = 0.004
"""Metres in front of a surface that shadow rays end at, so that it never shades itself."""


def shadows(
    batch: SceneBatch,
    scene: torch.Tensor,
    index: torch.Tensor,
    point: Planes,
    normal: Planes,
    lamps: Planes,
    wanted: torch.Tensor,
) -> torch.Tensor:
    """Shares [L,T,P] of the lamps (planes [L,T,1]) that reach surfaces, given by number of the solid, position and
    normal [T,P]; `wanted` [L,T,P] says where that is of interest. The P = BEAM x BEAM rays come row by row."""
    sparse = tuple(_every_second(plane) for plane in (*point, *normal))
    lit = _tested(batch, scene, sparse, lamps, _every_second(wanted)).float()
    own, total, weight = index.unflatten(-1, (BEAM, BEAM)), 0.0, 0.0
    solid, lit = (x.unflatten(-1, (BEAM // 2, BEAM // 2)) for x in (_every_second(index), lit))
    pixel = torch.arange(BEAM, device=index.device)
    before, after = pixel // 2, ((pixel + 1) // 2).clamp_max(BEAM // 2 - 1)
    for row in (before, after):
        for column in (before, after):
            same = (solid[:, row][..., column] == own).float()
            weight = weight + same
            total = total + same * lit[:, :, row][..., column]
    share = torch.as_tensor(total) / torch.as_tensor(weight).clamp_min(1)
    return torch.where(torch.as_tensor(weight) > 0, share, 1.0).flatten(-2)


def _every_second(plane: torch.Tensor) -> torch.Tensor:
    return plane.unflatten(-1, (BEAM, BEAM))[..., ::2, ::2].flatten(-2)


def _tested(
    batch: SceneBatch, scene: torch.Tensor, surface: tuple[torch.Tensor, ...], lamps: Planes, wanted: torch.Tensor
) -> torch.Tensor:
    """Which surfaces (position and normal, planes [T,P]) the lamps reach, bool [L,T,P]; true where not wanted."""
    lit = torch.ones_like(wanted)
    light, beam = wanted.any(2).nonzero(as_tuple=True)
    chosen = wanted[light, beam]
    lamp = (lamps[0][light, beam], lamps[1][light, beam], lamps[2][light, beam])
    end = [surface[k][beam] + SHADOW_GAP * surface[3 + k][beam] for k in range(3)]
    big = torch.finfo(torch.float32).max
    low = torch.stack([plane.where(chosen, big).amin(1) for plane in end], 1)
    high = torch.stack([plane.where(chosen, -big).amax(1) for plane in end], 1)
    axis = (low + high) / 2 - torch.cat(lamp, 1)
    axis = axis / axis.norm(dim=1, keepdim=True).clamp_min(1e-6)
    to = (end[0] - lamp[0], end[1] - lamp[1], end[2] - lamp[2])
    limit = (1 - SHADOW_GAP * torch.rsqrt(dot(to, to).clamp_min(1e-6))).where(chosen, 0.0)
    beams = Beams(scene[beam], lamp, to, axis, (high - low).norm(dim=1) / 2, torch.zeros_like(axis[:, 0]))
    # The enclosure, a shell or the ground, never stands between a lamp and what is seen.
    _, met = nearest_surface(batch, beams, limit, skip_enclosure=True)
    lit[light, beam] = (met < 0) | ~chosen
    return lit
