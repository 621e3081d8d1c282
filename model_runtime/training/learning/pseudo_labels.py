"""Dense labels out of a teacher's depth and the sparse, noisy depth that a capture comes with.

The teacher knows shapes but no scale; the capture knows the scale, here and there. Scale and shift of every view by
RANSAC and least squares bring the two together (Depth Anything 3, Lin et al. 2025, arXiv 2511.10647, section 3).
"""

import numpy as np
import torch

from model_runtime.geometry.depth_alignment import TOLERANCE, DepthAlignment, align_depth
from model_runtime.network.any_view import AnyViewNetwork
from model_runtime.network.monocular import MonocularNetwork
from model_runtime.training.learning.targets import normalise_images

KNOWN = 1024
"""Measured pixels of a view that take part in its alignment; more change nothing and cost time."""
LEAST_INLIERS = 0.5
"""Share of the measured depth that the aligned teacher must explain; a view below it keeps the measured one."""
WIDEST = 0.25
"""Relative error beyond which a measurement is an outlier for the weakest teacher too."""


@torch.no_grad()
def teacher_depth(
    teacher: MonocularNetwork | AnyViewNetwork, images: torch.Tensor, views_at_once: int = 64
) -> torch.Tensor:
    """The teacher's depth [B,N,H,W] for images [B,N,3,H,W] in 0..1: every view for itself, in its own scale."""
    views = normalise_images(images).flatten(0, 1)[:, None]
    depth = torch.cat([teacher(part).depth[:, 0] for part in views.split(views_at_once)])
    return depth.unflatten(0, images.shape[:2])


def align_teacher(depth: torch.Tensor, measured: torch.Tensor, seed: int = 0) -> torch.Tensor:
    """Labels [B,N,H,W] in the unit of `measured` [B,N,H,W] (0 where unknown) from the teacher's `depth` [B,N,H,W].

    A view whose measurements the teacher cannot explain keeps them as they are. The same seed gives the same.
    """
    guesses, knowns = depth.float().cpu().numpy(), measured.cpu().numpy()
    labels = knowns.copy()
    for index in np.ndindex(*labels.shape[:2]):
        guess, known = guesses[index], knowns[index]
        chosen = np.flatnonzero(known > 0)
        if len(chosen) > KNOWN:
            chosen = np.random.default_rng(seed).choice(chosen, KNOWN, replace=False)
        fit = align_view(guess.flat[chosen], known.flat[chosen], seed)
        if fit is not None and fit.inliers >= LEAST_INLIERS:
            labels[index] = np.maximum(fit.scale * guess + fit.shift, 0)
    return torch.from_numpy(labels).to(measured)


def align_view(guess: np.ndarray, known: np.ndarray, seed: int) -> DepthAlignment | None:
    """Scale and shift from guessed to known depths [M]. As in the paper, the mean absolute deviation from the median
    error says what an inlier is: a weak teacher cannot be asked for the precision of a strong one."""
    if len(known) == 0:
        return None
    error = np.log(known / np.maximum(guess, 1e-6))
    deviation = float(np.abs(error - np.median(error)).mean())
    return align_depth(guess, known, True, seed, tolerance=min(max(deviation, TOLERANCE), WIDEST))
