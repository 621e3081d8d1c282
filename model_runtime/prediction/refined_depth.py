"""When depth is refined by comparing photos, and which of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from model_runtime.cameras.settle import SettledCameras
from model_runtime.cameras.sources import FoundCameras
from model_runtime.contract.progress import Span
from model_runtime.depth.refinement.refine import DepthPhoto, refine_depths
from model_runtime.depth.scratch import Lazy, Slots
from model_runtime.network.output import Output, as_array
from model_runtime.network.sky import is_sky
from model_runtime.prediction.job import Job

TRUSTED = ("given", "features", "refined")
"""Sources of cameras that are right enough to compare photos by, unless the request says otherwise."""


def with_refined_depth(
    job: Job, output: Output, found: FoundCameras, cameras: SettledCameras, progress: Span
) -> SettledCameras:
    """The cameras with depth corrected to what the photos agree on, where it is to be."""
    compared = _compared(job, found)
    proven = found.sparse is not None
    photos = Lazy(len(compared), lambda i: _depth_photo(job, output, cameras, compared[i]))
    results = refine_depths(photos, job.plan.compute.device, progress, proven, job.work)
    refined = dict(zip(compared, results, strict=True))
    if not any(refined.values()):
        return cameras
    shapes = [photo.color.shape[:2] for photo in job.photos]
    nothing, whole = (Slots(job.work, name, shapes, np.float32) for name in ("unrefined-agreement", "whole-correction"))
    corrections, agreements = [], []
    for i in range(len(job.photos)):
        before = None if cameras.depth_correction is None else cameras.depth_correction[i]
        result = refined.get(i)
        if result is None:
            corrections.append(before)
            agreements.append(nothing[i])
        else:
            if before is not None:
                whole[i] = result.correction * before
            corrections.append(result.correction if before is None else whole[i])
            agreements.append(result.agreement)
    return replace(cameras, depth_correction=tuple(corrections), agreement=tuple(agreements))


def _compared(job: Job, found: FoundCameras) -> list[int]:
    """The photos, by their places, whose cameras can be trusted; none where features say that cameras are wrong, or
    that the camera stood still."""
    wish = job.plan.request.refine_depth
    denied = found.match_error is not None and found.sparse is None
    if wish == "off" or (wish == "auto" and denied):
        return []
    trusted = [wish == "on" or source in TRUSTED for source in found.view_sources]
    return [i for i, photo in enumerate(job.photos) if trusted[i] and photo.grey is not None]


def _depth_photo(job: Job, output: Output, cameras: SettledCameras, i: int) -> DepthPhoto:
    photo = job.photos[i]
    assert photo.grey is not None
    shown = np.ones(photo.color.shape[:2], bool) if photo.opaque is None else photo.opaque
    if output.sky is not None:
        shown = shown & ~photo.placement.crop(as_array(is_sky(output.sky[0, i])))
    return DepthPhoto(
        name=photo.name,
        grey=photo.grey,
        depth=cameras.settled_depth(output, photo, i),
        color=photo.color,
        shown=shown,
        photo=photo.placement.photo,
        intrinsics=cameras.intrinsics[i],
        extrinsics=cameras.extrinsics[i],
    )
