"""Queries and keys turn by their places, and only the angle between two of them counts."""

from __future__ import annotations

import numpy as np
import torch

from model_runtime.network.rotary import across_view_rotation, rotate, within_view_rotation

HEIGHT, WIDTH, HEAD_DIM = 2, 3, 16
CPU = torch.device("cpu")


def turned(x: torch.Tensor, positions: np.ndarray) -> np.ndarray:
    """[tokens, 16] by positions [tokens, 2], as complex numbers: the first half by the row, the second by the column,
    in each half a number's real part in the first quarter, its imaginary part in the second."""
    frequencies = 100.0 ** (-np.arange(4) / 4)
    halves = x.double().numpy().reshape(len(x), 2, 2, 4)
    numbers = (halves[:, :, 0] + 1j * halves[:, :, 1]) * np.exp(1j * positions[:, :, None] * frequencies)
    return np.stack((numbers.real, numbers.imag), axis=2).reshape(x.shape)


def places() -> np.ndarray:
    rows, columns = np.mgrid[1 : HEIGHT + 1, 1 : WIDTH + 1].reshape(2, -1)
    return np.concatenate(([[0, 0]], np.stack((rows, columns), axis=1)))


def test_tokens_of_a_view_turn_by_row_and_column() -> None:
    x = torch.randn((1 + HEIGHT * WIDTH, HEAD_DIM), generator=torch.Generator().manual_seed(0))
    rotation = within_view_rotation(HEIGHT, WIDTH, HEAD_DIM, CPU)
    np.testing.assert_allclose(rotate(x, rotation).numpy(), turned(x, places()), atol=1e-5)


def test_across_views_class_tokens_lie_one_row_and_column_before_all_patches() -> None:
    tokens = 3 * (1 + HEIGHT * WIDTH)
    q, k = torch.randn((2, tokens, HEAD_DIM), generator=torch.Generator().manual_seed(0))
    positions = np.tile(np.minimum(places(), 1), (3, 1))
    expected = turned(q, positions) @ turned(k, positions).T
    rotation = across_view_rotation(HEIGHT, WIDTH, HEAD_DIM, CPU)
    kept = q.clone()
    np.testing.assert_allclose((rotate(q, rotation) @ rotate(k, rotation).mT).numpy(), expected, atol=1e-4)
    assert torch.equal(q, kept)
