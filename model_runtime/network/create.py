"""From a preset's name to its network."""

from __future__ import annotations

from model_runtime.network.any_view import AnyViewNetwork
from model_runtime.network.config import PRESETS, AnyViewConfig, MonocularConfig
from model_runtime.network.monocular import MonocularNetwork
from model_runtime.network.nested import NestedNetwork

Network = AnyViewNetwork | MonocularNetwork | NestedNetwork


def create_model(preset: str) -> Network:
    """The network of a preset in `config.PRESETS`, untrained, in evaluation mode.

    Its state-dict keys are those of a released checkpoint without the leading `model.`. Raises ValueError for an
    unknown preset.
    """
    if preset not in PRESETS:
        raise ValueError(f"There is no preset '{preset}'; choose one of {', '.join(PRESETS)}.")
    config = PRESETS[preset]
    if isinstance(config, AnyViewConfig):
        return AnyViewNetwork(config).eval()
    if isinstance(config, MonocularConfig):
        return MonocularNetwork(config).eval()
    return NestedNetwork(config).eval()
