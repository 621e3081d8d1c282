"""Random scenes to photograph: a furnished room or an outdoor scene, drawn from one random generator."""

import numpy as np

from model_runtime.training.world.indoors import room
from model_runtime.training.world.outdoors import outdoors
from model_runtime.training.world.solids import Scene
from model_runtime.training.world.textures import TextureBank

OUTDOOR_SHARE = 0.22


def sample_scene(rng: np.random.Generator, bank: TextureBank, difficulty: float = 1.0) -> Scene:
    """A random room or outdoor scene; `difficulty` 0..1 brings plainer surfaces."""
    make = outdoors if rng.random() < OUTDOOR_SHARE else room
    return make(rng, bank, difficulty)
