"""Cameras of which a few are known: the others solved by features together with them, while these stay."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from model_runtime.cameras.features.lens_kinds import Kind
from model_runtime.cameras.features.lenses import LensCameras, solve_lenses
from model_runtime.cameras.features.mapping import map_photos
from model_runtime.cameras.features.matching import Matches
from model_runtime.contract.messages import Cameras
from model_runtime.contract.progress import Span


def solve_around(known: Cameras, matches: Matches, progress: Span, kind: Kind | None) -> LensCameras | None:
    """All photos' cameras in the world of the known ones, which stay; None where features do not place all of these.

    known: NaN for photos whose camera is not known; the others' lenses are those of `matches.photos`. Where one alone
    is known, or all stand in one place, nothing tells the unit of its world: it is then the depth of what is seen.
    """
    is_known = np.isfinite(known.extrinsics).all((1, 2))
    mapped = map_photos(matches, progress.part(0.0, 0.5))
    if not (is_known.any() and mapped.registered[is_known].all()):
        return None
    cameras, sparse = mapped.laid_on(known, is_known)
    poses = np.where(is_known[:, None, None], known.extrinsics, cameras.extrinsics)
    placed = replace(mapped, extrinsics=poses, sparse=sparse)
    solved = solve_lenses(placed, matches, progress.part(0.5, 1.0), kind, still=is_known)
    cameras, sparse = solved.cameras.laid_on(known, is_known)
    extrinsics = np.where(is_known[:, None, None], known.extrinsics, cameras.extrinsics)
    return replace(solved, cameras=replace(solved.cameras, extrinsics=extrinsics, sparse=sparse))
