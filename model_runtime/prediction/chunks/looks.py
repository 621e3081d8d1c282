"""What the network sees in a job's photos, a chunk of them at a time, kept chunk by chunk: it becomes one `Look`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from model_runtime.cameras.features.result import SparsePoints
from model_runtime.cameras.given import KnownCameras
from model_runtime.cameras.settle import SettledCameras, settle_cameras
from model_runtime.contract.messages import Cameras
from model_runtime.contract.progress import Span
from model_runtime.depth.scratch import Lazy, Slots
from model_runtime.geometry.arrays import Array
from model_runtime.geometry.similarity import Similarity
from model_runtime.network.output import Output, as_array
from model_runtime.photos.canvas import normalised_batch
from model_runtime.photos.prepare import PreparedPhoto
from model_runtime.prediction.chunks.choosing import chunks_by_sight, chunks_in_order
from model_runtime.prediction.chunks.chunk import ChunkOutput
from model_runtime.prediction.chunks.joining import join_chunks
from model_runtime.prediction.chunks.loops import HALF, likeness, loop_chunks
from model_runtime.prediction.job import Job
from model_runtime.prediction.passes import Look, NetworkPass, pass_alone, pass_with_cameras
from model_runtime.prediction.views import checked_depth, move_rays
from model_runtime.splats.head import HeadSplats, fewer, head_splats

CANDIDATES = 4
"""Splats of the network that are kept for each one that is wanted, for an even choice among them when all is known."""

DESCRIBED = 8
"""Photos that are described at once to find loops."""

LOOKED = 0.95
"""Share of the time after which all chunks are looked at, and only joining is left."""


@dataclass(frozen=True, eq=False)
class ChunkFacts:
    """What is known of a chunk besides its maps: `places` [n] of its photos, the network's own cameras, and what
    `settle_cameras` made of them. similarity: see `_as_rows`."""

    places: np.ndarray
    own_extrinsics: np.ndarray | None
    own_intrinsics: np.ndarray | None
    extrinsics: np.ndarray
    intrinsics: np.ndarray
    depth_scale: np.ndarray
    similarity: np.ndarray
    ray_scale: float
    metric_focal: float | None
    in_metres: bool
    head_chunk: int
    notes: tuple[str, ...]
    maps: tuple[str, ...]


MAPS = ("depth", "depth_conf", "sky", "ray", "ray_conf")


class _Kept:
    """Maps of photos, one slot for each place of each chunk, in files."""

    def __init__(self, job: Job, name: str, chunks: Sequence[Sequence[int]]) -> None:
        self.job, self.name, self.chunks = job, name, chunks
        self.facts = job.work.rows(name, ChunkFacts)
        self.splats = job.work.rows(f"{name}-splats", HeadSplats)
        self.splats_wanted = name != "loops" and job.plan.switches.gaussian_head
        self._starts = np.cumsum([0, *map(len, chunks)]).tolist()
        self._maps: dict[str, Slots] = {}

    def maps(self, name: str) -> Slots:
        """Of the photos of all chunks, one after the other; name: of MAPS."""
        if name not in self._maps:
            self._maps[name] = map_slots(self.job, f"{self.name}-{name}", name, self._starts[-1])
        return self._maps[name]

    def put(self, k: int, seen: NetworkPass, cameras: SettledCameras, notes: Sequence[str]) -> None:
        """Keep what the network saw in chunk `k`."""
        output, start = seen.output, self._starts[k]
        present = tuple(name for name in MAPS if getattr(output, name) is not None)
        for name in present:
            slots, values = self.maps(name), as_array(getattr(output, name)[0])
            for i, each in enumerate(values):
                slots[start + i] = each
        self._put_splats(k, output)
        own = [None if each is None else as_array(each[0]).astype(np.float64) for each in _cameras(output)]
        ray_scale = 1.0 if output.scale_factor is None else float(output.scale_factor[0])
        facts = ChunkFacts(
            places=np.array(self.chunks[k]),
            own_extrinsics=own[0],
            own_intrinsics=own[1],
            extrinsics=cameras.extrinsics,
            intrinsics=cameras.intrinsics,
            depth_scale=cameras.depth_scale,
            similarity=_as_rows(cameras.similarity),
            ray_scale=ray_scale,
            metric_focal=output.metric_focal,
            in_metres=output.scale_factor is not None,
            head_chunk=seen.head_chunk,
            notes=tuple(notes),
            maps=present,
        )
        self.facts.append(facts)
        self.job.work.advance(f"{self.name}-chunks", k + 1)

    def _put_splats(self, k: int, output: Output) -> None:
        head = head_splats(output)
        if head is None or not self.splats_wanted:
            return
        request, width = self.job.plan.request, self.job.photos[0].placement.canvas[0]
        most = max(1, CANDIDATES * request.splat_budget // len(self.job.photos))
        already = len(self.splats)
        for i in range(len(self.chunks[k])):
            if self._starts[k] + i >= already:  # a worker may have died between two of a chunk's photos
                self.splats.append(fewer(head[i], width, most))

    def at(self, k: int, i: int) -> int:
        """The slot of the photo at place `i` of chunk `k`."""
        return self._starts[k] + i


def map_slots(job: Job, name: str, kind: str, count: int) -> Slots:
    """Room for maps of `count` photos on the job's canvas; kind: of MAPS."""
    width, height = job.photos[0].placement.canvas
    shapes = {"ray": (8 * height // 14, 8 * width // 14, 6), "ray_conf": (8 * height // 14, 8 * width // 14)}
    return Slots(job.work, name, [shapes.get(kind, (height, width))] * count, np.float32)


def look_in_chunks(job: Job, known: Cameras | None, sparse: SparsePoints | None, progress: Span) -> Look:
    """All photos, with cameras that are known or with the network's own, which are then those of one world."""
    if known is not None:
        chunks = chunks_by_sight(known.extrinsics, sparse, job.at_once)
        return _as_look(_looked(job, "known", chunks, known, progress), known, progress)
    if not job.relates_photos:
        order = chunks_in_order(len(job.photos), len(job.photos))[0]
        chunks = [order[i : i + job.at_once] for i in range(0, len(order), job.at_once)]
        return _as_look(_looked(job, "alone", chunks, None, progress), None, progress)
    chunks = chunks_in_order(len(job.photos), job.at_once)
    kept = _looked(job, "alone", chunks, None, progress.part(0.0, LOOKED * LOOKED))
    loops = _looked(job, "loops", _loops(job), None, progress.part(LOOKED * LOOKED, LOOKED))
    return _joined_look(kept, loops, progress.part(LOOKED, 1.0))


def _loops(job: Job) -> list[list[int]]:
    """The places of photos that are looked at together besides, since they show what the camera came back to."""
    found: list[np.ndarray] = []
    for start in range(0, len(job.photos), DESCRIBED):
        some = job.photos[start : start + DESCRIBED]
        images = normalised_batch([photo.color for photo in some], [photo.placement for photo in some])
        descriptors = job.network.describe(images)
        if descriptors is None:
            return []
        found.append(descriptors)
    similarity = likeness(np.concatenate(found))
    half = min(HALF, job.at_once // 4)
    return [list(places) for places in loop_chunks(similarity, half=half)] if half else []


def _looked(job: Job, name: str, chunks: list[list[int]], known: Cameras | None, progress: Span) -> _Kept:
    assert job.sizes is not None
    kept = _Kept(job, name, chunks)
    done, began = len(kept.facts), time.monotonic()
    if done:
        progress(0.0, f"Going on with the job that was interrupted: {done} of {len(chunks)} chunks are there.")
    for k in range(done, len(chunks)):
        left = None
        if k > done:
            left = (time.monotonic() - began) / (k - done) * (len(chunks) - k)
        share = progress.part(k / len(chunks), (k + 1) / len(chunks))
        share(0.0, job.sizes.sentence(len(chunks), left))
        part = job.of(chunks[k])
        if known is None:
            seen, given = pass_alone(part, share), None
        else:
            given = KnownCameras(known).of(chunks[k]).cameras
            seen = pass_with_cameras(part, given, share)
        cameras, notes = settle_cameras(seen.output, part.photos, given, seen.distance)
        for i, photo in enumerate(part.photos):
            checked_depth(seen.output, photo, cameras, i)
        kept.put(k, seen, cameras, notes)
    return kept


def _as_look(kept: _Kept, known: Cameras | None, progress: Span) -> Look:
    """Of chunks that no two have a photo in common, and whose cameras are right."""
    facts = kept.facts.all()
    slots = {int(place): kept.at(k, i) for k, each in enumerate(facts) for i, place in enumerate(each.places)}
    similarities = [_as_similarity(each.similarity) for each in facts]
    look = _gathered(kept, facts, slots, similarities, progress)
    order = np.argsort(np.concatenate([each.places for each in facts]))
    extrinsics, intrinsics, scale = (
        np.concatenate(columns)[order]
        for columns in zip(*((each.extrinsics, each.intrinsics, each.depth_scale) for each in facts), strict=True)
    )
    if known is not None:
        extrinsics, intrinsics = known.extrinsics, known.intrinsics
    return replace(look, cameras=SettledCameras(extrinsics, intrinsics, scale, Similarity.identity()))


def _joined_look(kept: _Kept, loops: _Kept, progress: Span) -> Look:
    """Of overlapping chunks with the network's own cameras, brought into one world."""
    facts = kept.facts.all()
    progress(0.0, "Joining the chunks.")
    chunks, around = (
        [_chunk_output(each, k, seen) for k, seen in enumerate(each.facts.all())] for each in (kept, loops)
    )
    joined = join_chunks(chunks, around, progress=progress)
    slots: dict[int, int] = {}
    intrinsics, scale = np.empty((len(kept.job.photos), 3, 3)), np.empty(len(kept.job.photos))
    for place, owner in enumerate(joined.owner.tolist()):
        i = facts[owner].places.tolist().index(place)
        slots[place] = kept.at(owner, i)
        intrinsics[place] = facts[owner].intrinsics[i]
        scale[place] = facts[owner].depth_scale[i] * joined.depth_scale[place]
    look = _gathered(kept, facts, slots, joined.similarities, progress)
    cameras = SettledCameras(joined.extrinsics, intrinsics, scale, Similarity.identity())
    return replace(look, cameras=cameras, notes=[*look.notes, *joined.notes])


def _chunk_output(kept: _Kept, k: int, facts: ChunkFacts) -> ChunkOutput:
    """In its own world, over whole photos."""
    photos = [kept.job.photos[place] for place in facts.places.tolist()]
    depth, confidence = kept.maps("depth"), kept.maps("depth_conf")

    def cropped(slots: Slots) -> Sequence[np.ndarray]:
        return Lazy(len(photos), lambda i: photos[i].placement.crop(slots[kept.at(k, i)]))

    return ChunkOutput(
        places=tuple(facts.places.tolist()),
        depths=cropped(depth),
        confidences=cropped(confidence)
        if "depth_conf" in facts.maps
        else Lazy(len(photos), lambda i: _ones(photos[i])),
        extrinsics=facts.extrinsics,
        intrinsics=np.stack([_map_intrinsics(p, each) for p, each in zip(photos, facts.intrinsics, strict=True)]),
    )


def _ones(photo: PreparedPhoto) -> np.ndarray:
    return np.ones(photo.color.shape[:2], np.float32)


def _map_intrinsics(photo: PreparedPhoto, intrinsics: np.ndarray) -> np.ndarray:
    """[3,3] in pixels of the photo's map, from [3,3] in pixels of the photo."""
    placement = photo.placement
    return np.diag((*np.divide(placement.size, placement.photo), 1.0)) @ intrinsics


def _gathered(
    kept: _Kept,
    facts: Sequence[ChunkFacts],
    slots: dict[int, int],
    similarities: Sequence[Similarity],
    progress: Span,
) -> Look:
    """The maps that count, by the photos' places; rays in the prediction's world. slots: of each place in `kept`."""
    job, first = kept.job, facts[0]
    count = len(job.photos)
    where = {kept.at(k, i): (k, i) for k, each in enumerate(facts) for i in range(len(each.places))}
    stage, names = f"{kept.name}-gathered", [name for name in MAPS if name in first.maps]
    whole = {name: map_slots(job, f"{kept.name}-all-{name}", name, count) for name in names}
    for place in range(job.work.done(stage), count):
        progress(1.0, "Working out cameras and views.")
        k, _ = where[slots[place]]
        for name, target in whole.items():
            values = kept.maps(name)[slots[place]]
            target[place] = move_rays(values, similarities[k], facts[k].ray_scale) if name == "ray" else values
        if place % job.at_once == 0 or place == count - 1:
            job.work.advance(stage, place + 1)
    arrays: dict[str, Any] = {name: _stacked(target)[None] for name, target in whole.items()}
    own = _own_cameras(facts, [where[slots[place]] for place in range(count)])
    output = Output(
        **arrays,
        **own,
        scale_factor=np.ones(1) if first.in_metres else None,
        metric_focal=first.metric_focal,
    )
    splats = kept.splats.all()
    return Look(
        output=output,
        cameras=SettledCameras(np.empty(0), np.empty(0), np.empty(0), Similarity.identity()),
        notes=list(dict.fromkeys(note for each in facts for note in each.notes)),
        head_chunk=min(each.head_chunk for each in facts),
        together=tuple(len(each.places) for each in facts),
        splats=[splats[slots[place]] for place in range(count)] if splats else None,
    )


def _stacked(slots: Slots) -> np.ndarray:
    """[N,...], the slots as the one array that they are."""
    return slots.whole.reshape(len(slots), *slots[0].shape)


def _own_cameras(facts: Sequence[ChunkFacts], where: Sequence[tuple[int, int]]) -> dict[str, Any]:
    """The network's own, each in its chunk's world: where its splats are."""
    if facts[0].own_extrinsics is None:
        return {}
    extrinsics = np.stack([np.asarray(facts[k].own_extrinsics)[i] for k, i in where])
    intrinsics = np.stack([np.asarray(facts[k].own_intrinsics)[i] for k, i in where])
    return {"extrinsics": extrinsics[None], "intrinsics": intrinsics[None]}


def _cameras(output: Output) -> tuple[Array | None, Array | None]:
    return output.extrinsics, output.intrinsics


def _as_rows(similarity: Similarity) -> np.ndarray:
    """[3,5]: rotation, translation, and the scale in the last column."""
    columns = similarity.rotation, similarity.translation, np.full(3, float(similarity.scale))
    return np.column_stack(columns).astype(np.float64)


def _as_similarity(rows: np.ndarray) -> Similarity:
    return Similarity(rows[0, 4], rows[:, :3].copy(), rows[:, 3].copy())
