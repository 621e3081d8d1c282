"""What a network is given, and the refusal of what it could not make sense of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model_runtime.contract.catalogue import PATCH
from model_runtime.contract.messages import REFERENCE_VIEWS
from model_runtime.geometry.arrays import Array

POSE_SOURCES = ("camera_head", "rays")


@dataclass(frozen=True, eq=False)
class NetworkInput:
    """One scene for a forward pass, in numpy; see `AnyViewNetwork.forward`.

    images: [N,3,H,W] float32, normalised. extrinsics, intrinsics: [N,4,4], [N,3,3] or None. rays: whether the ray maps
    are wanted; they are made all the same where cameras come from them.
    """

    images: np.ndarray
    extrinsics: np.ndarray | None = None
    intrinsics: np.ndarray | None = None
    gaussians: bool = False
    reference_view: str = "saddle_balanced"
    pose_from: str = "camera_head"
    rays: bool = False


def check_inputs(
    images: Array,
    extrinsics: Array | None,
    intrinsics: Array | None,
    reference_view: str,
    pose_from: str,
    head_chunk: int,
) -> None:
    """Raises ValueError saying what to change. Shapes: [B,N,3,H,W], [B,N,4,4], [B,N,3,3]."""
    if images.ndim != 5 or images.shape[2] != 3 or 0 in images.shape:
        raise ValueError(
            f"images have shape {list(images.shape)}; give [scenes, views, 3, height, width], none of them 0."
        )
    if images.shape[-2] % PATCH or images.shape[-1] % PATCH:
        raise ValueError(
            f"images are {images.shape[-1]} x {images.shape[-2]} pixels; resize both sides to multiples of {PATCH}."
        )
    if (extrinsics is None) != (intrinsics is None):
        raise ValueError("Give extrinsics and intrinsics together, or neither.")
    for name, cameras, shape in (("extrinsics", extrinsics, (4, 4)), ("intrinsics", intrinsics, (3, 3))):
        if cameras is not None and tuple(cameras.shape) != (*images.shape[:2], *shape):
            raise ValueError(f"{name} have shape {list(cameras.shape)}; give {[*images.shape[:2], *shape]}.")
    if reference_view not in REFERENCE_VIEWS:
        raise ValueError(f"reference_view is '{reference_view}'; choose one of {', '.join(REFERENCE_VIEWS)}.")
    if pose_from not in POSE_SOURCES:
        raise ValueError(f"pose_from is '{pose_from}'; choose one of {', '.join(POSE_SOURCES)}.")
    if head_chunk < 1:
        raise ValueError(f"head_chunk is {head_chunk}; a head needs at least one view at a time.")
