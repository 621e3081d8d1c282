"""What a file of cameras tells of one photo's, read with suspicion. No bpy."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from model_runtime.contract.camera_checks import LARGEST_NUMBER


class UnusableError(Exception):
    """A file that is not like that; says why as a sentence's end."""


@dataclass(frozen=True)
class Entry:
    """What a file tells of a camera. values: by its key. photo: what the photo is called."""

    values: Mapping[str, Any]
    photo: str

    def number(
        self, key: str, default: float | None = None, low: float = -LARGEST_NUMBER, high: float = LARGEST_NUMBER
    ) -> float:
        """Raises UnusableError for one that is not from `low` to `high`, or missing without default."""
        try:
            number = float(self.value(key, default))
        except (TypeError, ValueError):
            number = math.nan
        if not low <= number <= high:
            raise UnusableError(f"'{key}' of {self.photo} is not a number from {low:g} to {high:g}")
        return number

    def matrix(self, key: str, side: int) -> np.ndarray:
        """[side,side]. Raises UnusableError for anything else."""
        try:
            return np.array(self.value(key), float).reshape(side, side)
        except (TypeError, ValueError) as error:
            raise UnusableError(f"'{key}' of {self.photo} is not {side} x {side} numbers") from error

    def value(self, key: str, default: Any = None) -> Any:
        if key not in self.values and default is None:
            raise UnusableError(f"'{key}' of {self.photo} is missing")
        return self.values.get(key, default)
