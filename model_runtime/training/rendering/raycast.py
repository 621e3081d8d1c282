"""Batched ray casting of scenes: the nearest surface along every ray, exactly.

Rays come in beams of neighbours. Every beam is tested only against the solids near it (see `culling`), so that a scene
may have hundreds of solids and a ray still meets only a handful: beams are sorted by how many solids they have to test,
and the k-th solid of all beams that have one is tested at once.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch

from model_runtime.training.rendering.culling import beam_meets
from model_runtime.training.world import solids
from model_runtime.training.world.solids import Scene

FAR = 1e6
TINY = 1e-12
"""Keeps divisors from being zero; too small to change any other number."""
NEAREST = 1e-4
"""Surfaces nearer than this, in lengths of the direction, are not seen."""
TRACE_STEPS = 14
TESTS_AT_ONCE = 50_000
"""Rays times solids that are tested together at least."""
BEAM = 14
"""Pixels along a side of the square of rays that is tested together against the solids near it."""
FRAME_WIDTH = 15 + solids.SHAPE_WIDTH
Planes = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


def dot(a: Planes, b: Planes) -> torch.Tensor:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@dataclass(frozen=True)
class SceneBatch:
    """Scenes stacked along a batch axis B; fields as in `Scene`. frames [B,S,FRAME_WIDTH]: centre, axes row by row,
    half sizes and shape of every solid; scenes with fewer solids end in UNUSED ones."""

    kinds: torch.Tensor
    frames: torch.Tensor
    materials: torch.Tensor
    lights: torch.Tensor
    ambient: torch.Tensor
    sky: torch.Tensor

    @staticmethod
    def stack(scenes: Sequence[Scene], device: torch.device | str = "cpu") -> "SceneBatch":
        most = max(len(scene.kinds) for scene in scenes)
        kinds = torch.full((len(scenes), most), solids.UNUSED)
        frames = torch.ones(len(scenes), most, FRAME_WIDTH)
        materials = torch.zeros(len(scenes), solids.ENCLOSURE_FACES - 1 + most, scenes[0].materials.shape[1])
        for row, scene in enumerate(scenes):
            count = len(scene.kinds)
            kinds[row, :count] = torch.from_numpy(scene.kinds)
            parts = (scene.centres, scene.axes.reshape(count, 9), scene.half_sizes, scene.shapes)
            frames[row, :count] = torch.cat([torch.from_numpy(part).float() for part in parts], 1)
            materials[row, : len(scene.materials)] = torch.from_numpy(scene.materials)
        rest = [
            torch.stack([torch.from_numpy(getattr(scene, name)).float() for scene in scenes])
            for name in ("lights", "ambient", "sky")
        ]
        return SceneBatch(*(value.to(device) for value in (kinds, frames, materials, *rest)))


@dataclass(frozen=True)
class Beams:
    """T beams of P rays. scene [T]: number of the scene; origin: planes [T,1]; direction: planes [T,P].

    Every beam lies within `radius` [T] + `spread` [T] * distance of the middle ray along `axis` [T,3].
    """

    scene: torch.Tensor
    origin: Planes
    direction: Planes
    axis: torch.Tensor
    radius: torch.Tensor
    spread: torch.Tensor


def _slab(o: torch.Tensor, d: torch.Tensor, h: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    inverse = (d + TINY).reciprocal()
    middle, reach = -o * inverse, h * inverse.abs()
    return middle - reach, middle + reach


def _box_span(o: Planes, d: Planes, h: Sequence[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    near0, far0 = _slab(o[0], d[0], h[0])
    near1, far1 = _slab(o[1], d[1], h[1])
    near2, far2 = _slab(o[2], d[2], h[2])
    near = torch.maximum(torch.maximum(near0, near1), near2)
    return near, torch.minimum(torch.minimum(far0, far1), far2)


def _hit_shell(o: Planes, d: Planes, p: Sequence[torch.Tensor]) -> torch.Tensor:
    return _box_span(o, d, p[12:15])[1]


def _hit_box(o: Planes, d: Planes, p: Sequence[torch.Tensor]) -> torch.Tensor:
    near, far = _box_span(o, d, p[12:15])
    return torch.where((near < far) & (near > NEAREST), near, FAR)


def _hit_open_quadric(o: Planes, d: Planes, p: Sequence[torch.Tensor]) -> torch.Tensor:
    inverse = (p[12].reciprocal(), p[13].reciprocal(), p[14].reciprocal())
    x, y, z = o[0] * inverse[0], o[1] * inverse[1], o[2] * inverse[2]
    dx, dy, dz = d[0] * inverse[0], d[1] * inverse[1], d[2] * inverse[2]
    a, b, c, low, high = p[15:20]
    # x^2 + y^2 - a - b z - c z^2 along the ray is s t^2 + 2 h t + r.
    s = dx * dx + dy * dy - c * (dz * dz) + TINY
    h = x * dx + y * dy - (c * z + b / 2) * dz
    discriminant = h * h - s * (x * x + y * y - a - b * z - c * z * z)
    root, inverse = discriminant.sqrt(), s.reciprocal()
    best = torch.full_like(root, FAR)
    for t in ((-h - root) * inverse, (root - h) * inverse):
        # Where the ray misses, t is no number, and every comparison with it fails.
        height = z + t * dz
        best = torch.where((height >= low) & (height <= high) & (t > NEAREST) & (t < best), t, best)
    return best


def _hit_quadric(o: Planes, d: Planes, p: Sequence[torch.Tensor]) -> torch.Tensor:
    best = _hit_open_quadric(o, d, p)
    a, b, c = p[15:18]
    inverse = (d[2] + TINY).reciprocal()
    for end, closed in ((p[18], p[20]), (p[19], p[21])):
        t = (end * p[14] - o[2]) * inverse
        across, up = (o[0] + t * d[0]) / p[12], (o[1] + t * d[1]) / p[13]
        inside = across * across + up * up <= (a + b * end + c * end * end) * closed
        best = torch.where(inside & (t > NEAREST) & (t < best), t, best)
    return best


def _distance_rounded(q: Planes, p: Sequence[torch.Tensor]) -> torch.Tensor:
    radius = p[15]
    x, y, z = (q[k].abs() - (p[12 + k] - radius) for k in range(3))
    outside = (x.clamp_min(0).square() + y.clamp_min(0).square() + z.clamp_min(0).square()).sqrt()
    return outside + torch.maximum(torch.maximum(x, y), z).clamp_max(0) - radius


def _distance_torus(q: Planes, p: Sequence[torch.Tensor]) -> torch.Tensor:
    ring = (q[0] * q[0] + q[1] * q[1]).sqrt() - (p[12] - p[14])
    return (ring * ring + q[2] * q[2]).sqrt() - p[14]


def _trace(
    distance: Callable[[Planes, Sequence[torch.Tensor]], torch.Tensor], o: Planes, d: Planes, p: Sequence[torch.Tensor]
) -> torch.Tensor:
    """Sphere tracing (Hart 1996) from the bounding box's near side on."""
    near, far = _box_span(o, d, p[12:15])
    speed = (d[0] * d[0] + d[1] * d[1] + d[2] * d[2]).rsqrt()
    t = near.clamp_min(NEAREST)
    gap = t
    for _ in range(TRACE_STEPS):
        gap = distance((o[0] + t * d[0], o[1] + t * d[1], o[2] + t * d[2]), p)
        t = t + gap * speed
    # What is not within a hundredth of the smallest half size by now has passed by.
    close = gap < 0.02 * torch.minimum(torch.minimum(p[12], p[13]), p[14])
    return torch.where((near < far) & (far > NEAREST) & close & (t < far + 1e-3 * speed), t, FAR)


def _hit_rounded(o: Planes, d: Planes, p: Sequence[torch.Tensor]) -> torch.Tensor:
    return _trace(_distance_rounded, o, d, p)


def _hit_torus(o: Planes, d: Planes, p: Sequence[torch.Tensor]) -> torch.Tensor:
    return _trace(_distance_torus, o, d, p)


HITS: dict[int, Callable[[Planes, Planes, Sequence[torch.Tensor]], torch.Tensor]] = {
    solids.SHELL: _hit_shell,
    solids.BOX: _hit_box,
    solids.QUADRIC: _hit_quadric,
    solids.OPEN_QUADRIC: _hit_open_quadric,
    solids.ROUNDED: _hit_rounded,
    solids.TORUS: _hit_torus,
}


@dataclass(frozen=True)
class _Queue:
    """Which solids the beams test, k-th by k-th: order [T'] of the beams that test any, those with most first; counts
    [T'] and table [T',K] of solids in that order; lengths: how many beams have a k-th solid."""

    order: torch.Tensor
    counts: torch.Tensor
    table: torch.Tensor
    lengths: list[int]

    @staticmethod
    def of(mask: torch.Tensor) -> "_Queue | None":
        """mask [T,S]: which beams test which solids."""
        counts = mask.sum(1)
        most = int(counts.max()) if len(counts) else 0
        if most == 0:
            return None
        counts, order = counts.sort(descending=True, stable=True)
        lengths = (counts[:, None] > torch.arange(most, device=mask.device)).sum(0).tolist()
        counts, order = counts[: lengths[0]], order[: lengths[0]]
        beam, solid = mask[order].nonzero(as_tuple=True)
        place = torch.arange(len(beam), device=mask.device) - (counts.cumsum(0) - counts)[beam]
        table = torch.zeros(len(counts), most, dtype=torch.long, device=mask.device)
        table[beam, place] = solid
        return _Queue(order, counts, table, lengths)

    def rounds(self, rays: int) -> Iterator[tuple[int, int, int]]:
        """First place, number of places and number of beams of `rays` rays of every round: the few beams with many
        solids test several at once."""
        k, most = 0, len(self.lengths)
        while k < most:
            beams = self.lengths[k]
            places = min(most - k, max(1, TESTS_AT_ONCE // (beams * rays)))
            yield k, places, beams
            k += places


def _local(frame: Sequence[torch.Tensor], x: torch.Tensor, y: torch.Tensor, z: torch.Tensor) -> Planes:
    """World components turned into a solid's frame; frame: FRAME_WIDTH rows."""
    a, b, c = (x * frame[3 + k] + y * frame[6 + k] + z * frame[9 + k] for k in range(3))
    return a, b, c


def nearest_surface(
    batch: SceneBatch, beams: Beams, limit: torch.Tensor | None = None, skip_enclosure: bool = False
) -> tuple[torch.Tensor, torch.Tensor]:
    """First surface along each ray: distance in units of the direction's length, and index of the solid; both [T,P].

    limit: [T,P] only surfaces nearer than that count (default: FAR). skip_enclosure: solid 0 is not seen.
    Where nothing is met the distance is the limit and the index -1.
    """
    best = torch.full_like(beams.direction[0], FAR) if limit is None else limit.clone()
    index = torch.full(best.shape, -1, dtype=torch.long, device=best.device)
    kinds = batch.kinds[beams.scene]
    frames = batch.frames.permute(2, 0, 1)
    mask = beam_meets(frames[:15, beams.scene], beams.origin, beams.axis, beams.radius, beams.spread)
    if skip_enclosure:
        mask[:, 0] = False
    flat = frames.flatten(1)
    for kind, hit in HITS.items():
        queue = _Queue.of(mask & (kinds == kind))
        if queue is None:
            continue
        row = (beams.scene * batch.kinds.shape[1])[queue.order][:, None]
        origin = [plane[queue.order][:, None] for plane in beams.origin]
        direction = [plane[queue.order][:, None] for plane in beams.direction]
        kind_best, kind_index = best[queue.order], index[queue.order]
        for k, places, n in queue.rounds(best.shape[1]):
            solid = queue.table[:n, k : k + places]
            frame = flat[:, row[:n] + solid][..., None].unbind(0)
            o = _local(frame, *(origin[axis][:n] - frame[axis] for axis in range(3)))
            t = hit(o, _local(frame, *(plane[:n] for plane in direction)), frame)
            if places == 1:
                t = t[:, 0]
            else:
                missing = queue.counts[:n, None] <= torch.arange(k, k + places, device=t.device)
                t, place = t.masked_fill(missing[..., None], FAR).min(1)
                solid = solid.gather(1, place)
            closer = t < kind_best[:n]
            kind_best[:n] = torch.where(closer, t, kind_best[:n])
            kind_index[:n] = torch.where(closer, solid, kind_index[:n])
        best[queue.order], index[queue.order] = kind_best, kind_index
    return best, index
