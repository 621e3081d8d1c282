"""Where a camera comes back: photos that are far apart in order and look alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

    from model_runtime.network.backbone import Backbone

GRID = (3, 4)
"""Rows and columns in which a photo's tokens are averaged: not only what is seen counts, but where in the picture."""
APART = 25
"""Places between the ends of a loop, at least."""
HALF = 8
"""Photos about each end of a loop that are looked at together."""
ALIKE = 0.7
"""Likeness from which photos may be of one place. On rendered rooms those from one standpoint had 0.86 and more (a
camera half a metre off 0.5), others 0.6 and less, but for one room with 0.84."""


def token_descriptors(backbone: Backbone, images: Tensor) -> np.ndarray:
    """[N,D] float32: what the network's first blocks, which look at each photo by itself, make of photos [N,3,H,W],
    normalised as for the network."""
    import torch
    from torch.nn import functional

    config = backbone.config
    grid = (images.shape[-2] // backbone.pretrained.patch_embed.proj.stride[0], -1)
    with torch.inference_mode():
        tokens = backbone.pretrained.embed(images)
        for block in backbone.pretrained.blocks[: config.alternation or config.taken_layers[0]]:
            tokens = block(tokens, None)
        maps = tokens[:, 1:].float().unflatten(1, grid).permute(0, 3, 1, 2)
        return functional.adaptive_avg_pool2d(maps, GRID).flatten(1).cpu().numpy()


def likeness(descriptors: np.ndarray) -> np.ndarray:
    """[N,N] in -1..1: cosine between descriptors [N,D], less what all of them have in common."""
    own = descriptors.astype(np.float64) - descriptors.mean(0, dtype=np.float64)
    own /= np.maximum(np.linalg.norm(own, axis=1, keepdims=True), 1e-12)
    return own @ own.T


def find_loops(similarity: np.ndarray, apart: int = APART, most: int | None = None) -> list[tuple[int, int]]:
    """Pairs of places at least `apart` apart that look ALIKE, the most alike first; of pairs with both ends within half
    of `apart` of another's only the best.

    similarity: [N,N], symmetric. most: pairs at most; N / apart, rounded up, where None.
    """
    limit = -(-len(similarity) // apart) if most is None else most
    first, second = np.nonzero(np.triu(similarity >= ALIKE, apart))
    order = np.argsort(-similarity[first, second], kind="stable")
    chosen: list[tuple[int, int]] = []
    for i, j in zip(first[order].tolist(), second[order].tolist(), strict=True):
        if len(chosen) == limit:
            break
        if all(max(abs(i - a), abs(j - b)) >= apart / 2 for a, b in chosen):
            chosen.append((i, j))
    return chosen


def loop_chunks(
    similarity: np.ndarray, apart: int = APART, half: int = HALF, most: int | None = None
) -> list[tuple[int, ...]]:
    """Places of photos to be looked at together, one tuple a loop: about 2 `half` around each of its ends.

    For `joining.join_chunks`: what the network sees of them closes the loop. See `find_loops`.
    """
    count = len(similarity)
    around = [
        [range(max(end - half, 0), min(end + half, count)) for end in pair]
        for pair in find_loops(similarity, apart, most)
    ]
    return [tuple(sorted({*one, *other})) for one, other in around]
