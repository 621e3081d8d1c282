"""The splats of several objects in the GPU's memory, one after the other, so that they can be drawn in one order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gpu
import numpy as np

from ..scene.meshes import read_attribute
from ..scene.splats.read import read_base
from .shader import SPLAT_TEXELS, texels_of

KINDS = {
    "position": {"FLOAT_VECTOR"},
    "scale": {"FLOAT_VECTOR"},
    "rotation": {"QUATERNION"},
    "radiance:base": {"FLOAT4", "FLOAT_COLOR"},
}
"""The attributes that make points splats, and how they may be kept."""


@dataclass(frozen=True, eq=False)
class Atlas:
    """`splats`, `harmonics`: textures for `splat_shader`. terms: higher harmonics of each splat. firsts: where the
    splats of each object begin, and at last where they end."""

    splats: gpu.types.GPUTexture
    harmonics: gpu.types.GPUTexture
    terms: int
    firsts: tuple[int, ...]

    @property
    def count(self) -> int:
        return self.firsts[-1]


def make_atlas(objects: Sequence[Any]) -> tuple[Atlas, np.ndarray]:
    """An atlas of the splats of `objects`' evaluated data, and their places [G,3] float32, in the objects' frames.

    Raises MemoryError where the GPU cannot hold as many. What is read is packed where the GPU takes it from, so that
    no more than twice the data is in memory at once.
    """
    attributes = [data.attributes for data in objects]
    firsts = (0, *np.cumsum([len(each["radiance:base"].data) for each in attributes]).tolist())
    terms = max(map(_terms_of, attributes), default=0)
    harmonics = _packed(firsts[-1], texels_of(terms), "RGBA16F", lambda view: _fill_harmonics(view, attributes, firsts))
    positions = np.empty((firsts[-1], 3), np.float32)
    splats = _packed(
        firsts[-1], SPLAT_TEXELS, "RGBA32F", lambda view: _fill_splats(view, positions, attributes, firsts)
    )
    return Atlas(splats, harmonics, terms, firsts), positions


def is_readable(attributes: Any) -> bool:
    """Whether a mesh or a point cloud with these attributes holds splats, and all of them can be read."""
    found = [attributes[name] for name in KINDS if name in attributes]
    kinds = all(each.data_type in KINDS[each.name] and each.domain == "POINT" for each in found)
    return (
        kinds and len(found) == len(KINDS) and len({len(each.data) for each in found}) == 1 and len(found[0].data) > 0
    )


def order_texture(order: np.ndarray) -> gpu.types.GPUTexture:
    """The shader's `order`: numbers [M] float32."""

    def fill(view: np.ndarray) -> None:
        view[:, 0] = order

    return _packed(len(order), 1, "R32F", fill, 1)


def texture_of(texels: np.ndarray) -> gpu.types.GPUTexture:
    """A texture of [T,4] float32."""

    def fill(view: np.ndarray) -> None:
        view[:] = texels

    return _packed(len(texels), 1, "RGBA32F", fill)


def _packed(
    count: int, texels: int, kind: str, fill: Callable[[np.ndarray], None], channels: int = 4
) -> gpu.types.GPUTexture:
    """A texture of `count` items of `texels` texels, row by row; `fill` is given where the numbers go,
    [count, texels * channels]."""
    widest = gpu.capabilities.max_texture_size_get()
    total = max(count * texels, 1)
    width, height = min(total, widest), -(-total // widest)
    if height > widest:
        raise MemoryError(f"{count} splats are more than this GPU can hold")
    buffer: Any = gpu.types.Buffer("FLOAT", width * height * channels)
    numbers = np.asarray(buffer)
    numbers[count * texels * channels :] = 0
    fill(numbers[: count * texels * channels].reshape(count, texels * channels))
    return gpu.types.GPUTexture((width, height), format=kind, data=buffer)


def _terms_of(attributes: Any) -> int:
    terms = 0
    while f"radiance:sh_{terms}" in attributes:
        terms += 1
    return terms


def _fill_harmonics(view: np.ndarray, attributes: Sequence[Any], firsts: Sequence[int]) -> None:
    view[:] = 0
    for index, each in enumerate(attributes):
        rows = view[firsts[index] : firsts[index + 1]]
        for term in range(_terms_of(each)):
            rows[:, 3 * term : 3 * term + 3] = read_attribute(each, f"radiance:sh_{term}", "vector", 3)


def _fill_splats(view: np.ndarray, positions: np.ndarray, attributes: Sequence[Any], firsts: Sequence[int]) -> None:
    for index, each in enumerate(attributes):
        part = slice(firsts[index], firsts[index + 1])
        rows = view[part]
        positions[part] = read_attribute(each, "position", "vector", 3)
        rows[:, :3] = positions[part]
        rows[:, 4:7] = read_attribute(each, "scale", "vector", 3)
        rows[:, 7] = index
        rows[:, 8:12] = read_attribute(each, "rotation", "value", 4)
        base = read_base(each)
        rows[:, 3], rows[:, 12:15], rows[:, 15] = base[:, 3], base[:, :3], 0
