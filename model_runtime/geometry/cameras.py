"""Pinhole cameras: rays of pixels, points of depth maps, image sizes, and the frame of given cameras.

OpenCV axes, world-to-camera extrinsics [...,3|4,4], pixel intrinsics [...,3,3], pixel centres at +0.5. Sizes are
(height, width). Batched over leading dimensions and differentiable; of numpy arrays or tensors, whichever is given.
"""

from __future__ import annotations

from model_runtime.geometry.arrays import Array, device_of, like, lower_median, namespace

SMALLEST_SCALE = 0.1


def camera_centres(extrinsics: Array) -> Array:
    """Centres [...,3] in the world of world-to-camera matrices [...,3|4,4]."""
    xp = namespace(extrinsics)
    return -(xp.matrix_transpose(extrinsics[..., :3, :3]) @ extrinsics[..., :3, 3:])[..., 0]


def invert_extrinsics(extrinsics: Array) -> Array:
    """Camera-to-world from world-to-camera, or the reverse: [...,3|4,4] to [...,4,4]."""
    xp = namespace(extrinsics)
    inverse = xp.zeros((*extrinsics.shape[:-2], 4, 4), dtype=extrinsics.dtype, device=device_of(extrinsics))
    inverse[..., :3, :3] = xp.matrix_transpose(extrinsics[..., :3, :3])
    inverse[..., :3, 3] = camera_centres(extrinsics)
    inverse[..., 3, 3] = 1
    return inverse


def scale_intrinsics(intrinsics: Array, from_size: tuple[int, int], to_size: tuple[int, int]) -> Array:
    """Intrinsics [...,3,3] after the image is resized from one (height, width) to another.

    With pixel centres at +0.5 a resize multiplies pixel coordinates: the rows of x and y scale, nothing shifts.
    """
    factors = (to_size[1] / from_size[1], to_size[0] / from_size[0], 1.0)
    return intrinsics * like(factors, intrinsics)[:, None]


def pixel_rays(intrinsics: Array, extrinsics: Array, size: tuple[int, int]) -> Array:
    """Ray maps [...,h,w,6] of whole images of `size`, to which the intrinsics refer: direction, then origin.

    Directions have z component 1 in their camera, so that a point is origin + depth * direction.
    """
    xp = namespace(intrinsics, extrinsics)
    directions = _pixel_directions(intrinsics, extrinsics, size)
    origins = xp.broadcast_to(camera_centres(extrinsics)[..., None, None, :], directions.shape)
    return xp.concat((directions, origins), axis=-1)


def _pixel_directions(intrinsics: Array, extrinsics: Array, size: tuple[int, int]) -> Array:
    """The directions [...,h,w,3] of `pixel_rays`."""
    xp = namespace(intrinsics, extrinsics)
    height, width = size
    x = xp.arange(width, dtype=intrinsics.dtype, device=device_of(intrinsics)) + 0.5
    y = xp.arange(height, dtype=intrinsics.dtype, device=device_of(intrinsics)) + 0.5
    to_world = xp.matrix_transpose(extrinsics[..., :3, :3]) @ xp.linalg.inv(intrinsics)
    # R K^-1 (x, y, 1), one column and one row at a time.
    columns = x[:, None] * to_world[..., None, :, 0]
    rows = y[:, None] * to_world[..., None, :, 1] + to_world[..., None, :, 2]
    return rows[..., :, None, :] + columns[..., None, :, :]


def unproject(depth: Array, intrinsics: Array, extrinsics: Array) -> Array:
    """World points [...,h,w,3] of depth maps [...,h,w] (along the camera's z), at the centres of their pixels."""
    height, width = depth.shape[-2:]
    directions = _pixel_directions(intrinsics, extrinsics, (height, width))
    return camera_centres(extrinsics)[..., None, None, :] + depth[..., None] * directions


def normalise_given_cameras(extrinsics: Array) -> tuple[Array, Array]:
    """Cameras in the frame and scale in which the camera encoder takes them.

    extrinsics: [...,N,4,4] world-to-camera in any rigid frame. Returns the same cameras [...,N,4,4] relative to
    view 0, with translations divided by `scale`, and scale [...]: the median distance of the other cameras from view
    0 (the lower one of two), at least 0.1. One view alone has no distance and keeps its scale, 1.

    The released code counts view 0's own distance too, so that the scale of two views is always 0.1; for odd numbers
    of views both rules give the same.
    """
    xp = namespace(extrinsics)
    relative = extrinsics @ invert_extrinsics(extrinsics[..., :1, :, :])
    if extrinsics.shape[-3] == 1:
        return relative, xp.ones_like(relative[..., 0, 0, 0])
    distance = lower_median(xp.linalg.vector_norm(camera_centres(relative[..., 1:, :, :]), axis=-1))
    scale = xp.maximum(distance, like(SMALLEST_SCALE, distance))
    moved = relative[..., :3, 3:] / scale[..., None, None, None]
    top = xp.concat((relative[..., :3, :3], moved), axis=-1)
    return xp.concat((top, relative[..., 3:, :]), axis=-2), scale
