"""How SPZ keeps a splat's numbers in bytes (https://github.com/nianticlabs/spz): places as 24-bit fixed point, all else
in 8 bits, but for the rotations of versions 3 and 4: a quaternion's three smallest numbers in 10 bits each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .cloud import SplatCloud, empty_cloud

MOST_FRACTION_BITS = 16
"""Steps of 1/65536; the reference takes 12 bits, and any number is read."""

LARGEST_PLACE = (1 << 23) - 1
COLOR_SCALE = 0.15
"""Coefficients of degree 0 are kept as if this were the constant function, so that colours beyond 0..1 fit."""

SMALLEST_THREE = np.array([[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]])
"""Number of a quaternion's largest number, xyzw -> those that are kept."""

BYTE = np.arange(256, dtype=np.float32)
SCALES, COLORS = np.exp(BYTE / 16 - 10), (BYTE / 255 - 0.5) / np.float32(COLOR_SCALE)
COEFFICIENTS = (BYTE - 128) / 128
STEPS = (8, 16)
"""Distances of the bytes that are written for harmonics: of degree 1, and of those above. The reference's; they make
them compress."""

DIRECTIONS = {"L": (-1, 0, 0), "R": (1, 0, 0), "D": (0, -1, 0), "U": (0, 1, 0), "F": (0, 0, -1), "B": (0, 0, 1)}
"""Left, right, down, up, front, back in the axes that SPZ has where it says nothing."""

WORDS = [x + y + z for z in "BF" for y in "DU" for x in "LR"] + [x + z + y for z in "FB" for y in "DU" for x in "LR"]
COORDINATES = {
    number: np.array([DIRECTIONS[letter] for letter in word], np.float64).T for number, word in enumerate(WORDS, 1)
}
"""Number of a coordinate system, named after where x, y and z point -> the map [3,3] from it to right, up, back."""


@dataclass(frozen=True, eq=False)
class Packed:
    """Bytes of G splats: places [G,3,3], opacities [G], colors [G,3], scales [G,3], rotations [G,3] (version 2) or
    [G,4], rest [G,K-1,3] of the coefficients of degree 1 and up."""

    places: np.ndarray
    opacities: np.ndarray
    colors: np.ndarray
    scales: np.ndarray
    rotations: np.ndarray
    rest: np.ndarray
    fraction_bits: int

    @classmethod
    def of(cls, cloud: SplatCloud) -> Packed:
        """Places too far out for 24 bits end up at the edge of what can be told."""
        bits = _fraction_bits(float(np.abs(cloud.means).max()))
        steps = np.clip(np.round(cloud.means * np.float64(2**bits)), -LARGEST_PLACE, LARGEST_PLACE).astype("<i4")
        logarithms = np.log(np.maximum(cloud.scales, np.float32(1e-20)))
        return cls(
            places=steps.view(np.uint8).reshape(-1, 3, 4)[:, :, :3],
            opacities=_byte(cloud.opacities * 255),
            colors=_byte(cloud.harmonics[:, :, 0] * np.float32(COLOR_SCALE * 255) + np.float32(127.5)),
            scales=_byte((logarithms + 10) * 16),
            rotations=_pack_rotations(cloud.rotations),
            rest=_pack_rest(cloud.harmonics[:, :, 1:]),
            fraction_bits=bits,
        )

    @property
    def streams(self) -> list[bytes]:
        """In the order of the file, those without bytes left out."""
        arrays = (self.places, self.opacities, self.colors, self.scales, self.rotations, self.rest)
        return [array.tobytes() for array in arrays if array.size]


def unpacked(packed: Packed) -> SplatCloud:
    count, rest, _ = packed.rest.shape
    cloud = empty_cloud(count, 1 + rest)
    low, middle, high = np.moveaxis(packed.places, 2, 0)
    steps = low.astype(np.int32) | middle.astype(np.int32) << 8 | high.view(np.int8).astype(np.int32) << 16
    cloud.means[:] = steps * np.float32(2.0**-packed.fraction_bits)
    cloud.scales[:] = SCALES[packed.scales]
    cloud.opacities[:] = packed.opacities / np.float32(255)
    cloud.rotations[:] = _rotations(packed.rotations)
    cloud.harmonics[:, :, 0] = COLORS[packed.colors]
    cloud.harmonics[:, :, 1:] = COEFFICIENTS[packed.rest.swapaxes(1, 2)]
    return cloud


def _fraction_bits(largest: float) -> int:
    fit = int(np.floor(np.log2(LARGEST_PLACE / max(largest, 1e-9))))
    return int(np.clip(fit, 0, MOST_FRACTION_BITS))


def _byte(values: np.ndarray) -> np.ndarray:
    return np.clip(np.round(values), 0, 255).astype(np.uint8)


def _pack_rest(rest: np.ndarray) -> np.ndarray:
    """[G,K-1,3]: each coefficient at the middle of its step, 0 at the middle of one."""
    steps = np.full(rest.shape[2], STEPS[1], np.int32)
    steps[:3] = STEPS[0]
    bytes_ = np.round(rest * np.float32(128)).astype(np.int32) + 128
    stepped = (bytes_ + steps // 2) // steps * steps
    return np.ascontiguousarray(np.clip(stepped, 0, 255).astype(np.uint8).swapaxes(1, 2))


def _pack_rotations(rotations: np.ndarray) -> np.ndarray:
    """[G,4] bytes: the number of the largest in two bits, then sign and size of the others in ten bits each."""
    xyzw = rotations[:, [1, 2, 3, 0]]
    largest = np.abs(xyzw).argmax(axis=1)
    xyzw = xyzw * np.where(np.take_along_axis(xyzw, largest[:, None], axis=1) < 0, -1, 1)
    kept = np.take_along_axis(xyzw, SMALLEST_THREE[largest], axis=1)
    sizes = np.minimum(np.abs(kept) * (511 * np.sqrt(2)) + 0.5, 511).astype(np.uint32)
    tens = sizes | (kept < 0).astype(np.uint32) << np.uint32(9)
    words = largest.astype(np.uint32)
    for index in range(3):
        words = words << np.uint32(10) | tens[:, index]
    return words.astype("<u4")[:, None].view(np.uint8)


def _rotations(packed: np.ndarray) -> np.ndarray:
    """[G,4] wxyz."""
    if packed.shape[1] == 3:
        xyz = packed / np.float32(127.5) - 1
        return np.column_stack([np.sqrt(np.maximum(0, 1 - np.sum(xyz**2, axis=1))), xyz])
    words = np.ascontiguousarray(packed).view("<u4")[:, 0]
    largest = (words >> 30).astype(np.intp)
    tens = np.stack([words >> np.uint32(shift) & np.uint32(1023) for shift in (20, 10, 0)], axis=1)
    kept = (tens & 511).astype(np.float32) * np.where(tens > 511, -1, 1) / np.float32(511 * np.sqrt(2))
    xyzw = np.empty((len(packed), 4), np.float32)
    np.put_along_axis(xyzw, SMALLEST_THREE[largest], kept, axis=1)
    rest = np.sqrt(np.maximum(0, 1 - np.sum(kept**2, axis=1)))
    np.put_along_axis(xyzw, largest[:, None], rest[:, None], axis=1)
    return xyzw[:, [3, 0, 1, 2]]
