"""The network's depths brought to the sparse points that features found: a scale per view, then a smooth correction.

A small network sees near things too near and far things too far, or a whole part of a photo too far, by more than the
points are wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from model_runtime.cameras.depth_scales import pair_scales, point_pairs
from model_runtime.cameras.features.result import SparsePoints
from model_runtime.cameras.settle import SettledCameras
from model_runtime.depth.correction import smooth_correction
from model_runtime.network.output import Output
from model_runtime.photos.prepare import PreparedPhoto


def fit_depths(
    output: Output, photos: Sequence[PreparedPhoto], cameras: SettledCameras, sparse: SparsePoints
) -> SettledCameras | None:
    """The cameras with each view's depth scale and correction from its sparse points; None where no view has enough.

    Where the network's depths are metres, it is the world that is scaled to them as a whole.
    """
    depths = [cameras.settled_depth(output, photo, i) for i, photo in enumerate(photos)]
    pairs = point_pairs(depths, [photo.placement.photo for photo in photos], cameras.extrinsics, sparse)
    scales = pair_scales(pairs)
    if scales is None:
        return None
    corrections = tuple(
        smooth_correction(depth * scale, position, at * scale, known)
        for depth, scale, (position, at, known) in zip(depths, scales, pairs, strict=True)
    )
    unit = float(np.median(scales)) if output.metric_focal is not None else 1.0
    extrinsics = cameras.extrinsics.copy()
    extrinsics[:, :3, 3] /= unit
    scales = cameras.depth_scale * scales / unit
    return replace(cameras, extrinsics=extrinsics, depth_scale=scales, depth_correction=corrections)
