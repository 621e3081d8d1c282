"""Bundle adjustment (Triggs et al. 2000) by COLMAP, with little heed to what does not fit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pycolmap

from model_runtime.cameras.features.matching import Matches
from model_runtime.cameras.features.result import SparsePoints

SMALLEST_LOSS_SCALE = 0.1
STEPS, STEPS_FROM_AFAR = 100, 300
"""At most. Focal length and depth can stand in for each other: from cameras far off, 100 end degrees away."""


def adjust(
    model: pycolmap.Reconstruction,
    loss_scale: float,
    steps: int = STEPS,
    refine_middle: bool = False,
    refine_lens: bool = True,
    least_gain: float = 0.0,
) -> None:
    """Move cameras, focal lengths and points of the model to agree with its observations, and distortion where its
    cameras have any.

    loss_scale: error in pixels of the model from which on an observation counts less (Cauchy loss). refine_middle:
    whether principal points move, too. refine_lens: whether focal lengths and distortion do. least_gain: of the cost,
    below which a step ends it.
    """
    options = pycolmap.BundleAdjustmentOptions()
    options.print_summary = False
    options.refine_principal_point = refine_middle
    options.refine_focal_length = options.refine_extra_params = refine_lens
    options.ceres.loss_function_type = pycolmap.LossFunctionType.CAUCHY
    options.ceres.loss_function_scale = max(loss_scale, SMALLEST_LOSS_SCALE)
    options.ceres.solver_options.num_threads = 1
    options.ceres.solver_options.max_num_iterations = steps
    options.ceres.solver_options.function_tolerance = least_gain
    config = pycolmap.BundleAdjustmentConfig()
    for number in model.reg_image_ids():
        config.add_image(number)
    config.fix_gauge(pycolmap.BundleAdjustmentGauge.TWO_CAMS_FROM_WORLD)
    pycolmap.create_default_bundle_adjuster(options, config, model).solve()


def adjust_cameras(
    extrinsics: np.ndarray, intrinsics: np.ndarray, sparse: SparsePoints, matches: Matches, loss_scale: float
) -> tuple[np.ndarray, np.ndarray]:
    """Cameras [N,4,4], [N,3,3] (photo pixels) after one bundle adjustment with these points.

    Cameras that see none of them stay; so do all where fewer than two see any. loss_scale: in working pixels.
    """
    views = np.unique(sparse.view)
    if len(views) < 2:
        return extrinsics, intrinsics
    model = as_reconstruction(extrinsics, intrinsics, sparse, matches, matches.cameras)
    adjust(model, loss_scale, STEPS_FROM_AFAR)
    poses, lenses = extrinsics.copy(), intrinsics.copy()
    for i in views:
        poses[i, :3] = model.image(int(i) + 1).cam_from_world().matrix()
    for i, number in enumerate(matches.cameras):
        if model.exists_camera(number + 1):
            lenses[i, 0, 0] = lenses[i, 1, 1] = model.camera(number + 1).focal_length * matches.photos[i].pixel
    return poses, lenses


def as_reconstruction(
    extrinsics: np.ndarray,
    intrinsics: np.ndarray,
    sparse: SparsePoints,
    matches: Matches,
    cameras: Sequence[int],
    distortion: int = 0,
) -> pycolmap.Reconstruction:
    """COLMAP's model in working pixels; numbers of images and cameras are ours plus 1.

    cameras: for each photo the number of its camera. distortion: how many radial coefficients cameras have, 0 or 2.
    """
    kind = "RADIAL" if distortion else "SIMPLE_PINHOLE"
    model = pycolmap.Reconstruction()
    place = np.empty(len(sparse.view), np.int64)
    for i in np.unique(sparse.view):
        photo, k, number = matches.photos[i], intrinsics[i] / matches.photos[i].pixel, int(cameras[i]) + 1
        if not model.exists_camera(number):
            size = [round(side / photo.pixel) for side in photo.size]
            camera = pycolmap.Camera(
                model=kind,
                camera_id=number,
                width=size[0],
                height=size[1],
                params=[k[0, 0], k[0, 2], k[1, 2], *[0.0] * distortion],
            )
            model.add_camera_with_trivial_rig(camera)
        mine = np.flatnonzero(sparse.view == i)
        place[mine] = np.arange(len(mine))
        keypoints = sparse.pixel[mine] / photo.pixel
        image = pycolmap.Image(name=f"{i:06}", keypoints=keypoints, camera_id=number, image_id=int(i) + 1)
        model.add_image_with_trivial_frame(image, pycolmap.Rigid3d(extrinsics[i, :3]))
    order = np.argsort(sparse.point, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(sparse.point[order])) + 1)
    for point, group in zip(sparse.points, groups, strict=True):
        elements = [pycolmap.TrackElement(int(sparse.view[m]) + 1, int(place[m])) for m in group]
        model.add_point3D(point, pycolmap.Track(elements))
    return model
