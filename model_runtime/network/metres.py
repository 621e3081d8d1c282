"""An any-view network's output in metres: scale and sky from the metric monocular network; of arrays or of tensors."""

from __future__ import annotations

from dataclasses import replace

from model_runtime.geometry.arrays import Array, like, namespace
from model_runtime.network.output import GaussianSplats, Output
from model_runtime.network.sky import FAR_QUANTILE, FEWEST_PIXELS, is_sky, quantile

SKY_DEPTH = 200.0  # metres at most


def to_metres(any_view: Output, metric: Output) -> Output:
    """The any-view output with the metric network's scale and sky, scene by scene."""
    assert any_view.depth_conf is not None and any_view.extrinsics is not None and any_view.intrinsics is not None
    assert metric.sky is not None and metric.metric_focal is not None
    xp = namespace(any_view.depth)
    focal = (any_view.intrinsics[..., 0, 0] + any_view.intrinsics[..., 1, 1]) / 2  # [B,N]
    metres = metric.depth * (focal / metric.metric_focal)[..., None, None]
    ground = ~is_sky(metric.sky)
    scenes = range(len(ground))
    scale = xp.stack([metric_scale(any_view.depth[i], any_view.depth_conf[i], metres[i], ground[i]) for i in scenes])
    depth = any_view.depth * scale[:, None, None, None]
    rotation, translation = any_view.extrinsics[..., :3], any_view.extrinsics[..., 3:]
    return replace(
        any_view,
        depth=xp.stack([_far_sky(depth[i], ground[i]) for i in scenes]),
        depth_conf=xp.where(ground, any_view.depth_conf, 1.0),
        extrinsics=xp.concat((rotation, translation * scale[:, None, None, None]), axis=-1),
        sky=metric.sky,
        scale_factor=scale,
        gaussians=any_view.gaussians and _scaled(any_view.gaussians, scale[:, None, None]),
    )


def metric_scale(depth: Array, confidence: Array, metres: Array, ground: Array) -> Array:
    """The factor that brings one scene's depth to the metric network's, by least squares; each [N,H,W].

    Only surer, not too near pixels that are no sky count; where next to none are left, nothing tells the scale: 1.
    """
    xp = namespace(depth)
    if int(xp.sum(ground)) < FEWEST_PIXELS:
        return like(1.0, depth)
    surer = confidence >= quantile(confidence[ground], 0.5)
    usable = ground & surer & (metres > 0.01) & (depth > 0.001)
    if int(xp.sum(usable)) < FEWEST_PIXELS:
        return like(1.0, depth)
    return like(xp.sum(metres[usable] * depth[usable]) / xp.sum(depth[usable] ** 2), depth)


def _far_sky(depth: Array, ground: Array) -> Array:
    """One scene's metric depth [N,H,W] with its sky far away."""
    xp = namespace(depth)
    far = like(SKY_DEPTH, depth)
    if bool(xp.any(ground)):
        far = xp.minimum(quantile(depth[ground], FAR_QUANTILE), far)
    return xp.where(ground, depth, far)


def _scaled(splats: GaussianSplats, scale: Array) -> GaussianSplats:
    return replace(splats, means=splats.means * scale, scales=splats.scales * scale)
