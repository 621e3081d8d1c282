"""Splats of all photos as one layer, made to look like the photos: the one thing of a job that needs PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

import numpy as np

from model_runtime.contract.messages import Gaussians, JobError, View
from model_runtime.contract.progress import Span
from model_runtime.depth.scratch import Scratch
from model_runtime.splats.merge import merged_splats


def check_improving() -> None:
    """Raises JobError `needs-torch` where PyTorch is not installed."""
    if find_spec("torch") is None:
        raise JobError(
            "needs-torch",
            "Improving splats needs PyTorch, which the worker's Python lacks.",
            "Install the full runtime, or switch improving splats off.",
        )


def improved_splats(
    views: Sequence[View],
    photos: Sequence[np.ndarray],
    budget: int,
    scratch: Scratch,
    progress: Span,
    optimise: bool = True,
) -> Gaussians:
    """One layer of splats (`merged_splats`), and unless `optimise` is off made to look like the photos.

    Raises JobError `needs-torch`, and what `progress` raises to stop the job.
    """
    check_improving()
    from model_runtime.splats.optimise import optimised_splats

    progress(0.0, "Making one layer of the splats of all photos.")
    merged = merged_splats(views, photos, budget, scratch)
    return optimised_splats(merged, views, photos, progress) if optimise else merged
