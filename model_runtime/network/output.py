"""What a network returns: tensors of torch where it is trained or runs, arrays of numpy behind `run_network`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model_runtime.geometry.arrays import Array, as_numpy


@dataclass(frozen=True, eq=False)
class GaussianSplats:
    """One splat per pixel, G = N*H*W in view, row, column order, in the frame of the cameras.

    means: [B,G,3]. scales: [B,G,3] standard deviations. rotations: [B,G,4] unit quaternions wxyz.
    harmonics: [B,G,3,9] in the basis of 3D Gaussian Splatting. opacities: [B,G], 0..1.
    world_scale: [B], how much larger the splats' world is than that of depth and extrinsics: 1, unless cameras were
        given, to whose scale the splats are brought.
    """

    means: Array
    scales: Array
    rotations: Array
    harmonics: Array
    opacities: Array
    world_scale: Array


@dataclass(frozen=True, eq=False)
class Output:
    """None where a preset has no such output. Frame: the reference view's camera.

    depth: [B,N,H,W] along the camera's z axis. depth_conf: [B,N,H,W] >= 1.
    ray: [B,N,8h,8w,6] for a patch grid of (h, w), direction (not unit length) then origin, so that a point is
        origin + depth * direction; ray_conf: [B,N,8h,8w] >= 1.
    extrinsics: [B,N,3,4] world-to-camera. intrinsics: [B,N,3,3] pixels of the images given.
    sky: [B,N,H,W] >= 0; 0.3 and above is sky.
    scale_factor: [B], what depth and camera translations (not the rays' origins) were multiplied by to be metres.
    metric_focal: with which depth * f / metric_focal is metres, f the focal length in pixels of the images given.
    """

    depth: Array
    depth_conf: Array | None = None
    ray: Array | None = None
    ray_conf: Array | None = None
    extrinsics: Array | None = None
    intrinsics: Array | None = None
    sky: Array | None = None
    scale_factor: Array | None = None
    metric_focal: float | None = None
    gaussians: GaussianSplats | None = None


def as_array(values: Array) -> np.ndarray:
    """On the CPU, as bool or float32."""
    if not isinstance(values, np.ndarray) and values.is_floating_point():
        values = values.float()  # numpy has no bfloat16
    array = as_numpy(values)
    return array if array.dtype == bool else array.astype(np.float32, copy=False)
