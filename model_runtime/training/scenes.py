"""Random places to photograph: a scene of any layout, drawn from one random generator."""

import numpy as np

from model_runtime.training.indoors import room
from model_runtime.training.outdoors import outdoors
from model_runtime.training.solids import Scene
from model_runtime.training.textures import TextureBank

OUTDOOR_SHARE = 0.22


def sample_scene(rng: np.random.Generator, bank: TextureBank, difficulty: float = 1.0) -> Scene:
    """A random room or outdoor place; `difficulty` 0..1 brings plainer surfaces."""
    layout = outdoors if rng.random() < OUTDOOR_SHARE else room
    return layout(rng, bank, difficulty)
