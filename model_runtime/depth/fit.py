"""The network's depths brought to the sparse points that features found: a scale per view, then a smooth correction.

A small network sees near things too near and far things too far, or a whole part of a photo too far, by more than the
points are wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from model_runtime.cameras.depth_scales import pair_scales, point_pairs
from model_runtime.cameras.features.result import SparsePoints
from model_runtime.cameras.settle import SettledCameras
from model_runtime.depth.correction import smooth_correction
from model_runtime.depth.scratch import InMemory, Lazy, Scratch, Slots
from model_runtime.network.output import Output
from model_runtime.photos.prepare import PreparedPhoto


def fit_depths(
    output: Output,
    photos: Sequence[PreparedPhoto],
    cameras: SettledCameras,
    sparse: SparsePoints,
    scratch: Scratch | None = None,
    go_on: Callable[[], None] = lambda: None,
) -> SettledCameras | None:
    """The cameras with each view's depth scale and correction from its sparse points; None where no view has enough.

    Where the network's depths are metres, it is the world that is scaled to them as a whole. scratch: where the
    corrections are kept. go_on: called before each view; may raise.
    """
    depths = Lazy(len(photos), lambda i: cameras.settled_depth(output, photos[i], i))
    pairs = point_pairs(depths, [photo.placement.photo for photo in photos], cameras.extrinsics, sparse)
    scales = pair_scales(pairs)
    if scales is None:
        return None
    shapes = [photo.color.shape[:2] for photo in photos]
    slots = Slots(scratch or InMemory(), "fitted-correction", shapes, np.float32)
    corrections: list[np.ndarray | None] = []
    for i, (scale, (position, at, known)) in enumerate(zip(scales, pairs, strict=True)):
        go_on()
        correction = smooth_correction(depths[i] * scale, position, at * scale, known)
        if correction is not None:
            slots[i] = correction
        corrections.append(None if correction is None else slots[i])
    unit = float(np.median(scales)) if output.metric_focal is not None else 1.0
    extrinsics = cameras.extrinsics.copy()
    extrinsics[:, :3, 3] /= unit
    scales = cameras.depth_scale * scales / unit
    return replace(cameras, extrinsics=extrinsics, depth_scale=scales, depth_correction=tuple(corrections))
