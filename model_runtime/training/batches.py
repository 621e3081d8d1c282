"""Where trainers get a step's data from, and what they do with all parts of it at once."""

from dataclasses import fields, replace
from typing import Protocol

import torch

from model_runtime.training.rooms import RoomBatch


class Batches(Protocol):
    def batch(self, step: int) -> RoomBatch:
        """This process's data of a step: always the same for the same step; view 0 is the reference."""
        ...


def on_device(batch: RoomBatch, device: torch.device) -> RoomBatch:
    return replace(batch, **{part.name: getattr(batch, part.name).to(device) for part in fields(batch)})


def first_views(batch: RoomBatch, count: int) -> RoomBatch:
    return replace(batch, **{part.name: getattr(batch, part.name)[:, :count] for part in fields(batch)})
