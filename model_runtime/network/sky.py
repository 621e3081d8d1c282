"""Where the sky is, and the far depth that stands in for it; of numpy arrays or of tensors."""

from __future__ import annotations

from model_runtime.geometry.arrays import Array, like, namespace

THRESHOLD = 0.3
FAR_QUANTILE = 0.99
FEWEST_PIXELS = 11  # of sky, and of anything else, for a fill to mean something


def is_sky(sky: Array) -> Array:
    return sky >= THRESHOLD


def quantile(values: Array, fraction: float) -> Array:
    """The exact quantile of all values (at least one), between order statistics linearly.

    `torch.quantile` refuses more than 16 million values, and drawing some of them makes results differ.
    """
    xp = namespace(values)
    ordered = xp.sort(xp.reshape(values, (-1,)))
    position = fraction * (len(ordered) - 1)
    below = int(position)
    above = min(below + 1, len(ordered) - 1)
    return like(ordered[below] + (ordered[above] - ordered[below]) * (position - below), values)


def fill_sky(depth: Array, sky: Array) -> Array:
    """One scene's depth [N,H,W] with its sky at the 0.99 quantile of the rest; as it was where either is tiny."""
    xp = namespace(depth)
    mask = is_sky(sky)
    if min(int(xp.sum(mask)), int(xp.sum(~mask))) < FEWEST_PIXELS:
        return depth
    return xp.where(mask, quantile(depth[~mask], FAR_QUANTILE), depth)
