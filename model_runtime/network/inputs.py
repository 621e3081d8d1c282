"""Refuses inputs that a network could not make sense of."""

from __future__ import annotations

from torch import Tensor

from model_runtime.contract.catalogue import PATCH
from model_runtime.network.reference_view import REFERENCE_VIEWS

POSE_SOURCES = ("camera_head", "rays")


def check_inputs(
    images: Tensor,
    extrinsics: Tensor | None,
    intrinsics: Tensor | None,
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
