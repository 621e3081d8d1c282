"""Pinhole cameras from ray maps (Depth Anything 3, arXiv 2511.10647, section 3: a camera is what its rays say).

A pinhole sends pixel u = (x, y, 1) along M u with M = R K^-1 (R camera-to-world), up to a positive factor. So M is
the 3x3 matrix whose M u best agree in direction with the predicted d, and a QR decomposition splits it into R and
K^-1. Directions are compared as they are, never divided by z: a view may look anywhere, also backwards.

Per view: the best of a fixed set of random hypotheses by least median of squares, then fits with Tukey's biweight,
first on an even sample of the rays, at last on all of them. Confidence counts only in these last fits: it cannot buy
votes, and almost half of the rays may be wrong. Every fit is an eigenvector of a 9x9 matrix of moments, so that memory
is linear in the rays. Of numpy arrays or tensors, whichever is given.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model_runtime.geometry.arrays import Array, as_numpy, device_of, like, lower_median, namespace

HYPOTHESES = 128
RAYS_PER_HYPOTHESIS = 6
"""Four determine M; two more tame noise. At 30 % outliers 128 draws all fail with a chance below 1e-6."""
SAMPLE = 4096
FITS_OF_SAMPLE = 10
FITS_OF_ALL = 3
CUTOFF = 12.0
"""Tukey's cutoff of r^2 in medians of r^2: about four standard deviations for Gaussian noise in two directions."""
SMALLEST_CUTOFF = 1e-12
"""Square of the cutoff in radians below which only rounding tells rays apart."""
CONFIDENCE_CAP = 4.0
"""In medians of the view: no ray outweighs the others by more, however sure the network is of it."""
VIEWS_AT_ONCE_ON_GPU = 16
SHORTEST = 1e-12
"""Length below which a vector has no direction."""


@dataclass(frozen=True, eq=False)
class _Grid:
    """Pixel centres as homogeneous coordinates of an image plane, scaled so that the mean of u u^T is the identity.

    points: [n,3]. products: [n,9], u u^T flattened. unscale: [3,3] from the plane [-1,1] x [-1,1] to points.
    """

    points: np.ndarray
    products: np.ndarray
    unscale: np.ndarray


def cameras_from_rays(ray: Array, confidence: Array, image_size: tuple[int, int]) -> tuple[Array, Array]:
    """Extrinsics and intrinsics that explain ray maps.

    ray: [...,h,w,6], direction (any length) then origin, of pixel centres of a grid over the whole image.
    confidence: [...,h,w], not negative. image_size: (H, W) in pixels, for the intrinsics.
    Returns world-to-camera [...,3,4] in the frame of the rays and pixel intrinsics [...,3,3] without skew.

    Deterministic, and each view on its own. Rays that are not finite count as outliers. Not differentiable.
    """
    *leading, height, width, _ = ray.shape
    if height < 2 or width < 2:
        raise ValueError(f"A ray map of {width} x {height} does not determine a camera; it takes at least 2 x 2 rays.")
    # Only numpy and CUDA: Apple's GPUs have no float64, which a fit exact to 0.01 degree needs.
    on_gpu = getattr(ray, "is_cuda", False)
    rays, confidences = (each.detach() if on_gpu else as_numpy(each) for each in (ray, confidence))
    rays, confidences = rays.reshape(-1, height * width, 6), confidences.reshape(-1, height * width)
    # One view at a time stays in a CPU's cache, and its result does not depend on the batch to the last bit.
    at_once = VIEWS_AT_ONCE_ON_GPU if on_gpu else 1
    grid = _make_grid(height, width)
    cameras = [
        _solve_views(rays[first : first + at_once], confidences[first : first + at_once], grid)
        for first in range(0, len(rays), at_once)
    ]
    extrinsics, intrinsics = (namespace(rays).concat(each) for each in zip(*cameras, strict=True))
    intrinsics = like(_plane_to_pixels(image_size), intrinsics) @ intrinsics
    return like(extrinsics, ray).reshape(*leading, 3, 4), like(intrinsics, ray).reshape(*leading, 3, 3)


def _solve_views(ray: Array, confidence: Array, grid: _Grid) -> tuple[Array, Array]:
    """World-to-camera [V,3,4] and intrinsics [V,3,3] in units of the plane [-1,1] x [-1,1], float64; ray: [V,n,6]."""
    xp = namespace(ray, confidence)
    ray, confidence = xp.astype(ray, xp.float64), xp.nan_to_num(xp.astype(confidence, xp.float64), nan=0.0)
    ray = xp.where(xp.all(xp.isfinite(ray), axis=-1)[..., None], ray, xp.zeros_like(ray))
    cap = CONFIDENCE_CAP * lower_median(confidence)[..., None]
    confidence = xp.maximum(xp.minimum(confidence, cap), 1e-12)
    length = xp.linalg.vector_norm(ray[..., :3], axis=-1, keepdims=True)
    directions = ray[..., :3] / xp.maximum(length, SHORTEST)
    points, products = like(grid.points, ray), like(grid.products, ray)
    # d_i u_j, so that d . M u is one product with the flattened M; all zero for unusable rays.
    terms = (directions[..., :, None] * points[:, None, :]).reshape(*ray.shape[:-1], 9)

    # Spread in float32, whose rounding has decided which rays these are in all results so far.
    sample = np.linspace(0, len(points) - 1, min(len(points), SAMPLE), dtype=np.float32).astype(np.int64)
    some_terms, some_products = terms[:, sample], products[sample]
    matrix = _best_hypothesis(some_terms, some_products)
    for _ in range(FITS_OF_SAMPLE):
        matrix = _fit(some_terms, some_products, _tukey(_squared_angles(matrix, some_terms, some_products)))
    for _ in range(FITS_OF_ALL):
        kept = _tukey(_squared_angles(matrix, terms, products))
        matrix = _fit(terms, products, kept * confidence)
    kept = _tukey(_squared_angles(matrix, terms, products)) > 0
    rotation, intrinsics = _decompose(matrix @ like(grid.unscale, matrix))
    centre = _robust_centre(ray[..., 3:], confidence, kept)
    to_camera = xp.matrix_transpose(rotation)
    return xp.concat((to_camera, -(to_camera @ centre[..., None])), axis=-1), intrinsics


def _best_hypothesis(terms: Array, products: Array) -> Array:
    """Of the M [V,3,3] that a few rays each determine, the one with the smallest median error over all rays here."""
    xp = namespace(terms)
    views, count, _ = terms.shape
    # The same draws for every view, whatever the batch, the device and the caller's own random state.
    random = np.random.RandomState(0).randint(1 << 32, size=(HYPOTHESES, RAYS_PER_HYPOTHESIS), dtype=np.int64)
    drawn = random % count
    some = terms[:, drawn]
    matrices = _fit(some, products[drawn], xp.ones_like(some[..., 0]))
    best = xp.argmin(lower_median(_squared_angles(matrices, terms, products)), axis=-1)
    return matrices[xp.arange(views, device=device_of(terms)), best]


def _fit(terms: Array, products: Array, weights: Array) -> Array:
    """The M [...,3,3] with det > 0 that maximises sum w (d . M u)^2 while sum w |M u|^2 stays fixed.

    That is least squares in the sines of the angles between d and M u. Holding |M u| rather than |M| fixed keeps
    noise in the directions from pulling M towards smaller M u. terms: [...,n,9]; products: [...,n,9]; weights: [...,n].
    """
    xp = namespace(terms)
    leading = terms.shape[:-2]
    weights = weights / xp.maximum(xp.sum(weights, axis=-1, keepdims=True), 1e-300)
    moments = xp.matrix_transpose(terms * weights[..., None]) @ terms
    spread = (weights[..., None, :] @ products).reshape(*leading, 3, 3)
    whiten = xp.linalg.inv(xp.linalg.cholesky(spread + 1e-12 * like(np.eye(3), terms)))
    # From both sides, block by block of u's coordinates.
    half = whiten[..., None, :, :] @ moments.reshape(*leading, 3, 3, 9)
    whitened = half.reshape(*leading, 9, 3, 3) @ xp.matrix_transpose(whiten)[..., None, :, :]
    vectors = xp.linalg.eigh(whitened.reshape(*leading, 9, 9))[1]
    matrix = vectors[..., -1].reshape(*leading, 3, 3) @ whiten
    return xp.where(xp.linalg.det(matrix)[..., None, None] < 0, -matrix, matrix)


def _squared_angles(matrix: Array, terms: Array, products: Array) -> Array:
    """Squared chords [V,n] between the unit directions d and M u: their angles where these are small.

    matrix: [V,3,3], or several of them for each view [V,M,3,3], then [V,M,n]. terms: [V,n,9]. products: [n,9].
    """
    xp = namespace(matrix)
    several = matrix if matrix.ndim == 4 else matrix[:, None]
    size = (*several.shape[:2], 9)
    dots = several.reshape(size) @ xp.matrix_transpose(terms)
    squares = (xp.matrix_transpose(several) @ several).reshape(size) @ products.T
    chords = xp.maximum(2 - 2 * dots / xp.sqrt(xp.maximum(squares, 1e-300)), 0.0)
    return chords.reshape(*matrix.shape[:-2], -1)


def _tukey(squares: Array) -> Array:
    """Tukey's biweight: falls smoothly from 1 to exactly 0 at a multiple of the median error."""
    xp = namespace(squares)
    cutoff = xp.maximum(CUTOFF * lower_median(squares), SMALLEST_CUTOFF)
    return xp.maximum(1 - squares / cutoff[..., None], 0.0) ** 2


def _decompose(matrix: Array) -> tuple[Array, Array]:
    """M ~ R K^-1 into the rotation R [V,3,3] and K [V,3,3] with K[2,2] = 1 and the skew dropped; det M > 0."""
    xp = namespace(matrix)
    rotation, upper = xp.linalg.qr(matrix)
    diagonal = xp.linalg.diagonal(upper)
    signs = xp.where(diagonal < 0, -xp.ones_like(diagonal), xp.ones_like(diagonal))
    rotation, upper = rotation * signs[..., None, :], upper * signs[..., None]
    # Rays of no pinhole at all (all the same direction) still give finite numbers.
    floor = 1e-9 * xp.maximum(xp.max(xp.abs(upper), axis=(-2, -1)), 1e-300)
    diagonal = xp.maximum(xp.abs(diagonal), floor[..., None])
    upper = xp.triu(upper, k=1) + diagonal[..., None] * like(np.eye(3), matrix)
    intrinsics = xp.linalg.inv(upper)
    intrinsics = intrinsics / intrinsics[..., 2:, 2:]
    intrinsics[..., 0, 1] = 0
    return rotation, intrinsics


def _robust_centre(origins: Array, confidence: Array, kept: Array) -> Array:
    """Confidence-weighted mean [V,3] of the origins [V,n,3] of good rays that lie near the median origin."""
    xp = namespace(origins)
    middle = lower_median(xp.matrix_transpose(origins))[..., None, :]
    distance = xp.linalg.vector_norm(origins - middle, axis=-1)
    rounding = 1e-6 * (1 + xp.linalg.vector_norm(middle, axis=-1))
    near = distance <= 4 * lower_median(distance)[..., None] + rounding
    # The small term decides only where no ray is good in both respects.
    weights = confidence * near * (xp.astype(kept, origins.dtype) + 1e-12)
    return xp.sum(weights[..., None] * origins, axis=-2) / xp.sum(weights, axis=-1, keepdims=True)


def _make_grid(height: int, width: int) -> _Grid:
    x = (2 * np.arange(width) + 1) / width - 1
    y = (2 * np.arange(height) + 1) / height - 1
    unscale = np.diag((1 / np.sqrt(np.square(x).mean()), 1 / np.sqrt(np.square(y).mean()), 1.0))
    rows, columns = np.meshgrid(y, x, indexing="ij")
    points = np.stack((columns, rows, np.ones_like(rows)), -1).reshape(-1, 3) @ unscale
    products = (points[:, :, None] * points[:, None, :]).reshape(-1, 9)
    return _Grid(points, products, unscale)


def _plane_to_pixels(image_size: tuple[int, int]) -> np.ndarray:
    """[3,3] from the plane [-1,1] x [-1,1] to pixels of an image (H, W)."""
    height, width = image_size
    return np.array([[width / 2, 0, width / 2], [0, height / 2, height / 2], [0, 0, 1]])
