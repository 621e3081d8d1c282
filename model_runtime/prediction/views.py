"""From a network's output on the canvas to views of whole photos in the world of the prediction."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from model_runtime.cameras.settle import SettledCameras
from model_runtime.contract.messages import JobError, View
from model_runtime.geometry.similarity import Similarity
from model_runtime.network.output import Output, as_array
from model_runtime.network.sky import is_sky
from model_runtime.photos.prepare import PreparedPhoto

AGREED, OWN = 3.0, 0.5
"""What agreement of the photos and the network's own confidence add to a confidence of 1."""


def make_views(
    output: Output, photos: Sequence[PreparedPhoto], cameras: SettledCameras, ray_scale: float
) -> tuple[View, ...]:
    """One view per photo. ray_scale: what the network multiplied its depth but not its rays' origins by.

    Raises JobError `not-finite` where the network's depth is no depth.
    """
    return tuple(make_view(output, i, photo, cameras, ray_scale) for i, photo in enumerate(photos))


def checked_depth(output: Output, photo: PreparedPhoto, cameras: SettledCameras, i: int) -> np.ndarray:
    """[h,w] float32: the depth of view `i`. Raises JobError as `make_views` does."""
    depth = cameras.settled_depth(output, photo, i)
    if not (np.isfinite(depth) & (depth > 0)).all():
        raise JobError(
            "not-finite",
            f"The network's depth of {photo.name} is not finite.",
            "Choose precision float32; if it already was, the checkpoint is damaged.",
        )
    return depth


def make_view(output: Output, i: int, photo: PreparedPhoto, cameras: SettledCameras, ray_scale: float) -> View:
    """As `make_views`, of the photo at place `i`."""
    crop = photo.placement.crop
    depth = checked_depth(output, photo, cameras, i)
    confidence = np.ones_like(depth) if output.depth_conf is None else crop(as_array(output.depth_conf[0, i]))
    if cameras.agreement is not None:
        confidence = _agreed_confidence(cameras.agreement[i], confidence)
    sky = np.zeros(depth.shape, bool) if output.sky is None else crop(as_array(is_sky(output.sky[0, i])))
    ray = ray_confidence = None
    if output.ray is not None and output.ray_conf is not None:
        ray = move_rays(crop(as_array(output.ray[0, i])), cameras.similarity, ray_scale)
        ray_confidence = np.ascontiguousarray(crop(as_array(output.ray_conf[0, i])))
    return View(
        name=photo.name,
        photo_size=photo.placement.photo,
        depth=depth,
        confidence=np.ascontiguousarray(confidence),
        sky=np.ascontiguousarray(sky),
        color=photo.color,
        extrinsics=cameras.extrinsics[i],
        intrinsics=cameras.intrinsics[i],
        ray=ray,
        ray_confidence=ray_confidence,
        plate=photo.plate,
        opaque=photo.opaque,
        lens=photo.lens,
    )


def _agreed_confidence(agreement: np.ndarray, own: np.ndarray) -> np.ndarray:
    """[h,w] float32 from how far photos agree and, where that is the same, the network's own confidence."""
    return (1 + AGREED * agreement + OWN * own / (own + np.median(own))).astype(np.float32)


def move_rays(ray: np.ndarray, similarity: Similarity, ray_scale: float) -> np.ndarray:
    """Rays of the network's world as rays of the prediction's, for depths that are scaled along."""
    rotation, translation = np.asarray(similarity.rotation), np.asarray(similarity.translation)
    direction = ray[..., :3] @ rotation.T
    origin = ray[..., 3:] @ rotation.T * (float(similarity.scale) * ray_scale) + translation
    return np.concatenate((direction, origin), axis=-1).astype(np.float32)
