"""Photos taken from one place: rotations and focal lengths that make their matches meet, as panoramas are stitched.

Pure rotation, refined over all photos at once (Szeliski and Shum 1997; Brown and Lowe 2007). Such photos show no
parallax: nothing in them tells how far anything is, and reconstructions that need depth fail or make it up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pycolmap
from scipy.optimize import least_squares
from scipy.sparse import coo_matrix, csr_matrix, lil_matrix
from scipy.sparse.csgraph import breadth_first_order, minimum_spanning_tree
from scipy.spatial.transform import Rotation

from model_runtime.features.matching import Matches
from model_runtime.features.result import FeatureCameras, no_points
from model_runtime.features.tracks import build_tracks

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


CLEAR_ERROR = 0.25
"""Working pixels below which the median match leaves no room for parallax, whatever a reconstruction makes of it: with
a wrong focal length, turning looks like moving past a plane."""

LITTLE_PARALLAX = 0.3
"""Share of the points that photos have in common and a reconstruction places, below which it has hardly seen any of
them from two sides; it is near 1 where somebody walked."""

Geometries = dict[tuple[int, int], pycolmap.TwoViewGeometry]


@dataclass(frozen=True, eq=False)
class _Links:
    """Matches, M in all: photos one, other [M], pixels at, at_other [M,2] (working pixels, from the photo's middle)."""

    one: np.ndarray
    other: np.ndarray
    at: np.ndarray
    at_other: np.ndarray


def placed_share(mapped: FeatureCameras, matches: Matches) -> float:
    """Of the points that the mapped photos have in common, how many they place; 0 where nothing is mapped."""
    tracks = build_tracks(matches, mapped.registered)
    return len(mapped.sparse.points) / len(tracks.points) if len(tracks.points) else 0.0


def instead_of(mapped: FeatureCameras, matches: Matches) -> FeatureCameras | None:
    """The photos as turned on the spot, where that explains them and `mapped` has not really seen them move."""
    turned = find_panorama(matches)
    if turned is None or turned.match_error is None:
        return None
    clear = turned.match_error < CLEAR_ERROR * float(np.median(matches.pixel))
    fewer = 2 * mapped.registered.sum() < turned.registered.sum()
    return turned if clear or fewer or placed_share(mapped, matches) < LITTLE_PARALLAX else None


def find_panorama(matches: Matches) -> FeatureCameras | None:
    """The photos as turned on the spot, where that explains all of their matches; None where somebody moved.

    Cameras at one point, without sparse points; the first one's frame is the world. match_error: median distance
    between matches, pixels of the photos.
    """
    turned = {pair: geometry for pair, geometry in matches.geometries.items() if geometry.config in PANORAMIC}
    if not turned or len(turned) < LEAST_ALIKE * len(matches.geometries):
        return None
    order, parents = _tree(turned, len(matches.photos))
    links = _links(matches, _strongest_pairs(turned, order), MATCHES_PER_PAIR)
    starts = [_start(matches, links, order, parents, focal) for focal in FOCALS]
    costs = [np.median(_errors(*start, links)) for start in starts]
    rotations, focals = _refined(*starts[int(np.argmin(costs))], links, order, np.array(matches.cameras))
    links = _links(matches, [pair for pair in matches.geometries if set(pair) <= set(order.tolist())])
    errors = _errors(rotations, focals, links)
    if np.median(errors) > MEDIAN_ERROR or np.quantile(errors, OUTER) > OUTER_ERROR:
        return None
    error = float(np.median(errors * matches.pixel[links.one]))
    return _panorama(matches, order, rotations, focals, error)


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


def _start(
    matches: Matches, links: _Links, order: np.ndarray, parents: np.ndarray, focal: float
) -> tuple[np.ndarray, np.ndarray]:
    """Rotations [N,3,3] along the tree, and focal lengths [N] in working pixels, all `focal` longest sides."""
    focals = np.array([focal * max(photo.size) / photo.pixel for photo in matches.photos])
    rotations = np.tile(np.eye(3), (len(focals), 1, 1))
    for photo in order[1:]:
        parent = parents[photo]
        pair = (links.one == min(photo, parent)) & (links.other == max(photo, parent))
        rays = [_rays(links.at[pair], focals[links.one[pair]]), _rays(links.at_other[pair], focals[links.other[pair]])]
        mine, its = rays if photo < parent else rays[::-1]
        rotations[photo] = _rotation(its, mine) @ rotations[parent]
    return rotations, focals


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


def _residuals(rotations: np.ndarray, focals: np.ndarray, links: _Links) -> np.ndarray:
    """[M,2] working pixels, from where `one` sees a match to where the rotations take it from `other`."""
    rays = np.column_stack((links.at_other, focals[links.other]))
    turn = rotations[links.one] @ rotations[links.other].transpose(0, 2, 1)
    seen = np.einsum("mij,mj->mi", turn, rays)
    depth = np.where(seen[:, 2] > 0, seen[:, 2], np.nan)
    return np.nan_to_num(focals[links.one, None] * seen[:, :2] / depth[:, None] - links.at, nan=BEHIND)


def _errors(rotations: np.ndarray, focals: np.ndarray, links: _Links) -> np.ndarray:
    return np.linalg.norm(_residuals(rotations, focals, links), axis=1)


def _refined(
    rotations: np.ndarray, focals: np.ndarray, links: _Links, order: np.ndarray, cameras: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """All rotations but the first photo's, and a focal length per camera, by robust least squares."""
    turning = order[1:]
    numbers, camera = np.unique(cameras, return_inverse=True)
    columns = np.full(len(rotations), -1)
    columns[turning] = 3 * np.arange(len(turning))

    def at(change: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        turned = rotations.copy()
        turns = Rotation.from_rotvec(change[: 3 * len(turning)].reshape(-1, 3)).as_matrix()
        turned[turning] = turns @ rotations[turning]
        return turned, focals * np.exp(change[3 * len(turning) :])[camera]

    sparsity = lil_matrix((2 * len(links.one), 3 * len(turning) + len(numbers)), dtype=int)
    rows = np.arange(2 * len(links.one)).reshape(-1, 2)
    for photos in (links.one, links.other):
        for axis in range(3):
            moving = columns[photos] >= 0
            for side in range(2):
                sparsity[rows[moving, side], columns[photos][moving] + axis] = 1
        for side in range(2):
            sparsity[rows[:, side], 3 * len(turning) + camera[photos]] = 1
    found = least_squares(
        lambda change: _residuals(*at(change), links).ravel(),
        np.zeros(3 * len(turning) + len(numbers)),
        jac_sparsity=csr_matrix(sparsity),
        loss="cauchy",
        x_scale="jac",
        tr_options={"atol": TIGHT, "btol": TIGHT},
        max_nfev=MOST_STEPS,
    )
    return at(found.x)


def _panorama(
    matches: Matches, order: np.ndarray, rotations: np.ndarray, focals: np.ndarray, error: float
) -> FeatureCameras:
    count = len(matches.photos)
    placed = np.zeros(count, bool)
    placed[order] = True
    extrinsics, intrinsics = np.full((count, 4, 4), np.nan), np.full((count, 3, 3), np.nan)
    first = rotations[np.flatnonzero(placed)[0]]
    for i in order:
        photo = matches.photos[i]
        extrinsics[i] = np.eye(4)
        extrinsics[i, :3, :3] = rotations[i] @ first.T
        focal = focals[i] * photo.pixel
        intrinsics[i] = [[focal, 0, photo.size[0] / 2], [0, focal, photo.size[1] / 2], [0, 0, 1]]
    return FeatureCameras(placed, extrinsics, intrinsics, no_points(), error)
