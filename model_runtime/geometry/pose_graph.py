"""Pose graphs of similarities: worlds that were seen to relate to each other in pairs, brought into one.

Nodes are similarities from each world to a common one, as matrices [4,4] ((s R, t), (0, 1)), in numpy and float64. An
edge is a measured similarity between two nodes' worlds. The sum of a robust loss of all edges' errors is minimised by
Levenberg-Marquardt with reweighting on the group (as Strasdat et al. 2010 close loops that drift in scale): every step
is taken from where the nodes are, so that no chart of large turns is needed, and its linear system is sparse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import coo_matrix, csc_matrix, diags
from scipy.sparse.linalg import splu
from scipy.spatial.transform import Rotation

WORLD = -1
"""In place of a node: the common world itself, which does not move."""

STEPS = 100
DAMPING, LEAST_DAMPING, MOST_DAMPING = 1e-6, 1e-12, 1e12
"""Share of the normal matrix's diagonal that is added to it: at first, at least, and where nothing helps any more."""
CONVERGED = 1e-14
"""Relative fall of the cost below which the nodes are where they belong."""
LOSS_WIDTH = 3.0
"""Standard deviations from which the Cauchy loss begins to disbelieve an edge."""


@dataclass(frozen=True, eq=False)
class Edge:
    """matrix [4,4]: from the world of node `second` to that of node `first` (or WORLD).

    information: [7,7] inverse covariance of its error: a `step` in the frame `frame` [4,4] of the second's world,
    there where the measurement is made, so that a turn does not come with a shift. robust: whether it may be wrong.
    """

    first: int
    second: int
    matrix: np.ndarray
    information: np.ndarray = field(default_factory=lambda: np.eye(7))
    frame: np.ndarray = field(default_factory=lambda: np.eye(4))
    robust: bool = True


@dataclass(frozen=True, eq=False)
class Optimum:
    """nodes: [N,4,4]. errors: [E] of each edge, in standard deviations. cost: half the sum of the losses."""

    nodes: np.ndarray
    errors: np.ndarray
    cost: float
    steps: int


def step(tangent: np.ndarray) -> np.ndarray:
    """Similarity matrices [...,4,4] of (shift x y z, rotation vector x y z in radians, log of the scale) [...,7]."""
    matrix = np.zeros((*tangent.shape[:-1], 4, 4))
    rotation = Rotation.from_rotvec(tangent[..., 3:6].reshape(-1, 3)).as_matrix().reshape(*tangent.shape[:-1], 3, 3)
    matrix[..., :3, :3] = np.exp(tangent[..., 6])[..., None, None] * rotation
    matrix[..., :3, 3] = tangent[..., :3]
    matrix[..., 3, 3] = 1
    return matrix


def tangent(matrix: np.ndarray) -> np.ndarray:
    """What `step` makes these similarity matrices [...,4,4] of."""
    scale = scales(matrix)
    rotation = matrix[..., :3, :3] / scale[..., None, None]
    vector = Rotation.from_matrix(rotation.reshape(-1, 3, 3)).as_rotvec().reshape(*matrix.shape[:-2], 3)
    return np.concatenate((matrix[..., :3, 3], vector, np.log(scale)[..., None]), axis=-1)


def scales(matrix: np.ndarray) -> np.ndarray:
    """Of similarity matrices [...,4,4]: [...]."""
    return np.cbrt(np.linalg.det(matrix[..., :3, :3]))


def edge_errors(nodes: np.ndarray, edges: Sequence[Edge]) -> np.ndarray:
    """[E,7]: the tangent of what is between where an edge says its second node's frame is, and where it is."""
    measured, seen = _frames(nodes, edges)
    return tangent(np.linalg.inv(measured) @ seen)


def optimise(nodes: np.ndarray, edges: Sequence[Edge], fixed: Sequence[int] = ()) -> Optimum:
    """The nodes [N,4,4] that fit all edges best, from where they are: those `fixed` stay.

    A connected part of the graph that neither a fixed node nor an edge to WORLD holds may end anywhere.
    """
    nodes = np.array(nodes, np.float64)
    if not edges:
        return Optimum(nodes, np.zeros(0), 0.0, 0)
    free = np.setdiff1d(np.arange(len(nodes)), np.asarray(fixed, int))
    column = np.full(len(nodes) + 1, -1)  # the last one is WORLD's
    column[free] = np.arange(len(free))
    roots = np.stack([_root(edge.information) for edge in edges])
    robust = np.array([edge.robust for edge in edges], bool)
    damping, cost, steps = DAMPING, _cost(nodes, edges, roots, robust), 0
    while len(free) and steps < STEPS and damping <= MOST_DAMPING:
        steps += 1
        normal, gradient = _linearised(nodes, edges, roots, robust, column, len(free))
        trial, next_cost = nodes, np.inf
        while not next_cost < cost and damping <= MOST_DAMPING:
            diagonal = normal.diagonal()
            damped = normal + diags(damping * np.maximum(diagonal, 1e-12 * max(float(diagonal.max()), 1e-300)))
            trial = nodes.copy()
            trial[free] = nodes[free] @ step(splu(csc_matrix(damped)).solve(-gradient).reshape(-1, 7))
            next_cost = _cost(trial, edges, roots, robust)
            damping = max(damping / 10, LEAST_DAMPING) if next_cost < cost else damping * 10
        if not next_cost < cost:
            break
        fell = cost - next_cost
        nodes, cost = trial, next_cost
        if fell <= CONVERGED * cost:
            break
    errors = np.linalg.norm(np.einsum("eij,ej->ei", roots, edge_errors(nodes, edges)), axis=1)
    return Optimum(nodes, errors, cost, steps)


def _root(information: np.ndarray) -> np.ndarray:
    """Symmetric square root [7,7] of an information matrix, which may be of less than full rank."""
    values, vectors = np.linalg.eigh((information + information.T) / 2)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T


def _frames(nodes: np.ndarray, edges: Sequence[Edge]) -> tuple[np.ndarray, np.ndarray]:
    """The second nodes' frames [E,4,4] in the first nodes' worlds: as measured, and as the nodes have them."""
    with_world = np.concatenate((nodes, np.eye(4)[None]))
    first = with_world[[edge.first for edge in edges]]
    second = with_world[[edge.second for edge in edges]]
    frame = np.stack([edge.frame for edge in edges])
    measured = np.stack([edge.matrix for edge in edges]) @ frame
    return measured, np.linalg.inv(first) @ second @ frame


def _cost(nodes: np.ndarray, edges: Sequence[Edge], roots: np.ndarray, robust: np.ndarray) -> float:
    squared = np.square(np.einsum("eij,ej->ei", roots, edge_errors(nodes, edges))).sum(1)
    return float(np.where(robust, LOSS_WIDTH**2 * np.log1p(squared / LOSS_WIDTH**2), squared).sum() / 2)


def _linearised(
    nodes: np.ndarray, edges: Sequence[Edge], roots: np.ndarray, robust: np.ndarray, column: np.ndarray, free: int
) -> tuple[csc_matrix, np.ndarray]:
    """Normal matrix [7F,7F] and gradient [7F] of the reweighted squares, by steps of the F free nodes."""
    error = np.einsum("eij,ej->ei", roots, edge_errors(nodes, edges))
    weight = np.where(robust, 1 / (1 + np.square(error).sum(1) / LOSS_WIDTH**2), 1.0)
    root_weight = np.sqrt(weight)[:, None]
    error = error * root_weight
    rows = 7 * np.arange(len(edges))[:, None, None] + np.arange(7)[:, None]
    parts = []
    for jacobian, ends in zip(_jacobians(nodes, edges), ("first", "second"), strict=True):
        at = column[[getattr(edge, ends) for edge in edges]]
        moves = at >= 0
        block = (root_weight[..., None] * (roots @ jacobian))[moves]
        columns = 7 * at[moves, None, None] + np.arange(7)
        parts.append([np.broadcast_to(each, block.shape).ravel() for each in (block, rows[moves], columns)])
    value, row, col = (np.concatenate(each) for each in zip(*parts, strict=True))
    whole = coo_matrix((value, (row, col)), shape=(7 * len(edges), 7 * free)).tocsc()
    return csc_matrix(whole.T @ whole), np.asarray(whole.T @ error.ravel())


def _jacobians(nodes: np.ndarray, edges: Sequence[Edge]) -> tuple[np.ndarray, np.ndarray]:
    """[E,7,7] each: how an edge's error changes with a step of its first and of its second node.

    With G = measured^-1, H = first^-1 second and F the frame, the error is the tangent of G H F. A step X of the second
    node makes it G H X F, one of the first G X^-1 H F: both are A X^+-1 B, of which A's linear part and the place where
    B brings the origin to tell how the shift changes, and rotations add up by the Jacobian of the rotation vector.
    """
    measured, seen = _frames(nodes, edges)
    frame = np.stack([edge.frame for edge in edges])
    inverse = np.linalg.inv(measured)
    error = tangent(inverse @ seen)
    turned = _inverse_left_jacobian(error[:, 3:6])
    first = _jacobian(inverse, seen[:, :3, 3], turned)
    second = _jacobian(inverse @ seen @ np.linalg.inv(frame), frame[:, :3, 3], turned)
    return -first, second


def _jacobian(left: np.ndarray, place: np.ndarray, turned: np.ndarray) -> np.ndarray:
    """Of the tangent of left @ step @ right, by the step at 0; `place` [E,3]: where `right` brings the origin to."""
    linear = left[:, :3, :3]
    result = np.zeros((len(left), 7, 7))
    result[:, :3, :3] = linear
    result[:, :3, 3:6] = -linear @ _cross(place)
    result[:, :3, 6] = np.einsum("eij,ej->ei", linear, place)
    result[:, 3:6, 3:6] = turned @ (linear / scales(left)[:, None, None])
    result[:, 6, 6] = 1
    return result


def _inverse_left_jacobian(vector: np.ndarray) -> np.ndarray:
    """[E,3,3]: how a rotation vector [E,3] changes with a small turn after it."""
    angle = np.linalg.norm(vector, axis=1)
    small = angle < 1e-4
    safe = np.where(small, 1.0, angle)
    factor = np.where(small, 1 / 12 + angle**2 / 720, 1 / safe**2 - 1 / (2 * safe * np.tan(safe / 2)))
    cross = _cross(vector)
    return np.eye(3) - cross / 2 + factor[:, None, None] * (cross @ cross)


def _cross(vector: np.ndarray) -> np.ndarray:
    """[E,3,3] with cross @ v = vector x v."""
    x, y, z = vector.T
    zero = np.zeros_like(x)
    return np.stack((zero, -z, y, z, zero, -x, -y, x, zero), axis=1).reshape(-1, 3, 3)
