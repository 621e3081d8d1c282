"""What a forward pass is asked for, beside the photos and their cameras."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """gaussians: whether to run the Gaussian head, where there is one.
    rays: whether the ray maps are wanted; they are made all the same where cameras come from them.
    reference_view: see `reference_view`. pose_from: `camera_head`, or `rays` to solve the ray maps for the cameras.
    head_chunk: views a head takes at once; fewer need less memory for the same result.
    on_block: called with the fraction done before each block and head chunk; may raise to stop.
    """

    gaussians: bool = False
    rays: bool = False
    reference_view: str = "saddle_balanced"
    pose_from: str = "camera_head"
    head_chunk: int = 8
    on_block: Callable[[float], None] | None = None
