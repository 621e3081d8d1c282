"""Pinhole cameras from ray maps (Depth Anything 3, arXiv 2511.10647, section 3: a camera is what its rays say).

A pinhole sends pixel u = (x, y, 1) along M u with M = R K^-1 (R camera-to-world), up to a positive factor. So M is
the 3x3 matrix whose M u best agree in direction with the predicted d, and a QR decomposition splits it into R and
K^-1. Directions are compared as they are, never divided by z: a view may look anywhere, also backwards.

Per view: the best of a fixed set of random hypotheses by least median of squares, then fits with Tukey's biweight,
first on an even sample of the rays, at last on all of them. Confidence counts only in these last fits: it cannot buy
votes, and almost half of the rays may be wrong. Every fit is an eigenvector of a 9x9 matrix of moments, so that memory
is linear in the rays.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize

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


@dataclass(frozen=True, eq=False)
class _Grid:
    """Pixel centres as homogeneous coordinates of an image plane, scaled so that the mean of u u^T is the identity.

    points: [n,3]. products: [n,9], u u^T flattened. unscale: [3,3] from the plane [-1,1] x [-1,1] to points.
    """

    points: Tensor
    products: Tensor
    unscale: Tensor


@torch.no_grad()
def cameras_from_rays(ray: Tensor, confidence: Tensor, image_size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Extrinsics and intrinsics that explain ray maps.

    ray: [...,h,w,6], direction (any length) then origin, of pixel centres of a grid over the whole image.
    confidence: [...,h,w], not negative. image_size: (H, W) in pixels, for the intrinsics.
    Returns world-to-camera [...,3,4] in the frame of the rays and pixel intrinsics [...,3,3] without skew.

    Deterministic, and each view on its own. Rays that are not finite count as outliers. Not differentiable.
    """
    *leading, height, width, _ = ray.shape
    if height < 2 or width < 2:
        raise ValueError(f"A ray map of {width} x {height} does not determine a camera; it takes at least 2 x 2 rays.")
    # Apple's GPUs have no float64, which a fit exact to 0.01 degree needs.
    device = torch.device("cpu") if ray.device.type == "mps" else ray.device
    # One view at a time stays in a CPU's cache, and its result does not depend on the batch to the last bit.
    at_once = 1 if device.type == "cpu" else VIEWS_AT_ONCE_ON_GPU
    grid = _make_grid(height, width, device)
    rays = ray.reshape(-1, height * width, 6)
    confidences = confidence.reshape(-1, height * width)
    cameras = [
        _solve_views(some_rays.to(device).double(), some_confidences.to(device).double(), grid)
        for some_rays, some_confidences in zip(rays.split(at_once), confidences.split(at_once), strict=True)
    ]
    extrinsics = torch.cat([camera[0] for camera in cameras])
    intrinsics = _plane_to_pixels(image_size, device) @ torch.cat([camera[1] for camera in cameras])
    return extrinsics.reshape(*leading, 3, 4).to(ray), intrinsics.reshape(*leading, 3, 3).to(ray)


def _solve_views(ray: Tensor, confidence: Tensor, grid: _Grid) -> tuple[Tensor, Tensor]:
    """World-to-camera [V,3,4] and intrinsics [V,3,3] in units of the plane [-1,1] x [-1,1]; ray: [V,n,6]."""
    ray = torch.where(ray.isfinite().all(-1, keepdim=True), ray, 0)
    confidence = confidence.nan_to_num(0)
    confidence = confidence.minimum(CONFIDENCE_CAP * confidence.median(-1, keepdim=True).values).clamp_min(1e-12)
    directions = normalize(ray[..., :3], dim=-1)
    # d_i u_j, so that d . M u is one product with the flattened M; all zero for unusable rays.
    terms = (directions[..., :, None] * grid.points[:, None, :]).flatten(-2)

    sample = torch.linspace(0, len(grid.points) - 1, min(len(grid.points), SAMPLE), device=ray.device).long()
    some_terms, some_products = terms[:, sample], grid.products[sample]
    matrix = _best_hypothesis(some_terms, some_products)
    for _ in range(FITS_OF_SAMPLE):
        matrix = _fit(some_terms, some_products, _tukey(_squared_angles(matrix, some_terms, some_products)))
    for _ in range(FITS_OF_ALL):
        kept = _tukey(_squared_angles(matrix, terms, grid.products))
        matrix = _fit(terms, grid.products, kept * confidence)
    kept = _tukey(_squared_angles(matrix, terms, grid.products)) > 0
    rotation, intrinsics = _decompose(matrix @ grid.unscale)
    centre = _robust_centre(ray[..., 3:], confidence, kept)
    translation = -(rotation.mT @ centre[..., None])
    return torch.cat((rotation.mT, translation), -1), intrinsics


def _best_hypothesis(terms: Tensor, products: Tensor) -> Tensor:
    """Of the M [V,3,3] that a few rays each determine, the one with the smallest median error over all rays here."""
    views, count, _ = terms.shape
    # The same draws for every view, whatever the batch, the device and the caller's own random state.
    generator = torch.Generator().manual_seed(0)
    drawn = torch.randint(count, (HYPOTHESES, RAYS_PER_HYPOTHESIS), generator=generator).to(terms.device)
    matrices = _fit(terms[:, drawn], products[drawn], terms.new_ones(drawn.shape))
    errors = _squared_angles(matrices, terms[:, None], products)
    best = errors.median(-1).values.argmin(-1)
    return matrices[torch.arange(views, device=terms.device), best]


def _fit(terms: Tensor, products: Tensor, weights: Tensor) -> Tensor:
    """The M [...,3,3] with det > 0 that maximises sum w (d . M u)^2 while sum w |M u|^2 stays fixed.

    That is least squares in the sines of the angles between d and M u. Holding |M u| rather than |M| fixed keeps
    noise in the directions from pulling M towards smaller M u. terms: [...,n,9]; products: [n,9]; weights: [...,n].
    """
    weights = weights / weights.sum(-1, keepdim=True).clamp_min(1e-300)
    moments = (terms * weights[..., None]).mT @ terms
    spread = (weights[..., None, :] @ products).unflatten(-1, (3, 3)).squeeze(-3)
    spread = spread + 1e-12 * torch.eye(3, dtype=terms.dtype, device=terms.device)
    whiten = torch.linalg.inv(torch.linalg.cholesky_ex(spread).L)
    blocks = moments.unflatten(-1, (3, 3)).unflatten(-3, (3, 3))
    whitened = torch.einsum("...aj,...ijkl,...bl->...iakb", whiten, blocks, whiten)
    vectors = torch.linalg.eigh(whitened.flatten(-4, -3).flatten(-2)).eigenvectors
    matrix = vectors[..., -1].unflatten(-1, (3, 3)) @ whiten
    return torch.where(torch.linalg.det(matrix)[..., None, None] < 0, -matrix, matrix)


def _squared_angles(matrix: Tensor, terms: Tensor, products: Tensor) -> Tensor:
    """Squared chords [...,n] between the unit directions d and M u: their angles where these are small."""
    # einsum, unlike matmul, does not copy the rays for every one of several matrices.
    dots = torch.einsum("...nk,...k->...n", terms, matrix.flatten(-2))
    squares = torch.einsum("...nk,...k->...n", products, (matrix.mT @ matrix).flatten(-2))
    return (2 - 2 * dots / squares.clamp_min(1e-300).sqrt()).clamp_min(0)


def _tukey(squares: Tensor) -> Tensor:
    """Tukey's biweight: falls smoothly from 1 to exactly 0 at a multiple of the median error."""
    cutoff = (CUTOFF * squares.median(-1, keepdim=True).values).clamp_min(SMALLEST_CUTOFF)
    return (1 - squares / cutoff).clamp_min(0).square()


def _decompose(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """M ~ R K^-1 into the rotation R [V,3,3] and K [V,3,3] with K[2,2] = 1 and the skew dropped; det M > 0."""
    rotation, upper = torch.linalg.qr(matrix)
    diagonal = upper.diagonal(dim1=-2, dim2=-1)
    signs = torch.where(diagonal < 0, -1.0, 1.0).to(matrix.dtype)
    rotation, upper = rotation * signs[..., None, :], upper * signs[..., None]
    # Rays of no pinhole at all (all the same direction) still give finite numbers.
    floor = 1e-9 * upper.abs().amax((-2, -1)).clamp_min(1e-300)
    upper = upper.triu(1) + torch.diag_embed(diagonal.abs().maximum(floor[..., None]))
    intrinsics = torch.linalg.inv(upper)
    intrinsics = intrinsics / intrinsics[..., 2:, 2:]
    intrinsics[..., 0, 1] = 0
    return rotation, intrinsics


def _robust_centre(origins: Tensor, confidence: Tensor, kept: Tensor) -> Tensor:
    """Confidence-weighted mean [V,3] of the origins [V,n,3] of good rays that lie near the median origin."""
    middle = origins.median(-2, keepdim=True).values
    distance = (origins - middle).norm(dim=-1)
    rounding = 1e-6 * (1 + middle.norm(dim=-1))
    near = distance <= 4 * distance.median(-1, keepdim=True).values + rounding
    # The small term decides only where no ray is good in both respects.
    weights = confidence * near * (kept + 1e-12)
    return (weights[..., None] * origins).sum(-2) / weights.sum(-1, keepdim=True)


def _make_grid(height: int, width: int, device: torch.device) -> _Grid:
    x = (2 * torch.arange(width, dtype=torch.float64, device=device) + 1) / width - 1
    y = (2 * torch.arange(height, dtype=torch.float64, device=device) + 1) / height - 1
    unscale = torch.diag(
        torch.stack((1 / x.square().mean().sqrt(), 1 / y.square().mean().sqrt(), torch.ones_like(x[0])))
    )
    rows, columns = torch.meshgrid(y, x, indexing="ij")
    points = torch.stack((columns, rows, torch.ones_like(rows)), -1).reshape(-1, 3) @ unscale
    products = (points[:, :, None] * points[:, None, :]).flatten(1)
    return _Grid(points, products, unscale)


def _plane_to_pixels(image_size: tuple[int, int], device: torch.device) -> Tensor:
    """[3,3] from the plane [-1,1] x [-1,1] to pixels of an image (H, W)."""
    height, width = image_size
    matrix = [[width / 2, 0, width / 2], [0, height / 2, height / 2], [0, 0, 1]]
    return torch.tensor(matrix, dtype=torch.float64, device=device)
