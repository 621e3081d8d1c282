"""The bundled checkpoint is a real network: on scenes never trained on it beats the answers that look at nothing."""

import pytest
import torch

from model_runtime.checkpoints.loading import load_network
from model_runtime.checkpoints.locate import locate_checkpoint
from model_runtime.network.any_view import AnyViewNetwork
from model_runtime.training.studies.evaluate import Scores, Setting, evaluate


@pytest.fixture(scope="module", params=[1, 2])
def scores(request: pytest.FixtureRequest) -> dict[str, Scores]:
    network = load_network(locate_checkpoint("da3-tiny"), torch.device("cpu"))
    assert isinstance(network, AnyViewNetwork)
    return evaluate(network, Setting(request.param, (84, 112), 0.5), scenes=16)


def test_depth_beats_a_constant_and_the_mean_map(scores: dict[str, Scores]):
    network, constant, mean_map = scores.values()
    assert network.abs_rel < 0.8 * constant.abs_rel
    assert network.abs_rel < 0.9 * mean_map.abs_rel
    assert network.delta1 > max(constant.delta1, mean_map.delta1)
