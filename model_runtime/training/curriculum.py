"""What a step of training sees: from easy pairs of small pictures to several larger ones of any shape.

Everything follows from the step number and the seed, so a resumed run sees exactly what it would have seen.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch

from model_runtime.training.rooms import RoomBatch, RoomGenerator, develop

SMALL = (84, 84)
MIXED_SIZES = ((84, 84), (84, 112), (112, 84), (112, 112), (98, 126), (126, 98), (126, 168), (168, 126), (168, 168))
"""Heights and widths of the later part of training."""
POOL_VIEWS = 4


@dataclass(frozen=True)
class Stage:
    """views: per scene; images: per step; posed: whether the cameras are given to the network."""

    size: tuple[int, int]
    views: int
    images: int
    difficulty: float
    matching: float
    posed: bool

    @property
    def scenes(self) -> int:
        return max(1, self.images // self.views)


@dataclass(frozen=True)
class Curriculum:
    """steps: of the whole run; images: per step at 84 x 84, fewer for larger ones so that tokens stay about constant;
    grow_at: share of the run after which sizes are mixed; reuse: how often a rendered photo is used."""

    steps: int
    images: int = 64
    grow_at: float = 0.5
    reuse: int = 2
    seed: int = 0

    def group_length(self) -> int:
        """Steps that share one pool of rendered rooms."""
        return max(1, 8 * self.reuse)

    def stage(self, step: int) -> Stage:
        group = step // self.group_length()
        progress = group * self.group_length() / self.steps
        of_group = np.random.default_rng([self.seed, 1, group])
        of_step = np.random.default_rng([self.seed, 2, step])
        size = SMALL
        if progress >= self.grow_at:
            size = MIXED_SIZES[int(of_group.integers(len(MIXED_SIZES)))]
        views = 2
        if progress >= 0.25:
            views = int(of_step.choice([1, 2, 3, 4], p=[0.1, 0.5, 0.15, 0.25]))
        area = size[0] * size[1] / (SMALL[0] * SMALL[1])
        return Stage(
            size=size,
            views=views,
            images=max(2, round(self.images / area)),
            difficulty=min(1.0, 0.1 + progress / 0.5),
            matching=float(np.clip((0.9 - progress) / 0.5, 0.2, 1)),
            posed=bool(progress >= 0.4 and views > 1 and of_step.random() < 0.15),
        )


class RoomPool:
    """Batches for one of `ranks` processes; rendered rooms are kept for a group of steps and used a few times, every
    time with other views, another order and another development of the photos."""

    def __init__(self, curriculum: Curriculum, generator: RoomGenerator, rank: int = 0, ranks: int = 1) -> None:
        self.curriculum, self.generator = curriculum, generator
        self.rank, self.ranks = rank, ranks
        self._group = -1
        self._pool: RoomBatch | None = None

    def _rendered(self, step: int) -> RoomBatch:
        length = self.curriculum.group_length()
        group = step // length
        if self._pool is None or group != self._group:
            stage = self.curriculum.stage(step)
            share = stage.images / self.ranks
            scenes = max(1, round(share * length / POOL_VIEWS / self.curriculum.reuse))
            first = (group * self.ranks + self.rank) * 100_000
            self._pool = self.generator.render(first, scenes, POOL_VIEWS, stage.size, stage.difficulty)
            self._group = group
        return self._pool

    def batch(self, step: int) -> RoomBatch:
        """This process's share of the step's rooms; view 0 is the reference."""
        stage = self.curriculum.stage(step)
        pool = self._rendered(step)
        rng = np.random.default_rng([self.curriculum.seed, 3, step, self.rank])
        available = len(pool.depth)
        count = max(1, stage.scenes // self.ranks)
        scenes = np.concatenate([rng.permutation(available) for _ in range(-(-count // available))])[:count]
        views = np.argsort(rng.random((count, POOL_VIEWS)), axis=1)[:, : stage.views]
        pick = (torch.from_numpy(scenes)[:, None], torch.from_numpy(views))
        chosen = RoomBatch(pool.images[pick], pool.depth[pick], pool.extrinsics[pick], pool.intrinsics[pick])
        noise = torch.Generator().manual_seed(int(rng.integers(2**31)))
        return replace(chosen, images=develop(chosen.images, noise))
