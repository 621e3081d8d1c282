"""Depth as a sensor or multi-view stereo gives it: with holes, outliers and steps, out of exact depth.

Stands in for the real captures that Depth Anything 3 learns from besides synthetic ones. What is missing is missing
for a reason - too far, glossy, seen at a grazing angle - so that a network taught by it never hears of such places.
"""

import zlib
from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import gaussian_filter, minimum_filter

from model_runtime.training.rendering.views import ViewBatch

STEEP = 0.1
"""Relative depth step between neighbours that counts as an edge of an object."""


@dataclass(frozen=True)
class NoisyDepth:
    """How bad it is; the defaults are those of a cheap depth camera indoors.

    reach: metres, nothing is measured beyond. grazing: cosine between surface normal and line of sight below which
    nothing comes back. glossy: chance that the largest of three randomly chosen planes is missing. holes: share lost in
    random patches. outliers: share covered by patches whose depth is off by up to `outlier_factor`. sigma: standard
    deviation at 1 m, growing with the square of depth. step: quantum of inverse depth, 1/m. bleeding: pixels by which
    near things grow over what is behind them. bend: standard deviation of a smooth relative error. density: share of
    the pixels that a value is kept for; small for the points of matched features.
    """

    reach: float = 4.0
    grazing: float = 0.25
    glossy: float = 0.5
    holes: float = 0.2
    outliers: float = 0.1
    outlier_factor: float = 2.5
    sigma: float = 0.01
    step: float = 0.01
    bleeding: int = 1
    bend: float = 0.05
    density: float = 1.0
    seed: int = 0

    def of(self, batch: ViewBatch) -> torch.Tensor:
        """Noisy depth [B,N,H,W] in metres of a batch with exact depth; 0 where nothing was measured.

        The noise of a view follows from the view itself: one that comes back in another batch has the same faults,
        as a recording would.
        """
        measured = [
            self.measure(depth.numpy(), intrinsics.numpy())
            for depth, intrinsics in zip(
                batch.depth.cpu().flatten(0, 1), batch.intrinsics.cpu().flatten(0, 1), strict=True
            )
        ]
        stacked = torch.from_numpy(np.stack(measured)).to(batch.depth)
        return stacked.unflatten(0, batch.depth.shape[:2])

    def measure(self, depth: np.ndarray, intrinsics: np.ndarray) -> np.ndarray:
        """One view [H,W] with intrinsics [3,3] in pixels; float32, 0 where nothing was measured."""
        rng = np.random.default_rng([self.seed, zlib.crc32(np.ascontiguousarray(depth).tobytes())])
        valid = np.isfinite(depth) & (depth > 0)
        exact = np.where(valid, depth, self.reach * 10).astype(np.float64)
        points = exact[..., None] * camera_rays(intrinsics, *depth.shape)
        normals = surface_normals(points)
        facing = np.abs((normals * points).sum(-1)) / np.linalg.norm(points, axis=-1)
        seen = valid & (exact < self.reach) & (facing > self.grazing)
        if rng.random() < self.glossy:
            seen &= ~_one_plane(points, normals, rng)
        seen &= ~_patches(rng, depth.shape, self.holes)

        measured = minimum_filter(exact, size=2 * self.bleeding + 1) if self.bleeding else exact
        measured = np.where(exact / measured > 1 + STEEP, measured, exact)
        measured = measured * (1 + self.bend * _smooth_noise(rng, depth.shape))
        factor = self.outlier_factor ** np.clip(_smooth_noise(rng, depth.shape), -1, 1)
        measured = np.where(_patches(rng, depth.shape, self.outliers), measured * factor, measured)
        measured = measured + self.sigma * measured**2 * rng.standard_normal(depth.shape)
        inverse = np.round(1 / np.maximum(measured, 0.05) / self.step) * self.step
        measured = 1 / np.maximum(inverse, self.step)
        seen &= rng.random(depth.shape) < self.density
        return np.where(seen, measured, 0).astype(np.float32)


def camera_rays(intrinsics: np.ndarray, height: int, width: int) -> np.ndarray:
    """Directions [H,W,3] with z = 1 through pixel centres, in the camera's frame."""
    x = (np.arange(width) + 0.5 - intrinsics[0, 2]) / intrinsics[0, 0]
    y = (np.arange(height) + 0.5 - intrinsics[1, 2]) / intrinsics[1, 1]
    return np.stack([*np.meshgrid(x, y), np.ones((height, width))], -1)


def surface_normals(points: np.ndarray) -> np.ndarray:
    """Unit normals [H,W,3] of a map of points [H,W,3], either side."""
    normals = np.cross(np.gradient(points, axis=1), np.gradient(points, axis=0))
    return normals / np.linalg.norm(normals, axis=-1, keepdims=True).clip(1e-12)


def _one_plane(points: np.ndarray, normals: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """[H,W] bool: the largest of three planes, each through a pixel chosen at random."""
    planes = []
    for _ in range(3):
        row, column = rng.integers(points.shape[0]), rng.integers(points.shape[1])
        normal = normals[row, column]
        near = np.abs((points - points[row, column]) @ normal) < 0.02 * points[..., 2]
        planes.append(near & (np.abs(normals @ normal) > 0.95))
    return max(planes, key=lambda plane: int(plane.sum()))


def _smooth_noise(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Unit-variance noise [H,W] whose bumps are about an eighth of the picture."""
    noise = gaussian_filter(rng.standard_normal(shape), max(shape) / 16, mode="wrap")
    return (noise - noise.mean()) / max(noise.std(), 1e-12)


def _patches(rng: np.random.Generator, shape: tuple[int, ...], share: float) -> np.ndarray:
    """[H,W] bool: irregular patches that cover `share` of the picture."""
    noise = _smooth_noise(rng, shape)
    return noise > np.quantile(noise, 1 - share) if share > 0 else np.zeros(shape, bool)
