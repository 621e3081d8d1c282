"""Where trainers get a step's data from."""

from typing import Protocol

from model_runtime.training.rooms import RoomBatch


class Batches(Protocol):
    def batch(self, step: int) -> RoomBatch:
        """This process's data of a step: always the same for the same step; view 0 is the reference."""
        ...
