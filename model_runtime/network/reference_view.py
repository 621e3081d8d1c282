"""Which view the scene's frame is tied to, chosen from the class tokens of a scene's views."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from model_runtime.contract.messages import REFERENCE_VIEWS

ROUNDING = 1e-5
"""Far above the rounding of likenesses, which are at most one."""


def choose_reference_view(class_tokens: Tensor, strategy: str) -> Tensor:
    """Index [B] of each scene's reference view.

    class_tokens: [B,N,C]. With fewer than three views there is nothing to balance and the first is taken.
    `saddle_balanced` takes the view nearest to the middle of its scene in likeness to the others, token norm and
    token variance; `saddle_sim_range` the view whose likeness to the others varies most.
    """
    scenes, views, _ = class_tokens.shape
    if views < 3 or strategy == "first":
        return torch.zeros(scenes, dtype=torch.long, device=class_tokens.device)
    if strategy == "middle":
        return torch.full((scenes,), views // 2, dtype=torch.long, device=class_tokens.device)
    tokens = class_tokens.float()
    unit = functional.normalize(tokens, dim=-1)
    cosine = unit @ unit.mT - torch.eye(views, device=tokens.device)  # [B,N,N], likeness to oneself taken out
    if strategy == "saddle_sim_range":
        # Where no two views are opposites, the two most alike tie, and in the released code rounding decides, which
        # differs between processors. Here it is always the later one.
        span = cosine.amax(-1) - cosine.amin(-1)
        tied = span > span.amax(-1, keepdim=True) - ROUNDING
        return views - 1 - tied.flip(-1).int().argmax(-1)
    if strategy == "saddle_balanced":
        traits = torch.stack((cosine.sum(-1) / (views - 1), tokens.norm(dim=-1), unit.var(-1)))  # [3,B,N]
        low, high = traits.amin(-1, keepdim=True), traits.amax(-1, keepdim=True)
        balance = (traits - low) / (high - low + 1e-8)
        return (balance - 0.5).abs().sum(0).argmin(-1)
    raise ValueError(f"reference_view is '{strategy}'; choose one of {', '.join(REFERENCE_VIEWS)}.")
