"""How right solved lenses are: `.venv/bin/python -m tests.model_runtime.cameras.features.measure_lenses`.

Points that six known cameras see through known lenses, 0.3 of 1200 pixels off and a twentieth of them anywhere near, as
in `test_lenses.py`. Of each case the kind that comes out, how far focal lengths are off at most, how far the rim of a
photo is off at most, and the median and largest error of relative rotations; as a table of `docs/cameras.md`.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
from scipy.spatial.transform import Rotation

from model_runtime.cameras.features.bundle import FOCAL
from model_runtime.cameras.features.lens_kinds import PINHOLE, Kind
from model_runtime.contract.lens import FISHEYE, Lens

from .made_tracks import SIDE, SIZE, chosen, corner_miss, groups_of_lenses, lens_of, started, tracks

UPRIGHT = (900, 1200)
PHOTOS, POINTS, SEEDS = 6, 500, range(3)
WHOLE = {
    Kind(middle=True): ", middle found",
    Kind(own=True): ", each zoomed",
    Kind(own=True, own_middle=True): ", each with its own middle",
}

CASES: dict[str, Callable[[int], Lens]] = {
    "pinhole": lambda _: lens_of(),
    "k1 -0.02": lambda _: lens_of(coefficients=(-0.02,)),
    "k1 -0.05": lambda _: lens_of(coefficients=(-0.05,)),
    "k1 -0.26, k2 0.07": lambda _: lens_of(coefficients=(-0.26, 0.07), focal=0.55),
    "k1 -0.18, k2 0.06, p1 0.003, p2 -0.004, k3 -0.01": lambda _: lens_of(
        coefficients=(-0.18, 0.06, 0.003, -0.004, -0.01), focal=0.65
    ),
    "fisheye, k1 0.02, k2 -0.01": lambda _: lens_of(FISHEYE, (0.02, -0.01), 0.45),
    "cropped: middle 72, -48 pixels aside": lambda _: lens_of(middle=(0.06, -0.04)),
    "zoomed: 0.7 to 1.05 longest sides": lambda i: lens_of(focal=0.7 + 0.07 * i),
    "cropped, each elsewhere": lambda i: lens_of(middle=(0.05 * np.cos(2 * i), 0.05 * np.sin(2 * i))),
    "k1 -0.1, every other photo upright": lambda i: lens_of(coefficients=(-0.1,), size=SIZE if i % 2 else UPRIGHT),
}


def main() -> None:
    print("| lens | found | focal length off | rim off | rotation off: median, most |\n|---|---|---|---|---|")
    for name, lens_at in CASES.items():
        lenses = [lens_at(i) for i in range(PHOTOS)]
        kinds: list[str] = []
        focals: list[float] = []
        rims: list[float] = []
        off: list[float] = []
        for seed in SEEDS:
            cameras, points, seen = tracks(lenses, POINTS, seed)
            groups = groups_of_lenses(lenses)
            focal = 1.04 * float(np.median([lens.intrinsics[0, 0] for lens in lenses])) / SIDE
            kind, found = chosen(started(PINHOLE, cameras, points, focal, groups), seen, groups)
            kinds.append(named(kind))
            for mine, true in zip(found.lenses, lenses, strict=True):
                focals.append(abs(mine[FOCAL] * SIDE / true.intrinsics[0, 0] - 1))
                rims.append(corner_miss(mine, kind.model, true))
            off += turns(found.poses, cameras)
        told = ", or ".join(dict.fromkeys(kinds))
        print(
            f"| {name} | {told} | {max(focals):.2%} | {max(rims):.1f} px "
            f"| {np.median(off):.3f}, {max(off):.3f} degrees |"
        )


def named(kind: Kind) -> str:
    freedom = Kind(middle=kind.middle, own=kind.own, own_middle=kind.own_middle)
    return f"{kind}{WHOLE.get(freedom, '')}"


def turns(found: np.ndarray, true: np.ndarray) -> list[float]:
    """Degrees, of all pairs of cameras [N,4,4]."""
    pairs = list(combinations(range(len(true)), 2))
    mine, wanted = (np.stack([e[i, :3, :3] @ e[j, :3, :3].T for i, j in pairs]) for e in (found, true))
    return np.degrees((Rotation.from_matrix(mine) * Rotation.from_matrix(wanted).inv()).magnitude()).tolist()


if __name__ == "__main__":
    main()
