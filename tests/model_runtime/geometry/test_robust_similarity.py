import numpy as np
import pycolmap
import pytest

from model_runtime.geometry import robust_similarity as module
from model_runtime.geometry.pose_graph import step, tangent
from model_runtime.geometry.robust_similarity import RobustSimilarity, robust_similarity
from model_runtime.geometry.similarity import Similarity


def moved(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    return points @ matrix[:3, :3].T + matrix[:3, 3]


def as_matrix(similarity: Similarity) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = float(similarity.scale) * similarity.rotation
    matrix[:3, 3] = similarity.translation
    return matrix


def found(source: np.ndarray, target: np.ndarray, *rest) -> RobustSimilarity:
    result = robust_similarity(source, target, *rest)
    assert result is not None
    return result


def off(result: RobustSimilarity, truth: np.ndarray) -> float:
    """Length of the step between two similarities."""
    return float(np.linalg.norm(tangent(np.linalg.inv(truth) @ as_matrix(result.similarity))))


def scene(seed: int, count: int = 400) -> tuple[np.random.Generator, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng, rng.normal([0, 0, 4], 1, (count, 3)), step(rng.normal(size=7) * 0.8)


def test_exact_points_with_40_percent_wrong():
    rng, source, truth = scene(0)
    target = moved(truth, source)
    wrong = rng.choice(400, 160, replace=False)
    target[wrong] = target[wrong[::-1]] + rng.normal(size=(160, 3)) * 3
    result = found(source, target)
    assert off(result, truth) < 1e-8
    assert result.inliers == pytest.approx(0.6, abs=0.01)
    assert result.residual < 1e-9 and result.rank == 3


def test_of_normal_errors_as_good_as_least_squares():
    """COLMAP's own least squares is the measure; and the information says how far off both are."""
    ours, theirs, expected = [], [], []
    for seed in range(30):
        rng, source, truth = scene(seed)
        target = moved(truth, source) + rng.normal(size=(400, 3)) * 0.05
        result = found(source, target)
        least = pycolmap.estimate_sim3d(source, target)
        assert least is not None
        matrix = np.vstack((least.matrix(), [0, 0, 0, 1]))
        ours.append(off(result, truth))
        theirs.append(np.linalg.norm(tangent(np.linalg.inv(truth) @ matrix)))
        error = tangent(np.linalg.inv(truth @ result.frame) @ as_matrix(result.similarity) @ result.frame)
        expected.append(error @ result.information @ error / result.deviation**2)
        assert result.deviation == pytest.approx(0.05, rel=0.2)
    assert np.mean(ours) < 1.15 * np.mean(theirs)
    assert np.mean(expected) == pytest.approx(7, rel=0.3)  # a chi-squared of seven


def test_noise_and_outliers_beside_ransac():
    rng, source, truth = scene(3, 2000)
    target = moved(truth, source) + rng.normal(size=(2000, 3)) * 0.01
    wrong = rng.random(2000) < 0.3
    target[wrong] += rng.normal(size=(int(wrong.sum()), 3)) * 2
    options = pycolmap.RANSACOptions()
    options.max_error = 0.05
    theirs = pycolmap.estimate_sim3d_robust(source, target, options)
    assert theirs is not None
    reference = np.vstack((theirs["tgt_from_src"].matrix(), [0, 0, 0, 1]))
    assert off(found(source, target), truth) < 0.003
    assert off(found(source, target), truth) < 1.2 * np.linalg.norm(tangent(np.linalg.inv(truth) @ reference)) + 1e-4


def test_errors_that_grow_with_depth_count_by_depth():
    """Three points in four are far and wrong by metres; told so, the near ones decide."""
    plain, told = [], []
    for seed in range(20):
        rng, source, truth = scene(seed)
        depth = np.where(rng.random(400) < 0.75, 80.0, 2.0) * rng.uniform(0.8, 1.2, 400)
        source = source * [1, 1, 0] * depth[:, None] + depth[:, None] * [0, 0, 1]
        scale = np.cbrt(np.linalg.det(truth[:3, :3]))
        target = moved(truth, source) + rng.normal(size=(400, 3)) * 0.02 * depth[:, None] * scale
        near = source[depth < 10]
        results = found(source, target), found(source, target, None, depth)
        for result, errors in zip(results, (plain, told), strict=True):
            errors.append(np.abs(moved(as_matrix(result.similarity), near) - moved(truth, near)).max() / scale)
    assert np.mean(told) < 0.4 * np.mean(plain)


def test_weights_of_nothing_are_left_out_and_numbers_that_are_none():
    rng, source, truth = scene(5)
    target = moved(truth, source)
    weights = np.ones(400)
    weights[:250], target[:250] = 0, rng.normal(size=(250, 3))
    source[250], target[251] = np.nan, np.inf
    result = found(source, target, weights)
    assert off(result, truth) < 1e-8 and result.inliers == pytest.approx(1)


@pytest.mark.parametrize("directions", [0, 1, 2, 3])
@pytest.mark.parametrize("noise", [0.0, 1e-3])
def test_what_points_cannot_tell_is_told(directions: int, noise: float):
    rng, _, truth = scene(6)
    source = np.zeros((200, 3))
    source[:, :directions] = rng.normal(size=(200, directions))
    source = source @ np.linalg.qr(rng.normal(size=(3, 3)))[0] + [1.0, 2.0, 3.0]
    target = moved(truth, source) + noise * rng.normal(size=(200, 3))
    result = found(source, target)
    assert result.rank == directions
    assert result.determined == (directions >= 2)
    if result.determined:
        assert off(result, truth) < max(1e-8, 5 * noise)
    if directions == 1:
        turn = np.linalg.svd(result.information)[1]
        assert turn[-1] < 1e-4 * turn[-2]
    assert np.abs(moved(as_matrix(result.similarity), source) - moved(truth, source)).max() < max(1e-6, 5 * noise)


def test_few_points_or_none():
    _, source, truth = scene(7)
    assert robust_similarity(source[:0], source[:0]) is None
    assert robust_similarity(source * np.nan, source) is None
    assert found(source[:1], source[:1]).rank == 0
    three = found(source[:3], moved(truth, source[:3]))
    assert three.rank == 2 and off(three, truth) < 1e-8


def test_many_points_are_sampled_alike_for_one_seed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MOST_POINTS", 500)
    rng, source, truth = scene(8, 5000)
    target = moved(truth, source) + rng.normal(size=source.shape) * 0.01
    first, again = found(source, target), found(source, target)
    assert np.array_equal(as_matrix(first.similarity), as_matrix(again.similarity))
    other = found(source, target, None, None, 1)
    assert not np.array_equal(as_matrix(first.similarity), as_matrix(other.similarity))
    assert off(first, truth) < 0.005
