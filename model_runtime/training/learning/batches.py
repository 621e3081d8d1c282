"""Where trainers get a step's data from, and what they do with all parts of it at once."""

from dataclasses import fields, replace
from typing import Protocol

import torch

from model_runtime.training.rendering.views import ViewBatch


class Batches(Protocol):
    def batch(self, step: int) -> ViewBatch:
        """This process's data of a step: always the same for the same step; view 0 is the reference."""
        ...


def on_device(batch: ViewBatch, device: torch.device) -> ViewBatch:
    return replace(batch, **{part.name: getattr(batch, part.name).to(device) for part in fields(batch)})


def first_views(batch: ViewBatch, count: int) -> ViewBatch:
    return replace(batch, **{part.name: getattr(batch, part.name)[:, :count] for part in fields(batch)})
