"""Colours of the surfaces that rays meet: pattern, light of a few lamps, one shadow."""

from dataclasses import dataclass

import torch

from model_runtime.training import scenes
from model_runtime.training.raycast import Planes, SceneBatch, nearest_surface
from model_runtime.training.textures import SIZE, TextureBank

SHADOW = 0.15
"""Share of the first lamp's light that still reaches a shadow."""
SMALLEST_SLANT = 0.15
"""Cosine below which a pixel's footprint grows no further."""


@dataclass(frozen=True)
class Hits:
    """Where rays met surfaces, [B,R] each: number of the solid, world position, unit viewing direction, width of the
    pixel there in metres."""

    index: torch.Tensor
    point: Planes
    view: Planes
    footprint: torch.Tensor


@dataclass(frozen=True)
class _Surface:
    """local: position in the solid's frame; normal: unit, world frame; axis, face: of the solid's box, [B,R]."""

    local: list[torch.Tensor]
    normal: list[torch.Tensor]
    axis: torch.Tensor
    face: torch.Tensor


def _dot(a: list[torch.Tensor] | Planes, b: list[torch.Tensor] | Planes) -> torch.Tensor:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _local_normal(index: torch.Tensor, unit: list[torch.Tensor], half: torch.Tensor) -> list[torch.Tensor]:
    """Unit normals in the solids' frames; out of a solid, into the room for the shell. unit: position / half size."""
    size = [u.abs() for u in unit]
    first = (size[0] >= size[1]) & (size[0] >= size[2])
    second = ~first & (size[1] >= size[2])
    faces = (first, second, ~first & ~second)
    is_box = index < scenes.FIRST_ELLIPSOID
    is_ball = ~is_box & (index < scenes.FIRST_CYLINDER)
    cap = size[2] > 0.9999
    inward = torch.where(index == 0, -1.0, 1.0)
    normal = []
    for k in range(3):
        flat = torch.where(faces[k], torch.sign(unit[k]), 0.0)
        curved = unit[k] / half[..., k]
        side = torch.where(cap, 0.0, curved) if k < 2 else torch.where(cap, torch.sign(unit[2]), 0.0)
        normal.append(torch.where(is_box, flat * inward, torch.where(is_ball, curved, side)))
    length = torch.sqrt(_dot(normal, normal)).clamp_min(1e-9)
    return [n / length for n in normal]


def _surface(hits: Hits, frame: torch.Tensor) -> _Surface:
    """The surfaces hit; frame [B,R,15] of their solids."""
    c, m, h = frame[..., 0:3], frame[..., 3:12], frame[..., 12:15]
    rel = [hits.point[k] - c[..., k] for k in range(3)]
    local = [_dot(rel, [m[..., k], m[..., 3 + k], m[..., 6 + k]]) for k in range(3)]
    unit = [local[k] / h[..., k] for k in range(3)]
    normal = _local_normal(hits.index, unit, h)
    n = [x.abs() for x in normal]
    axis = torch.where((n[0] >= n[1]) & (n[0] >= n[2]), 0, torch.where(n[1] >= n[2], 1, 2))
    along = torch.where(axis == 0, unit[0], torch.where(axis == 1, unit[1], unit[2]))
    world = [_dot(normal, [m[..., 3 * k], m[..., 3 * k + 1], m[..., 3 * k + 2]]) for k in range(3)]
    return _Surface(local, world, axis, axis * 2 + (along > 0).long())


def _pattern(
    bank: TextureBank, u: torch.Tensor, v: torch.Tensor, footprint: torch.Tensor, material: torch.Tensor
) -> list[torch.Tensor]:
    """The two channels of the materials' patterns at (u, v) metres: bilinear, on the mip level of the footprint."""
    repeat = material[..., 1]
    level = torch.log2((footprint / repeat * SIZE).clamp_min(1.0)).round()
    level = level.clamp_max(len(bank.level_offsets) - 1).long()
    size = SIZE >> level
    x = (u / repeat + material[..., 2]) * size - 0.5
    y = (v / repeat + material[..., 3]) * size - 0.5
    x0, y0 = torch.floor(x), torch.floor(y)
    fx, fy = x - x0, y - y0
    left, top = x0.long() & (size - 1), y0.long() & (size - 1)
    right, bottom = (left + 1) & (size - 1), (top + 1) & (size - 1)
    base = material[..., 0].long() * bank.texels.shape[1] + torch.tensor(bank.level_offsets)[level]
    channels = []
    for plane in bank.texels.flatten(0, 1).unbind(-1):
        upper = plane[base + top * size + left] * (1 - fx) + plane[base + top * size + right] * fx
        lower = plane[base + bottom * size + left] * (1 - fx) + plane[base + bottom * size + right] * fx
        channels.append(upper * (1 - fy) + lower * fy)
    return channels


def _light(batch: SceneBatch, hits: Hits, normal: list[torch.Tensor]) -> list[torch.Tensor]:
    """Light [B,R] per colour that arrives at the surfaces."""
    # Shadow rays run from the lamp to the surface, so that a surface never shades itself.
    lamp = batch.light_positions[:, 0].unsqueeze(-1).unbind(1)
    to_point = (hits.point[0] - lamp[0], hits.point[1] - lamp[1], hits.point[2] - lamp[2])
    reach, _ = nearest_surface(batch, (lamp[0], lamp[1], lamp[2]), to_point)
    lit = torch.where(reach > 0.995, 1.0, SHADOW)
    strengths = []
    for number in range(scenes.LIGHTS):
        position = batch.light_positions[:, number]
        to = [position[:, k, None] - hits.point[k] for k in range(3)]
        squared = _dot(to, to)
        cosine = _dot(to, normal) * torch.rsqrt(squared + 1e-6)
        strength = cosine.clamp_min(0) * 2 / (1 + 0.5 * squared)
        strengths.append(strength * lit if number == 0 else strength)
    sky = 0.8 + 0.2 * normal[2]
    glow = [batch.ambient[:, k, None] * sky for k in range(3)]
    for number, strength in enumerate(strengths):
        glow = [glow[k] + batch.light_colours[:, number, k, None] * strength for k in range(3)]
    return glow


def shade(batch: SceneBatch, bank: TextureBank, hits: Hits) -> torch.Tensor:
    """Linear RGB [B,3,R] of surfaces."""
    solid = torch.arange(hits.index.shape[0])[:, None] * scenes.SOLIDS + hits.index
    surface = _surface(hits, batch.frames.flatten(0, 1)[solid])
    material = batch.materials.reshape(-1, scenes.MATERIAL_WIDTH)[solid * 6 + surface.face]
    u = torch.where(surface.axis == 0, surface.local[1], surface.local[0])
    v = torch.where(surface.axis == 2, surface.local[1], surface.local[2])
    slant = _dot(surface.normal, hits.view).abs().clamp_min(SMALLEST_SLANT)
    first, second = _pattern(bank, u, v, hits.footprint / slant, material)
    colours = []
    for k, glow in enumerate(_light(batch, hits, surface.normal)):
        albedo = material[..., 4 + k] + first * (material[..., 7 + k] - material[..., 4 + k])
        albedo = albedo + second * (material[..., 10 + k] - albedo)
        colours.append(albedo * glow)
    return torch.stack(colours, 1)


def cast(
    batch: SceneBatch, bank: TextureBank, origin: torch.Tensor, direction: torch.Tensor, pixel_size: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Colours and distances seen along rays.

    origin, direction: [B,R,3] world frame; with directions whose camera z is 1 the distance is the depth.
    pixel_size: [B,R] width of a pixel at distance 1. Returns linear RGB [B,3,R] and distance [B,R].
    """
    o = (origin[..., 0].contiguous(), origin[..., 1].contiguous(), origin[..., 2].contiguous())
    d = (direction[..., 0].contiguous(), direction[..., 1].contiguous(), direction[..., 2].contiguous())
    distance, index = nearest_surface(batch, o, d)
    length = torch.sqrt(_dot(d, d))
    hits = Hits(
        index,
        (o[0] + distance * d[0], o[1] + distance * d[1], o[2] + distance * d[2]),
        (d[0] / length, d[1] / length, d[2] / length),
        pixel_size * distance,
    )
    return shade(batch, bank, hits), distance
