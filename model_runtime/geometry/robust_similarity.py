"""Similarity transforms between points of which many are wrong: random triples, then reweighted least squares.

Least median of squares (Rousseeuw 1984) over random triples finds a start that almost half of the points may
contradict; iteratively reweighted least squares with the Cauchy loss, each step by Umeyama (1991), makes it exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model_runtime.geometry.similarity import Similarity, umeyama

TRIPLES = 128
"""Random triples tried; with 40 % wrong points all of them have a wrong one once in 10^13."""
JUDGES = 512
"""Points whose median residual judges a triple."""
MOST_POINTS = 20_000
"""Points that are looked at of more: they are neighbouring pixels, and say the same."""
STEPS = 30
CONVERGED = 1e-12
CAUCHY = 2.385
"""Standard deviations: 95 % as efficient as least squares where all errors are normal (Holland and Welsch 1977)."""
INLIER = 3.0
"""Standard deviations up to which a point agrees."""
NORMAL_MEDIAN = 1.538
"""Median length of a vector of three standard normal numbers."""
THIN = 1e-6
"""A direction in which points spread less than this share of their largest spread is none."""
NOISE_SPREAD = 2.0
"""A direction in which points spread less than this many standard deviations of their error is none, either."""


@dataclass(frozen=True, eq=False)
class RobustSimilarity:
    """target ~ similarity(source), numpy, float64.

    residual: median of the points' errors, in units of their `sigma`. deviation: of one coordinate of an error, robust,
    in the same units. inliers: share of the points (by weight) that agree.
    rank: in how many directions the agreeing points spread: 3 a volume, 2 a plane (both determine everything), 1 a line
    (any turn about it fits as well), 0 one place (turn and scale are arbitrary).
    information: [7,7] inverse covariance of a small step (as of `pose_graph.step`) of the similarity after `frame`, if
    all points were independent and the deviation 1. frame: [4,4] moves the origin to the points' middle, in the source.
    """

    similarity: Similarity
    residual: float
    deviation: float
    inliers: float
    rank: int
    information: np.ndarray
    frame: np.ndarray

    @property
    def determined(self) -> bool:
        return self.rank >= 2


def robust_similarity(
    source: np.ndarray,
    target: np.ndarray,
    weights: np.ndarray | None = None,
    sigma: np.ndarray | None = None,
    seed: int = 0,
) -> RobustSimilarity | None:
    """The similarity from source [N,3] to target [N,3] that most of the points agree to.

    weights: [N] how much a point counts, not negative; 1 where None. sigma: [N] standard deviation of a point's error
    in the target up to a common factor, which is found from the points; 1 where None. Points that are not finite or
    count nothing are left out; of many, evenly many are taken, the same ones for the same seed. None with no
    point, and where only a mirror would fit.
    """
    count = len(source)
    weight = np.ones(count) if weights is None else np.asarray(weights, np.float64)
    error = np.ones(count) if sigma is None else np.asarray(sigma, np.float64)
    usable = np.isfinite(source).all(1) & np.isfinite(target).all(1) & (weight > 0) & (error > 0) & np.isfinite(error)
    chosen = np.flatnonzero(usable)
    rng = np.random.default_rng(seed)
    if len(chosen) > MOST_POINTS:
        chosen = np.sort(rng.choice(chosen, MOST_POINTS, replace=False))
    if len(chosen) == 0:
        return None
    x, y = source[chosen].astype(np.float64), target[chosen].astype(np.float64)
    weight, error = weight[chosen] / weight[chosen].sum(), error[chosen]
    similarity, errors = _refined(x, y, weight, error, _start(x, y, weight, error, rng))
    if float(similarity.scale) <= 0:
        return None
    spread = _deviation(errors, weight)
    agreeing = errors <= INLIER * spread + _rounding(y, error)
    inside = weight * agreeing
    return RobustSimilarity(
        similarity,
        residual=weighted_median(errors, weight),
        deviation=spread,
        inliers=float(inside.sum()),
        rank=_rank(y, inside, spread * weighted_median(error, weight)),
        **_information(x, float(similarity.scale), inside * len(x), error),
    )


def weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    """The value that half of the weight is not above."""
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weights[order])
    return float(values[order[min(int(np.searchsorted(total, total[-1] / 2)), len(order) - 1)]])


def _start(
    x: np.ndarray, y: np.ndarray, weights: np.ndarray, sigma: np.ndarray, rng: np.random.Generator
) -> Similarity:
    """Of all points at once and of random triples, what leaves the smallest median error."""
    fits = [Similarity(*umeyama(x, y, weights / sigma**2))]
    if len(x) > 3:
        triples = rng.choice(len(x), (TRIPLES, 3), p=weights)
        distinct = (
            (triples[:, 0] != triples[:, 1]) & (triples[:, 0] != triples[:, 2]) & (triples[:, 1] != triples[:, 2])
        )
        triples = triples[distinct]
        tried = Similarity(*umeyama(x[triples], y[triples]))
        fits += [Similarity(*each) for each in zip(tried.scale, tried.rotation, tried.translation, strict=True)]
    judges = np.arange(len(x)) if len(x) <= JUDGES else rng.choice(len(x), JUDGES, p=weights)
    equal = np.ones(len(judges)) if len(x) > JUDGES else weights
    medians = [
        weighted_median(_errors(fit, x[judges], y[judges], sigma[judges]), equal) if float(fit.scale) > 0 else np.inf
        for fit in fits
    ]
    return fits[int(np.argmin(medians))]


def _refined(
    x: np.ndarray, y: np.ndarray, weights: np.ndarray, sigma: np.ndarray, similarity: Similarity
) -> tuple[Similarity, np.ndarray]:
    """Reweighted until nothing changes, and the errors [N] in units of sigma."""
    errors = _errors(similarity, x, y, sigma)
    for _ in range(STEPS):
        width = CAUCHY * _deviation(errors, weights) + _rounding(y, sigma)
        kept = weights / sigma**2 / (1 + (errors / width) ** 2)
        similarity = Similarity(*umeyama(x, y, kept))
        before, errors = errors, _errors(similarity, x, y, sigma)
        if np.abs(errors - before).max() <= CONVERGED * max(float(before.max()), 1.0):
            break
    return similarity, errors


def _errors(similarity: Similarity, x: np.ndarray, y: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    return np.linalg.norm(similarity.points(x) - y, axis=1) / sigma


def _deviation(errors: np.ndarray, weights: np.ndarray) -> float:
    """Standard deviation of one coordinate, from the median length of errors."""
    return weighted_median(errors, weights) / NORMAL_MEDIAN


def _rounding(y: np.ndarray, sigma: np.ndarray) -> float:
    """What rounding leaves of an error, in units of sigma."""
    return 1e-12 * (float(np.abs(y).max()) + 1e-300) / float(sigma.min())


def _rank(points: np.ndarray, weights: np.ndarray, noise: float) -> int:
    if weights.sum() <= 0:
        return 0
    middle = np.average(points, axis=0, weights=weights)
    scatter = ((points - middle) * weights[:, None]).T @ (points - middle) / weights.sum()
    spreads = np.sqrt(np.maximum(np.linalg.eigvalsh(scatter), 0))
    floor = 1e-12 * float(np.abs(points).max())
    return int((spreads > max(THIN * float(spreads[-1]), NOISE_SPREAD * noise, floor)).sum())


def _information(x: np.ndarray, scale: float, weights: np.ndarray, sigma: np.ndarray) -> dict[str, np.ndarray]:
    """`information` and `frame` of `RobustSimilarity`."""
    precision = weights * (scale / sigma) ** 2
    middle = np.average(x, axis=0, weights=precision) if precision.sum() > 0 else x.mean(0)
    frame = np.eye(4)
    frame[:3, 3] = middle
    p = x - middle
    jacobian = np.zeros((len(x), 3, 7))
    jacobian[:, :, :3] = np.eye(3)
    # A turn w moves p by w x p.
    jacobian[:, 0, 4], jacobian[:, 0, 5] = p[:, 2], -p[:, 1]
    jacobian[:, 1, 3], jacobian[:, 1, 5] = -p[:, 2], p[:, 0]
    jacobian[:, 2, 3], jacobian[:, 2, 4] = p[:, 1], -p[:, 0]
    jacobian[:, :, 6] = p
    return {"information": np.einsum("nij,n,nik->jk", jacobian, precision, jacobian), "frame": frame}
