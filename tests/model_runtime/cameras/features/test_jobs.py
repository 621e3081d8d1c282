"""Whole jobs whose cameras come from features, on an untrained network: what must hold whatever the network says."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.spatial.transform import Rotation

from model_runtime.cameras.features import matching
from model_runtime.cameras.features.adjust import as_reconstruction
from model_runtime.cameras.features.mapping import map_photos
from model_runtime.cameras.features.matching import Matches
from model_runtime.cameras.features.memory import PhotoFeatures
from model_runtime.cameras.sources import (
    FEATURES_OR_NETWORK,
    FoundCameras,
    OwnScene,
    find_cameras,
    look_apart,
    resolve_source,
)
from model_runtime.checkpoints.locate import BUNDLED_FOLDER, CheckpointFile
from model_runtime.contract.messages import (
    Cameras,
    CheckpointInfo,
    ColmapFile,
    ColmapModel,
    JobError,
    Photo,
    Prediction,
    Request,
    View,
)
from model_runtime.contract.pipe import read_frame, write_frame
from model_runtime.contract.progress import SILENT
from model_runtime.photos.canvas import Placement
from model_runtime.photos.feature_photo import FeaturePhoto, feature_photo
from model_runtime.photos.prepare import PreparedPhoto, prepare_photos
from model_runtime.prediction.predictor import Predictor

Errors = Callable[[np.ndarray, np.ndarray], np.ndarray]


def silent(*_: object) -> None:
    pass


def png(name: str, pixels: np.ndarray) -> Photo:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return Photo(name, file.getvalue())


@pytest.fixture(scope="module")
def request_(room: Any, tiny_checkpoint: Path) -> Request:
    photos = tuple(png(f"{i}.png", pixels) for i, pixels in enumerate(room.photos))
    return Request(photos, checkpoint=str(tiny_checkpoint), camera_source="features", gaussians=False)


def poses(views: tuple[View, ...]) -> np.ndarray:
    return np.stack([view.extrinsics for view in views])


def test_cameras_are_those_of_features(room: Any, prediction: Prediction, errors_of: Errors) -> None:
    assert prediction.camera_source == "features" and not prediction.metric
    assert [view.camera_source for view in prediction.views] == ["features"] * len(prediction.views)
    assert errors_of(poses(prediction.views), room.extrinsics).max() < 0.6
    assert prediction.match_error is not None and 0 < prediction.match_error < 0.5


def test_it_is_the_same_as_giving_those_cameras(
    predictor: Predictor, request_: Request, prediction: Prediction
) -> None:
    given = Cameras(poses(prediction.views), np.stack([view.intrinsics for view in prediction.views]))
    request = replace(request_, refine_depth="off")  # what is refined starts from depths that differ
    found = predictor.predict(request, silent)
    posed = predictor.predict(replace(request, cameras=given, camera_source="given"), silent)
    assert [view.camera_source for view in posed.views] == ["given"] * len(posed.views)
    assert posed.match_error is None
    for a, b in zip(found.views, posed.views, strict=True):
        assert a.confidence == pytest.approx(b.confidence, rel=1e-4), "depths are also brought to the points"


def test_given_cameras_tell_the_bundled_checkpoint_how_far_things_are(
    room: Any, predictor: Predictor, request_: Request
) -> None:
    """True cameras of a world in another unit: depth comes in that unit; in the wrong order they are told of."""
    given = Cameras(room.extrinsics.copy(), room.intrinsics)
    given.extrinsics[:, :3, 3] *= 7
    request = replace(request_, checkpoint="da3-tiny", camera_source="given", cameras=given, resolution=112)
    posed = predictor.predict(request, silent)
    assert (poses(posed.views) == given.extrinsics).all() and posed.camera_source == "given"
    assert posed.match_error is not None and 0 < posed.match_error < 0.5 and not posed.notes
    for view, truth in zip(posed.views, room.depth, strict=True):
        height, width = view.depth.shape
        rows, columns = (np.arange(n) * full // n for n, full in zip((height, width), truth.shape, strict=True))
        assert np.median(view.depth / truth[np.ix_(rows, columns)]) == pytest.approx(7, rel=0.1)
    swapped = Cameras(given.extrinsics[[1, 0, 3, 2]], given.intrinsics)
    told = predictor.predict(replace(request, cameras=swapped), silent)
    assert (poses(told.views) == swapped.extrinsics).all()
    assert told.match_error is not None and told.match_error > 4
    assert any("in this order" in note for note in told.notes)


def test_it_travels(prediction: Prediction) -> None:
    stream = io.BytesIO()
    write_frame(stream, "job", prediction)
    stream.seek(0)
    frame = read_frame(stream)  # type: ignore[arg-type]
    assert frame is not None and isinstance(frame[1], Prediction)
    assert frame[1].match_error == prediction.match_error
    assert frame[1].views[1].camera_source == "features"


def test_a_photo_features_leave_out_is_placed_and_told(predictor: Predictor, request_: Request) -> None:
    plain = png("plain.png", np.full((200, 320, 3), 128, np.uint8))
    mixed = predictor.predict(replace(request_, photos=(*request_.photos[:3], plain)), silent)
    assert [view.camera_source for view in mixed.views] == ["features"] * 3 + ["network"]
    assert any("plain.png" in note for note in mixed.notes)
    assert np.isfinite(poses(mixed.views)).all()


def test_nothing_to_match_leaves_the_networks_cameras(predictor: Predictor, request_: Request) -> None:
    plain = tuple(png(f"{i}.png", np.full((90, 120, 3), 100 + i, np.uint8)) for i in range(2))
    found = predictor.predict(replace(request_, photos=plain), silent)
    assert found.camera_source == "network" and found.match_error is None
    assert any("none of the 2 photos" in note for note in found.notes)


def test_refine_brings_right_even_an_untrained_networks_cameras(
    predictor: Predictor, request_: Request, room: Any, errors_of: Errors
) -> None:
    told: list[float] = []
    asked = replace(request_, camera_source="network", refine=True)
    refined = predictor.predict(asked, lambda _, fraction, __: told.append(fraction))
    assert refined.camera_source == "refined"
    assert errors_of(poses(refined.views), room.extrinsics).max() < 0.6
    assert told == sorted(told) and told[-1] < 1


def test_refine_that_does_not_help_changes_nothing(predictor: Predictor, request_: Request) -> None:
    """Two photos are too few to tell that cameras which are nowhere near are wrong; they stay, with a sentence."""
    asked = replace(request_, camera_source="network", photos=request_.photos[:2])
    alone = predictor.predict(asked, silent)
    refined = predictor.predict(replace(asked, refine=True), silent)
    assert refined.camera_source == "network" and len(refined.notes) == len(alone.notes) + 1
    assert (poses(refined.views) == poses(alone.views)).all()


def prepared(room: Any) -> list[PreparedPhoto]:
    height, width = room.photos[0].shape[:2]
    placement = Placement((width, height), (56, 42), (56, 42))
    small = np.zeros((42, 56, 3), np.uint8)
    return [
        PreparedPhoto(f"{i}.png", placement, small, b"", None, feature_photo(f"{i}.png", pixels))
        for i, pixels in enumerate(room.photos)
    ]


def found_with(scene: OwnScene, source: str, refine: bool, photos: Sequence[PreparedPhoto]) -> FoundCameras:
    """By a network that sees the scene so."""
    found = find_cameras(source, refine, photos, SILENT)
    return found if isinstance(found, FoundCameras) else found.finish(scene)


def test_refined_cameras_keep_the_scale_of_the_networks_depth(room: Any, errors_of: Errors) -> None:
    """A network whose depths are right in metres, and its cameras turned right but standing at half the distances."""
    shrunk = room.extrinsics.copy()
    shrunk[:, :3, 3] *= 0.5
    scene = OwnScene(Cameras(shrunk, room.intrinsics * [[1.04, 1, 1], [1, 1.04, 1], [1, 1, 1]]), list(room.depth))
    found = found_with(scene, "network", True, prepared(room))
    assert found.source == "refined" and found.view_sources == ("refined",) * len(room.photos)
    assert found.known is not None and found.sparse is not None
    assert errors_of(found.known.extrinsics, room.extrinsics).max() < 0.6
    centres, true = (np.linalg.inv(e)[:, :3, 3] for e in (found.known.extrinsics, room.extrinsics))
    assert np.linalg.norm(centres[3] - centres[0]) == pytest.approx(np.linalg.norm(true[3] - true[0]), rel=0.04)
    before = found.settings["match_error_before"]
    assert isinstance(before, float) and found.match_error is not None and before > found.match_error


def test_a_start_that_leads_astray_is_told(room: Any, errors_of: Errors) -> None:
    """A network whose cameras look anywhere: mapping places the photos, and a note says so."""
    astray = room.extrinsics.copy()
    astray[:, :3] = Rotation.random(len(astray), random_state=1).as_matrix() @ astray[:, :3]
    scene = OwnScene(Cameras(astray, room.intrinsics), list(room.depth))
    found = found_with(scene, "network", True, prepared(room))
    assert found.source == "refined" and found.known is not None
    assert errors_of(found.known.extrinsics, room.extrinsics).max() < 0.6
    assert any("features alone placed the photos" in note for note in found.notes)


def test_left_out_photos_stand_where_the_network_sees_them(room: Any, errors_of: Errors) -> None:
    """The network's cameras are the true ones in another world: the photo without matches comes out right, too."""
    photos = prepared(room)
    blind = replace(photos[2], feature=feature_photo("2.png", np.full((*room.photos[0].shape[:2], 3), 9, np.uint8)))
    photos[2] = blind
    moved = room.extrinsics @ np.linalg.inv(room.extrinsics[1])
    moved[:, :3, 3] *= 3
    scene = OwnScene(Cameras(moved, room.intrinsics * 2), list(room.depth))
    found = found_with(scene, "features", False, photos)
    assert found.view_sources == ("features", "features", "network", "features")
    assert found.known is not None
    assert errors_of(found.known.extrinsics, room.extrinsics).max() < 1.5
    assert found.known.intrinsics[2, 0, 0] == found.known.intrinsics[0, 0, 0]


@pytest.mark.parametrize(
    ("bundled", "count", "given", "source", "wanted"),
    [
        (True, 3, False, "auto", FEATURES_OR_NETWORK),
        (True, 1, False, "auto", "network"),
        (True, 3, True, "auto", "given"),
        (True, 3, True, "features", "features"),
        (False, 3, False, "auto", "network"),
        (False, 3, False, "features", "features"),
        (False, 3, False, "rays", "rays"),
    ],
)
def test_rule_of_auto(bundled: bool, count: int, given: bool, source: str, wanted: str) -> None:
    folder = BUNDLED_FOLDER if bundled else Path("/somewhere/else")
    checkpoint = CheckpointFile(CheckpointInfo("x", "da3-tiny", "MIT", True), folder / "x" / "model.safetensors")
    cameras = Cameras(np.zeros((count, 4, 4)), np.zeros((count, 3, 3))) if given else None
    request = Request((Photo("a", b"a"),) * count, cameras=cameras, camera_source=source)
    assert resolve_source(request, checkpoint) == wanted


def test_auto_takes_features_where_they_place_half(room: Any) -> None:
    photos = prepared(room)
    blank = feature_photo("blank", np.full((100, 100, 3), 7, np.uint8))
    scene = OwnScene(Cameras(room.extrinsics, room.intrinsics), list(room.depth))
    half = [photos[0], photos[1], *(replace(photo, feature=blank) for photo in photos[2:])]
    assert found_with(scene, FEATURES_OR_NETWORK, False, half).source == "features"
    less = [*half, replace(photos[3], feature=blank)]
    scene = OwnScene(Cameras(room.extrinsics[[0, 1, 2, 3, 3]], room.intrinsics[[0, 1, 2, 3, 3]]), [])
    found = found_with(scene, FEATURES_OR_NETWORK, False, less)
    assert (found.source, found.known, found.view_sources) == ("network", None, ("network",) * 5)
    assert found_with(scene, "features", False, less).source == "features"


def test_cancel_while_features_are_matched(request_: Request) -> None:
    def cancel(stage: str, fraction: float, sentence: str) -> None:
        if stage == "features" and sentence.startswith("Matching"):
            raise JobError("cancelled", "The job was cancelled.")

    with pytest.raises(JobError, match="cancelled"):
        Predictor().predict(request_, cancel)


def test_exif_tells_cameras_apart() -> None:
    def jpeg(name: str, make: str, focal_35mm: int) -> Photo:
        file = io.BytesIO()
        exif = Image.Exif()
        exif[0x010F], exif[0x0110] = make, "One"
        exif.get_ifd(0x8769)[0xA405] = focal_35mm
        Image.new("RGB", (120, 90), (9, 9, len(name))).save(file, "JPEG", exif=exif)
        return Photo(name, file.getvalue())

    photos, _ = prepare_photos([jpeg("a", "Acme", 28), jpeg("bb", "Other", 50)], 56, SILENT, with_features=True)
    features = [photo.feature for photo in photos]
    assert features[0] is not None and features[1] is not None
    assert [feature.camera for feature in features if feature] == ["Acme One", "Other One"]
    assert features[1].known_focal == pytest.approx(50 / np.hypot(36, 24) * np.hypot(120, 90))


def known_but(room: Any, *lost: int) -> Cameras:
    """The true cameras in another unit and frame, without those of the photos `lost`."""
    extrinsics, intrinsics = moved_cameras(room), room.intrinsics.copy()
    extrinsics[list(lost)], intrinsics[list(lost)] = np.nan, np.nan
    return Cameras(extrinsics, intrinsics)


def moved_cameras(room: Any) -> np.ndarray:
    frame = np.eye(4)
    frame[:3, :3], frame[:3, 3] = Rotation.from_euler("xyz", (40, -20, 10), degrees=True).as_matrix(), (5, 3, 1)
    extrinsics = room.extrinsics @ frame
    extrinsics[:, :3, 3] *= 7
    return extrinsics


def test_a_photo_without_a_given_camera_is_placed_by_the_others(
    room: Any, predictor: Predictor, request_: Request, errors_of: Errors
) -> None:
    asked = replace(request_, cameras=known_but(room, 2), camera_source="given")
    found = predictor.predict(asked, silent)
    true = moved_cameras(room)
    assert [view.camera_source for view in found.views] == ["given", "given", "features", "given"]
    assert any("No camera was given for 2.png" in note for note in found.notes) and found.left_out == ()
    for i in (0, 1, 3):
        np.testing.assert_allclose(found.views[i].extrinsics, true[i], atol=1e-9)
    placed = found.views[2]
    assert errors_of(poses(found.views), true).max() < 0.3
    centres = [-e[:3, :3].T @ e[:3, 3] for e in (placed.extrinsics, true[2])]
    assert np.linalg.norm(centres[0] - centres[1]) < 0.02, "of a world in which the cameras are 3 to 10 apart"
    np.testing.assert_allclose(placed.intrinsics, room.intrinsics[2])


def test_a_photo_that_nothing_places_is_left_out_and_told(room: Any, predictor: Predictor, request_: Request) -> None:
    plain = png("plain.png", np.full((216, 288, 3), 128, np.uint8))
    photos = (plain, *request_.photos[:2])
    known = known_but(room)
    cameras = Cameras(*(np.concatenate((a[:1] * np.nan, a[:2])) for a in (known.extrinsics, known.intrinsics)))
    found = predictor.predict(replace(request_, photos=photos, cameras=cameras, camera_source="given"), silent)
    assert [view.name for view in found.views] == ["0.png", "1.png"]
    (lost,) = found.left_out
    assert lost.name == "plain.png" and lost.reason.code == "cameras-missing" and lost.reason.advice
    np.testing.assert_allclose(poses(found.views), moved_cameras(room)[:2], atol=1e-9)
    alone = replace(request_, photos=request_.photos[:2], cameras=known_but(room, 1), camera_source="given")
    with pytest.raises(JobError):  # as many cameras as photos
        predictor.predict(alone, silent)


def test_no_camera_at_all_is_an_error(room: Any, predictor: Predictor, request_: Request) -> None:
    with pytest.raises(JobError, match="None of the photos has a known camera"):
        predictor.predict(replace(request_, cameras=known_but(room, 0, 1, 2, 3), camera_source="given"), silent)


def test_points_of_a_colmap_model_bring_depth_without_matching(
    room: Any, matches: Matches, request_: Request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only where the model brings no points are features looked for."""
    mapped = map_photos(matches, SILENT)
    model = as_reconstruction(mapped.extrinsics, mapped.intrinsics, mapped.sparse, matches, range(4))
    for i, image in model.images.items():
        image.name = f"{i - 1}.png"
    model.write_binary(tmp_path)
    files = [ColmapFile(f"{name}.bin", (tmp_path / f"{name}.bin").read_bytes()) for name in FILES]
    looked: list[str] = []

    def blind(photos: Iterable[FeaturePhoto], *_: object) -> Iterator[tuple[FeaturePhoto, PhotoFeatures]]:
        looked.append("features")
        return ((photo, nothing()) for photo in photos)

    monkeypatch.setattr(matching, "extract_each", blind)
    asked = replace(request_, checkpoint="da3-tiny", camera_source="given", colmap=ColmapModel(tuple(files)))
    found = Predictor().predict(asked, silent)
    assert looked == [] and found.match_error == pytest.approx(mapped.match_error, rel=1e-3)
    for i, view in enumerate(found.views):
        mine = mapped.sparse.view == i
        points = mapped.sparse.points[mapped.sparse.point[mine]]
        true = (points @ view.extrinsics[:3, :3].T + view.extrinsics[:3, 3])[:, 2]
        column, row = (mapped.sparse.pixel[mine] / view.photo_size * view.depth.shape[::-1]).astype(int).T
        assert np.median(np.abs(view.depth[row, column] / true - 1)) < 0.1
    Predictor().predict(replace(asked, colmap=ColmapModel(tuple(files[:2]))), silent)
    assert looked == ["features"]


FILES = ("cameras", "images", "points3D")


def nothing() -> PhotoFeatures:
    return PhotoFeatures(np.zeros((0, 2)), np.zeros((0, 128), np.uint8))


@pytest.mark.parametrize(("degrees", "apart"), [(90, False), (130, False), (150, True), (180, True)])
def test_photos_that_look_away_from_each_other_are_not_matched(degrees: float, apart: bool) -> None:
    """Of 40 degrees from the middle to the corner each: 150 degrees leave 70 between rays at the best."""
    focal = 50 / np.tan(np.radians(40))
    poses = np.tile(np.eye(4), (3, 1, 1))
    poses[1, :3, :3] = Rotation.from_euler("y", degrees + 0.1, degrees=True).as_matrix()
    poses[2], lenses = np.nan, np.tile(np.diag([focal, focal, 1.0]), (3, 1, 1))
    look = look_apart(Cameras(poses, lenses), [(60, 80)] * 3)
    assert look(0, 1) == look(1, 0) == apart and not look(0, 2) and not look(2, 1)
