"""From a `Prediction` to a `ScenePlan`: every decision about the Blender scene, as plain data. Numpy only.

plan = plan_scene(prediction, "living room", photo_paths)     # refuses bad data, touches nothing
write_scene(plan, bpy.context.scene)                          # da3_blender.scene: only writes
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np

from model_runtime.contract.lens import Lens
from model_runtime.contract.messages import Failure, Prediction, View

from .clip_plan import ClipFiles, TrackPlan, plan_track
from .conventions import BlenderCamera, to_blender_camera
from .mesh_plan import SurfacePlan, plan_fused, plan_sheets
from .point_cloud import PointPlan, plan_points, surface_mask
from .prediction_checks import PlanError, check_prediction
from .splat_cloud import SplatPlan, plan_splats
from .upright import upright_motion

T = TypeVar("T")

DISPLAY_SHARE = 0.1
"""Of the typical depth: how large cameras are drawn."""


MOST_DEPTHS = 20_000_000
"""Pixels of all views whose median is taken as it is."""


@dataclass(frozen=True)
class PlanSettings:
    """What the artist may change about a scene before it is made.

    edge_angle: degrees; depth that changes as on a surface seen flatter than this, but only for a few pixels, is a
        flying pixel and becomes neither a point nor a surface splat (`depth_edges` tells the rule). 0 keeps all.
    confidence_threshold: 0..1, share of the least sure points hidden at first; all are there, the slider moves it.
    point_stride: take every so many-th row and column of the depth maps.
    point_budget, splat_budget: the most points and splats to make.
    sheet_budget: the most triangles of all sheets together; beyond, they take fewer rows and columns.
    points: whether to make points. sheets: whether to make a textured surface of every photo.
    upright: turn the scene so that up is +z. centre: floor to z = 0, middle to x = y = 0. With both off, the scene
        stays in the frame of the cameras that were given, or else in the reference view's with z up for y down.
    in_world: the cameras were given in Blender's world and stay there, whatever upright and centre say.
    standard_view: let the scene's view transform be `Standard`, so that photo colours render as they are. Off by
        default because it changes how everything else in an artist's scene looks.
    """

    edge_angle: float = 10.0
    confidence_threshold: float = 0.1
    point_stride: int = 1
    point_budget: int = 5_000_000
    splat_budget: int = 500_000
    sheet_budget: int = 2_000_000
    points: bool = True
    sheets: bool = False
    upright: bool = True
    centre: bool = True
    in_world: bool = False
    standard_view: bool = False


@dataclass(frozen=True, eq=False)
class CameraPlan:
    """One camera and its photo.

    photo_path: the photo's file, or None when it was not found. plate: file bytes to pack in its stead, or empty.
    photo_image: `session_uid` of the image in the .blend that is the photo where there are neither, or 0.
    clip: (start, end). display_size: of the camera's drawing, world units. source: where the camera comes from, as in
    `View.camera_source`. lens, match_error: as in `View`. map_size: (width, height) of the depth map.
    """

    name: str
    camera: BlenderCamera
    photo_path: Path | None
    plate: bytes
    clip: tuple[float, float]
    display_size: float
    source: str
    photo_image: int = 0
    lens: Lens | None = None
    match_error: float | None = None
    map_size: tuple[int, int] = (0, 0)


@dataclass(frozen=True, eq=False)
class ScenePlan:
    """Everything `da3_blender.scene.write_scene` writes.

    motion: [4,4] rigid, from the prediction's world to Blender's. provenance: plain values for the collection's
    custom properties. notes: sentences the artist should see. surfaces: the fused mesh, then the sheets.
    in_world: as in `PlanSettings`. left_out: photos that have no camera, by name, and why. track: of a clip, its one
    camera; `cameras` are then what its key frames saw, and become no objects.
    """

    name: str
    cameras: tuple[CameraPlan, ...]
    points: PointPlan | None
    splats: SplatPlan | None
    motion: np.ndarray
    standard_view: bool
    provenance: dict[str, str | float | bool]
    notes: tuple[str, ...]
    surfaces: tuple[SurfacePlan, ...] = ()
    in_world: bool = False
    left_out: Mapping[str, str] = field(default_factory=dict[str, str])
    track: TrackPlan | None = None

    @property
    def typical_depth(self) -> float:
        """Median depth of what the cameras see, in Blender's world."""
        return self.cameras[0].display_size / DISPLAY_SHARE


def plan_scene(
    prediction: Prediction,
    name: str,
    photo_paths: Sequence[Path | str | None] | None = None,
    settings: PlanSettings | None = None,
    photo_images: Sequence[int] = (),
    clip: ClipFiles | None = None,
) -> ScenePlan:
    """Plan the scene `DA3 <name>`.

    photo_paths: one per view, in order, for the cameras' backgrounds and the surfaces; without them only views that
    carry a `plate` have a photo. photo_images: `session_uid` of the image of the .blend that is a view's photo instead,
    or 0. clip: where the clip is, of a prediction with a track. Raises `PlanError` (a `JobError` and a `ValueError`)
    when the data or the settings cannot be used.
    """
    settings = settings or PlanSettings()
    _check_settings(settings, name)
    check_prediction(prediction)
    views = prediction.views
    paths = [None if path is None else Path(path) for path in photo_paths or [None] * len(views)]
    if clip is not None and clip.files and not photo_paths:
        paths = [None if view.frame is None else clip.picture(view.frame) for view in views]
    if len(paths) != len(views):
        raise PlanError(f"There are {len(paths)} photos but {len(views)} views.")

    notes = [_left_out_note(photo.reason) for photo in prediction.left_out]
    notes += prediction.notes
    masks = [surface_mask(view, settings.edge_angle) for view in views]
    upright, centre = settings.upright and not settings.in_world, settings.centre and not settings.in_world
    track = prediction.track
    every = None if track is None else track.extrinsics[:, :3, :3]
    motion = upright_motion(views, upright, centre, prediction.camera_source == "given", every)
    points = None
    if settings.points:
        points = plan_points(
            views, masks, motion, settings.point_stride, settings.point_budget, settings.confidence_threshold
        )
    _check_something_is_left(views, masks, points)
    splats = None
    if prediction.gaussians is not None:
        splats = plan_splats(prediction.gaussians, views, masks, motion, settings.splat_budget)
        if splats.left_out:
            notes.append(f"{splats.left_out} splats above the limit of {settings.splat_budget} were left out.")
    cameras = _plan_cameras(prediction, motion, paths, photo_images or [0] * len(views), notes)
    moving = _plan_clip(prediction, motion, cameras[0], clip or ClipFiles(), notes)
    return ScenePlan(
        name=name.strip(),
        cameras=cameras,
        points=points,
        splats=splats,
        motion=motion,
        standard_view=settings.standard_view,
        provenance=_provenance(prediction),
        notes=tuple(notes),
        surfaces=_plan_surfaces(prediction, masks, motion, settings),
        in_world=settings.in_world,
        left_out={photo.name: photo.reason.sentence for photo in prediction.left_out},
        track=moving,
    )


def _check_something_is_left(views: Sequence[View], masks: Sequence[np.ndarray], points: PointPlan | None) -> None:
    if not (any(mask.any() for mask in masks) if points is None else len(points.position)):
        if not any(view.shown.any() for view in views):
            raise PlanError(
                "No point is left: the photos are transparent, or sky, all over.", "Use photos that show something."
            )
        raise PlanError(
            "No point is left: every pixel is sky or lies on a depth edge.",
            "Lower the edge angle, or use other photos.",
        )


def _left_out_note(reason: Failure) -> str:
    return " ".join(filter(None, (reason.sentence, "It is left out.", reason.advice)))


def of_views(prediction: Prediction, names: Sequence[str], values: Sequence[T]) -> list[T]:
    """The values of the request's photos, called `names`, for the prediction's views."""
    by_name = dict(zip(names, values, strict=True))
    return [by_name[view.name] for view in prediction.views]


def _check_settings(settings: PlanSettings, name: str) -> None:
    if not name.strip():
        raise PlanError("The scene has no name.", "Give it one.")
    for what, value, least, most in (
        ("edge angle", settings.edge_angle, 0, 89),
        ("confidence threshold", settings.confidence_threshold, 0, 1),
        ("point stride", settings.point_stride, 1, np.inf),
        ("point limit", settings.point_budget, 1, np.inf),
        ("splat limit", settings.splat_budget, 1, np.inf),
        ("limit of sheet triangles", settings.sheet_budget, 1, np.inf),
    ):
        if not least <= value <= most:
            raise PlanError(f"The {what} is {value}.", f"Set it between {least} and {most}.")


def _plan_surfaces(
    prediction: Prediction, masks: list[np.ndarray], motion: np.ndarray, settings: PlanSettings
) -> tuple[SurfacePlan, ...]:
    views, mesh = prediction.views, prediction.mesh
    fused = () if mesh is None else (plan_fused(mesh, views, motion),)
    if not settings.sheets:
        return fused
    angle, threshold = settings.edge_angle, settings.confidence_threshold
    return (*fused, *plan_sheets(views, masks, motion, angle, threshold, settings.sheet_budget))


def _plan_cameras(
    prediction: Prediction,
    motion: np.ndarray,
    paths: list[Path | None],
    images: Sequence[int],
    notes: list[str],
) -> tuple[CameraPlan, ...]:
    views = prediction.views
    typical, farthest = _depths(views)
    # The motion is rigid: a point keeps its camera coordinates when the camera moves along.
    back = np.linalg.inv(motion)
    cameras = []
    for view, path, image in zip(views, paths, images, strict=True):
        missing = path is not None and not view.plate and not path.is_file()
        if missing:
            notes.append(f"{path} is not there any more; its camera has no photo behind it.")
        cameras.append(
            CameraPlan(
                name=view.name,
                camera=to_blender_camera(view.extrinsics @ back, view.intrinsics, view.photo_size),
                photo_path=None if missing else path,
                plate=view.plate,
                clip=(typical / 1000, max(1000.0, 10 * farthest)),
                display_size=typical * DISPLAY_SHARE,
                source=view.camera_source or prediction.camera_source,
                photo_image=image,
                lens=view.lens,
                map_size=(view.depth.shape[1], view.depth.shape[0]),
                match_error=view.match_error,
            )
        )
    return tuple(cameras)


def _depths(views: Sequence[View]) -> tuple[float, float]:
    """Median and largest depth; of very many pixels an even choice tells the median."""
    step = -(-sum(view.depth.size for view in views) // MOST_DEPTHS)
    some, farthest = [], 0.0
    for view in views:
        depths = view.depth[view.usable]
        some.append(depths[::step])
        farthest = max(farthest, float(depths.max(initial=0.0)))
    return float(np.median(np.concatenate(some))), farthest


def _plan_clip(
    prediction: Prediction, motion: np.ndarray, first: CameraPlan, files: ClipFiles, notes: list[str]
) -> TrackPlan | None:
    """The clip's one camera, drawn and seeing as far as that of the first key frame; None of photos."""
    track = prediction.track
    if track is None:
        return None
    if files.path is not None and not files.path.is_file():
        notes.append(f"{files.path} is not there any more; the camera has no clip behind it.")
        files = ClipFiles()
    if files.files and not files.is_sequence:
        notes.append("Blender cannot show these pictures as a sequence: number them alike, without changing order.")
    return plan_track(track, prediction.views, motion, files, first.clip, first.display_size, prediction.camera_source)


def _provenance(prediction: Prediction) -> dict[str, str | float | bool]:
    checkpoint = prediction.checkpoint
    may_sell = {True: "yes", False: "no", None: "unknown"}[checkpoint.commercial_use]
    plain = {key: value for key, value in prediction.settings.items() if isinstance(value, (str, float, int))}
    matched = {} if prediction.match_error is None else {"match_error": prediction.match_error}
    download = {
        "licence_accepted": checkpoint.licence_accepted,
        "checkpoint_revision": checkpoint.revision,
        "checkpoint_sha256": checkpoint.sha256,
    }
    return {
        "checkpoint": checkpoint.name,
        "licence": checkpoint.licence,
        "commercial_use": may_sell,
        **{key: value for key, value in download.items() if value},
        "camera_source": prediction.camera_source,
        **matched,
        "metric": prediction.metric,
        **{f"setting_{key}": value for key, value in plain.items()},
    }
