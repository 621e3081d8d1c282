"""Batched ray casting of furnished rooms: the nearest surface along every ray, exactly.

Rays of all pixels of all views of a scene are laid out as [B, R] component planes; one solid after the other is tested
against them with the nearest hit kept, so memory stays at a few planes however many solids there are.
"""

from dataclasses import dataclass

import torch

from model_runtime.training import scenes
from model_runtime.training.scenes import Scene

FAR = 1e6
Planes = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


@dataclass(frozen=True)
class SceneBatch:
    """Scenes stacked along a batch axis B; fields as in `Scene`, float32 tensors."""

    centres: torch.Tensor
    axes: torch.Tensor
    half_sizes: torch.Tensor
    materials: torch.Tensor
    light_positions: torch.Tensor
    light_colours: torch.Tensor
    ambient: torch.Tensor

    @property
    def frames(self) -> torch.Tensor:
        """[B,S,15]: centre, axes row by row and half sizes of every solid."""
        return torch.cat([self.centres, self.axes.flatten(2), self.half_sizes], -1)

    @staticmethod
    def stack(rooms: list[Scene]) -> "SceneBatch":
        return SceneBatch(
            *(
                torch.stack([torch.from_numpy(getattr(room, name)).float() for room in rooms])
                for name in SceneBatch.__dataclass_fields__
            )
        )


def _slab(o: torch.Tensor, d: torch.Tensor, h: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    inverse = 1.0 / torch.where(d.abs() < 1e-9, torch.full_like(d, 1e-9), d)
    middle, reach = -o * inverse, h * inverse.abs()
    return middle - reach, middle + reach


def _disc(o: Planes, d: Planes, flat: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """Entry and exit of the unit sphere, or of the endless unit cylinder along z (`flat`)."""
    a = d[0] * d[0] + d[1] * d[1]
    b = o[0] * d[0] + o[1] * d[1]
    c = o[0] * o[0] + o[1] * o[1] - 1
    if not flat:
        a, b, c = a + d[2] * d[2], b + o[2] * d[2], c + o[2] * o[2]
    a = a.clamp_min(1e-12)
    discriminant = b * b - a * c
    root = discriminant.clamp_min(0).sqrt()
    miss = torch.where(discriminant < 0, 2 * FAR, 0.0)
    return (-b - root) / a + miss, (-b + root) / a - miss


def _hit_solid(kind: str, origin: Planes, direction: Planes, solid: torch.Tensor, best: torch.Tensor) -> torch.Tensor:
    """Distance to one solid per scene where nearer than `best`, else `best`.

    solid: [15, B, 1] rows of centre, axes (row-major), half sizes.
    """
    c, m, h = solid[0:3], solid[3:12], solid[12:15]
    rel = (origin[0] - c[0], origin[1] - c[1], origin[2] - c[2])
    o0, o1, o2 = (rel[0] * m[k] + rel[1] * m[3 + k] + rel[2] * m[6 + k] for k in range(3))
    d0, d1, d2 = (direction[0] * m[k] + direction[1] * m[3 + k] + direction[2] * m[6 + k] for k in range(3))
    if kind in ("box", "shell"):
        near0, far0 = _slab(o0, d0, h[0])
        near1, far1 = _slab(o1, d1, h[1])
        near2, far2 = _slab(o2, d2, h[2])
        near = torch.maximum(torch.maximum(near0, near1), near2)
        far = torch.minimum(torch.minimum(far0, far1), far2)
        if kind == "shell":
            return torch.minimum(far, best)
    else:
        unit_o, unit_d = (o0 / h[0], o1 / h[1], o2 / h[2]), (d0 / h[0], d1 / h[1], d2 / h[2])
        near, far = _disc(unit_o, unit_d, flat=kind == "cylinder")
        if kind == "cylinder":
            near_cap, far_cap = _slab(unit_o[2], unit_d[2], torch.ones_like(h[2]))
            near, far = torch.maximum(near, near_cap), torch.minimum(far, far_cap)
    return torch.where((near < far) & (near > 1e-4) & (near < best), near, best)


def _kind(number: int) -> str:
    if number == 0:
        return "shell"
    if number < scenes.FIRST_ELLIPSOID:
        return "box"
    return "ellipsoid" if number < scenes.FIRST_CYLINDER else "cylinder"


def nearest_surface(batch: SceneBatch, origin: Planes, direction: Planes) -> tuple[torch.Tensor, torch.Tensor]:
    """First surface along each ray: distance in units of the direction's length, and index of the solid; both [B, R].

    origin, direction: three planes that broadcast to [B, R], world frame.
    """
    solids = batch.frames.permute(1, 2, 0)[..., None]
    used = (batch.half_sizes[..., 0] > scenes.UNUSED_SIZE).any(0).tolist()
    best = torch.full_like(direction[0], FAR)
    index = torch.zeros(best.shape, dtype=torch.long)
    for number in range(scenes.SOLIDS):
        if used[number]:
            closer = _hit_solid(_kind(number), origin, direction, solids[number], best)
            index.masked_fill_(closer < best, number)
            best = closer
    return best, index
