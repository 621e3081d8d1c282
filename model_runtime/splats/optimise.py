"""A short optimisation: splats are moved, turned, shaped and coloured until they look like the photos.

Photometric, as in 3D Gaussian Splatting (Kerbl et al. 2023): L1 and a little structural dissimilarity, photo by photo,
by Adam. From few photos splats soon fit those and nothing else: so steps are few, a photo's depth moves in broad parts
before single splats do (a pyramid of maps), and what is not covered shows a random colour, so that nothing turns
transparent to look right. On a processor, whatever the network runs on; the same every time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, normalize

from model_runtime.contract.messages import Gaussians, View
from model_runtime.contract.progress import Span
from model_runtime.depth.scratch import Lazy
from model_runtime.photos.canvas import resize
from model_runtime.splats.blending import Pairs, blend, find_pairs
from model_runtime.splats.depth_maps import DepthMaps
from model_runtime.splats.renderer import Splats, in_sight, project, tensors

ROUNDS = ((240, 12), (480, 5))
"""Longest side in pixels at which all photos are compared, and how often. More often, the splats show these photos
better and others no better."""
FRESH = 6
"""Rounds for which the pairs of splats and pixels are kept; splats move less than a pixel meanwhile."""
MOST_KEPT = 40_000_000
"""Pairs that are kept at once, of all photos: about 0.7 GB."""

RATES = {"depth": 0.001, "maps": 0.001, "aside": 0.05, "scale": 0.02, "turn": 0.01, "opacity": 0.03, "color": 0.01}
"""Adam's: of log depth, of pixels aside, of logarithms of scales, of quaternions, of logits of opacity, of SH."""
SLOWEST = 0.1
"""Share of the rates that is left at the end."""
BANDS = 0.2
"""Share of the rate of colours for how they change with the direction."""
COEFFICIENTS = 4
"""Of SH, to degree 1."""
DISSIMILAR = 0.2
"""Share of structural dissimilarity in the loss."""
WINDOW = 7
"""Pixels of the box in which structures are compared."""
BRIGHTNESS = 1e-4, 9e-4
"""What steadies structures where there is none, as in SSIM (Wang et al. 2004)."""


@dataclass(frozen=True, eq=False)
class _Target:
    """A photo and its camera at one size. photo: [3,h,w] in 0..1, 0 where it is not shown; shown: [1,h,w], 0 or 1."""

    photo: Tensor
    shown: Tensor
    extrinsics: Tensor
    intrinsics: Tensor

    @property
    def size(self) -> tuple[int, int]:
        return self.photo.shape[1], self.photo.shape[2]


def optimised_splats(
    gaussians: Gaussians, views: Sequence[View], photos: Sequence[np.ndarray], progress: Span
) -> Gaussians:
    """The splats, changed until they look more like the photos; as they were where that does not come about.

    photos: [H,W,3] uint8 sRGB, each whole. Raises what `progress` raises to stop the job.
    """
    fit = _Fit(gaussians, views)
    stages = [(_targets(views, photos, side), rounds) for side, rounds in ROUNDS]
    judged = stages[0][0]
    before = fit.loss_of_all(judged)
    steps, done = sum(len(targets) * rounds for targets, rounds in stages), 0
    draw = np.random.default_rng(0)
    for targets, rounds in stages:
        fit.kept.clear()
        for number in range(rounds):
            if number % FRESH == 0:
                fit.kept.clear()
            for i in draw.permutation(len(targets)):
                progress(done / steps, f"Making splats look like {views[i].name}.")
                fit.step(int(i), targets[i], SLOWEST ** (done / steps))
                done += 1
    fit.kept.clear()
    return fit.gaussians() if fit.loss_of_all(judged) < before else gaussians


def _targets(views: Sequence[View], photos: Sequence[np.ndarray], side: int) -> Sequence[_Target]:
    return Lazy(len(views), lambda i: _target(views[i], photos[i], side))


def _target(view: View, photo: np.ndarray, side: int) -> _Target:
    factor = min(1.0, side / max(view.photo_size))
    width, height = (max(1, round(length * factor)) for length in view.photo_size)
    shown = resize((view.shown * np.uint8(255))[..., None].repeat(3, 2), width, height)[..., 0] == 255
    pixels = torch.from_numpy(resize(photo, width, height)).permute(2, 0, 1) / 255
    scale = np.diag((width / view.photo_size[0], height / view.photo_size[1], 1.0))
    mask = torch.from_numpy(shown)[None].float()
    extrinsics, intrinsics = (torch.from_numpy(a).float() for a in (view.extrinsics, scale @ view.intrinsics))
    return _Target((pixels * mask).contiguous(), mask, extrinsics, intrinsics)


class _Fit:
    """The splats as what is changed of them. kept: the splats that a photo sees and the pairs of both, by its place."""

    def __init__(self, gaussians: Gaussians, views: Sequence[View]) -> None:
        self._start = gaussians
        self.kept: dict[int, tuple[Tensor, Pairs]] = {}
        self._noise = torch.Generator().manual_seed(0)
        splats, view = tensors(gaussians), torch.from_numpy(gaussians.view_index.astype(np.int64))
        extrinsics = torch.from_numpy(np.stack([each.extrinsics for each in views])).float()
        self._centres = -(extrinsics[:, :3, :3].mT @ extrinsics[:, :3, 3:])[view, :, 0]
        self._rays = splats.means - self._centres
        focal = [ROUNDS[0][0] * each.intrinsics[0, 0] / max(each.photo_size) for each in views]
        self._pixel = self._rays.norm(dim=1, keepdim=True) / torch.tensor(focal).float()[view, None]
        self._maps = DepthMaps(splats.means, view, views)
        self._values = _values(splats)
        rates = RATES | {"bands": BANDS * RATES["color"]}
        groups = [{"params": [value], "rate": rates[name]} for name, value in self._values.items()]
        groups.append({"params": self._maps.maps, "rate": rates["maps"]})
        for group in groups:
            for value in group["params"]:
                value.requires_grad_()
        self._adam = torch.optim.Adam(groups, betas=(0.9, 0.99), eps=1e-15)

    def splats(self) -> Splats:
        values = self._values
        farther = (values["depth"] + self._maps()[:, None]).exp()
        return Splats(
            self._centres + self._rays * farther + self._pixel * values["aside"],
            values["scale"].exp(),
            values["turn"],
            torch.cat([values["color"], values["bands"]], 2),
            values["opacity"].sigmoid(),
        )

    def gaussians(self) -> Gaussians:
        with torch.no_grad():
            splats = Splats(*(values.detach() for values in vars(self.splats()).values()))
        return replace(
            self._start,
            means=splats.means.numpy(),
            scales=splats.scales.numpy(),
            rotations=normalize(splats.rotations).numpy(),
            harmonics=splats.harmonics.numpy(),
            opacities=splats.opacities.numpy(),
        )

    def step(self, place: int, target: _Target, share: float) -> None:
        """One of Adam's, for the photo at this place, at this share of the rates."""
        for group in self._adam.param_groups:
            group["lr"] = share * group["rate"]
        loss = _loss(self._picture(place, target, torch.rand(3, 1, 1, generator=self._noise)), target)
        self._adam.zero_grad()
        loss.backward()
        self._adam.step()

    def loss_of_all(self, targets: Sequence[_Target]) -> float:
        """The mean over photos, over grey; NaN where anything is not finite."""
        with torch.no_grad():
            grey = torch.full((3, 1, 1), 0.5)
            losses = [_loss(self._picture(i, target, grey), target) for i, target in enumerate(targets)]
        return float(torch.stack(losses).mean())

    def _picture(self, place: int, target: _Target, behind: Tensor) -> Tensor:
        """[3,h,w] over a colour."""
        splats, camera = self.splats(), (target.extrinsics, target.intrinsics, target.size)
        kept = self.kept.get(place)
        order = in_sight(splats, *camera) if kept is None else kept[0]
        projected = project(splats, order, *camera)
        pairs = find_pairs(projected, target.size) if kept is None else kept[1]
        if kept is None and sum(len(each.splat) for _, each in self.kept.values()) < MOST_KEPT:
            self.kept[place] = order, pairs
        values = torch.cat([projected.colour, torch.ones(len(order), 1)], 1)
        picture = blend(projected, values, pairs).T.unflatten(1, target.size)
        return picture[:3] + (1 - picture[3:]) * behind


def _values(splats: Splats) -> dict[str, Tensor]:
    """What Adam changes of each splat, at its start."""
    harmonics = torch.zeros(len(splats.means), 3, max(COEFFICIENTS, splats.harmonics.shape[2]))
    harmonics[..., : splats.harmonics.shape[2]] = splats.harmonics
    return {
        "depth": torch.zeros(len(harmonics), 1),
        "aside": torch.zeros(len(harmonics), 3),
        "scale": splats.scales.clamp_min(1e-12).log(),
        "turn": splats.rotations,
        "opacity": torch.logit(splats.opacities.clamp(0.02, 0.98)),
        "color": harmonics[..., :1].clone(),
        "bands": harmonics[..., 1:].clone(),
    }


def _loss(picture: Tensor, target: _Target) -> Tensor:
    """L1 and structural dissimilarity, where the photo shows something."""
    picture = picture * target.shown
    error = (picture - target.photo).abs().mean()
    return (1 - DISSIMILAR) * error + DISSIMILAR * _dissimilarity(picture[None], target.photo[None])


def _dissimilarity(one: Tensor, other: Tensor) -> Tensor:
    """Half of what structural similarity (Wang et al. 2004), over boxes, lacks of 1; pictures [1,3,h,w]."""

    def mean(values: Tensor) -> Tensor:
        return avg_pool2d(values, WINDOW, 1, WINDOW // 2, count_include_pad=False)

    first, second = mean(one), mean(other)
    squares = mean(one * one) + mean(other * other) - first * first - second * second
    products = mean(one * other) - first * second
    means = (2 * first * second + BRIGHTNESS[0]) / (first * first + second * second + BRIGHTNESS[0])
    return (1 - means * (2 * products + BRIGHTNESS[1]) / (squares + BRIGHTNESS[1])).mean() / 2
