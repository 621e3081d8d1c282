"""The order in which splats are drawn. Also a program of its own, so that Blender need not wait for it.

    python sorting.py FOLDER    requests on standard input, a JSON object a line; ends with its input

FOLDER: where numpy is, if this Python does not know.

Standard library and numpy only, and nothing of this package: Blender's Python runs this file as it is.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable

if __name__ == "__main__":
    sys.path.extend(sys.argv[1:])

import numpy as np

Range = tuple[int, int, list[float]]
"""First and end of the splats of one object, and the four numbers that take their places to the camera's z."""


def back_to_front(positions: np.ndarray, ranges: Iterable[Range]) -> np.ndarray:
    """Numbers [M] float32 (whole up to 2 ** 24) of the splats in `ranges`, farthest first; `positions` [G,3] float32.

    The camera looks along -z. Splats at the same depth stay in their order.
    """
    depths, numbers = [np.zeros(0, np.float32)], [np.zeros(0, np.uint32)]
    for first, end, row in ranges:
        x, y, z, along = np.array(row, np.float32)
        places = positions[first:end]
        depths.append(places[:, 0] * x + places[:, 1] * y + places[:, 2] * z + along)
        numbers.append(np.arange(first, end, dtype=np.uint32))
    order = _ascending(np.concatenate(depths))
    return np.concatenate(numbers)[order].astype(np.float32)


def _ascending(values: np.ndarray) -> np.ndarray:
    """The stable order [N] of float32 `values`, by two passes over halves of their bits: numpy sorts whole numbers of
    16 bits by counting."""
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    # As whole numbers, floats are in order if those below zero are turned around and put first.
    bits = np.where(bits >> 31, ~bits, bits | np.uint32(1 << 31))
    order = np.argsort(bits.astype(np.uint16), kind="stable")
    return order[np.argsort((bits >> 16).astype(np.uint16)[order], kind="stable")]


def serve() -> None:
    """Answer requests {"positions": file, "ranges": [Range, ...], "answer": file}: the order as raw float32, written
    beside its place and renamed."""
    positions, opened = np.zeros((0, 3), np.float32), ""
    for line in sys.stdin:
        request = json.loads(line)
        if request["positions"] != opened:
            opened = request["positions"]
            positions = np.fromfile(opened, np.float32).reshape(-1, 3)
        answer = request["answer"]
        back_to_front(positions, request["ranges"]).tofile(f"{answer}.part")
        os.replace(f"{answer}.part", answer)


if __name__ == "__main__":
    serve()
