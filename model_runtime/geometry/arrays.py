"""Arrays of numpy, and tensors of torch on its devices, by one code: the array API standard (data-apis.org/array-api).

Where torch is not installed all is numpy's. What is written for both takes its functions from `namespace` of its
arguments, and returns what it was given.
"""

from __future__ import annotations

from typing import Any

import array_api_compat
import numpy as np

Array = Any
"""An array of numpy or a tensor of torch."""

Device = Any
"""A torch.device; None for numpy, on the CPU."""


def namespace(*arrays: Array) -> Any:
    """The functions of the standard for these arrays, all of one kind."""
    return array_api_compat.array_namespace(*arrays)


def on_device(array: np.ndarray, device: Device) -> Array:
    """The array itself for numpy, else a tensor on the device."""
    if device is None:
        return array
    import torch

    return torch.from_numpy(array).to(device)


def as_numpy(array: Array) -> np.ndarray:
    """The other way."""
    return np.asarray(array) if isinstance(array, np.ndarray | np.generic) else array.detach().cpu().numpy()


def device_of(array: Array) -> Any:
    """The device of an array, as functions of its namespace take it."""
    return array_api_compat.device(array)


def lower_median(array: Array) -> Array:
    """The median [...] over the last axis [...,n], of an even number the lower one of two: it is one of the numbers."""
    middle = (array.shape[-1] - 1) // 2
    if array_api_compat.is_numpy_array(array):
        return np.partition(array, middle, axis=-1)[..., middle]
    return array.median(-1).values


def like(values: Any, array: Array) -> Array:
    """Numbers, or an array of numpy, as an array of the kind, type and device of another."""
    return namespace(array).asarray(values, dtype=array.dtype, device=device_of(array))
