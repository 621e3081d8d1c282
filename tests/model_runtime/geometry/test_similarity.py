import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from model_runtime.geometry.cameras import camera_centres
from model_runtime.geometry.similarity import Similarity, align_cameras, umeyama

RANDOM = np.random.default_rng(0)


def random_similarity(seed: int, dtype=torch.float64) -> Similarity:
    random = np.random.default_rng(seed)
    return Similarity(
        torch.tensor(random.uniform(0.2, 5), dtype=dtype),
        torch.tensor(Rotation.random(rng=np.random.default_rng(seed)).as_matrix(), dtype=dtype),
        torch.tensor(random.normal(size=3) * 3, dtype=dtype),
    )


def extrinsics_at(centres: np.ndarray, seed: int = 0) -> torch.Tensor:
    """World-to-camera matrices of randomly turned cameras at these centres."""
    rotations = Rotation.random(len(centres), rng=np.random.default_rng(seed)).as_matrix()
    matrices = np.tile(np.eye(4), (len(centres), 1, 1))
    matrices[:, :3, :3] = rotations
    matrices[:, :3, 3] = -np.einsum("nij,nj->ni", rotations, centres)
    return torch.tensor(matrices)


def rotation_degrees(first: torch.Tensor, second: torch.Tensor) -> float:
    return float(np.degrees(Rotation.from_matrix((first @ second.mT).numpy()).magnitude()))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_umeyama_recovers_similarities_in_a_batch(dtype):
    truths = [random_similarity(seed, dtype) for seed in range(8)]
    source = torch.tensor(RANDOM.normal(size=(8, 20, 3)), dtype=dtype)
    target = torch.stack([truth.points(points) for truth, points in zip(truths, source, strict=True)])
    scale, rotation, translation = umeyama(source, target)
    tolerance = 1e-5 if dtype == torch.float32 else 1e-13
    for index, truth in enumerate(truths):
        assert abs(scale[index] / truth.scale - 1) < tolerance
        assert (rotation[index] - truth.rotation).abs().max() < tolerance
        assert (translation[index] - truth.translation).abs().max() < 10 * tolerance


def test_umeyama_never_reflects():
    source = torch.tensor(RANDOM.normal(size=(30, 3)))
    _, rotation, _ = umeyama(source, source * torch.tensor([1.0, 1.0, -1.0]))
    assert torch.linalg.det(rotation) == pytest.approx(1, abs=1e-12)
    planar = source * torch.tensor([1.0, 1.0, 0.0])
    truth = random_similarity(3)
    scale, rotation, _ = umeyama(planar, truth.points(planar))
    assert scale == pytest.approx(float(truth.scale), rel=1e-12)
    assert rotation_degrees(rotation, truth.rotation) < 1e-5


def test_umeyama_is_the_weighted_least_squares_optimum():
    source = torch.tensor(RANDOM.normal(size=(15, 3)))
    target = random_similarity(4).points(source) + torch.tensor(RANDOM.normal(size=(15, 3))) * 0.3
    weights = torch.tensor(RANDOM.uniform(0.1, 2, 15))
    found = Similarity(*umeyama(source, target, weights))

    def cost(similarity: Similarity) -> float:
        return float((weights[:, None] * (similarity.points(source) - target).square()).sum())

    best = cost(found)
    for step in np.concatenate([np.eye(7), -np.eye(7)]) * 1e-3:
        turn = torch.tensor(Rotation.from_rotvec(step[:3]).as_matrix())
        moved = Similarity(
            found.scale * float(np.exp(step[6])), turn @ found.rotation, found.translation + torch.tensor(step[3:6])
        )
        assert cost(moved) > best
    ignored = weights.clone()
    ignored[:5] = 0
    for ours, expected in zip(umeyama(source, target, ignored), umeyama(source[5:], target[5:]), strict=True):
        assert ours.shape == expected.shape
    assert umeyama(source, target, (ignored > 0).double())[0] == pytest.approx(
        float(umeyama(source[5:], target[5:])[0]), rel=1e-12
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_umeyama_of_one_place_keeps_the_scale(dtype):
    place = torch.tensor([0.1, -3.7, 11.3], dtype=dtype)
    scale, rotation, translation = umeyama(place.expand(7, 3), torch.zeros(7, 3, dtype=dtype))
    assert scale == 1
    assert (rotation @ place + translation).abs().max() < 1e-5


def test_umeyama_is_differentiable():
    source = torch.tensor(RANDOM.normal(size=(6, 3)), requires_grad=True)
    target = torch.tensor(RANDOM.normal(size=(6, 3)), requires_grad=True)
    assert torch.autograd.gradcheck(umeyama, (source, target))


def test_moved_cameras_see_moved_points():
    similarity = random_similarity(5)
    extrinsics = extrinsics_at(RANDOM.normal(size=(4, 3)))
    points = torch.tensor(RANDOM.normal(size=(10, 3)))
    moved = similarity.extrinsics(extrinsics)
    before = points @ extrinsics[:, :3, :3].mT + extrinsics[:, None, :3, 3]
    after = similarity.points(points) @ moved[:, :3, :3].mT + moved[:, None, :3, 3]
    assert (after - similarity.scale * before).abs().max() < 1e-12
    assert torch.equal(moved[:, 3], extrinsics[:, 3])
    assert (similarity.extrinsics(extrinsics[:, :3]) - moved[:, :3]).abs().max() == 0


def test_batched_similarity_equals_single_ones():
    singles = [random_similarity(seed) for seed in range(3)]
    batched = Similarity(
        *(torch.stack([getattr(s, name) for s in singles]) for name in ("scale", "rotation", "translation"))
    )
    points = torch.tensor(RANDOM.normal(size=(3, 5, 3)))
    extrinsics = torch.stack([extrinsics_at(RANDOM.normal(size=(4, 3)), seed) for seed in range(3)])
    for index, single in enumerate(singles):
        assert (batched.points(points)[index] - single.points(points[index])).abs().max() < 1e-14
        assert (batched.extrinsics(extrinsics)[index] - single.extrinsics(extrinsics[index])).abs().max() < 1e-14


def test_inverse_undoes():
    similarity = random_similarity(6)
    points = torch.tensor(RANDOM.normal(size=(10, 3)))
    assert (similarity.inverse().points(similarity.points(points)) - points).abs().max() < 1e-13


LINE = np.linspace(0, 1, 5)[:, None] * np.array([[1.0, -2.0, 0.5]]) + 3
LAYOUTS = {
    "many": np.random.default_rng(1).normal(size=(6, 3)),
    "collinear": LINE,
    "two": LINE[:2],
    "far from the origin": np.random.default_rng(2).normal(size=(4, 3)) + 1e4,
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_cameras_align_exactly(name):
    truth = random_similarity(7)
    predicted = extrinsics_at(LAYOUTS[name])
    given = truth.extrinsics(predicted)
    found = align_cameras(predicted, given, fallback_scale=99.0)
    assert found.scale == pytest.approx(float(truth.scale), rel=1e-9)
    assert rotation_degrees(found.rotation, truth.rotation) < 1e-5
    assert (camera_centres(found.extrinsics(predicted)) - camera_centres(given)).abs().max() < 1e-8


@pytest.mark.parametrize("count", [1, 4])
def test_one_view_and_static_cameras_take_the_fallback_scale(count):
    predicted = extrinsics_at(np.tile([[0.3, -0.7, 1.1]], (count, 1)))
    truth = random_similarity(8)
    truth = Similarity(torch.tensor(2.5, dtype=torch.float64), truth.rotation, truth.translation)
    given = truth.extrinsics(predicted)
    found = align_cameras(predicted, given, fallback_scale=2.5)
    assert found.scale == 2.5
    assert rotation_degrees(found.rotation, truth.rotation) < 1e-5
    assert (found.extrinsics(predicted) - given).abs().max() < 1e-12


def test_static_given_cameras_do_not_collapse_a_wavering_prediction():
    """A network strews the centres of a static camera a little; a least-squares scale would be zero."""
    given = extrinsics_at(np.tile([[1.0, 2.0, 3.0]], (5, 1)))
    predicted = given.clone()
    predicted[:, :3, 3] += torch.tensor(RANDOM.normal(size=(5, 3))) * 0.01
    found = align_cameras(predicted, given, fallback_scale=1.5)
    assert found.scale == 1.5
    assert rotation_degrees(found.rotation, torch.eye(3, dtype=torch.float64)) < 1e-5


def test_noisy_cameras_align_about_as_well_as_their_noise():
    truth = random_similarity(9)
    predicted = extrinsics_at(RANDOM.normal(size=(20, 3)))
    given = truth.extrinsics(predicted)
    wobble = Rotation.from_rotvec(RANDOM.normal(size=(20, 3)) * np.radians(2)).as_matrix()
    noisy = predicted.clone()
    noisy[:, :3, :] = torch.tensor(wobble) @ predicted[:, :3, :]
    noisy[:, :3, 3] += torch.tensor(RANDOM.normal(size=(20, 3))) * 0.02
    found = align_cameras(noisy, given)
    assert rotation_degrees(found.rotation, truth.rotation) < 1
    assert found.scale == pytest.approx(float(truth.scale), rel=0.02)


def test_type_is_kept():
    predicted = extrinsics_at(LAYOUTS["many"]).float()
    found = align_cameras(predicted, predicted.double())
    assert found.scale.dtype == found.rotation.dtype == found.translation.dtype == torch.float32
