"""Photos taken from one place: rotations and focal lengths that make their matches meet, as panoramas are stitched.

Pure rotation, refined over all photos at once (Szeliski and Shum 1997; Brown and Lowe 2007). Such photos show no
parallax: nothing in them tells how far anything is, and reconstructions that need depth fail or make it up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pycolmap
from scipy.optimize import least_squares
from scipy.sparse import coo_matrix, csr_matrix, lil_matrix
from scipy.sparse.csgraph import breadth_first_order, minimum_spanning_tree
from scipy.spatial.transform import Rotation

from model_runtime.cameras.features.blas import one_blas_thread
from model_runtime.cameras.features.mapping import TYPICAL_FOCAL
from model_runtime.cameras.features.matching import Matches
from model_runtime.cameras.features.result import FeatureCameras, no_points
from model_runtime.cameras.features.tracks import build_tracks
from model_runtime.photos.feature_photo import WORKING_SIDE

LEAST_ALIKE = 0.5
"""Share of the pairs that a homography explains, below which nobody turned on the spot."""

MEDIAN_ERROR, OUTER, OUTER_ERROR = 0.5, 0.8, 1.5
"""Working pixels that half, and four fifths, of the matches may be off for the photos to count as taken from one place:
less parallax than this tells no depth worth having. The rest may be wrong matches."""

FOCALS = (0.6, 0.87, 1.2, 1.8, 3.0)
"""Focal lengths in longest sides to start from."""

MATCHES_PER_PAIR = 150
PAIRS_PER_PHOTO = 6
REFITS = 5
MOST_STEPS = 50
TIGHT = 1e-12
"""Tolerance of each step's linear system: looser ones creep, since all photos turn together."""

BEHIND = 1e3
"""Working pixels that a match counts as off that the rotations take behind the camera."""

PANORAMIC = (
    int(pycolmap.TwoViewGeometryConfiguration.PANORAMIC),
    int(pycolmap.TwoViewGeometryConfiguration.PLANAR_OR_PANORAMIC),
)


MUCH_BETTER, LEAST_GAIN = 0.88, 0.004
"""Of the plain median error, and working pixels below it: where a fit with bent lines stays below both, the lens bends
them."""

BENT = "The lens seems to bend straight lines: undistort the photos first, in a photo editor or with its lens profile."

CLEAR_ERROR = 0.25
"""Working pixels below which the median match leaves no room for parallax, whatever a reconstruction makes of it: with
a wrong focal length, turning looks like moving past a plane."""

LITTLE_PARALLAX = 0.3
"""Share of the points that photos have in common and a reconstruction places, below which it has hardly seen any of
them from two sides; it is near 1 where somebody walked."""

SMALLEST_TURN = 1.0
"""Degrees between the photos furthest apart in direction, below which matches do not tell the focal length."""

NO_PARALLAX = (
    "All photos are taken from one place, so nothing in them tells how far things are and the depth is the network's "
    "guess. For depth that holds, walk between photos instead of turning."
)

ALIKE = (
    "The photos show all but the same, so nothing in them tells how far things are, nor the focal length: it is what "
    "the EXIF data say, or else a usual one. Take photos from different places."
)

NEARLY = 0.015
"""Longest sides that half of the matches of a film's frames may be off for its camera to be taken as turned, where it
moves too little for them to tell how."""

HARDLY_ANY_MOVE = (
    "The camera moves too little for the picture to tell how, so it is taken to turn on the spot: what stands in the "
    "scene lies about {error} pixels from where the clip shows it, and the depth is the network's guess."
)

Geometries = dict[tuple[int, int], pycolmap.TwoViewGeometry]


@dataclass(frozen=True, eq=False)
class _Links:
    """Matches, M in all: photos one, other [M], pixels at, at_other [M,2] (working pixels, from the photo's middle)."""

    one: np.ndarray
    other: np.ndarray
    at: np.ndarray
    at_other: np.ndarray


class Panorama(NamedTuple):
    """Photos turned on the spot, and what the artist should know about them."""

    cameras: FeatureCameras
    notes: tuple[str, ...]


class _Fit(NamedTuple):
    """Rotations [N,3,3], focal lengths [N] in working pixels, and how the lens bends lines: a point at r longest sides
    from the middle would be 1 + bend * r^2 as far out without."""

    rotations: np.ndarray
    focals: np.ndarray
    bend: float = 0.0


def placed_share(mapped: FeatureCameras, matches: Matches) -> float:
    """Of the points that the mapped photos have in common, how many they place; 0 where nothing is mapped."""
    tracks = build_tracks(matches, mapped.registered)
    return len(mapped.sparse.points) / len(tracks.points) if len(tracks.points) else 0.0


def instead_of(mapped: FeatureCameras, matches: Matches) -> Panorama | None:
    """The photos as turned on the spot, where that explains them and `mapped` has not really seen them move."""
    turned = find_panorama(matches)
    if turned is None or turned.cameras.match_error is None:
        return None
    clear = turned.cameras.match_error < CLEAR_ERROR * float(np.median(matches.pixel))
    fewer = 2 * mapped.registered.sum() < turned.cameras.registered.sum()
    return turned if clear or fewer or placed_share(mapped, matches) < LITTLE_PARALLAX else None


@one_blas_thread
def find_panorama(matches: Matches) -> Panorama | None:
    """The photos as turned on the spot, where that explains all of their matches; None where somebody moved.

    Cameras at one point, without sparse points; the first one's frame is the world. match_error: median distance
    between matches, pixels of the photos. A lens that bends lines is allowed for, where that fits much better.
    """
    turned = {pair: geometry for pair, geometry in matches.geometries.items() if geometry.config in PANORAMIC}
    if not turned or len(turned) < LEAST_ALIKE * len(matches.geometries):
        return None
    order, parents = _tree(turned, len(matches.photos))
    links = _links(matches, _strongest_pairs(turned, order), MATCHES_PER_PAIR)
    sides = np.array([max(photo.size) for photo in matches.photos]) / matches.pixel
    starts = [_start(matches, links, order, parents, focal * sides) for focal in FOCALS]
    start = min(starts, key=lambda fit: np.median(_errors(fit, links)))
    fit, notes = _refined(start, links, order, matches), (NO_PARALLAX,)
    every = _links(matches, [pair for pair in matches.geometries if set(pair) <= set(order.tolist())])
    if _largest_turn(fit.rotations[order]) < SMALLEST_TURN:
        fit, notes = _with_usual_focals(matches, links, order, parents), (ALIKE,)
    else:
        bent = _refined(fit, links, order, matches, bends=True)
        plain_error, bent_error = (np.median(_errors(each, every)) for each in (fit, bent))
        if bent_error < MUCH_BETTER * plain_error and bent_error < plain_error - LEAST_GAIN:
            fit, notes = bent, (NO_PARALLAX, BENT)
    errors = _errors(fit, every)
    if np.median(errors) > MEDIAN_ERROR or np.quantile(errors, OUTER) > OUTER_ERROR:
        return None
    error = float(np.median(errors * matches.pixel[every.one]))
    return Panorama(_panorama(matches, order, fit, error), notes)


@one_blas_thread
def nearly_turned(matches: Matches) -> Panorama | None:
    """The key frames of a film whose camera moved, but too little, as turned on the spot: far nearer than a guess. None
    where homographies do not explain most of what they have in common."""
    turned = {pair: geometry for pair, geometry in matches.geometries.items() if geometry.config in PANORAMIC}
    if not turned or len(turned) < LEAST_ALIKE * len(matches.geometries):
        return None
    order, parents = _tree(turned, len(matches.photos))
    links = _links(matches, _strongest_pairs(turned, order), MATCHES_PER_PAIR)
    fit = _with_usual_focals(matches, links, order, parents)
    longest = max(matches.photos[0].size)
    error = float(np.median(_errors(fit, links))) * matches.photos[0].pixel
    if error > NEARLY * longest:
        return None
    return Panorama(_panorama(matches, order, fit, error), (HARDLY_ANY_MOVE.format(error=f"{max(error, 1.0):.0f}"),))


def _with_usual_focals(matches: Matches, links: _Links, order: np.ndarray, parents: np.ndarray) -> _Fit:
    """Turned with the focal lengths that EXIF tells, or a usual one, as nothing else tells them."""
    focals = np.array([photo.known_focal or TYPICAL_FOCAL * max(photo.size) for photo in matches.photos])
    held = _start(matches, links, order, parents, focals / matches.pixel)
    return _refined(held, links, order, matches, zooms=False)


def _largest_turn(rotations: np.ndarray) -> float:
    """Degrees between the two of rotations [N,3,3] furthest apart."""
    apart = rotations[:, None] @ rotations[None].transpose(0, 1, 3, 2)
    return float(np.degrees(Rotation.from_matrix(apart.reshape(-1, 3, 3)).magnitude().max()))


def _tree(geometries: Geometries, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The photos of the largest group that matches join, each after its parent in a tree of the strongest pairs.

    Second, for every photo its parent; negative of the first and of photos outside the group.
    """
    rows, columns = np.array(list(geometries)).T
    inliers = np.array([len(geometry.inlier_matches) for geometry in geometries.values()])
    tree = minimum_spanning_tree(coo_matrix((1 / inliers, (rows, columns)), shape=(count, count)))
    ways = [breadth_first_order(tree, root, directed=False) for root in range(count)]
    order, parents = max(ways, key=lambda way: len(way[0]))
    return order, parents


def _strongest_pairs(geometries: Geometries, order: np.ndarray) -> list[tuple[int, int]]:
    """Of every photo of the group those with the most matches."""
    chosen: set[tuple[int, int]] = set()
    by_strength = sorted(geometries, key=lambda pair: -len(geometries[pair].inlier_matches))
    for photo in order.tolist():
        chosen.update([pair for pair in by_strength if photo in pair][:PAIRS_PER_PHOTO])
    return sorted(chosen)


def _links(matches: Matches, pairs: list[tuple[int, int]], most: int | None = None) -> _Links:
    """most: matches of a pair that are taken, evenly chosen; all without."""
    middles = [np.array(photo.size) / photo.pixel / 2 for photo in matches.photos]
    parts = []
    for i, j in pairs:
        inliers = matches.geometries[i, j].inlier_matches.astype(np.int64)
        if most is not None and len(inliers) > most:
            inliers = inliers[np.linspace(0, len(inliers) - 1, most).astype(int)]
        at, at_other = (matches.keypoints[n][inliers[:, side]] - middles[n] for side, n in enumerate((i, j)))
        parts.append((np.full(len(inliers), i), np.full(len(inliers), j), at, at_other))
    one, other, at, at_other = (np.concatenate(column) for column in zip(*parts, strict=True))
    return _Links(one, other, at, at_other)


def _start(matches: Matches, links: _Links, order: np.ndarray, parents: np.ndarray, focals: np.ndarray) -> _Fit:
    """Rotations along the tree, with these focal lengths [N] in working pixels."""
    rotations = np.tile(np.eye(3), (len(focals), 1, 1))
    for photo in order[1:]:
        parent = parents[photo]
        pair = (links.one == min(photo, parent)) & (links.other == max(photo, parent))
        rays = [_rays(links.at[pair], focals[links.one[pair]]), _rays(links.at_other[pair], focals[links.other[pair]])]
        mine, its = rays if photo < parent else rays[::-1]
        rotations[photo] = _rotation(its, mine) @ rotations[parent]
    return _Fit(rotations, focals)


def _rays(at: np.ndarray, focals: np.ndarray) -> np.ndarray:
    """[M,3], unit."""
    rays = np.column_stack((at, focals))
    return rays / np.linalg.norm(rays, axis=1, keepdims=True)


def _rotation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """[3,3] that takes the rays a [M,3] to b [M,3], with little heed to those that do not fit."""
    weights = np.ones(len(a))
    turn = np.eye(3)
    for _ in range(REFITS):
        turn = Rotation.align_vectors(b, a, weights=weights)[0].as_matrix()
        misses = np.linalg.norm(a @ turn.T - b, axis=1)
        weights = 1 / np.maximum(misses, np.median(misses) + 1e-9)
    return turn


def _residuals(fit: _Fit, links: _Links) -> np.ndarray:
    """[M,2] working pixels, from where `one` sees a match to where the rotations take it from `other`."""
    rotations, focals = fit.rotations, fit.focals
    at, at_other = _straight(links.at, fit.bend), _straight(links.at_other, fit.bend)
    rays = np.column_stack((at_other, focals[links.other]))
    turn = rotations[links.one] @ rotations[links.other].transpose(0, 2, 1)
    seen = np.einsum("mij,mj->mi", turn, rays)
    depth = np.where(seen[:, 2] > 0, seen[:, 2], np.nan)
    return np.nan_to_num(focals[links.one, None] * seen[:, :2] / depth[:, None] - at, nan=BEHIND)


def _straight(at: np.ndarray, bend: float) -> np.ndarray:
    """Where a lens that does not bend lines would show what is at [M,2]."""
    return at * (1 + bend * (at**2).sum(axis=1, keepdims=True) / WORKING_SIDE**2) if bend else at


def _errors(fit: _Fit, links: _Links) -> np.ndarray:
    return np.linalg.norm(_residuals(fit, links), axis=1)


def _refined(
    fit: _Fit, links: _Links, order: np.ndarray, matches: Matches, zooms: bool = True, bends: bool = False
) -> _Fit:
    """All rotations but the first photo's by robust least squares; zooms: and a focal length per camera; bends: and
    the one lens."""
    rotations, focals, turning = fit.rotations, fit.focals, order[1:]
    numbers, camera = np.unique(np.array(matches.cameras), return_inverse=True)
    turns, zoomed = 3 * len(turning), len(numbers) * zooms
    count = turns + zoomed + bends
    columns = np.full(len(rotations), -1)
    columns[turning] = 3 * np.arange(len(turning))

    def at(change: np.ndarray) -> _Fit:
        turned = rotations.copy()
        turned[turning] = Rotation.from_rotvec(change[:turns].reshape(-1, 3)).as_matrix() @ rotations[turning]
        zoom = np.exp(change[turns : turns + zoomed])[camera] if zooms else 1.0
        return _Fit(turned, focals * zoom, fit.bend + float(change[-1]) if bends else fit.bend)

    sparsity = lil_matrix((2 * len(links.one), count), dtype=int)
    if bends:
        sparsity[:, -1] = 1
    rows = np.arange(2 * len(links.one)).reshape(-1, 2)
    for photos in (links.one, links.other):
        for axis in range(3):
            moving = columns[photos] >= 0
            for side in range(2):
                sparsity[rows[moving, side], columns[photos][moving] + axis] = 1
        for side in range(2) if zooms else ():
            sparsity[rows[:, side], turns + camera[photos]] = 1
    found = least_squares(
        lambda change: _residuals(at(change), links).ravel(),
        np.zeros(count),
        jac_sparsity=csr_matrix(sparsity),
        loss="cauchy",
        x_scale="jac",
        tr_options={"atol": TIGHT, "btol": TIGHT},
        max_nfev=MOST_STEPS,
    )
    return at(found.x)


def _panorama(matches: Matches, order: np.ndarray, fit: _Fit, error: float) -> FeatureCameras:
    count = len(matches.photos)
    placed = np.zeros(count, bool)
    placed[order] = True
    extrinsics, intrinsics = np.full((count, 4, 4), np.nan), np.full((count, 3, 3), np.nan)
    first = fit.rotations[np.flatnonzero(placed)[0]]
    for i in order:
        photo = matches.photos[i]
        extrinsics[i] = np.eye(4)
        extrinsics[i, :3, :3] = fit.rotations[i] @ first.T
        focal = fit.focals[i] * photo.pixel
        intrinsics[i] = [[focal, 0, photo.size[0] / 2], [0, focal, photo.size[1] / 2], [0, 0, 1]]
    return FeatureCameras(placed, extrinsics, intrinsics, no_points(), error)
