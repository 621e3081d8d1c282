"""Which view the scene's frame is tied to, chosen from the class tokens of a scene's views; of arrays or of tensors."""

from __future__ import annotations

from model_runtime.contract.messages import REFERENCE_VIEWS
from model_runtime.geometry.arrays import Array, device_of, namespace

SHORTEST = 1e-12  # below this a token has no direction
ROUNDING = 1e-5
"""Far above the rounding of likenesses, which are at most one."""


def choose_reference_view(class_tokens: Array, strategy: str) -> Array:
    """Index [B] of each scene's reference view.

    class_tokens: [B,N,C]. With fewer than three views there is nothing to balance and the first is taken.
    `saddle_balanced` takes the view nearest to the middle of its scene in likeness to the others, token norm and
    token variance; `saddle_sim_range` the view whose likeness to the others varies most.
    """
    xp, device = namespace(class_tokens), device_of(class_tokens)
    scenes, views, _ = class_tokens.shape
    if views < 3 or strategy == "first":
        return xp.zeros((scenes,), dtype=xp.int64, device=device)
    if strategy == "middle":
        return xp.full((scenes,), views // 2, dtype=xp.int64, device=device)
    tokens = xp.astype(class_tokens, xp.float32)
    length = xp.linalg.vector_norm(tokens, axis=-1)
    unit = tokens / xp.clip(length, SHORTEST)[..., None]
    oneself = xp.eye(views, dtype=xp.float32, device=device)  # taken out of likeness
    cosine = unit @ xp.matrix_transpose(unit) - oneself  # [B,N,N]
    if strategy == "saddle_sim_range":
        # Where no two views are opposites, the two most alike tie, and in the released code rounding decides, which
        # differs between processors. Here it is always the later one.
        span = xp.max(cosine, axis=-1) - xp.min(cosine, axis=-1)
        tied = span > xp.max(span, axis=-1, keepdims=True) - ROUNDING
        return views - 1 - xp.argmax(xp.astype(xp.flip(tied, axis=-1), xp.int32), axis=-1)
    if strategy == "saddle_balanced":
        likeness = xp.sum(cosine, axis=-1) / (views - 1)
        traits = xp.stack((likeness, length, xp.var(unit, axis=-1, correction=1)))  # [3,B,N]
        low, high = xp.min(traits, axis=-1, keepdims=True), xp.max(traits, axis=-1, keepdims=True)
        balance = (traits - low) / (high - low + 1e-8)
        return xp.argmin(xp.sum(xp.abs(balance - 0.5), axis=0), axis=-1)
    raise ValueError(f"reference_view is '{strategy}'; choose one of {', '.join(REFERENCE_VIEWS)}.")
