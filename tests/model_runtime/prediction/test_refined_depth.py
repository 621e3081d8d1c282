"""Which photos are compared, and how what comes of it joins what was known of their depth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from model_runtime.cameras.settle import SettledCameras
from model_runtime.cameras.sources import FoundCameras
from model_runtime.contract.messages import Request
from model_runtime.contract.progress import SILENT
from model_runtime.depth.refinement.refine import DepthPhoto, RefinedDepth, one_thread
from model_runtime.geometry.similarity import Similarity
from model_runtime.network.output import Output
from model_runtime.photos.canvas import Placement
from model_runtime.photos.prepare import PreparedPhoto
from model_runtime.prediction import refined_depth
from model_runtime.prediction.job_folder import MemoryWorkplace
from model_runtime.prediction.predictor import Predictor
from model_runtime.prediction.refined_depth import with_refined_depth
from model_runtime.prediction.views import AGREED, OWN, make_views
from tests.model_runtime.depth.room import bent, cast, grey, look, picture

CPU = torch.device("cpu")
CANVAS = 70
PLACEMENTS = (
    Placement((320, 240), (70, 56), (CANVAS, CANVAS)),
    Placement((240, 320), (56, 70), (CANVAS, CANVAS)),
    Placement((320, 240), (70, 56), (CANVAS, CANVAS)),
)
CAMERAS = [look((x, 0.1, 0.0), (0, 0.3, 4), p.photo) for x, p in zip((-0.5, 0.0, 0.5), PLACEMENTS, strict=True)]
SHAPES = [(56, 70), (70, 56), (56, 70)]
TRUTHS = [cast(camera, shape)[0] for camera, shape in zip(CAMERAS, SHAPES, strict=True)]
SCALE = 2.0
"""What the network's depth is multiplied by."""


def prepared() -> list[PreparedPhoto]:
    return [
        PreparedPhoto(
            f"{i}.jpg", p, picture(camera, shape), b"", None, grey=grey(camera, (p.photo[1] // 4, p.photo[0] // 4))
        )
        for i, (p, camera, shape) in enumerate(zip(PLACEMENTS, CAMERAS, SHAPES, strict=True))
    ]


def network_output(factors: Sequence[np.ndarray]) -> Output:
    """Depth that is the truth times these factors, before it is scaled."""
    depth = np.full((1, 3, CANVAS, CANVAS), 9.0, np.float32)
    for canvas, placement, truth, factor in zip(depth[0], PLACEMENTS, TRUTHS, factors, strict=True):
        placement.crop(canvas)[...] = truth * factor / SCALE
    return Output(depth=torch.from_numpy(depth))


def settled(correction: tuple[np.ndarray | None, ...] | None = None) -> SettledCameras:
    same = Similarity(torch.tensor(1.0).double(), torch.eye(3).double(), torch.zeros(3).double())
    extrinsics, intrinsics = (np.stack([getattr(c, n) for c in CAMERAS]) for n in ("extrinsics", "intrinsics"))
    return SettledCameras(extrinsics, intrinsics, np.full(3, SCALE), same, correction)


def job_of(photos: list[PreparedPhoto], wish: str) -> Any:
    plan = SimpleNamespace(request=Request((), refine_depth=wish), compute=SimpleNamespace(device=CPU))
    return SimpleNamespace(photos=photos, plan=plan, work=MemoryWorkplace())


def found(*sources: str, **known: Any) -> FoundCameras:
    return FoundCameras(sources[0], None, sources, **known)


BENT = [bent(shape, i) for i, shape in enumerate(SHAPES)]


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[DepthPhoto]:
    """What is given to be refined, in place of which every depth is trebled."""
    seen: list[DepthPhoto] = []

    def treble(photos: Sequence[DepthPhoto], *_: object) -> list[RefinedDepth]:
        seen.extend(photos)
        full = [np.ones(photo.depth.shape, np.float32) for photo in photos]
        return [RefinedDepth(3 * one, 0.25 * one) for one in full]

    monkeypatch.setattr(refined_depth, "refine_depths", treble)
    return seen


SPARSE: Any = object()


@pytest.mark.parametrize(
    ("wish", "sources", "known", "expected"),
    [
        ("auto", ("given",) * 3, {}, "012"),
        ("auto", ("features",) * 3, {"sparse": SPARSE, "match_error": 0.5}, "012"),
        ("auto", ("refined",) * 3, {"sparse": SPARSE, "match_error": 0.5}, "012"),
        ("auto", ("network",) * 3, {}, ""),
        ("auto", ("rays",) * 3, {}, ""),
        ("auto", ("features", "network", "features"), {"sparse": SPARSE, "match_error": 0.5}, "02"),
        ("auto", ("given",) * 3, {"match_error": 40.0}, ""),
        ("auto", ("features",) * 3, {"match_error": 0.5}, ""),
        ("on", ("network",) * 3, {}, "012"),
        ("on", ("given",) * 3, {"match_error": 40.0}, "012"),
        ("off", ("given",) * 3, {}, ""),
        ("off", ("network",) * 3, {}, ""),
    ],
)
def test_photos_are_compared_where_their_cameras_can_be_trusted(
    compared: list[DepthPhoto], wish: str, sources: tuple[str, ...], known: dict[str, Any], expected: str
) -> None:
    cameras = settled()
    result = with_refined_depth(
        job_of(prepared(), wish), network_output(BENT), found(*sources, **known), cameras, SILENT
    )
    assert "".join(photo.name[0] for photo in compared) == expected
    if not expected:
        assert result is cameras
        return
    assert result.agreement is not None and result.depth_correction is not None
    for i, (agreement, correction) in enumerate(zip(result.agreement, result.depth_correction, strict=True)):
        assert agreement.shape == SHAPES[i]
        assert (agreement == (0.25 if str(i) in expected else 0)).all()
        assert correction is None if str(i) not in expected else (correction == 3).all()


def test_photos_without_a_picture_to_compare_are_left_out(compared: list[DepthPhoto]) -> None:
    photos = prepared()
    photos[1] = replace(photos[1], grey=None)
    with_refined_depth(job_of(photos, "auto"), network_output(BENT), found(*["given"] * 3), settled(), SILENT)
    assert [photo.name for photo in compared] == ["0.jpg", "2.jpg"]


def test_what_is_compared_is_depth_as_it_is_known_without_sky_and_transparent_parts(compared: list[DepthPhoto]) -> None:
    before = np.linspace(0.5, 2, 70 * 56).reshape(SHAPES[1]).astype(np.float32)
    sky = torch.zeros(1, 3, CANVAS, CANVAS)
    sky[0, 0, :20] = 0.9
    photos = prepared()
    opaque = np.ones(SHAPES[0], bool)
    opaque[:, :9] = False
    photos[0] = replace(photos[0], opaque=opaque)
    output = replace(network_output(BENT), sky=sky)
    cameras = settled((None, before, None))
    result = with_refined_depth(job_of(photos, "auto"), output, found(*["given"] * 3), cameras, SILENT)
    for i, (photo, factor) in enumerate(zip(compared, (1.0, before, 1.0), strict=True)):
        assert photo.depth == pytest.approx(TRUTHS[i] * BENT[i] * factor, rel=1e-5)
        assert photo.photo == PLACEMENTS[i].photo
        assert (photo.extrinsics == CAMERAS[i].extrinsics).all() and (photo.intrinsics == CAMERAS[i].intrinsics).all()
    shown = opaque.copy()
    shown[: 20 - PLACEMENTS[0].top] = False
    assert (compared[0].shown == shown).all() and compared[1].shown.all() and compared[2].shown.all()
    # What was corrected before stays so; the new correction comes on top.
    assert result.depth_correction is not None
    corrections = [correction for correction in result.depth_correction if correction is not None]
    assert corrections[1] == pytest.approx(3 * before)
    for i, photo in enumerate(photos):
        assert result.settled_depth(output, photo, i) == pytest.approx(3 * compared[i].depth, rel=1e-5)


def test_where_nothing_can_be_compared_cameras_stay_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refined_depth, "refine_depths", lambda photos, *_: [None] * len(photos))
    cameras = settled()
    given = found(*["given"] * 3)
    assert with_refined_depth(job_of(prepared(), "auto"), network_output(BENT), given, cameras, SILENT) is cameras


def test_a_photo_that_cannot_be_compared_keeps_its_correction(monkeypatch: pytest.MonkeyPatch) -> None:
    one = np.ones(SHAPES[0], np.float32)
    results = [RefinedDepth(3 * one, one), None, None]
    monkeypatch.setattr(refined_depth, "refine_depths", lambda photos, *_: results)
    before = np.full(SHAPES[1], 1.5, np.float32)
    cameras = settled((None, before, None))
    result = with_refined_depth(
        job_of(prepared(), "auto"), network_output(BENT), found(*["given"] * 3), cameras, SILENT
    )
    assert result.depth_correction is not None and result.agreement is not None
    assert result.depth_correction[1] is before and result.depth_correction[2] is None
    assert result.agreement[0].all() and not result.agreement[1].any() and not result.agreement[2].any()


def test_views_of_the_room_become_right_and_say_where_they_are() -> None:
    output, photos, cameras = network_output(BENT), prepared(), settled()
    with one_thread():
        result = with_refined_depth(job_of(photos, "auto"), output, found(*["given"] * 3), cameras, SILENT)
    output = replace(output, depth_conf=torch.rand(output.depth.shape, generator=torch.Generator().manual_seed(0)) + 1)
    plain, refined = (make_views(output, photos, c, 1.0) for c in (cameras, result))
    assert result.agreement is not None
    for before, after, truth, agreement in zip(plain, refined, TRUTHS, result.agreement, strict=True):
        assert np.median(np.abs(before.depth / truth - 1)) > 0.15
        error = np.abs(after.depth / truth - 1)
        assert np.median(error) < 0.015
        sure = after.confidence > np.quantile(after.confidence, 0.6)
        assert (error[sure] < 0.03).mean() > 0.95
        # Agreement comes first; the network's own confidence, of median 1.5, tells where that is the same.
        own = before.confidence / (before.confidence + np.median(before.confidence))
        assert after.confidence == pytest.approx(1 + AGREED * agreement + OWN * own, rel=1e-5)
        assert after.confidence.dtype == np.float32 and after.confidence.min() > 1


def test_a_job_tells_what_is_repeated_where_it_compared_photos(
    compared: list[DepthPhoto], tiny_checkpoint: Any, photos: tuple[Any, ...]
) -> None:
    request = Request(photos, checkpoint=str(tiny_checkpoint), device="cpu")
    with one_thread():
        asked = Predictor().predict(replace(request, refine_depth="on"), lambda *_: None)
    assert [photo.name for photo in compared] == [photo.name for photo in photos]
    for view, photo in zip(asked.views, compared, strict=True):
        assert view.depth == pytest.approx(3 * photo.depth, rel=1e-5)
        assert view.repeated is not None and view.repeated.shape == view.depth.shape
    assert asked.gaussians is not None and asked.gaussians.repeated is not None
    assert (asked.gaussians.repeated == np.concatenate([v.repeated[v.shown] for v in asked.views])).all()

    compared.clear()
    with one_thread():
        plain = Predictor().predict(request, lambda *_: None)
    assert not compared and all(view.repeated is None for view in plain.views)
    assert plain.gaussians is not None and plain.gaussians.repeated is None
