"""Which depth the student learns from: first the one that comes with the data, later its teacher's.

Depth Anything 3 (Lin et al. 2025, arXiv 2511.10647) switches at 120 000 of 200 000 steps.
"""

from dataclasses import dataclass, replace

import torch

from model_runtime.network.config import MonocularConfig
from model_runtime.training.learning.noisy_depth import NoisyDepth
from model_runtime.training.learning.pseudo_labels import align_teacher, teacher_depth
from model_runtime.training.learning.teacher import TINY_TEACHER, load_teacher
from model_runtime.training.rendering.views import ViewBatch


@dataclass(frozen=True)
class LabelConfig:
    """noise: what the given depth is like, None for exact. teacher: see `load_teacher`; None for none. network: what a
    teacher.pt is of. switch_at: share of the run after which labels are the teacher's, aligned to the given depth."""

    noise: NoisyDepth | None = None
    teacher: str | None = None
    switch_at: float = 0.6
    network: MonocularConfig = TINY_TEACHER


class Labels:
    def __init__(self, config: LabelConfig, steps: int, device: torch.device) -> None:
        self.config = config
        self.switch = round(config.switch_at * steps)
        self.teacher = None
        if config.teacher is not None:
            self.teacher = load_teacher(config.teacher, config.network).to(device)
        self.device = device

    def of(self, batch: ViewBatch, step: int) -> ViewBatch:
        """The batch with the depth that the student is to learn at `step`; 0 where there is no label."""
        given = batch.depth if self.config.noise is None else self.config.noise.of(batch)
        if self.teacher is not None and step >= self.switch:
            given = align_teacher(teacher_depth(self.teacher, batch.images.to(self.device)), given)
        return replace(batch, depth=given)
