"""How much of one photo is seen in another: of numpy arrays or tensors, whichever is given."""

from model_runtime.geometry.arrays import Array, like, namespace
from model_runtime.geometry.cameras import unproject

TOLERANCE = 0.05
"""A point is seen in another view when its depth there agrees with the view's own to this share."""
STRIDE = 7
"""Every so many pixels of a row and a column one is looked at."""


def view_overlap(depth: Array, intrinsics: Array, extrinsics: Array, stride: int = STRIDE) -> Array:
    """Share [B,N,N] of the surface points of view i (second axis) that view j (third axis) shows too, 0..1; pixels
    without depth (0) have no points. One on the diagonal, except for views without any depth.

    depth: [B,N,h,w] along z. intrinsics: [B,N,3,3], pixels of the depth. extrinsics: [B,N,4,4] world-to-camera.
    """
    xp = namespace(depth, intrinsics, extrinsics)
    batch, views, height, width = depth.shape
    some = slice(stride // 2, None, stride)
    points = unproject(depth, intrinsics, extrinsics)[:, :, some, some]
    points = xp.reshape(points, (batch, views, 1, -1, 3))
    known = xp.reshape(depth[:, :, some, some], (batch, views, 1, -1)) > 0
    camera = points @ xp.matrix_transpose(extrinsics[:, None, :, :3, :3]) + extrinsics[:, None, :, None, :3, 3]
    z = camera[..., 2]
    pixels = (camera @ xp.matrix_transpose(intrinsics[:, None]))[..., :2] / xp.maximum(z, like(1e-6, z))[..., None]
    inside = xp.all((pixels >= 0) & (pixels < like((width, height), pixels)), axis=-1) & (z > 1e-3)
    pixels = xp.where(inside[..., None], pixels, xp.zeros_like(pixels))
    column, row = xp.unstack(xp.astype(pixels, xp.int64), axis=-1)
    nearest = xp.reshape(xp.moveaxis(row * width + column, 2, 1), (batch, views, -1))
    own = xp.take_along_axis(xp.reshape(depth, (batch, views, -1)), nearest, axis=2)
    own = xp.moveaxis(xp.reshape(own, (batch, views, views, -1)), 2, 1)
    seen = inside & known & (xp.abs(z - own) < TOLERANCE * z)
    return xp.count_nonzero(seen, axis=-1) / xp.maximum(xp.count_nonzero(known, axis=-1), 1)
