"""What a command line tells of the scene that it made."""

from __future__ import annotations

from collections import Counter

import bpy
import numpy as np

from model_runtime.contract.messages import CameraTrack, Prediction

from ..scene import SceneObjects
from ..scene.clip_camera import poses
from ..scene.meshes import point_count


def report(prediction: Prediction, objects: SceneObjects) -> list[str]:
    """What was made, as lines to print: checkpoint and licence, counts, and a table of the cameras."""
    checkpoint = prediction.checkpoint
    use = {True: "commercial use allowed", False: "no commercial use", None: "commercial use unknown"}
    points, splats = (
        "no" if cloud is None else f"{point_count(cloud.data):,}" for cloud in (objects.points, objects.splats)
    )
    unit = "metres" if prediction.metric else "units of its own"
    lines = [
        f"checkpoint {checkpoint.name}: licence {checkpoint.licence}, {use[checkpoint.commercial_use]}",
        f"made {_cameras(prediction)} ({prediction.camera_source}), "
        f"{points} points, {splats} splats; the scene is in {unit}",
        *(f"{item.name}: {len(item.data.polygons):,} triangles" for item in objects.surfaces),
    ]
    if prediction.match_error is not None:
        lines.append(f"match error {prediction.match_error:.2f} pixels: features of the photos against the cameras")
    if len({round(camera.data.sensor_width / camera.data.sensor_height, 4) for camera in objects.cameras}) > 1:
        lines.append(
            "photos of several shapes: the frame has the first one's; the add-on gives each its own, and without it "
            "the others lie whole in the middle of that frame, with what their cameras see"
        )
    if prediction.track is not None:
        return [*lines, *_track_lines(prediction.track, objects.cameras[0])]
    lines.append(f"{'camera':<24}{'photo':>12}{'lens mm':>9}{'x':>9}{'y':>9}{'z':>9}  from")
    for view, camera in zip(prediction.views, objects.cameras, strict=True):
        size = f"{view.photo_size[0]}x{view.photo_size[1]}"
        place = "".join(f"{value:9.3f}" for value in camera.matrix_world.translation)
        source = view.camera_source or prediction.camera_source
        lines.append(f"{view.name[:23]:<24}{size:>12}{camera.data.lens:9.2f}{place}  {source}")
    return lines


def _cameras(prediction: Prediction) -> str:
    track = prediction.track
    return f"{len(prediction.views)} cameras" if track is None else f"one camera over {len(track.numbers)} frames"


def _track_lines(track: CameraTrack, camera: bpy.types.Object) -> list[str]:
    """Of a clip's camera what it shows, how its frames were placed, and how far it went."""
    first, last = track.numbers[0], track.numbers[-1]
    width, height = track.photo_size
    _, stands = poses(camera)
    went = np.linalg.norm(np.diff(stands[:, :3, 3], axis=0), axis=1).sum()
    counts = ", ".join(f"{name} {count}" for name, count in Counter(track.sources).most_common())
    moved = "the camera stood still" if track.still else f"its path is {went:.3f} long"
    return [
        f"frames {first} to {last} of {width}x{height} at {track.rate:.5g} a second; lens {camera.data.lens:.2f} mm",
        f"frames placed as: {counts}; {moved}",
    ]
