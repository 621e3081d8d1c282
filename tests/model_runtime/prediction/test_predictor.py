"""Jobs on an untrained network: what must hold whatever the network says."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.spatial.transform import Rotation

from model_runtime.checkpoints.loading import load_network
from model_runtime.checkpoints.locate import locate_checkpoint
from model_runtime.contract.messages import Cameras, JobError, MeshSettings, Photo, Prediction, Request, View
from model_runtime.contract.progress import SILENT
from model_runtime.depth.mesh import fuse_views
from model_runtime.network.output import Output
from model_runtime.photos.canvas import fit, normalised_batch, place
from model_runtime.photos.decode import decode_photo
from model_runtime.prediction.predictor import Predictor

LOAD_NETWORK = "model_runtime.prediction.torch_network.load_network"


def silent(stage: str, fraction: float, sentence: str) -> None:
    pass


@pytest.fixture(scope="session")
def predictor() -> Predictor:
    return Predictor()


@pytest.fixture(scope="session")
def request_(tiny_checkpoint: Path, photos: tuple[Photo, ...]) -> Request:
    return Request(photos, checkpoint=str(tiny_checkpoint), precision="float32", rays=True)


@pytest.fixture(scope="session")
def network(request_: Request) -> torch.nn.Module:
    return load_network(locate_checkpoint(request_.checkpoint), torch.device("cpu"))


@pytest.fixture(scope="session")
def prediction(predictor: Predictor, request_: Request) -> Prediction:
    return predictor.predict(request_, silent)


def project(view: View, world: np.ndarray) -> np.ndarray:
    """[...,2] pixels of the photo."""
    seen = world @ view.extrinsics[:3, :3].T + view.extrinsics[:3, 3]
    pixels = seen @ view.intrinsics.T
    return pixels[..., :2] / pixels[..., 2:]


def test_every_view_covers_its_whole_photo(prediction: Prediction, photos: tuple[Photo, ...]) -> None:
    assert [view.name for view in prediction.views] == [photo.name for photo in photos]
    assert [view.photo_size for view in prediction.views] == [(160, 120), (90, 160), (100, 100)]
    for view, shape in zip(prediction.views, [(70, 84), (84, 42), (84, 84)], strict=True):
        assert view.depth.shape == view.confidence.shape == view.sky.shape == shape
        assert view.color.shape == (*shape, 3)
        assert view.ray is not None and view.ray_confidence is not None
        assert view.ray.shape == (shape[0] * 8 // 14, shape[1] * 8 // 14, 6)
        assert view.ray_confidence.shape == view.ray.shape[:2]
        assert (view.depth.dtype, view.sky.dtype, view.extrinsics.dtype) == (np.float32, bool, np.float64)
        assert view.confidence.min() >= 1
        width, height = view.photo_size
        assert view.intrinsics[:2, 2] == pytest.approx((width / 2, height / 2))


def test_numbers_are_those_of_the_network_on_the_padded_batch(
    prediction: Prediction, network: torch.nn.Module, photos: tuple[Photo, ...]
) -> None:
    fitted = [fit(decode_photo(photo)[1], 84) for photo in photos]
    placements = place([(160, 120), (90, 160), (100, 100)], [(i.shape[1], i.shape[0]) for i in fitted])
    with torch.inference_mode():
        output = network(torch.from_numpy(normalised_batch(fitted, placements))[None], rays=True)
    depth, pose = output.depth[0].numpy(), output.extrinsics[0].numpy()
    assert np.abs(prediction.views[0].depth - depth[0, 7:77]).max() < 1e-5
    assert np.abs(prediction.views[1].depth - depth[1, :, 21:63]).max() < 1e-5
    assert np.abs(prediction.views[1].extrinsics[:3] - pose[1]).max() < 1e-5
    focal_x, focal_y = output.intrinsics[0, 1, 0, 0].item(), output.intrinsics[0, 1, 1, 1].item()
    assert prediction.views[1].intrinsics.diagonal()[:2] == pytest.approx((focal_x * 90 / 42, focal_y * 160 / 84))
    ray = output.ray[0, 1].numpy()
    assert prediction.views[1].ray == pytest.approx(ray[:, 12:36], abs=1e-5)


def test_the_answer_says_what_made_it(prediction: Prediction) -> None:
    assert prediction.camera_source == "network"
    assert not prediction.metric
    assert prediction.checkpoint.licence == "unknown" and prediction.checkpoint.commercial_use is None
    assert prediction.settings["resolution"] == 84
    assert prediction.settings["network_size"] == [84, 84]
    assert prediction.settings["device"] == "cpu"
    assert prediction.settings["precision"] == "float32"
    seconds: Any = prediction.settings["seconds"]
    assert seconds.keys() == {"photos", "checkpoint", "network", "cameras", "gaussians"}


def test_network_splats_of_padding_are_dropped(prediction: Prediction) -> None:
    splats = prediction.gaussians
    assert splats is not None and splats.source == "network"
    sizes = [view.depth.size for view in prediction.views]
    assert np.bincount(splats.view_index).tolist() == sizes
    assert splats.harmonics.shape == (sum(sizes), 3, 9)
    assert (splats.confidence[: sizes[0]] == prediction.views[0].confidence.ravel()).all()
    assert np.abs(np.linalg.norm(splats.rotations, axis=1) - 1).max() < 1e-4
    assert splats.opacities.min() >= 0 and splats.opacities.max() <= 1


def test_same_request_same_answer(predictor: Predictor, request_: Request, prediction: Prediction) -> None:
    again = predictor.predict(request_, silent)
    for a, b in zip(again.views, prediction.views, strict=True):
        assert (a.depth == b.depth).all() and (a.extrinsics == b.extrinsics).all()


def test_the_checkpoint_stays_loaded(
    request_: Request, network: torch.nn.Module, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads: list[str] = []
    monkeypatch.setattr(LOAD_NETWORK, lambda file, _: loads.append(file.info.name) or network)
    predictor = Predictor()
    for _ in range(2):
        predictor.predict(request_, silent)
    assert len(loads) == 1


def test_one_photo_and_no_splats(predictor: Predictor, request_: Request) -> None:
    single = predictor.predict(replace(request_, photos=request_.photos[:1], gaussians=False, resolution=56), silent)
    assert single.views[0].depth.shape == (42, 56)
    assert single.gaussians is None


def test_a_mesh_where_one_is_asked_for(predictor: Predictor, request_: Request, prediction: Prediction) -> None:
    settings = MeshSettings(detail=32, edge_angle=0, confidence_threshold=0)
    told: list[tuple[str, float]] = []
    one = replace(request_, photos=request_.photos[:1], gaussians=False, mesh=settings)
    made = predictor.predict(one, lambda stage, fraction, _: told.append((stage, fraction)))
    wanted = fuse_views(made.views, settings, None, SILENT)
    assert made.mesh is not None and wanted is not None and prediction.mesh is None
    np.testing.assert_array_equal(made.mesh.vertices, wanted.vertices)
    np.testing.assert_array_equal(made.mesh.face_view, wanted.face_view)
    fractions = [fraction for _, fraction in told]
    assert fractions == sorted(fractions) and fractions[-1] < 1
    assert [stage for stage, _ in told][-1] == "mesh"


def test_no_mesh_where_nothing_is_sure_enough(predictor: Predictor, request_: Request) -> None:
    made = predictor.predict(replace(request_, gaussians=False, mesh=MeshSettings(confidence_threshold=1)), silent)
    assert made.mesh is None and "The photos show no surface that a mesh could be made of." in made.notes


def test_cameras_from_rays(predictor: Predictor, request_: Request, prediction: Prediction) -> None:
    solved = predictor.predict(replace(request_, camera_source="rays", gaussians=False), silent)
    assert solved.camera_source == "rays"
    assert np.abs(solved.views[0].intrinsics - prediction.views[0].intrinsics).max() > 1


def test_bfloat16_backbone_is_close(predictor: Predictor, request_: Request, prediction: Prediction) -> None:
    half = predictor.predict(replace(request_, precision="bfloat16", gaussians=False), silent)
    assert half.settings["precision"] == "bfloat16"
    for a, b in zip(half.views, prediction.views, strict=True):
        assert a.depth.dtype == np.float32
        assert 0 < np.abs(a.depth / b.depth - 1).max() < 0.05


def cameras_on(centres: np.ndarray) -> Cameras:
    """Slightly turned cameras at the given places [N,3], in a frame that is nobody's camera, for the three photos."""
    extrinsics = np.tile(np.eye(4), (len(centres), 1, 1))
    frame = Rotation.from_euler("xyz", [200, 30, -70], degrees=True).as_matrix()
    for i, centre in enumerate(centres):
        rotation = Rotation.from_euler("y", 7.0 * i, degrees=True).as_matrix() @ frame
        extrinsics[i, :3, :3] = rotation
        extrinsics[i, :3, 3] = -rotation @ centre
    sizes = [(160, 120), (90, 160), (100, 100)][: len(centres)]
    intrinsics = np.array([[[1.1 * w, 0, 0.45 * w], [0, 1.2 * w, 0.53 * h], [0, 0, 1]] for w, h in sizes])
    return Cameras(extrinsics, intrinsics)


CENTRES = {
    "spread": np.array([[100.0, 5, 3], [104, 5, 3], [100, 9, 4]]),
    "collinear": np.array([[100.0, 5, 3], [102, 5, 3], [108, 5, 3]]),
    "static": np.array([[100.0, 5, 3]] * 3),
    "two": np.array([[100.0, 5, 3], [104, 5, 3]]),
    "one": np.array([[100.0, 5, 3]]),
}


@pytest.mark.parametrize("layout", CENTRES)
def test_given_cameras_are_kept_and_everything_else_comes_into_their_frame(
    predictor: Predictor, request_: Request, layout: str
) -> None:
    given = cameras_on(CENTRES[layout])
    count = len(given.extrinsics)
    posed = predictor.predict(replace(request_, photos=request_.photos[:count], cameras=given), silent)
    assert posed.camera_source == "given" and not posed.metric
    splats = posed.gaussians
    assert splats is not None
    for i, view in enumerate(posed.views):
        assert np.abs(view.extrinsics - given.extrinsics[i]).max() < 1e-6
        assert np.abs(view.intrinsics - given.intrinsics[i]).max() < 1e-6
        assert np.isfinite(view.depth).all() and view.depth.min() > 0
        # Splats of an untrained head stray from their pixels by the head's own offsets, and no further.
        mine = splats.view_index == i
        height, width = view.depth.shape
        u, v = np.meshgrid((np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height)
        pixels = project(view, splats.means[mine].astype(np.float64)) / view.photo_size
        assert np.abs(pixels - np.stack((u, v), axis=-1).reshape(-1, 2)).max() < 4 / width
        assert np.isfinite(splats.scales[mine]).all() and splats.scales[mine].min() > 0


def test_depth_scales_with_the_given_cameras(predictor: Predictor, request_: Request) -> None:
    """The same cameras in a world ten times as large give everything ten times as large, and else the same."""
    given = cameras_on(CENTRES["spread"])
    large = replace(given, extrinsics=given.extrinsics.copy())
    large.extrinsics[:, :3, 3] *= 10
    a = predictor.predict(replace(request_, cameras=given, refine_depth="off"), silent)
    b = predictor.predict(replace(request_, cameras=large, refine_depth="off"), silent)
    for view_a, view_b in zip(a.views, b.views, strict=True):
        assert np.abs(view_b.depth / view_a.depth / 10 - 1).max() < 1e-3
        assert view_a.ray is not None and view_b.ray is not None
        assert np.abs(view_b.ray[..., :3] - view_a.ray[..., :3]).max() < 1e-3
        assert np.abs(view_b.ray[..., 3:] - view_a.ray[..., 3:] * 10).max() < 1e-1
    assert a.gaussians is not None and b.gaussians is not None
    assert np.abs(b.gaussians.scales / a.gaussians.scales / 10 - 1).max() < 1e-2
    assert np.abs(b.gaussians.rotations - a.gaussians.rotations).max() < 1e-3


@pytest.mark.parametrize("layout", ["one", "two", "collinear"])
def test_few_or_collinear_given_cameras_tell_the_bundled_checkpoint_the_scale(
    predictor: Predictor, request_: Request, layout: str
) -> None:
    """One photo's camera tells none: its depth keeps the network's unit, however far the camera is from the origin."""
    given = cameras_on(CENTRES[layout])
    large = replace(given, extrinsics=given.extrinsics.copy())
    large.extrinsics[:, :3, 3] *= 10
    photos = request_.photos[: len(given.extrinsics)]
    request = replace(
        request_, photos=photos, checkpoint="da3-tiny", resolution=84, gaussians=False, refine_depth="off"
    )
    answers = [predictor.predict(replace(request, cameras=cameras), silent) for cameras in (given, large)]
    for answer, cameras in zip(answers, (given, large), strict=True):
        assert answer.camera_source == "given"
        assert np.abs(np.stack([v.extrinsics for v in answer.views]) - cameras.extrinsics).max() < 1e-6
        assert np.abs(np.stack([v.intrinsics for v in answer.views]) - cameras.intrinsics).max() < 1e-6
    for view, farther in zip(*(answer.views for answer in answers), strict=True):
        assert np.isfinite(view.depth).all() and view.depth.min() > 0
        assert np.abs(farther.depth / view.depth / (1 if layout == "one" else 10) - 1).max() < 1e-3


def test_given_cameras_that_were_not_asked_for_are_told(predictor: Predictor, request_: Request) -> None:
    given = cameras_on(CENTRES["spread"])
    free = predictor.predict(replace(request_, cameras=given, camera_source="network", gaussians=False), silent)
    assert free.camera_source == "network"
    assert any("given cameras were not used" in note for note in free.notes)


def test_a_scale_in_metres_is_told_and_lost_to_given_cameras(
    monkeypatch: pytest.MonkeyPatch, request_: Request, network: torch.nn.Module, prediction: Prediction
) -> None:
    def in_metres(*arguments: Any, **options: Any) -> Output:
        output = network(*arguments, **options)
        return replace(output, depth=output.depth * 4, scale_factor=torch.tensor([4.0]))

    monkeypatch.setattr(LOAD_NETWORK, lambda *_: in_metres)
    metric = Predictor().predict(request_, silent)
    assert metric.metric
    ray, plain = metric.views[0].ray, prediction.views[0].ray
    assert ray is not None and plain is not None
    assert np.abs(ray[..., 3:] - 4 * plain[..., 3:]).max() < 1e-4
    assert not Predictor().predict(replace(request_, cameras=cameras_on(CENTRES["spread"])), silent).metric


def cut_out(photo: Photo) -> Photo:
    """The photo with its left half transparent."""
    image = Image.open(io.BytesIO(photo.data)).convert("RGBA")
    alpha = np.full((image.height, image.width), 255, np.uint8)
    alpha[:, : image.width // 2] = 0
    image.putalpha(Image.fromarray(alpha))
    file = io.BytesIO()
    image.save(file, "PNG")
    return Photo(photo.name, file.getvalue())


def test_transparent_parts_become_nothing(predictor: Predictor, request_: Request) -> None:
    photos = (cut_out(request_.photos[0]), *request_.photos[1:])
    asked = replace(request_, photos=photos, mesh=MeshSettings(detail=32, edge_angle=0, confidence_threshold=0))
    found = predictor.predict(asked, silent)
    first, *others = found.views
    assert all(view.opaque is None for view in others)
    width = first.depth.shape[1]
    assert first.opaque is not None and not first.opaque[:, : width // 2].any()
    assert first.opaque[:, width // 2 + 1 :].all() and (first.shown == first.opaque).all()
    splats = found.gaussians
    assert splats is not None and found.mesh is not None
    assert (splats.view_index == 0).sum() == first.opaque.sum()
    mine = splats.means[splats.view_index == 0]
    assert (project(first, mine.astype(np.float64))[:, 0] > 0.45 * first.photo_size[0]).all()
    alone = predictor.predict(replace(asked, photos=photos[:1]), silent)
    assert alone.mesh is not None
    assert (project(alone.views[0], alone.mesh.vertices)[:, 0] > 0.45 * first.photo_size[0]).all()


BAD = (Photo("bad1.jpg", b"one"), Photo("empty.jpg", b""))


def test_bad_photos_are_left_out_and_named(predictor: Predictor, request_: Request) -> None:
    twin = replace(request_.photos[0], name="twin.png")
    mixed = (BAD[0], *request_.photos, BAD[1], twin)
    found = predictor.predict(replace(request_, photos=mixed), silent)
    assert [view.name for view in found.views] == [photo.name for photo in request_.photos]
    told = {photo.name: photo.reason.code for photo in found.left_out}
    assert told == {"bad1.jpg": "photo-unreadable", "empty.jpg": "photo-empty", "twin.png": "photo-duplicate"}
    alone = predictor.predict(request_, silent)
    assert alone.left_out == ()
    for with_bad, without in zip(found.views, alone.views, strict=True):
        np.testing.assert_array_equal(with_bad.depth, without.depth)


def test_given_cameras_stay_with_their_photos_when_others_are_left_out(predictor: Predictor, request_: Request) -> None:
    spread = cameras_on(CENTRES["spread"])
    cameras = Cameras(*(np.stack((a[2], a[0], a[1], a[1], a[2])) for a in (spread.extrinsics, spread.intrinsics)))
    photos = (BAD[0], request_.photos[0], BAD[1], *request_.photos[1:])
    found = predictor.predict(replace(request_, photos=photos, cameras=cameras), silent)
    assert len(found.views) == 3
    for view, number in zip(found.views, (1, 3, 4), strict=True):
        np.testing.assert_allclose(view.extrinsics, cameras.extrinsics[number], atol=1e-12)


def test_all_bad_photos_are_named_at_once(predictor: Predictor, request_: Request) -> None:
    bad = (Photo("bad1.jpg", b"one"), Photo("bad2.jpg", b"two"))
    with pytest.raises(JobError) as caught:
        predictor.predict(replace(request_, photos=bad), silent)
    assert "bad1.jpg" in caught.value.failure.sentence and "bad2.jpg" in caught.value.failure.sentence


def moved(name: str, change: Callable[[np.ndarray], object]) -> Cameras:
    cameras = cameras_on(CENTRES["spread"])
    arrays = {"extrinsics": cameras.extrinsics.copy(), "intrinsics": cameras.intrinsics.copy()}
    change(arrays[name])
    return Cameras(**arrays)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"photos": ()}, "no-photos"),
        ({"checkpoint": "nonsense"}, "checkpoint-unknown"),
        ({"device": "abacus"}, "device-unknown"),
        ({"device": "cuda:99"}, "device-missing"),
        ({"precision": "float8"}, "precision-unknown"),
        ({"camera_source": "guess"}, "bad-request"),
        ({"camera_source": "given"}, "no-cameras"),
        ({"reference_view": "best"}, "bad-request"),
        ({"resolution": 5}, "bad-request"),
        ({"mesh": MeshSettings(detail=1)}, "bad-request"),
        ({"resolution": 100_000}, "bad-request"),
        ({"cameras": cameras_on(CENTRES["two"])}, "bad-cameras"),
        ({"cameras": Cameras(np.ones(3, bool), np.ones(3, bool))}, "bad-cameras"),
        ({"cameras": moved("extrinsics", lambda e: e.__setitem__((1, 0, 0), np.nan))}, "bad-cameras"),
        ({"cameras": moved("extrinsics", lambda e: e.__imul__(2))}, "bad-cameras"),
        ({"cameras": moved("extrinsics", lambda e: e.__setitem__((1, 0), -e[1, 0]))}, "bad-cameras"),
        ({"cameras": moved("intrinsics", lambda k: k.__setitem__((2, 1, 1), 0))}, "bad-cameras"),
    ],
)
def test_requests_that_cannot_work(predictor: Predictor, request_: Request, change: dict[str, Any], code: str) -> None:
    with pytest.raises(JobError) as caught:
        predictor.predict(replace(request_, **change), silent)
    assert caught.value.failure.code == code
    assert caught.value.failure.sentence and caught.value.failure.advice


def failing(network: torch.nn.Module, error: BaseException, fits: int) -> Callable[..., Any]:
    def forward(*arguments: Any, head_chunk: int, **options: Any) -> Any:
        if head_chunk > fits:
            raise error
        return network(*arguments, head_chunk=head_chunk, **options)

    return forward


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory: you tried ..."),
        RuntimeError("MPS backend out of memory (MPS allocated: 18.13 GB)"),
        RuntimeError("could not create a primitive"),
    ],
)
def test_out_of_memory_is_retried_with_smaller_chunks_then_told(
    monkeypatch: pytest.MonkeyPatch,
    request_: Request,
    network: torch.nn.Module,
    prediction: Prediction,
    error: BaseException,
) -> None:
    request = replace(request_, gaussians=False)
    monkeypatch.setattr(LOAD_NETWORK, lambda *_: failing(network, error, fits=1))
    survived = Predictor().predict(request, silent)
    assert survived.settings["head_chunk"] == 1
    assert np.abs(survived.views[2].depth / prediction.views[2].depth - 1).max() < 1e-4

    monkeypatch.setattr(LOAD_NETWORK, lambda *_: failing(network, error, fits=0))
    with pytest.raises(JobError) as caught:
        Predictor().predict(request, silent)
    assert caught.value.failure.code == "out-of-memory"
    assert "3 photos at a resolution of 84 and mine" in caught.value.failure.sentence
    for word in ("resolution", "fewer photos", "smaller checkpoint"):
        assert word in caught.value.failure.advice


def test_cancel_takes_effect_within_one_block(predictor: Predictor, request_: Request) -> None:
    calls: list[float] = []

    def cancel_in_the_network(stage: str, fraction: float, sentence: str) -> None:
        if stage == "network":
            calls.append(fraction)
            if len(calls) == 4:
                raise JobError("cancelled", "The job was cancelled.")

    with pytest.raises(JobError, match="cancelled"):
        predictor.predict(request_, cancel_in_the_network)
    assert len(calls) == 4


def test_progress_runs_from_start_to_end(predictor: Predictor, request_: Request) -> None:
    told: list[tuple[str, float]] = []
    predictor.predict(request_, lambda stage, fraction, _: told.append((stage, fraction)))
    stages = list(dict.fromkeys(stage for stage, _ in told))
    assert stages == ["photos", "checkpoint", "network", "cameras", "gaussians"]
    fractions = [fraction for _, fraction in told]
    assert fractions == sorted(fractions) and fractions[0] >= 0 and fractions[-1] < 1
    assert sum(stage == "network" for stage, _ in told) >= 10


def test_improved_splats_are_one_layer_of_all_photos_whatever_they_are(
    predictor: Predictor, request_: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("model_runtime.splats.optimise.ROUNDS", ((64, 1),))
    told: list[tuple[str, float]] = []

    def report(stage: str, fraction: float, sentence: str) -> None:
        told.append((stage, fraction))

    answer = predictor.predict(replace(request_, improve_splats=True), report)
    splats = answer.gaussians
    assert splats is not None and splats.source == "merged" and splats.repeated is None
    assert set(np.unique(splats.view_index)) <= {0, 1, 2} and splats.harmonics.shape[2] in (1, 4)
    assert all(np.isfinite(values).all() for values in vars(splats).values() if isinstance(values, np.ndarray))
    assert [fraction for _, fraction in told] == sorted(fraction for _, fraction in told)
    assert min(fraction for stage, fraction in told if stage == "gaussians") == pytest.approx(0.4)
