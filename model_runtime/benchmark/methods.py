"""What is compared: the project's predictions with cameras from different sources, and COLMAP beside them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from model_runtime.benchmark.datasets.scene import TruthScene, read_photos
from model_runtime.cameras.features.mapping import map_photos
from model_runtime.cameras.features.matching import Matches, match_photos
from model_runtime.cameras.features.memory import FeatureMemory
from model_runtime.cameras.features.refine import refine_cameras
from model_runtime.contract.messages import Cameras, Gaussians, Photo, Request
from model_runtime.contract.progress import SILENT
from model_runtime.photos.decode import decode_photo
from model_runtime.photos.feature_photo import feature_photo
from model_runtime.prediction.plan import ALL_ON, Switches
from model_runtime.prediction.predictor import Predictor

SINGLE = "single"
"""The method without a scene: its photos know nothing of each other."""

POINTS, ON_DEPTH, MERGED, IMPROVED = SPLATS = ("points", "on_depth", "merged", "improved")
"""The methods that differ from `refined_depth` in their splats alone."""

REFINED_DEPTH = "refined_depth"
"""The method that is what one gets; all others leave depth as it is before photos are compared."""

LEGEND = {
    REFINED_DEPTH: "`auto` with the depth that the photos agree on, and no point twice: what one gets",
    "auto": "cameras from where the worker chooses (`auto`), depth brought to the points that features place",
    "unaligned": "the cameras of `auto`, but each view's depth as the network has it",
    POINTS: "`refined_depth`, but each point is a ball of one size, the median width of splats",
    ON_DEPTH: "`refined_depth`, but splats are laid on the depth: what checkpoints without a Gaussian head give",
    MERGED: "`refined_depth`, but splats are one layer of all photos, with guesses beyond their rims",
    IMPROVED: "`merged`, made to look like the photos: what *Improve Splats* gives",
    "network": "cameras and depth from the network alone",
    SINGLE: "the network on each photo alone",
    "rays": "cameras solved from the network's ray maps",
    "given": "true cameras given, depth scaled by the features they place",
    "colmap": "COLMAP alone: cameras and sparse points, no depth",
    "disturbed": "true cameras turned by 3 degrees each, focal length 5 % too long: where `refined` starts",
    "refined": "the cameras of `disturbed` after `refine`",
    "network_disturbed": "the network's own cameras disturbed in the same way: where `network_refined` starts",
    "network_refined": "the cameras of `network_disturbed` after `refine`",
}
"""What each method (`bench_command.METHODS`) is called in the page."""


@dataclass(frozen=True)
class RunOptions:
    """Options of every request of a run; see messages.Request."""

    checkpoint: str
    resolution: int | None = None
    device: str = "auto"
    precision: str = "auto"


@dataclass(eq=False)
class Cost:
    """seconds: wall clock. gibibytes: peak memory, of the GPU where one was used, else of this process; None where the
    system does not tell.
    """

    seconds: float = 0.0
    gibibytes: float | None = None


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a method made of a scene's photos.

    extrinsics: [N,4,4], NaN for photos it did not place. intrinsics: [N,3,3], pixels of the photos.
    depths: [h,w] along z for each photo, or None. source: where the cameras came from.
    """

    extrinsics: np.ndarray
    intrinsics: np.ndarray
    depths: list[np.ndarray] | None
    gaussians: Gaussians | None
    source: str
    cost: Cost = field(default_factory=Cost)


TURN, STRETCH = 3.0, 1.05
"""How cameras are disturbed: degrees about a random axis each, and the factor of all focal lengths."""


def disturbed(cameras: Outcome) -> Outcome:
    """These cameras turned on their spot and with a wrong focal length; the same every time."""
    count = len(cameras.extrinsics)
    axes = np.random.default_rng(count).normal(size=(count, 3))
    turns = np.radians(TURN) * axes / np.linalg.norm(axes, axis=1, keepdims=True)
    extrinsics, intrinsics = cameras.extrinsics.copy(), cameras.intrinsics.copy()
    extrinsics[:, :3] = Rotation.from_rotvec(turns).as_matrix() @ extrinsics[:, :3]
    intrinsics[:, (0, 1), (0, 1)] *= STRETCH
    return Outcome(extrinsics, intrinsics, None, None, "disturbed")


class Runner:
    """Runs methods on photos; keeps the network loaded between scenes."""

    def __init__(self, options: RunOptions) -> None:
        self.options = options
        self._predictor, self._features = Predictor(), FeatureMemory()
        self._auto: tuple[TruthScene, Outcome] | None = None

    def run(self, method: str, scene: TruthScene, gaussians: bool = False) -> Outcome:
        """What `method` makes of the scene's photos. Raises JobError where it cannot."""
        photos = read_photos(scene.views)
        if not gaussians:
            self._features = FeatureMemory()  # each method pays for the features it needs
        with measured(self.options.device) as cost:
            if method == "colmap":
                outcome = _colmap(self._matches(photos))
            elif method in ("disturbed", "refined", "network_disturbed", "network_refined"):
                outcome = disturbed(self._before(method, scene, photos))
                if method.endswith("refined"):
                    outcome = _refined(outcome, self._matches(photos))
            elif method == SINGLE:
                outcome = _together([self._predict("network", (photo,), None, False) for photo in photos])
            elif method in SPLATS:
                outcome = self._other_splats(method, photos)
            elif method == REFINED_DEPTH:
                outcome = self._predict("auto", photos, None, gaussians, refine_depth="auto")
            elif method == "unaligned":
                cameras = self._auto_cameras(scene)
                outcome = self._predict("given", photos, cameras, gaussians, Switches(fit_depths=False))
            else:
                true = Cameras(scene.extrinsics, scene.intrinsics) if method == "given" else None
                outcome = self._predict(method, photos, true, gaussians)
        if method == "auto" and not gaussians:
            self._auto = scene, outcome
        outcome.cost.seconds, outcome.cost.gibibytes = cost.seconds, cost.gibibytes
        return outcome

    def _other_splats(self, method: str, photos: tuple[Photo, ...]) -> Outcome:
        """As what one gets, but for the splats."""
        switches = Switches(gaussian_head=False, optimise=method != MERGED)
        improve = method in (MERGED, IMPROVED)
        outcome = self._predict("auto", photos, None, True, switches, "auto", improve)
        if method != POINTS or outcome.gaussians is None:
            return outcome
        scales = outcome.gaussians.scales
        balls = np.full_like(scales, np.median(scales[:, 1]))
        return replace(outcome, gaussians=replace(outcome.gaussians, scales=balls))

    def _before(self, method: str, scene: TruthScene, photos: tuple[Photo, ...]) -> Outcome:
        """The cameras that are disturbed."""
        if method.startswith("network"):
            return self._predict("network", photos, None, False)
        return Outcome(scene.extrinsics, scene.intrinsics, None, None, "given")

    def _auto_cameras(self, scene: TruthScene) -> Cameras:
        """Those of the last run, where it was of this scene."""
        if self._auto is None or self._auto[0] is not scene:
            self.run("auto", scene)
        assert self._auto is not None
        return Cameras(self._auto[1].extrinsics, self._auto[1].intrinsics)

    def _matches(self, photos: tuple[Photo, ...]) -> Matches:
        decoded = [decode_photo(photo) for photo in photos]
        features = [feature_photo(photo.name, pixels, photo.focal_35mm) for photo, pixels in decoded]
        return match_photos(features, SILENT, self._features)

    def _predict(
        self,
        source: str,
        photos: tuple[Photo, ...],
        cameras: Cameras | None,
        gaussians: bool,
        switches: Switches = ALL_ON,
        refine_depth: str = "off",
        improve_splats: bool = False,
    ) -> Outcome:
        options = self.options
        request = Request(
            photos=photos,
            checkpoint=options.checkpoint,
            resolution=options.resolution,
            cameras=cameras,
            camera_source=source,
            gaussians=gaussians,
            device=options.device,
            precision=options.precision,
            refine_depth=refine_depth,
            improve_splats=improve_splats,
        )
        prediction = self._predictor.predict(request, SILENT.report, switches, self._features)
        return Outcome(
            extrinsics=np.stack([view.extrinsics for view in prediction.views]),
            intrinsics=np.stack([view.intrinsics for view in prediction.views]),
            depths=[np.where(view.shown, view.depth, 0) for view in prediction.views],
            gaussians=None if prediction.gaussians is None else _shown(prediction.gaussians),
            source=prediction.camera_source,
        )


def _shown(gaussians: Gaussians) -> Gaussians:
    """The splats that show at first: those that are not repeated."""
    if gaussians.repeated is None:
        return gaussians
    kept = ~gaussians.repeated
    arrays = {name: value[kept] for name, value in vars(gaussians).items() if isinstance(value, np.ndarray)}
    return replace(gaussians, **arrays)


def _together(alone: list[Outcome]) -> Outcome:
    """Photos looked at one by one: their depth, and cameras that nothing relates to each other."""
    depths = [depth for outcome in alone if outcome.depths is not None for depth in outcome.depths]
    intrinsics = np.concatenate([outcome.intrinsics for outcome in alone])
    return Outcome(np.full((len(alone), 4, 4), np.nan), intrinsics, depths, None, "none")


def _colmap(matches: Matches) -> Outcome:
    cameras = map_photos(matches, SILENT)
    return Outcome(cameras.extrinsics, cameras.intrinsics, None, None, "features")


def _refined(start: Outcome, matches: Matches) -> Outcome:
    cameras = refine_cameras(start.extrinsics, start.intrinsics, matches, SILENT)
    source = "features" if cameras.mapped else "refined" if cameras.kept else "left as given"
    return Outcome(cameras.extrinsics, cameras.intrinsics, None, None, source)


@contextmanager
def measured(device: str) -> Iterator[Cost]:
    """Time and peak memory of what happens inside."""
    cost = Cost()
    cuda = torch.cuda.is_available() and device in ("auto", "cuda")
    if cuda:
        torch.cuda.reset_peak_memory_stats()
    read_peak = _process_peak()
    start = time.perf_counter()
    yield cost
    if cuda:
        torch.cuda.synchronize()
    cost.seconds = time.perf_counter() - start
    cost.gibibytes = torch.cuda.max_memory_allocated() / 2**30 if cuda else read_peak()


def _process_peak() -> Callable[[], float | None]:
    """Begins a new count of this process's peak memory; the result reads it, in GiB (Linux only)."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return lambda: None

    def read() -> float:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        kibibytes = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
        return kibibytes / 2**20

    return read
