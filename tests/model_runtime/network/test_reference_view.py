"""The reference view is the same on every processor."""

import pytest
import torch

from model_runtime.network.reference_view import choose_reference_view


@pytest.mark.parametrize("seed", range(20))
def test_the_two_views_most_alike_tie_and_rounding_does_not_decide(seed: int) -> None:
    noise = torch.Generator().manual_seed(seed)
    tokens = torch.randn(1, 5, 64, generator=noise) + 3 * torch.randn(64, generator=noise)
    tokens[:, 3] = tokens[:, 1] + 0.1 * torch.randn(64, generator=noise)
    rounded = tokens * (1 + 1e-6 * torch.randn(tokens.shape, generator=noise))
    for seen in (tokens, rounded, 7 * tokens):
        assert choose_reference_view(seen, "saddle_sim_range").tolist() == [3]


def test_the_view_whose_likeness_varies_most() -> None:
    # Likenesses: view 1 has its own (taken out: 0), 0.6 to view 0 and -0.8 to view 2; no other spans that much.
    tokens = torch.tensor([[[1.0, 0.0], [0.6, 0.8], [0.0, -1.0]]])
    assert choose_reference_view(tokens, "saddle_sim_range").tolist() == [1]
