"""What the methods ask the worker for, and which of its splats they measure; the pages' new columns."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from model_runtime.benchmark.datasets.scene import TruthScene, TruthView
from model_runtime.benchmark.methods import SPLATS, Outcome, Runner, RunOptions
from model_runtime.benchmark.reconstruction import Protocol
from model_runtime.benchmark.report import FRONT, MEASURES, pages
from model_runtime.benchmark.results import Entry, Results
from model_runtime.commands.bench import DEFAULT_METHODS, METHODS
from model_runtime.contract.messages import Gaussians, Request
from model_runtime.prediction.plan import Switches
from model_runtime.splats.make import ARRAYS

REPEATED = np.arange(12) % 3 == 0


def gaussians(repeated: np.ndarray | None) -> Gaussians:
    fields = {name: np.arange(12.0) for name in ARRAYS}
    fields["means"] = np.arange(36.0).reshape(12, 3)
    fields["scales"] = fields["means"] / 2
    return Gaussians(**fields, source="surface", repeated=repeated)


@pytest.fixture
def scene(tmp_path: Path) -> TruthScene:
    views = []
    for i in range(2):
        path = tmp_path / f"{i}.png"
        Image.fromarray(np.zeros((6, 8, 3), np.uint8)).save(path)
        views.append(TruthView(path, np.eye(4), np.diag((9.0, 9, 1)), lambda: np.ones((6, 8))))
    return TruthScene("made up", "dark", tuple(views), Protocol(0.1, 0.3, 0.1, 100), None)


class Stub:
    """In place of the worker: keeps what it is asked for."""

    def __init__(self, repeated: np.ndarray | None) -> None:
        self.asked: list[tuple[Request, Switches]] = []
        self._repeated = repeated

    def predict(self, request, report, switches, features):
        self.asked.append((request, switches))
        shown = np.ones((6, 8), bool)
        view = SimpleNamespace(extrinsics=np.eye(4), intrinsics=np.eye(3), depth=1.0 * shown, shown=shown)
        splats = gaussians(self._repeated) if request.gaussians else None
        return SimpleNamespace(views=[view] * len(request.photos), gaussians=splats, camera_source="features")


def run(method: str, scene: TruthScene, repeated: np.ndarray | None) -> tuple[Stub, Outcome]:
    runner, stub = Runner(RunOptions("da3-tiny", device="cpu")), Stub(repeated)
    runner._predictor = stub
    return stub, runner.run(method, scene, gaussians=True)


@pytest.mark.parametrize("method", ["refined_depth", *SPLATS, "auto", "unaligned", "network", "single", "given"])
def test_depth_is_refined_by_the_method_of_that_name_and_by_on_depth_alone(method: str, scene: TruthScene) -> None:
    stub, _ = run(method, scene, None)
    wishes = {request.refine_depth for request, _ in stub.asked}
    assert wishes == {"auto" if method in ("refined_depth", *SPLATS) else "off"}


def test_refined_depth_is_what_one_gets(scene: TruthScene) -> None:
    """The same request as an artist's who changes nothing."""
    assert METHODS[0] == "refined_depth" and "refined_depth" in DEFAULT_METHODS
    ((request, switches),) = run("refined_depth", scene, None)[0].asked
    untouched = Request(request.photos)
    assert (request.refine_depth, request.camera_source) == (untouched.refine_depth, untouched.camera_source)
    assert request.cameras is None and switches == Switches()
    ((_, switches),) = run("on_depth", scene, None)[0].asked
    assert switches == Switches(gaussian_head=False)


def test_merged_and_improved_splats_are_asked_for_and_points_are_balls_of_one_size(scene: TruthScene) -> None:
    asked = {method: run(method, scene, None)[0].asked[0] for method in SPLATS}
    assert {method: request.improve_splats for method, (request, _) in asked.items()} == {
        "points": False,
        "on_depth": False,
        "merged": True,
        "improved": True,
    }
    assert not asked["merged"][1].optimise and asked["improved"][1].optimise
    _, outcome = run("points", scene, None)
    assert outcome.gaussians is not None
    assert (outcome.gaussians.scales == 8.75).all()  # the median of 0.5, 2, ... 17


def test_splats_that_are_repeated_are_not_measured(scene: TruthScene) -> None:
    _, outcome = run("refined_depth", scene, REPEATED)
    splats, every = outcome.gaussians, gaussians(None)
    assert splats is not None
    for name in ARRAYS:
        assert (getattr(splats, name) == getattr(every, name)[~REPEATED]).all()
    assert splats.repeated is not None and not splats.repeated.any() and splats.source == "surface"
    _, untold = run("auto", scene, None)
    assert untold.gaussians is not None and len(untold.gaussians.means) == 12


def test_the_pages_tell_shares_within_and_splats() -> None:
    scores = {"within2_scene": 41.24, "within5_scene": 77.77, "psnr": 21.0, "thousand_splats": 318.4}
    fewer = {"within2_scene": 30.0, "within5_scene": 80.0, "psnr": 20.0, "thousand_splats": 150.2}
    entries = [Entry("a", "plain", "auto", "features", fewer, []), Entry("a", "plain", "refined_depth", "", scores, [])]
    told = pages(Results({"checkpoint": "mine"}, entries), [])
    for column in ("within 2 %, scene scale % ↑", "within 5 %, scene scale % ↑"):
        assert column in told[FRONT] and column in told[MEASURES]
    assert "thousand splats ↓" in told[MEASURES]
    measured = [line for line in told[MEASURES].splitlines() if "`refined_depth`" in line or "`auto`" in line]
    for best in ("**41.2**", "**80.0**", "**150**"):
        assert any(best in line for line in measured)
    assert any("| 318 |" in line for line in measured)
