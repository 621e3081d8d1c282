"""Novel views: splats of some photos seen from the places of others, against the photos taken there.

Protocol of Depth Anything 3 (Lin et al. 2025): every 8th photo is a target, at most 12 of the others are the inputs.
Of a scene with too few photos for two targets, each photo in turn is the target, also those at the ends of the path,
parts of which no other photo shows: what no splat covers is black, and counts.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from skimage.metrics import structural_similarity

from model_runtime.benchmark.datasets.scene import TruthView, read_photos
from model_runtime.benchmark.reconstruction import align
from model_runtime.contract.messages import Gaussians
from model_runtime.splats.renderer import Splats, render_splats, tensors

TARGET_STEP = 8
MOST_INPUTS = 12
LONGEST_SIDE = 480
"""Pixels of the compared pictures; the paper compares 270 x 480."""
STRIP = 48
"""Rows rendered at once, so that memory stays small."""


@dataclass(frozen=True)
class Quality:
    """Of one target: PSNR in dB and SSIM of the picture, and of the photo taken closest to the target instead."""

    psnr: float
    ssim: float
    nearest_psnr: float
    nearest_ssim: float


def splits(centres: np.ndarray) -> list[tuple[list[int], list[int]]]:
    """Input and target views of every trial, for camera centres [N,3]."""
    count = len(centres)
    if count > TARGET_STEP:
        return [split(centres)]
    return [([i for i in range(count) if i != target], [target]) for target in range(count)]


def split(centres: np.ndarray) -> tuple[list[int], list[int]]:
    """Numbers of input and of target views, for camera centres [N,3]: every 8th is a target, from the first on; of the
    others at most 12 are inputs, each the farthest from those before it (the first is the first).
    """
    targets = list(range(0, len(centres), TARGET_STEP))
    others = [i for i in range(len(centres)) if i % TARGET_STEP]
    if not others:
        return [], targets
    chosen, distance = [others[0]], np.full(len(others), np.inf)
    while len(chosen) < min(MOST_INPUTS, len(others)):
        distance = np.minimum(distance, np.linalg.norm(centres[others] - centres[chosen[-1]], axis=1))
        chosen.append(others[int(distance.argmax())])
    return sorted(chosen), targets


def psnr(picture: np.ndarray, truth: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB of pictures [H,W,3] in 0..1; infinite where they are equal."""
    error = float(((picture - truth) ** 2).mean())
    return float("inf") if error == 0 else -10 * float(np.log10(error))


def ssim(picture: np.ndarray, truth: np.ndarray) -> float:
    """Structural similarity (Wang et al. 2004) of pictures [H,W,3] in 0..1: Gaussian window of 1.5 pixels."""
    value = structural_similarity(
        picture,
        truth,
        data_range=1.0,
        channel_axis=-1,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    return np.asarray(value).item()


def score_targets(
    gaussians: Gaussians, predicted: np.ndarray, inputs: Sequence[TruthView], targets: Sequence[TruthView]
) -> list[Quality]:
    """How well splats show the targets. predicted: [N,4,4], the cameras of the inputs in the splats' world."""
    true = np.stack([view.extrinsics for view in inputs])
    to_splats = align(predicted, true).inverse()
    splats = tensors(gaussians)
    scores = []
    for view, photo in zip(targets, read_photos(targets), strict=True):
        truth, intrinsics = _compared(photo.data, view.intrinsics)
        extrinsics = to_splats.extrinsics(torch.from_numpy(view.extrinsics)[None])[0].float()
        picture = render(splats, extrinsics, torch.from_numpy(intrinsics).float(), truth.shape[:2])
        near = _nearest(true, inputs, view, truth.shape[:2])
        scores.append(Quality(psnr(picture, truth), ssim(picture, truth), psnr(near, truth), ssim(near, truth)))
    return scores


def _nearest(true: np.ndarray, inputs: Sequence[TruthView], target: TruthView, size: tuple[int, ...]) -> np.ndarray:
    """The input photo [H,W,3] taken closest to the target, as large as that; true: [N,4,4], cameras of the inputs."""
    centres = np.linalg.inv(true)[:, :3, 3]
    apart = np.linalg.norm(centres - np.linalg.inv(target.extrinsics)[:3, 3], axis=1)
    (photo,) = read_photos([inputs[int(apart.argmin())]])
    return _resized(Image.open(io.BytesIO(photo.data)), (size[1], size[0]))


def render(splats: Splats, extrinsics: torch.Tensor, intrinsics: torch.Tensor, size: tuple[int, ...]) -> np.ndarray:
    """Picture [H,W,3] in 0..1 of splats over black, for one camera [4,4], [3,3]; size: (height, width)."""
    height, width = size
    strips = [
        render_splats(splats, extrinsics, intrinsics, (height, width), (top, min(top + STRIP, height)))[0]
        for top in range(0, height, STRIP)
    ]
    return torch.cat(strips, 1).clamp(0, 1).permute(1, 2, 0).numpy()


def _compared(data: bytes, intrinsics: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The photo [H,W,3] in 0..1 at the compared size, and its intrinsics."""
    photo = Image.open(io.BytesIO(data))
    factor = min(1.0, LONGEST_SIDE / max(photo.size))
    size = round(photo.width * factor), round(photo.height * factor)
    scale = np.diag([size[0] / photo.width, size[1] / photo.height, 1.0])
    return _resized(photo, size), scale @ intrinsics


def _resized(photo: Image.Image, size: tuple[int, int]) -> np.ndarray:
    """[H,W,3] in 0..1; size: (width, height)."""
    return np.asarray(photo.convert("RGB").resize(size, Image.Resampling.BOX), np.float32) / 255
