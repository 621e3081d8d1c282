"""The scale, the floor and the axes that an artist points out, and which point of a scene a click means. Numpy."""

from __future__ import annotations

import numpy as np

from model_runtime.contract.messages import JobError

from .similarity import Similarity

SLIM = 0.02
"""Height over longest side of a triangle so slim that it does not tell how a floor lies."""

SAME_POINT = 1e-6
"""Points nearer to each other than this share of their distance from the origin are one point in single precision."""

MOST_SCALING = 1e6

LAYER = 8.0
"""Points up to this many search radii behind the nearest one lie on one surface with it, seen at 10 degrees or more."""


class TransformError(JobError, ValueError):
    """Picked points or a distance that say nothing about a scene; carries the `Failure` the artist reads."""

    def __init__(self, sentence: str, advice: str) -> None:
        super().__init__("bad-transform", sentence, advice)


def scale_to_distance(first: np.ndarray, second: np.ndarray, distance: float) -> float:
    """The factor that makes points `first` and `second` [3] lie `distance` apart, all in the same unit.

    Raises `TransformError` where they are one point, or the distance is no use.
    """
    first, second = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if not (np.isfinite(distance) and distance > 0):
        raise TransformError("The distance is zero.", "Type the distance between the two points.")
    apart = float(np.linalg.norm(second - first))
    if not np.isfinite(apart) or apart <= SAME_POINT * max(np.abs(first).max(), np.abs(second).max()):
        raise TransformError("The two points are the same.", "Pick two points that lie well apart.")
    if not 1 / MOST_SCALING < distance / apart < MOST_SCALING:
        raise TransformError(
            "With this distance the scene would become a million times larger or smaller.",
            "Check the distance and its unit.",
        )
    return distance / apart


def stand_on_floor(corners: np.ndarray, eyes: np.ndarray) -> Similarity:
    """The rigid motion that brings three points of the floor, `corners` [3,3], to z = 0, and its upper side up.

    The upper side is the one most of the cameras, at `eyes` [N,3], are on; were they in the plane itself, the one that
    is up already. It turns by the least angle, so that what was in front stays there, about the middle of the three
    points, which moves straight up or down. Raises `TransformError` where the three lie on a line.
    """
    corners = np.asarray(corners, dtype=np.float64)
    middle = corners.mean(axis=0)
    turn = Similarity.of(rotation=least_turn_up(floor_normal(corners, eyes)), about=middle)
    return Similarity(1.0, turn.rotation, turn.translation - [0.0, 0.0, middle[2]])


def stand_on_axes(origin: np.ndarray, along_x: np.ndarray, floor: np.ndarray, eyes: np.ndarray) -> Similarity:
    """The rigid motion that brings `origin` to the world's, `along_x` on the x axis beyond it, and `floor`, on either
    side of that, to z = 0, all [3], with the upper side of the floor up as in `stand_on_floor`.

    Raises `TransformError` where the three lie on a line.
    """
    corners = np.array([origin, along_x, floor], dtype=np.float64)
    up = floor_normal(corners, eyes)
    right = corners[1] - corners[0]
    right /= np.linalg.norm(right)
    rotation = np.stack([right, np.cross(up, right), up])
    return Similarity(1.0, rotation, -rotation @ corners[0])


def floor_normal(corners: np.ndarray, eyes: np.ndarray) -> np.ndarray:
    """[3] of length 1, up from the floor through `corners` [3,3]; which side is up, and errors: `stand_on_floor`."""
    sides = np.roll(corners, -1, axis=0) - corners
    normal = np.cross(sides[0], sides[1])
    longest, twice_area = np.linalg.norm(sides, axis=1).max(), np.linalg.norm(normal)
    if not np.isfinite(corners).all() or longest <= SAME_POINT * np.abs(corners).max():
        raise TransformError("The three points are the same.", "Pick three points of the floor that lie well apart.")
    if twice_area < SLIM * longest**2:
        raise TransformError(
            "The three points lie on one line.", "Pick three points of the floor that make a wide triangle."
        )
    normal, middle = normal / twice_area, corners.mean(axis=0)
    height = float(np.median((eyes - middle) @ normal)) if len(eyes) else 0.0
    if height < 0 or (height == 0 and normal[2] < 0):
        normal = -normal
    return normal


def least_turn_up(normal: np.ndarray) -> np.ndarray:
    """[3,3] rotation that takes the unit `normal` [3] to +z by the least angle; from straight down, about y."""
    x, y, z = normal
    aside = x * x + y * y
    if z < 0 and aside < 1e-24:
        return np.diag([-1.0, 1.0, -1.0])
    across = np.array([[0.0, 0.0, -x], [0.0, 0.0, -y], [x, y, 0.0]])
    share = 1 / (1 + z) if z > 0 else (1 - z) / aside  # the same, each where it does not cancel
    return np.eye(3) + across + across @ across * share


def within(frame: np.ndarray, motion: Similarity) -> Similarity:
    """What has to happen inside a frame, [4,4] to the world, so that in the world `motion` happens.

    Raises `TransformError` where the frame is stretched so that turning would shear what is in it.
    """
    try:
        return Similarity.from_matrix(np.linalg.inv(frame) @ motion.matrix @ frame)
    except ValueError:
        raise TransformError(
            "The scene's objects are scaled unevenly, so turning the scene would shear it.",
            "Scale them the same along x, y and z first, and their parents too.",
        ) from None


def pick_point(
    points: np.ndarray, view_projection: np.ndarray, size: tuple[int, int], mouse: tuple[float, float], radius: float
) -> int | None:
    """Index of the point of `points` [P,3] that a click on a picture of them means, or None.

    view_projection: [4,4] from the world to clip space, perspective or not. size: (width, height) of the picture in
    pixels; mouse: the click, (x, y) from its lower left corner. Of the surface nearest to the viewer among what is
    drawn up to `radius` pixels from the click, it is the point drawn nearest to the click.
    """
    matrix = np.asarray(view_projection, dtype=np.float64)
    half = np.array(size) / 2
    aim = np.array(mouse) / half - 1
    single = matrix.astype(np.float32)
    clip = np.asarray(points, dtype=np.float32) @ single[[0, 1, 3], :3].T + single[[0, 1, 3], 3]
    depth = clip[:, 2]
    off = np.abs(clip[:, :2] - depth[:, None] * aim.astype(np.float32)) * half.astype(np.float32)
    near = np.flatnonzero((depth > 0) & (off.max(axis=1) <= 2 * radius * depth))
    clip = points[near].astype(np.float64) @ matrix[:, :3].T + matrix[:, 3]
    pixels = np.linalg.norm((clip[:, :2] / clip[:, 3:] - aim) * half, axis=1)
    hit = (pixels <= radius) & (np.abs(clip[:, 2]) <= clip[:, 3])
    near, clip, pixels = near[hit], clip[hit], pixels[hit]
    if not len(near):
        return None
    front = int(np.argmin(clip[:, 2] / clip[:, 3]))
    reach = radius * clip[front, 3] / (np.linalg.norm(matrix[0, :3]) * half[0])
    behind = np.linalg.norm(points[near] - points[near[front]], axis=1)
    return int(near[np.argmin(np.where(behind <= LAYER * reach, pixels, np.inf))])
