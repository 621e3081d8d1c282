"""Overlapping chunks of photos become one world: seams, loops and known cameras in a pose graph, then blended poses.

Every chunk's world is a node: a similarity to the world of all. Photos that two chunks have in common relate the two.
Chunks of photos from both ends of a loop are nodes, too, so that a camera that comes back meets what it saw before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from model_runtime.contract.progress import SILENT, Span
from model_runtime.geometry.pose_graph import WORLD, Edge, Optimum, optimise, scales
from model_runtime.geometry.similarity import Similarity, align_cameras
from model_runtime.prediction.chunks.blending import blend, bring_to_anchors, owners
from model_runtime.prediction.chunks.chunk import ChunkOutput, Joined, Seam
from model_runtime.prediction.chunks.seams import FoundSeam, as_matrix, camera_to_world, find_seam

DISBELIEVED = 9.0
"""Standard deviations from which a seam counts as overruled by the others."""
HARDLY = 0.35
"""Share of common points that must agree, or a note says that the chunks hardly do."""
LOOP_PENALTY = 1e3
"""How much rather a seam between chunks is followed at first than one to a loop."""
ANCHOR_TURN = 0.01
"""Radians that the network's camera may be off a known one in a chunk that lies right, one standard deviation."""
ANCHOR_SHIFT = 0.02
"""The same for its centre, as a share of the distance that the photo looks at."""


STRIDE = 7
"""Every so many pixels of a row and a column one is looked at for a photo's distance."""


def join_chunks(
    chunks: Sequence[ChunkOutput],
    loops: Sequence[ChunkOutput] = (),
    anchors: Mapping[int, np.ndarray] | None = None,
    progress: Span = SILENT,
) -> Joined:
    """One world of all photos 0..N-1, each of which must be in one of `chunks`; neighbours overlap.

    loops: what the network saw in photos of two chunks that are far apart in order but look alike; they bring the
    chunks together, and a loop that contradicts all others is overruled. anchors: place to known world-to-camera
    [4,4]; the world is then theirs, and these cameras are taken over as they are. Without, the world is that of the
    first chunk, in the unit that is the geometric mean of all chunks' units (they may all be metres, more or less).
    Raises ValueError where a photo is in no chunk, a known camera is of none, or chunks are related by nothing.
    """
    anchors = {place: np.asarray(each, np.float64) for place, each in (anchors or {}).items()}
    count = _count(chunks)
    if not set(anchors) <= set(range(count)):
        raise ValueError("Known cameras must be of photos that are in a chunk.")
    nodes = [*chunks, *loops]
    found = _find_seams(nodes, len(chunks), progress.part(0.0, 0.9))
    start = _follow_seams(len(nodes), len(chunks), found, anchors, nodes)
    optimum = _best(start, [each.edge for each in found] + _anchor_edges(start, nodes, anchors), bool(anchors))
    progress(0.95, "Joining the chunks.")
    worlds = optimum.nodes if anchors else _mean_unit(optimum.nodes, len(chunks))
    owner = owners(chunks, count)
    ratios = {(each.seam.first, each.seam.second): each.ratios for each in found}
    extrinsics, depth_scale = blend(chunks, worlds, owner, ratios)
    extrinsics = bring_to_anchors(extrinsics, anchors)
    seams = tuple(
        replace(each.seam, apart=float(error), kept=bool(error <= DISBELIEVED))
        for each, error in zip(found, optimum.errors, strict=False)
    )
    notes = _notes(nodes, len(chunks), seams)
    return Joined(extrinsics, depth_scale, owner, tuple(_similarity(each) for each in worlds), seams, notes)


def _count(chunks: Sequence[ChunkOutput]) -> int:
    """How many photos there are."""
    places = sorted({place for chunk in chunks for place in chunk.places})
    if not places or places != list(range(len(places))):
        raise ValueError("Every photo must be in a chunk: some are in none.")
    return len(places)


def _find_seams(nodes: Sequence[ChunkOutput], chunk_count: int, progress: Span) -> list[FoundSeam]:
    """Of all pairs with photos in common, but of two loops."""
    holders: dict[int, list[int]] = {}
    for number, node in enumerate(nodes):
        for place in node.places:
            holders.setdefault(place, []).append(number)
    pairs = sorted({(a, b) for held in holders.values() for a in held for b in held if a < b and a < chunk_count})
    found = []
    for done, (first, second) in enumerate(pairs):
        progress(done / len(pairs), f"Joining chunks: {done + 1} of {len(pairs)} seams.")
        seam = find_seam(nodes[first], nodes[second], (first, second))
        assert seam is not None
        found.append(seam)
    return found


def _follow_seams(
    count: int,
    chunk_count: int,
    found: Sequence[FoundSeam],
    anchors: Mapping[int, np.ndarray],
    nodes: Sequence[ChunkOutput],
) -> np.ndarray:
    """[K,4,4]: nodes along the best seams from the first one, brought to the anchors."""
    worlds = np.tile(np.eye(4), (count, 1, 1))
    reached = {0}
    while len(reached) < count:
        leading = [each for each in found if (each.seam.first in reached) != (each.seam.second in reached)]
        if not leading:
            missing = min(set(range(count)) - reached)
            raise ValueError(f"Chunk {missing} has no photo in common with those before it.")
        best = max(leading, key=lambda each: _trust(each.seam, chunk_count))
        first, second, matrix = best.seam.first, best.seam.second, best.edge.matrix
        if first in reached:
            worlds[second] = worlds[first] @ matrix
        else:
            worlds[first] = worlds[second] @ np.linalg.inv(matrix)
        reached |= {first, second}
    if not anchors:
        return worlds
    where = {place: (c, k) for c in reversed(range(chunk_count)) for k, place in enumerate(nodes[c].places)}
    known = [place for place in anchors if place in where]
    seen = [
        _similarity(worlds[c]).extrinsics(np.asarray(nodes[c].extrinsics[k], np.float64)[None])[0]
        for c, k in (where[place] for place in known)
    ]
    to_anchors = align_cameras(np.stack(seen), np.stack([anchors[place] for place in known]))
    return as_matrix(to_anchors) @ worlds


def _trust(seam: Seam, chunk_count: int) -> float:
    return (seam.inliers + 1e-6) * seam.photos / (LOOP_PENALTY if seam.second >= chunk_count else 1.0)


def _anchor_edges(start: np.ndarray, nodes: Sequence[ChunkOutput], anchors: Mapping[int, np.ndarray]) -> list[Edge]:
    """What known cameras say of the chunks that have their photos: all but the scale, which their distances tell."""
    edges = []
    for number, node in enumerate(nodes):
        for k, place in enumerate(node.places):
            if place not in anchors:
                continue
            frame = camera_to_world(node.extrinsics[k])
            depth = node.depths[k][::STRIDE, ::STRIDE]
            usable = depth[np.isfinite(depth) & (depth > 0)]
            shift = ANCHOR_SHIFT * (float(np.median(usable)) if len(usable) else 1.0)
            spread = np.array([shift] * 3 + [ANCHOR_TURN] * 3)
            seen = camera_to_world(anchors[place])
            seen[:3, :3] *= scales(start[number])  # so that the error is in the chunk's unit, as the spread is
            information = np.diag(np.append(1 / spread**2, 0))
            edges.append(Edge(WORLD, number, seen @ np.linalg.inv(frame), information, frame))
    return edges


def _best(start: np.ndarray, edges: list[Edge], held: bool) -> Optimum:
    """The better of two optima: from the seams that were followed, and from all edges believed alike."""
    fixed = () if held else (0,)
    alike = optimise(start, [replace(edge, robust=False) for edge in edges], fixed)
    tried = [optimise(each, edges, fixed) for each in (start, alike.nodes)]
    return min(tried, key=lambda each: each.cost)


def _mean_unit(worlds: np.ndarray, chunk_count: int) -> np.ndarray:
    """The worlds in the unit that is the geometric mean of the chunks' own."""
    unit = np.eye(4)
    unit[:3, :3] /= np.exp(np.log(scales(worlds[:chunk_count])).mean())
    return unit @ worlds


def _similarity(matrix: np.ndarray) -> Similarity:
    scale = scales(matrix)
    return Similarity(scale, matrix[:3, :3] / scale, matrix[:3, 3].copy())


def _notes(nodes: Sequence[ChunkOutput], chunk_count: int, seams: Sequence[Seam]) -> tuple[str, ...]:
    """What the artist should know: seams between chunks that hardly fit, loops that were closed or not."""
    notes = []
    for seam in seams:
        if seam.second < chunk_count and (not seam.kept or seam.inliers < HARDLY):
            shared = sorted(set(nodes[seam.first].places) & set(nodes[seam.second].places))
            first, last = shared[0] + 1, shared[-1] + 1
            notes.append(
                f"The network looked at photos {first} to {last} twice, and what it saw hardly agrees: cameras and "
                "depth may jump there."
            )
    overruled = {seam.second for seam in seams if seam.second >= chunk_count and not seam.kept}
    closed = len(nodes) - chunk_count - len(overruled)
    if closed:
        notes.append("1 loop was closed." if closed == 1 else f"{closed} loops were closed.")
    if overruled:
        notes.append(
            "1 loop was not closed: other photos say that those places only look alike."
            if len(overruled) == 1
            else f"{len(overruled)} loops were not closed: other photos say that those places only look alike."
        )
    return tuple(notes)
