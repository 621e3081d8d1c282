"""What each preset is made of. Sizes follow Depth Anything 3 (Lin et al. 2025, arXiv 2511.10647)."""

from __future__ import annotations

from dataclasses import dataclass, replace

HEAD_PIXELS_ON_CPU = 250_000
"""Of views that a head takes at once on a CPU, whose cache has no room for more; a photo of 504 x 378 has 190 000."""

METRIC_FOCAL = 300.0
"""Focal length in pixels at which the depth of da3metric-large is in metres."""


@dataclass(frozen=True)
class BackboneConfig:
    """A DINOv2 vision transformer (Oquab et al. 2023) that also looks across views.

    dim, depth, heads: token width, number of blocks, attention heads.
    taken_layers: 0-based blocks whose outputs the heads read, coarse features last.
    alternation: first block with rotary positions, from which odd blocks attend across views; None for never.
    swiglu: gated MLP instead of the GELU one.
    """

    dim: int
    depth: int
    heads: int
    taken_layers: tuple[int, int, int, int]
    alternation: int | None
    swiglu: bool = False

    @property
    def feature_dim(self) -> int:
        """Channels of a taken layer: the last within-view output beside the current one, where views alternate."""
        return self.dim if self.alternation is None else 2 * self.dim


@dataclass(frozen=True)
class HeadConfig:
    """Widths of a dense prediction head: `features` while fusing, `channels` of the four levels before that."""

    features: int
    channels: tuple[int, int, int, int]


@dataclass(frozen=True)
class AnyViewConfig:
    """Depth, rays and cameras from any number of views; Gaussians where `gaussian_head` is set.

    released_gaussians: place splats the way the released checkpoints were trained, which is not quite where they and
    their depth say (see `gaussian_adapter`).
    """

    backbone: BackboneConfig
    head: HeadConfig
    gaussian_head: bool = False
    released_gaussians: bool = False


@dataclass(frozen=True)
class MonocularConfig:
    """Depth and sky, every view for itself.

    metric_focal: focal length in pixels at which the depth is in metres; None where it has no known unit.
    """

    backbone: BackboneConfig
    head: HeadConfig
    metric_focal: float | None = None


@dataclass(frozen=True)
class NestedConfig:
    """An any-view network whose scale and sky come from a metric monocular one."""

    any_view: AnyViewConfig
    metric: MonocularConfig


Config = AnyViewConfig | MonocularConfig | NestedConfig

_LARGE_HEAD = HeadConfig(256, (256, 512, 1024, 1024))
_LARGE = BackboneConfig(1024, 24, 16, taken_layers=(11, 15, 19, 23), alternation=8)
_GIANT = AnyViewConfig(
    BackboneConfig(1536, 40, 24, taken_layers=(19, 27, 33, 39), alternation=13, swiglu=True),
    _LARGE_HEAD,
    gaussian_head=True,
    released_gaussians=True,
)
_MONOCULAR = MonocularConfig(replace(_LARGE, taken_layers=(4, 11, 17, 23), alternation=None), _LARGE_HEAD)
_METRIC = replace(_MONOCULAR, metric_focal=METRIC_FOCAL)

PRESETS: dict[str, Config] = {
    "da3-tiny": AnyViewConfig(
        BackboneConfig(192, 10, 3, taken_layers=(3, 5, 7, 9), alternation=2),
        HeadConfig(32, (24, 48, 96, 192)),
        gaussian_head=True,
    ),
    "da3-small": AnyViewConfig(
        BackboneConfig(384, 12, 6, taken_layers=(5, 7, 9, 11), alternation=4), HeadConfig(64, (48, 96, 192, 384))
    ),
    "da3-base": AnyViewConfig(
        BackboneConfig(768, 12, 12, taken_layers=(5, 7, 9, 11), alternation=4), HeadConfig(128, (96, 192, 384, 768))
    ),
    "da3-large": AnyViewConfig(_LARGE, _LARGE_HEAD),
    "da3-giant": _GIANT,
    "da3mono-large": _MONOCULAR,
    "da3metric-large": _METRIC,
    "da3nested-giant-large": NestedConfig(_GIANT, _METRIC),
}
