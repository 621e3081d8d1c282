"""Colours of what rays meet: pattern, lamps with shadows, light from all around, highlights, and the sky."""

from dataclasses import dataclass

import torch

from model_runtime.training.rendering.raycast import FAR, Beams, Planes, SceneBatch, dot, nearest_surface
from model_runtime.training.rendering.shadows import shadows
from model_runtime.training.world import solids
from model_runtime.training.world.materials import MATERIAL_WIDTH
from model_runtime.training.world.patterns import SIZE
from model_runtime.training.world.textures import TextureBank

CORNER_DARKNESS, CORNER_REACH = 0.45, 0.3
"""How much of the light from all around a corner loses, and over how many metres."""
SMALLEST_SLANT = 0.15
"""Cosine below which a pixel's footprint grows no further."""


@dataclass(frozen=True)
class Hits:
    """Where rays met surfaces, [T,P] each: number of the solid (-1 for the sky), world position, unit viewing
    direction, width of the pixel there in metres."""

    index: torch.Tensor
    point: Planes
    view: Planes
    footprint: torch.Tensor


@dataclass(frozen=True)
class Surface:
    """normal: unit, world frame, towards the camera; u, v: metres along the surface; face: of the solid's box."""

    normal: Planes
    u: torch.Tensor
    v: torch.Tensor
    face: torch.Tensor


def _curved_normal(kind: torch.Tensor, local: Planes, unit: Planes, p: torch.Tensor) -> Planes:
    """Normals of all that is no box, in the solids' frames, of any length; p: rows [FRAME_WIDTH,T,P]."""
    z = unit[2]
    cap_low, cap_high = (z < p[18] + 1e-3) & (p[20] > 0), (z > p[19] - 1e-3) & (p[21] > 0)
    side = 1.0 - (cap_low | cap_high).float()
    end = cap_high.float() - cap_low.float()
    ring = 1 - (p[12] - p[14]) / (local[0] * local[0] + local[1] * local[1]).sqrt().clamp_min(1e-6)
    is_quadric = (kind == solids.QUADRIC) | (kind == solids.OPEN_QUADRIC)
    is_torus = kind == solids.TORUS
    normal = []
    for k in range(3):
        inner = p[12 + k] - p[15]
        rounded = local[k] - torch.maximum(torch.minimum(local[k], inner), -inner)
        if k < 2:
            quadric = side * unit[k] / p[12 + k]
            torus = local[k] * ring
        else:
            quadric = end + side * -(0.5 * p[16] + p[17] * z) / p[14]
            torus = local[2]
        normal.append(torch.where(is_quadric, quadric, torch.where(is_torus, torus, rounded)))
    return normal[0], normal[1], normal[2]


def surface_of(hits: Hits, kind: torch.Tensor, p: torch.Tensor) -> Surface:
    """What the surfaces look like where rays meet them; p: rows [FRAME_WIDTH,T,P] of the solids' frames."""
    rel = (hits.point[0] - p[0], hits.point[1] - p[1], hits.point[2] - p[2])
    local = tuple(rel[0] * p[3 + k] + rel[1] * p[6 + k] + rel[2] * p[9 + k] for k in range(3))
    local = (local[0], local[1], local[2])
    unit = (local[0] / p[12], local[1] / p[13], local[2] / p[14])
    size = [x.abs() for x in unit]
    x_face = (size[0] >= size[1]) & (size[0] >= size[2])
    z_face = ~x_face & (size[2] > size[1])
    y_face = ~x_face & ~z_face
    curved = _curved_normal(kind, local, unit, p)
    flat = kind <= solids.BOX
    n = [
        torch.where(flat, torch.where(face, unit[k].sign(), 0.0), curved[k])
        for k, face in enumerate((x_face, y_face, z_face))
    ]
    world = [n[0] * p[3 + 3 * k] + n[1] * p[4 + 3 * k] + n[2] * p[5 + 3 * k] for k in range(3)]
    normal = (world[0], world[1], world[2])
    # Surfaces have two sides: open vessels are seen from within, and the shell of a room always is.
    scale = torch.rsqrt(dot(normal, normal).clamp_min(1e-12)) * torch.where(dot(normal, hits.view) > 0, -1.0, 1.0)
    round_about = (kind >= solids.QUADRIC) & (kind != solids.ROUNDED) & ~(z_face & (p[21] > 0))
    u = torch.where(round_about, torch.atan2(unit[1], unit[0]) * p[12], torch.where(x_face, local[1], local[0]))
    v = torch.where(z_face & ~round_about, local[1], local[2])
    along = torch.where(x_face, unit[0], torch.where(y_face, unit[1], unit[2]))
    face = torch.where(x_face, 0, torch.where(y_face, 2, 4)) + (along > 0).long()
    return Surface((normal[0] * scale, normal[1] * scale, normal[2] * scale), u, v, face)


def pattern_at(
    bank: TextureBank, u: torch.Tensor, v: torch.Tensor, texels_per_pixel: torch.Tensor, pattern: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The two channels of patterns at (u, v) in repeats: bilinear, on the mip level of the footprint."""
    level = torch.log2(texels_per_pixel.clamp_min(1.0)).round()
    level = level.clamp_max(len(bank.level_offsets) - 1).long()
    size = SIZE >> level
    x, y = u * size - 0.5, v * size - 0.5
    x0, y0 = torch.floor(x), torch.floor(y)
    fx, fy = x - x0, y - y0
    left, top = x0.long() & (size - 1), y0.long() & (size - 1)
    right, bottom = (left + 1) & (size - 1), (top + 1) & (size - 1)
    offsets = torch.tensor(bank.level_offsets, device=u.device)
    base = pattern.long() * bank.texels.shape[2] + offsets[level]
    top, bottom = base + top * size, base + bottom * size
    corners = (top + left, top + right, bottom + left, bottom + right)
    channels = []
    for plane in bank.texels.flatten(1):
        a, b, c, d = (plane.index_select(0, at.flatten()).view_as(u) for at in corners)
        upper, lower = torch.lerp(a, b, fx), torch.lerp(c, d, fx)
        channels.append(torch.lerp(upper, lower, fy))
    return channels[0], channels[1]


def _reflected(
    batch: SceneBatch, scene: torch.Tensor, view: Planes, normal: Planes
) -> tuple[torch.Tensor, torch.Tensor]:
    """How much of the light from above (the rest is from below) a mirror would show, and Fresnel's share (Schlick)."""
    against = -dot(view, normal)
    up = view[2] + 2 * against * normal[2]
    return (0.5 + 0.5 * up).clamp(0, 1), (1 - against.clamp(0, 1)) ** 5


def shade(batch: SceneBatch, bank: TextureBank, scene: torch.Tensor, hits: Hits) -> list[torch.Tensor]:
    """Linear RGB, three planes [T,P], of surfaces; scene [T]."""
    index = hits.index.clamp_min(0)
    rows = (scene[:, None] * batch.kinds.shape[1] + index).flatten()
    p = batch.frames.flatten(0, 1).T.contiguous().index_select(1, rows).unflatten(1, index.shape)
    kind = batch.kinds.flatten().index_select(0, rows).view_as(index)
    surface = surface_of(hits, kind, p)
    count = batch.materials.shape[1]
    row = torch.where(index == 0, surface.face, index + solids.ENCLOSURE_FACES - 1) + scene[:, None] * count
    material = batch.materials.reshape(-1, MATERIAL_WIDTH).T.contiguous()
    m = material.index_select(1, row.flatten()).unflatten(1, index.shape)
    slant = dot(surface.normal, hits.view).abs().clamp_min(SMALLEST_SLANT)
    shift = torch.where(index == 0, 0.0, 0.37 * surface.face)
    first, second = pattern_at(
        bank, surface.u / m[1] + m[2] + shift, surface.v / m[1] + m[3], hits.footprint / slant / m[1] * SIZE, m[0]
    )
    diffuse, highlight = _light(batch, scene, hits, surface.normal, m[13], m[14])
    up, fresnel = _reflected(batch, scene, hits.view, surface.normal)
    mirror = m[13] * (0.06 + 0.6 * fresnel)
    colours = []
    for k in range(3):
        albedo = m[4 + k] + first * (m[7 + k] - m[4 + k])
        albedo = albedo + second * (m[10 + k] - albedo)
        around = torch.lerp(batch.ambient[scene, 0, k, None], batch.ambient[scene, 1, k, None], up)
        colours.append(albedo * (diffuse[k] + m[15]) + highlight[k] + mirror * around)
    return colours


def corner_openness(batch: SceneBatch, scene: torch.Tensor, point: Planes, normal: Planes) -> torch.Tensor:
    """Share of the light from all around that the enclosure lets through [T,P]: less beside walls and floor."""
    frame = batch.frames[scene, 0, :, None]
    share = torch.ones_like(point[0])
    for k in range(3):
        gap = (frame[:, 12 + k] - (point[k] - frame[:, k]).abs()).abs()
        share = share * (1 - CORNER_DARKNESS * (1 - normal[k].abs()) * torch.exp(gap * (-1 / CORNER_REACH)))
    return share


def _light(
    batch: SceneBatch, scene: torch.Tensor, hits: Hits, normal: Planes, gloss: torch.Tensor, sharpness: torch.Tensor
) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Light per colour that arrives at the surfaces, and highlights (Blinn 1977)."""
    up = 0.5 + 0.5 * normal[2]
    below, above = batch.ambient[scene, 0], batch.ambient[scene, 1]
    open_share = corner_openness(batch, scene, hits.point, normal)
    diffuse = [torch.lerp(below[:, k, None], above[:, k, None], up) * open_share for k in range(3)]
    highlight = [torch.zeros_like(up) for _ in range(3)]
    lights = batch.lights[scene].transpose(0, 1)[..., None]
    lamps = (lights[:, :, 0], lights[:, :, 1], lights[:, :, 2])
    to = (lamps[0] - hits.point[0], lamps[1] - hits.point[1], lamps[2] - hits.point[2])
    squared = dot(to, to)
    inverse = torch.rsqrt(squared + 1e-6)
    cosine = dot(to, normal) * inverse
    facing = (cosine > 0) & (hits.index >= 0)
    lit = shadows(batch, scene, hits.index, hits.point, normal, lamps, facing & (lights[:, :, 7] > 0))
    lit = lit.where(lights[:, :, 7] > 0, 1.0)
    strengths = torch.where(facing, lit * cosine / (1 + lights[:, :, 6] * squared), 0.0)
    shiny = gloss * sharpness * 0.04
    for number, strength in enumerate(strengths):
        half = [to[k][number] * inverse[number] - hits.view[k] for k in range(3)]
        half = (half[0], half[1], half[2])
        facet = dot(half, normal) * torch.rsqrt(dot(half, half).clamp_min(1e-6))
        shine = strength * shiny * facet.clamp(1e-3, 1).pow(sharpness)
        for k in range(3):
            diffuse[k] = diffuse[k] + lights[number, :, 3 + k] * strength
            highlight[k] = highlight[k] + lights[number, :, 3 + k] * shine
    return diffuse, highlight


def sky_colour(batch: SceneBatch, bank: TextureBank, scene: torch.Tensor, view: Planes) -> list[torch.Tensor]:
    """Linear RGB of the sky along unit directions: a gradient, clouds on a plane overhead, and a glow about the sun."""
    sky = batch.sky[scene].unsqueeze(-1)
    height = view[2].clamp_min(0)
    far = (height + 0.12).reciprocal()
    clouds, _ = pattern_at(
        bank, view[0] * far * 0.15 + sky[:, 8], view[1] * far * 0.15, far * 0.3, sky[:, 7].expand_as(far)
    )
    clouds = clouds * sky[:, 6] * (height * 6).clamp(0, 1)
    sun = batch.lights[scene, 0, :3]
    sun = sun / sun.norm(dim=1, keepdim=True).clamp_min(1e-6)
    glow = (view[0] * sun[:, 0:1] + view[1] * sun[:, 1:2] + view[2] * sun[:, 2:3]).clamp(0, 1) ** 32
    blend = height.sqrt()
    colours = []
    for k in range(3):
        clear = torch.lerp(sky[:, 3 + k].expand_as(blend), sky[:, k].expand_as(blend), blend) + 0.25 * glow
        colours.append(clear + clouds * (0.95 - clear))
    return colours


def cast(
    batch: SceneBatch, bank: TextureBank, beams: Beams, pixel_size: torch.Tensor
) -> tuple[list[torch.Tensor], torch.Tensor, torch.Tensor]:
    """Linear RGB (three planes), distance and number of the solid seen along rays, [T,P] each.

    With directions whose camera z is 1 the distance is the depth; FAR for the sky. pixel_size: [T,1] width of a pixel
    at distance 1.
    """
    d, o = beams.direction, beams.origin
    distance, index = nearest_surface(batch, beams)
    at = distance.where(index >= 0, 1.0)
    inverse = torch.rsqrt(dot(d, d))
    hits = Hits(
        index,
        (o[0] + at * d[0], o[1] + at * d[1], o[2] + at * d[2]),
        (d[0] * inverse, d[1] * inverse, d[2] * inverse),
        pixel_size * at,
    )
    colours = shade(batch, bank, beams.scene, hits)
    missed = index < 0
    if bool(missed.any()):
        sky = sky_colour(batch, bank, beams.scene, hits.view)
        colours = [torch.where(missed, above, colour) for above, colour in zip(sky, colours, strict=True)]
    return colours, distance.where(~missed, FAR), index
