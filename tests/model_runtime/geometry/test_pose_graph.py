import numpy as np
import pytest
import scipy.linalg
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from model_runtime.geometry.pose_graph import (
    LOSS_WIDTH,
    WORLD,
    Edge,
    edge_errors,
    optimise,
    scales,
    step,
    tangent,
)


def drawn(rng: np.random.Generator, count: int, size: float = 1.0) -> np.ndarray:
    return step(rng.normal(size=(count, 7)) * size)


def between(nodes: np.ndarray, first: int, second: int, error: np.ndarray | None = None, **more) -> Edge:
    """What relates two nodes, times a step that is its error."""
    matrix = np.linalg.inv(nodes[first]) @ nodes[second]
    return Edge(first, second, matrix if error is None else matrix @ step(error), **more)


def ring(nodes: np.ndarray, skip: int = 1) -> list[Edge]:
    return [between(nodes, i, (i + skip) % len(nodes)) for i in range(len(nodes))]


def information(rng: np.random.Generator) -> np.ndarray:
    root = np.eye(7) + 0.2 * rng.normal(size=(7, 7))
    return root.T @ np.diag([1, 4, 9, 25, 25, 16, 100.0]) @ root


def apart(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """[N] length of the steps from the truth to what was found, both brought to node 0."""
    return np.linalg.norm(
        tangent(np.linalg.inv(np.linalg.inv(truth[0]) @ truth) @ np.linalg.inv(found[0]) @ found), axis=1
    )


def test_steps_and_tangents_belong_together():
    vectors = np.random.default_rng(0).normal(size=(20, 7))
    matrices = step(vectors)
    assert np.abs(tangent(matrices) - vectors).max() < 1e-12
    assert np.abs(scales(matrices) - np.exp(vectors[:, 6])).max() < 1e-12
    turn = scipy.linalg.expm(np.cross(np.eye(3), vectors[0, 3:6]))
    assert np.abs(matrices[0, :3, :3] - np.exp(vectors[0, 6]) * turn).max() < 1e-12


def test_exact_edges_are_met_exactly_from_far_off():
    rng = np.random.default_rng(1)
    truth = drawn(rng, 12)
    edges = ring(truth) + ring(truth, 3)
    found = optimise(truth @ drawn(rng, 12, 0.2), edges, fixed=[0])
    assert apart(found.nodes, truth).max() < 1e-8
    assert found.cost < 1e-16


def test_the_fixed_and_the_world_hold():
    rng = np.random.default_rng(2)
    truth = drawn(rng, 5)
    start = truth @ drawn(rng, 5, 0.1)
    found = optimise(start, ring(truth), fixed=[2])
    assert np.array_equal(found.nodes[2], start[2])
    held = optimise(start, [*ring(truth), Edge(WORLD, 3, truth[3])])
    assert np.abs(held.nodes - truth).max() < 1e-8


@pytest.mark.parametrize("robust", [False, True])
def test_the_optimum_is_that_of_another_solver_with_another_parametrisation(robust: bool):
    """scipy's, with numerical derivatives, over rotation vectors, shifts and roots of the scales of the nodes."""
    rng = np.random.default_rng(3)
    truth = drawn(rng, 5, 0.6)
    pairs = [(0, 1), (1, 2), (2, 3), (3, 4), (4, 0), (0, 2), (1, 3)]
    edges = [
        between(
            truth,
            *pair,
            rng.normal(size=7) * (1.5 if i == 3 else 0.1),
            information=information(rng),
            frame=drawn(rng, 1)[0],
            robust=robust,
        )
        for i, pair in enumerate(pairs)
    ]
    start = truth @ drawn(rng, 5, 0.02)
    found = optimise(start, edges, fixed=[0])

    roots = [scipy.linalg.sqrtm(edge.information).real for edge in edges]

    def nodes_of(x: np.ndarray) -> np.ndarray:
        nodes = np.tile(np.eye(4), (5, 1, 1))
        nodes[0] = start[0]
        parts = x.reshape(4, 7)
        nodes[1:, :3, :3] = np.square(parts[:, 6])[:, None, None] * Rotation.from_rotvec(parts[:, :3]).as_matrix()
        nodes[1:, :3, 3] = parts[:, 3:6]
        return nodes

    def residuals(x: np.ndarray) -> np.ndarray:
        errors = [root @ error for root, error in zip(roots, edge_errors(nodes_of(x), edges), strict=True)]
        if robust:
            errors = [e * np.sqrt(LOSS_WIDTH**2 * np.log1p((e @ e) / LOSS_WIDTH**2) / (e @ e)) for e in errors]
        return np.concatenate(errors)

    x = np.concatenate(
        [
            np.r_[Rotation.from_matrix(n[:3, :3] / scales(n)).as_rotvec(), n[:3, 3], np.sqrt(scales(n))]
            for n in found.nodes[1:]
        ]
    )
    independent = least_squares(
        residuals, x + 0.003 * rng.normal(size=28), xtol=1e-14, ftol=1e-14, gtol=1e-14, max_nfev=300
    )
    assert found.cost == pytest.approx(independent.cost, rel=1e-6)
    assert found.cost <= independent.cost * (1 + 1e-9)
    assert np.abs(nodes_of(independent.x) - found.nodes).max() < (2e-4 if robust else 1e-6)


def test_noise_is_averaged_and_wrong_loops_are_overruled():
    rng = np.random.default_rng(4)
    count, sigma = 30, 0.01
    truth = chain_of(drawn(rng, count, 0.3))
    precise = np.eye(7) / sigma**2
    steps = [between(truth, i, i + 1, rng.normal(size=7) * sigma, information=precise) for i in range(count - 1)]
    steps += [between(truth, i, i + 2, rng.normal(size=7) * sigma, information=precise) for i in range(count - 2)]
    chained = chain_of(np.stack([np.eye(4), *(edge.matrix for edge in steps[: count - 1])]))
    pairs = [(i, i + 9) for i in range(0, 20, 2)]
    wrong = set(rng.choice(10, 3, replace=False).tolist())
    loops = [
        between(truth, *pair, rng.normal(size=7) * (1.0 if i in wrong else sigma), information=precise)
        for i, pair in enumerate(pairs)
    ]
    found = optimise(chained, steps + loops, fixed=[0])
    disbelieved = {i for i, error in enumerate(found.errors[len(steps) :]) if error > 3 * LOSS_WIDTH}
    assert disbelieved == wrong
    right_alone = optimise(chained, steps + [loop for i, loop in enumerate(loops) if i not in wrong], fixed=[0])
    assert apart(found.nodes, right_alone.nodes).max() < 5 * sigma
    assert apart(found.nodes, truth).mean() < 0.5 * apart(chained, truth).mean()


def chain_of(steps: np.ndarray) -> np.ndarray:
    nodes = [steps[0]]
    for each in steps[1:]:
        nodes.append(nodes[-1] @ each)
    return np.stack(nodes)


def test_what_an_edge_does_not_know_is_left_to_others():
    rng = np.random.default_rng(5)
    truth = drawn(rng, 3)
    no_scale = np.diag([1.0, 1, 1, 1, 1, 1, 0])
    blind = between(truth, 0, 1, np.r_[np.zeros(6), 0.7], information=no_scale)
    edges = [blind, between(truth, 1, 2), between(truth, 0, 2)]
    found = optimise(truth @ drawn(rng, 3, 0.05), edges, fixed=[0])
    assert apart(found.nodes, truth).max() < 1e-7
