"""Where the sky is, and the far depth that stands in for it."""

from __future__ import annotations

from torch import Tensor

THRESHOLD = 0.3
FAR_QUANTILE = 0.99
FEWEST_PIXELS = 11  # of sky, and of anything else, for a fill to mean something


def is_sky(sky: Tensor) -> Tensor:
    return sky >= THRESHOLD


def quantile(values: Tensor, fraction: float) -> Tensor:
    """The exact quantile of all values (at least one), between order statistics linearly.

    `torch.quantile` refuses more than 16 million values, and drawing some of them makes results differ.
    """
    ordered = values.flatten().sort().values
    position = fraction * (len(ordered) - 1)
    below = int(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below].lerp(ordered[above], position - below)


def fill_sky(depth: Tensor, sky: Tensor) -> Tensor:
    """One scene's depth [N,H,W] with its sky at the 0.99 quantile of the rest; as it was where either is tiny."""
    mask = is_sky(sky)
    sky_pixels = int(mask.sum())
    if sky_pixels < FEWEST_PIXELS or mask.numel() - sky_pixels < FEWEST_PIXELS:
        return depth
    return depth.where(~mask, quantile(depth[~mask], FAR_QUANTILE))
