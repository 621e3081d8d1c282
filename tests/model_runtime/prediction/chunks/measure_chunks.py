"""What chunks of the bundled network come to on walks through rendered rooms, beside one pass of all photos, and what
joining 300 photos costs:

    python -m tests.model_runtime.prediction.chunks.measure_chunks [--rooms 3] [--photos 40] [--rounds 0.5]
"""

from __future__ import annotations

import argparse
import time
import tracemalloc
from collections.abc import Sequence

import numpy as np
import torch

from model_runtime.prediction.chunks.chunk import ChunkOutput, Joined
from model_runtime.prediction.chunks.joining import join_chunks
from model_runtime.prediction.chunks.loops import likeness, loop_chunks, token_descriptors
from tests.model_runtime.prediction.chunks.rendered_walk import bundled_network, look, normalised, rendered_walk
from tests.model_runtime.prediction.chunks.walk import INTRINSICS, SIZE, Walk, score, walk, windows

CHUNK, OVERLAP = 16, 8


def joined_depths(chunks: Sequence[ChunkOutput], joined: Joined) -> list[np.ndarray]:
    return [
        chunks[c].depths[chunks[c].places.index(place)] * joined.depth_scale[place]
        for place, c in enumerate(joined.owner)
    ]


def rows(room: int, photos: int, rounds: float) -> list[str]:
    """Lines of the table for one room."""
    network = bundled_network()
    of = rendered_walk(photos, room, rounds=rounds)
    one = look(network, of, range(photos))
    chunks = [look(network, of, places) for places in windows(photos, CHUNK, OVERLAP)]
    alike = likeness(token_descriptors(network.backbone, torch.from_numpy(normalised(of.images))))
    loops = [look(network, of, places) for places in loop_chunks(alike, half=CHUNK // 4)]
    chained, closed = join_chunks(chunks), join_chunks(chunks, loops)
    as_one = Walk(one.extrinsics, np.stack(one.depths))
    found = {
        "one pass": score(of, one.extrinsics, list(one.depths)),
        "chunks, chained": score(of, chained.extrinsics, joined_depths(chunks, chained)),
        f"chunks, {len(loops)} loops": score(of, closed.extrinsics, joined_depths(chunks, closed)),
        "chunks against one pass": score(as_one, closed.extrinsics, joined_depths(chunks, closed)),
    }
    return [
        f"| {room} | {name} | {100 * each.trajectory:.1f} % | {each.turn:.1f} | {100 * each.scale:.0f} % |"
        for name, each in found.items()
    ]


def cost(photos: int, size: tuple[int, int]) -> str:
    """Seconds and memory that joining takes: depth maps are made by repeating pixels."""
    of, rng = walk(photos, 3.0), np.random.default_rng(0)
    repeats = -(-size[0] // SIZE[0]), -(-size[1] // SIZE[1])
    scaled = INTRINSICS * [[size[1] / SIZE[1]], [size[0] / SIZE[0]], [1]]
    depths = np.repeat(np.repeat(of.depths, repeats[0], 1), repeats[1], 2)[:, : size[0], : size[1]].astype(np.float32)
    sure = np.ones(size, np.float32)
    chunks = []
    for places in windows(photos, 40, 20):
        turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
        own = np.eye(4)
        own[:3, :3], own[:3, 3] = turn * np.linalg.det(turn), rng.normal(size=3)
        extrinsics = of.extrinsics[list(places)] @ own
        chunks.append(
            ChunkOutput(
                places,
                [depths[i] for i in places],
                [sure] * len(places),
                extrinsics,
                np.tile(scaled, (len(places), 1, 1)),
            )
        )
    start = time.process_time()
    join_chunks(chunks)
    spent = time.process_time() - start
    tracemalloc.start()
    join_chunks(chunks)
    most = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    return f"{photos} photos of {size[1]}x{size[0]}, {len(chunks)} chunks: {spent:.1f} CPU seconds, {most:.0f} MB"


def main() -> None:
    parser = argparse.ArgumentParser(description="Chunks of photos against one pass.")
    parser.add_argument("--rooms", type=int, default=3)
    parser.add_argument("--photos", type=int, default=40)
    parser.add_argument("--rounds", type=float, default=0.5)
    arguments = parser.parse_args()
    print("| room | | centres off, of the path | turned off, degrees | scale of depth off |\n|---|---|---|---|---|")
    for room in range(1, arguments.rooms + 1):
        print("\n".join(rows(room, arguments.photos, arguments.rounds)), flush=True)
    for photos, size in ((75, (126, 168)), (150, (126, 168)), (300, (126, 168)), (300, (336, 504))):
        print(cost(photos, size), flush=True)


if __name__ == "__main__":
    main()
