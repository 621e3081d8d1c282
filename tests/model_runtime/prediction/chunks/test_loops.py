import numpy as np
import torch

from model_runtime.prediction.chunks.loops import find_loops, likeness, loop_chunks, token_descriptors
from tests.model_runtime.prediction.chunks.rendered_walk import bundled_network, normalised, rendered_walk


def similarity(count: int, *pairs: tuple[int, int, float]) -> np.ndarray:
    """Neighbours are alike, and so are these pairs and, a little less, those beside them."""
    place = np.arange(count)
    result = np.exp(-np.abs(np.subtract.outer(place, place)) / 3)
    for i, j, value in pairs:
        peak = value * np.exp(-(np.abs(place - i)[:, None] + np.abs(place - j)) / 10)
        result = np.maximum(result, np.maximum(peak, peak.T))
    return result


def test_the_best_of_each_loop_is_found_and_neighbours_are_none():
    alike = similarity(200, (10, 150, 0.99), (60, 100, 0.9), (14, 152, 0.97))
    assert find_loops(alike) == [(10, 150), (60, 100)]
    assert find_loops(alike, most=1) == [(10, 150)]
    assert find_loops(alike, apart=50) == [(10, 150)]
    assert find_loops(similarity(200)) == []
    assert find_loops(similarity(3)) == []


def test_both_ends_are_looked_at_together():
    chunks = loop_chunks(similarity(100, (2, 98, 0.95), (40, 70, 0.9)), half=4)
    assert chunks == [(*range(6), *range(94, 100)), (*range(36, 44), *range(66, 74))]
    near = loop_chunks(similarity(100, (40, 46, 0.99)), apart=5, half=8, most=1)
    assert len(set(near[0])) == len(near[0])


def test_likeness_is_of_what_photos_have_of_their_own():
    rng = np.random.default_rng(0)
    own = rng.normal(size=(6, 40))
    same = likeness(np.concatenate((own, own[:1] * 3)) + 100)
    assert np.abs(np.diagonal(same) - 1).max() < 1e-9 and same[1, 2] < 0.6
    scaled = likeness(np.concatenate((own, own[:1])) * 5 - 7)
    assert np.allclose(scaled, likeness(np.concatenate((own, own[:1]))))
    assert np.isfinite(likeness(np.ones((3, 4)))).all()


def test_the_bundled_network_knows_a_standpoint_again():
    """Once and a half around a room: what is found is where the camera really comes back."""
    of = rendered_walk(60, 2, size=(84, 112), rounds=1.5)
    images = torch.from_numpy(normalised(of.images))
    network = bundled_network()
    descriptors = token_descriptors(network.backbone, images)
    assert np.allclose(descriptors[7], token_descriptors(network.backbone, images[7:8])[0], atol=1e-4)
    loops = find_loops(likeness(descriptors))
    assert loops
    i, j = loops[0]
    ahead = of.poses[:, :3, 2]
    assert np.degrees(np.arccos(ahead[i] @ ahead[j])) < 10
    assert np.linalg.norm(of.poses[i, :3, 3] - of.poses[j, :3, 3]) < 0.3
