"""Where arrays of many photos wait between the stages of a job: in memory, or in files that are mapped.

A stage that is done photo after photo tells how far it is, so that a job that was killed can go on from there.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from math import prod
from typing import Any, Protocol, TypeVar, overload

import numpy as np

KEPT = 40
"""Photos of which something that is easily made again is kept in memory at once."""

T = TypeVar("T")


class Scratch(Protocol):
    """Room for arrays, by names; a name stands for one array with the same content as long as the job lasts."""

    def array(self, name: str, count: int, dtype: type | str) -> np.ndarray:
        """[count], as it was left; zeros at first."""
        ...

    def done(self, stage: str) -> int:
        """How many steps of a stage are done, as `advance` was told."""
        ...

    def advance(self, stage: str, done: int) -> None:
        """Tell that so many steps are done, with all that they wrote into arrays."""
        ...


class InMemory:
    """Of a job that is small, or for which there is no room on the disk."""

    def __init__(self) -> None:
        self._arrays: dict[str, np.ndarray] = {}
        self._done: dict[str, int] = {}

    def array(self, name: str, count: int, dtype: type | str) -> np.ndarray:
        if name not in self._arrays:
            self._arrays[name] = np.zeros(count, dtype)
        return self._arrays[name]

    def done(self, stage: str) -> int:
        return self._done.get(stage, 0)

    def advance(self, stage: str, done: int) -> None:
        self._done[stage] = done


class Slots(Sequence[np.ndarray]):
    """Arrays of known shapes, one for each photo, that lie one after the other in one array of the scratch."""

    def __init__(self, scratch: Scratch, name: str, shapes: Sequence[tuple[int, ...]], dtype: type | str) -> None:
        self._shapes = [tuple(shape) for shape in shapes]
        self._ends = [0]
        for shape in self._shapes:
            self._ends.append(self._ends[-1] + prod(shape))
        self.whole = scratch.array(name, self._ends[-1], dtype)

    def __len__(self) -> int:
        return len(self._shapes)

    @overload
    def __getitem__(self, index: int) -> np.ndarray: ...
    @overload
    def __getitem__(self, index: slice) -> list[np.ndarray]: ...
    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(len(self))[index]]
        i = range(len(self))[index]
        return self.whole[self._ends[i] : self._ends[i + 1]].reshape(self._shapes[i])

    def __setitem__(self, index: int, values: np.ndarray) -> None:
        self[index][...] = values


class Lazy(Sequence[T]):
    """Made when it is looked at; those looked at last are kept, and the others made again."""

    def __init__(self, count: int, make: Callable[[int], T], kept: int = KEPT) -> None:
        self._count, self._make, self._most = count, make, kept
        self._kept: OrderedDict[int, T] = OrderedDict()

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(self._count)[index]]
        i = range(self._count)[index]
        if i in self._kept:
            self._kept.move_to_end(i)
            return self._kept[i]
        value = self._kept[i] = self._make(i)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return value
