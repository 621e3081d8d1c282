import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from model_runtime.geometry.cameras import camera_centres
from model_runtime.geometry.similarity import Similarity, align_cameras, umeyama

RANDOM = np.random.default_rng(0)


def random_similarity(seed: int, kind=np.asarray, dtype=np.float64) -> Similarity:
    random = np.random.default_rng(seed)
    scale = np.array(random.uniform(0.2, 5), dtype)
    rotation = Rotation.random(rng=np.random.default_rng(seed)).as_matrix().astype(dtype)
    return Similarity(kind(scale), kind(rotation), kind((random.normal(size=3) * 3).astype(dtype)))


def extrinsics_at(centres: np.ndarray, seed: int = 0) -> np.ndarray:
    """World-to-camera matrices of randomly turned cameras at these centres."""
    rotations = Rotation.random(len(centres), rng=np.random.default_rng(seed)).as_matrix()
    matrices = np.tile(np.eye(4), (len(centres), 1, 1))
    matrices[:, :3, :3] = rotations
    matrices[:, :3, 3] = -np.einsum("nij,nj->ni", rotations, centres)
    return matrices


def rotation_degrees(first, second) -> float:
    return float(np.degrees(Rotation.from_matrix(np.asarray(first) @ np.asarray(second).T).magnitude()))


def largest(difference) -> float:
    return float(np.abs(np.asarray(difference)).max())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_umeyama_recovers_similarities_in_a_batch(kind, dtype):
    truths = [random_similarity(seed, kind, dtype) for seed in range(8)]
    source = RANDOM.normal(size=(8, 20, 3)).astype(dtype)
    target = np.stack([truth.points(kind(points)) for truth, points in zip(truths, source, strict=True)])
    scale, rotation, translation = umeyama(kind(source), kind(target))
    assert scale.dtype == rotation.dtype == translation.dtype == kind(source).dtype
    tolerance = 1e-5 if dtype == np.float32 else 1e-13
    for index, truth in enumerate(truths):
        assert abs(scale[index] / truth.scale - 1) < tolerance
        assert largest(rotation[index] - truth.rotation) < tolerance
        assert largest(translation[index] - truth.translation) < 10 * tolerance


def test_umeyama_never_reflects(kind):
    source = RANDOM.normal(size=(30, 3))
    _, rotation, _ = umeyama(kind(source), kind(source * (1.0, 1.0, -1.0)))
    assert np.linalg.det(np.asarray(rotation)) == pytest.approx(1, abs=1e-12)
    planar = kind(source * (1.0, 1.0, 0.0))
    truth = random_similarity(3, kind)
    scale, rotation, _ = umeyama(planar, truth.points(planar))
    assert scale == pytest.approx(float(truth.scale), rel=1e-12)
    assert rotation_degrees(rotation, truth.rotation) < 1e-5


def test_umeyama_is_the_weighted_least_squares_optimum(kind):
    source = RANDOM.normal(size=(15, 3))
    target = random_similarity(4).points(source) + RANDOM.normal(size=(15, 3)) * 0.3
    weights = RANDOM.uniform(0.1, 2, 15)
    fit = umeyama(kind(source), kind(target), kind(weights))
    found = Similarity(*(np.asarray(each) for each in fit))

    def cost(similarity: Similarity) -> float:
        return float((weights[:, None] * np.square(similarity.points(source) - target)).sum())

    best = cost(found)
    for step in np.concatenate([np.eye(7), -np.eye(7)]) * 1e-3:
        turn = Rotation.from_rotvec(step[:3]).as_matrix()
        moved = Similarity(found.scale * np.exp(step[6]), turn @ found.rotation, found.translation + step[3:6])
        assert cost(moved) > best
    counted = np.arange(15) >= 5
    with_zeros = umeyama(kind(source), kind(target), kind(counted.astype(float)))
    for ours, expected in zip(with_zeros, umeyama(kind(source[5:]), kind(target[5:])), strict=True):
        assert ours.shape == expected.shape
        assert largest(ours - expected) < 1e-12


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_umeyama_of_one_place_keeps_the_scale(kind, dtype):
    place = kind(np.array([0.1, -3.7, 11.3], dtype))
    scale, rotation, translation = umeyama(kind(np.tile(place, (7, 1))), kind(np.zeros((7, 3), dtype)))
    assert scale.dtype == place.dtype and scale == 1
    assert largest(rotation @ place + translation) < 1e-5


def test_umeyama_is_differentiable():
    source = torch.tensor(RANDOM.normal(size=(6, 3)), requires_grad=True)
    target = torch.tensor(RANDOM.normal(size=(6, 3)), requires_grad=True)
    assert torch.autograd.gradcheck(umeyama, (source, target))


def test_moved_cameras_see_moved_points(kind):
    similarity = random_similarity(5, kind)
    extrinsics = extrinsics_at(RANDOM.normal(size=(4, 3)))
    points = RANDOM.normal(size=(10, 3))
    moved = np.asarray(similarity.extrinsics(kind(extrinsics)))
    before = points @ extrinsics[:, :3, :3].swapaxes(1, 2) + extrinsics[:, None, :3, 3]
    moved_points = np.asarray(similarity.points(kind(points)))
    after = moved_points @ moved[:, :3, :3].swapaxes(1, 2) + moved[:, None, :3, 3]
    assert largest(after - float(similarity.scale) * before) < 1e-12
    assert np.array_equal(moved[:, 3], extrinsics[:, 3])
    assert np.array_equal(similarity.extrinsics(kind(extrinsics[:, :3])), moved[:, :3])


def test_batched_similarity_equals_single_ones(kind):
    singles = [random_similarity(seed, kind) for seed in range(3)]
    batched = Similarity(
        *(kind(np.stack([getattr(s, name) for s in singles])) for name in ("scale", "rotation", "translation"))
    )
    points = kind(RANDOM.normal(size=(3, 5, 3)))
    extrinsics = kind(np.stack([extrinsics_at(RANDOM.normal(size=(4, 3)), seed) for seed in range(3)]))
    for index, single in enumerate(singles):
        assert largest(batched.points(points)[index] - single.points(points[index])) < 1e-14
        assert largest(batched.extrinsics(extrinsics)[index] - single.extrinsics(extrinsics[index])) < 1e-14


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_inverse_undoes(kind, dtype):
    similarity = random_similarity(6, kind, dtype)
    points = kind(RANDOM.normal(size=(10, 3)).astype(dtype))
    back = similarity.inverse()
    assert back.scale.dtype == points.dtype
    assert largest(back.points(similarity.points(points)) - points) < (1e-5 if dtype == np.float32 else 1e-13)


LINE = np.linspace(0, 1, 5)[:, None] * np.array([[1.0, -2.0, 0.5]]) + 3
LAYOUTS = {
    "many": np.random.default_rng(1).normal(size=(6, 3)),
    "collinear": LINE,
    "two": LINE[:2],
    "far from the origin": np.random.default_rng(2).normal(size=(4, 3)) + 1e4,
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_cameras_align_exactly(kind, name):
    truth = random_similarity(7, kind)
    predicted = kind(extrinsics_at(LAYOUTS[name]))
    given = truth.extrinsics(predicted)
    found = align_cameras(predicted, given, fallback_scale=99.0)
    assert found.scale == pytest.approx(float(truth.scale), rel=1e-9)
    assert rotation_degrees(found.rotation, truth.rotation) < 1e-5
    assert largest(camera_centres(found.extrinsics(predicted)) - camera_centres(given)) < 1e-8


@pytest.mark.parametrize("count", [1, 4])
def test_one_view_and_static_cameras_take_the_fallback_scale(kind, count):
    predicted = kind(extrinsics_at(np.tile([[0.3, -0.7, 1.1]], (count, 1))))
    truth = random_similarity(8, kind)
    truth = Similarity(kind(np.array(2.5)), truth.rotation, truth.translation)
    given = truth.extrinsics(predicted)
    found = align_cameras(predicted, given, fallback_scale=2.5)
    assert found.scale == 2.5
    assert rotation_degrees(found.rotation, truth.rotation) < 1e-5
    assert largest(found.extrinsics(predicted) - given) < 1e-12


def test_static_given_cameras_do_not_collapse_a_wavering_prediction(kind):
    """A network strews the centres of a static camera a little; a least-squares scale would be zero."""
    given = extrinsics_at(np.tile([[1.0, 2.0, 3.0]], (5, 1)))
    predicted = given.copy()
    predicted[:, :3, 3] += RANDOM.normal(size=(5, 3)) * 0.01
    found = align_cameras(kind(predicted), kind(given), fallback_scale=1.5)
    assert found.scale == 1.5
    assert rotation_degrees(found.rotation, np.eye(3)) < 1e-5


def test_noisy_cameras_align_about_as_well_as_their_noise(kind):
    truth = random_similarity(9)
    predicted = extrinsics_at(RANDOM.normal(size=(20, 3)))
    given = truth.extrinsics(predicted)
    wobble = Rotation.from_rotvec(RANDOM.normal(size=(20, 3)) * np.radians(2)).as_matrix()
    noisy = predicted.copy()
    noisy[:, :3, :] = wobble @ predicted[:, :3, :]
    noisy[:, :3, 3] += RANDOM.normal(size=(20, 3)) * 0.02
    found = align_cameras(kind(noisy), kind(given))
    assert rotation_degrees(found.rotation, truth.rotation) < 1
    assert found.scale == pytest.approx(float(truth.scale), rel=0.02)


def test_kind_and_type_of_the_predicted_are_kept(kind):
    given = extrinsics_at(LAYOUTS["many"])
    predicted = kind(given.astype(np.float32))
    for other in (given, torch.tensor(given)):
        found = align_cameras(predicted, other)
        assert all(type(each) is type(predicted) for each in (found.scale, found.rotation, found.translation))
        assert found.scale.dtype == found.rotation.dtype == found.translation.dtype == predicted.dtype
