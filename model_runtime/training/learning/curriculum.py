"""What a step of training sees: from easy pairs of small pictures to several larger ones of any shape.

Everything follows from the step number and the seed, so a resumed run sees exactly what it would have seen.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch

from model_runtime.geometry.overlap import view_overlap
from model_runtime.training.rendering.photography import develop
from model_runtime.training.rendering.views import ViewBatch, ViewGenerator

SMALL = (84, 84)
MIXED_SIZES = ((84, 84), (84, 112), (112, 84), (112, 112), (98, 126), (126, 98), (126, 168), (168, 126), (168, 168))
"""Heights and widths of the later part of training."""
FEW_VIEWS, MANY_VIEWS = 4, 8
"""Views rendered of a scene; many only in some groups of steps, for they leave fewer different scenes."""
ORDERS_TRIED = 6
"""Random choices of views among which one with enough overlap is looked for."""


@dataclass(frozen=True)
class Stage:
    """views: per scene, out of pool_views that are rendered; images: per step; overlap: share of the reference's points
    that every other view should show; matching: weight of the helper that teaches attention where to look."""

    size: tuple[int, int]
    views: int
    pool_views: int
    images: int
    difficulty: float
    overlap: float
    matching: float

    @property
    def scenes(self) -> int:
        return max(1, self.images // self.views)


@dataclass(frozen=True)
class Curriculum:
    """steps: of the whole run; images: per step at 84 x 84, fewer for larger ones so that tokens stay about constant;
    grow_at: share of the course after which sizes are mixed; reuse: how often a rendered photo is used; begin: share of
    the course that is left out, for weights that have been through it."""

    steps: int
    images: int = 64
    grow_at: float = 0.5
    reuse: int = 2
    seed: int = 0
    begin: float = 0.0

    def group_length(self) -> int:
        """Steps that share one pool of rendered scenes."""
        return max(1, 8 * self.reuse)

    def stage(self, step: int) -> Stage:
        group = step // self.group_length()
        progress = self.begin + (1 - self.begin) * group * self.group_length() / self.steps
        of_group = np.random.default_rng([self.seed, 1, group])
        of_step = np.random.default_rng([self.seed, 2, step])
        size = SMALL
        if progress >= self.grow_at:
            size = MIXED_SIZES[int(of_group.integers(len(MIXED_SIZES)))]
        pool_views = MANY_VIEWS if progress >= 0.5 and of_group.random() < 0.4 else FEW_VIEWS
        views = 2
        if pool_views == MANY_VIEWS:
            views = int(of_step.integers(2, MANY_VIEWS + 1))
        elif progress >= 0.25:
            views = int(of_step.choice([1, 2, 3, 4], p=[0.15, 0.35, 0.2, 0.3]))
        area = size[0] * size[1] / (SMALL[0] * SMALL[1])
        return Stage(
            size=size,
            views=views,
            pool_views=pool_views,
            images=max(2, round(self.images / area)),
            difficulty=min(1.0, 0.1 + progress / 0.5),
            overlap=float(np.clip(0.7 - 0.6 * progress, 0.3, 0.7)),
            matching=float(np.clip((0.9 - progress) / 0.5, 0.2, 1)),
        )


@dataclass(frozen=True)
class OneSize(Curriculum):
    """The same size and number of views from the first step to the last."""

    size: tuple[int, int] = (28, 42)
    views: int = 2

    def stage(self, step: int) -> Stage:
        return replace(super().stage(step), size=self.size, views=self.views, images=self.images)


def choose_views(overlap: np.ndarray, views: int, least: float, rng: np.random.Generator) -> np.ndarray:
    """Numbers [B,views] of the views to take out of those with this overlap [B,N,N]; the first is the reference.

    A random choice in which the reference overlaps every other view by `least`; the best found where none does.
    """
    scenes, available = overlap.shape[:2]
    orders = np.argsort(rng.random((ORDERS_TRIED, scenes, available)), axis=2)[..., :views]
    scene = np.arange(scenes)[:, None]
    shared = np.stack([overlap[scene, order[:, :1], order].min(1) for order in orders])
    # Among the good ones the first is taken, not the best: easy pairs are not to be all there is.
    best = np.where((shared >= least).any(0), (shared >= least).argmax(0), shared.argmax(0))
    return orders[best, np.arange(scenes)]


class ViewPool:
    """Batches for one of `ranks` processes; rendered scenes are kept for a group of steps and used a few times, every
    time with other views, another order and another development of the photos."""

    def __init__(self, curriculum: Curriculum, generator: ViewGenerator, rank: int = 0, ranks: int = 1) -> None:
        self.curriculum, self.generator = curriculum, generator
        self.rank, self.ranks = rank, ranks
        self._group = -1
        self._pool: tuple[ViewBatch, np.ndarray] | None = None

    def _rendered(self, step: int) -> tuple[ViewBatch, np.ndarray]:
        """The group's scenes and the overlap [B,N,N] of their views."""
        length = self.curriculum.group_length()
        group = step // length
        if self._pool is None or group != self._group:
            stage = self.curriculum.stage(step)
            share = stage.images / self.ranks
            scenes = max(1, round(share * length / stage.pool_views / self.curriculum.reuse))
            first = (group * self.ranks + self.rank) * 100_000
            rendered = self.generator.render(first, scenes, stage.pool_views, stage.size, stage.difficulty)
            overlap = view_overlap(rendered.depth, rendered.intrinsics, rendered.extrinsics)
            self._pool = (rendered, overlap.cpu().numpy())
            self._group = group
        return self._pool

    def batch(self, step: int) -> ViewBatch:
        """This process's share of the step's scenes; view 0 is the reference."""
        stage = self.curriculum.stage(step)
        pool, overlap = self._rendered(step)
        rng = np.random.default_rng([self.curriculum.seed, 3, step, self.rank])
        available = len(pool.depth)
        count = max(1, stage.scenes // self.ranks)
        scenes = np.concatenate([rng.permutation(available) for _ in range(-(-count // available))])[:count]
        views = choose_views(overlap[scenes], stage.views, stage.overlap, rng)
        device = pool.images.device
        pick = (torch.from_numpy(scenes).to(device)[:, None], torch.from_numpy(views).to(device))
        chosen = ViewBatch(pool.images[pick], pool.depth[pick], pool.extrinsics[pick], pool.intrinsics[pick])
        noise = torch.Generator(device).manual_seed(int(rng.integers(2**31)))
        return replace(chosen, images=develop(chosen.images, noise))
