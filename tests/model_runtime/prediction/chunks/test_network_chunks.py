"""Chunks of the bundled network on a rendered walk, beside its one pass over all photos."""

from itertools import pairwise

import numpy as np
import pytest

from model_runtime.prediction.chunks.chunk import ChunkOutput, Joined
from model_runtime.prediction.chunks.joining import join_chunks
from tests.model_runtime.prediction.chunks.measure_chunks import joined_depths
from tests.model_runtime.prediction.chunks.rendered_walk import RenderedWalk, bundled_network, look, rendered_walk
from tests.model_runtime.prediction.chunks.walk import Walk, score, windows

PHOTOS = 24


@pytest.fixture(scope="module")
def seen() -> tuple[RenderedWalk, ChunkOutput, list[ChunkOutput], Joined]:
    of, network = rendered_walk(PHOTOS, 2, size=(84, 112), rounds=0.2), bundled_network()
    chunks = [look(network, of, places) for places in windows(PHOTOS, 12, 6)]
    return of, look(network, of, range(PHOTOS)), chunks, join_chunks(chunks)


def test_chunks_agree_with_one_pass(seen):
    _, one, chunks, joined = seen
    against = score(Walk(one.extrinsics, np.stack(one.depths)), joined.extrinsics, joined_depths(chunks, joined))
    assert against.trajectory < 0.1 and against.turn < 15


def test_depth_is_no_worse_than_of_one_pass(seen):
    """Within a photo and between photos, whatever the unit."""
    of, one, chunks, joined = seen
    off = []
    for depths in (one.depths, joined_depths(chunks, joined)):
        ratio = np.log(np.stack(depths) / of.depths)
        off.append(np.median(np.abs(ratio - np.median(ratio))))
    assert off[1] < 1.3 * off[0]


def test_seams_fit_better_joined_than_apart(seen):
    """Depth of a photo in the two chunks that have it: joined, they agree far better than the chunks' own units do."""
    _, _, chunks, joined = seen
    apart, together = [], []
    for number, (first, second) in enumerate(pairwise(chunks)):
        scales = [float(joined.similarities[number + k].scale) for k in (0, 1)]
        for place in set(first.places) & set(second.places):
            ratio = np.log(first.depths[first.places.index(place)] / second.depths[second.places.index(place)])
            apart.append(np.abs(np.median(ratio)))
            together.append(np.abs(np.median(ratio) + np.log(scales[0] / scales[1])))
    assert np.mean(together) < 0.6 * np.mean(apart)
    assert joined.notes == ()
