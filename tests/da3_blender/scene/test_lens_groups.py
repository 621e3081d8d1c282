"""The compositor's groups for lenses, rendered: what they show lies where the lens's formulas say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import OpenEXR
import pytest
from scipy.ndimage import map_coordinates

from da3_blender.plan.scene_plan import plan_scene
from model_runtime.contract.lens import (
    BROWN,
    FISHEYE,
    Lens,
    distort,
    pixel_centres,
    seen_by_straight,
    seen_from_straight,
    straight_camera,
)

bpy = pytest.importorskip("bpy")

from mathutils import Matrix  # noqa: E402

from da3_blender.scene import write_scene  # noqa: E402
from da3_blender.scene.cameras import apply_camera_resolution  # noqa: E402
from da3_blender.scene.lens_groups import DISTORT, UNDISTORT, compositor_of, lens_group  # noqa: E402
from tests.da3_blender.compositor import begin_compositor, write_exrs  # noqa: E402


def lens_of(model: str, size: tuple[int, int], *coefficients: float) -> Lens:
    width, height = size
    intrinsics = np.array([[180.0, 0, width * 0.48], [0, 181.0, height * 0.53], [0, 0, 1]])
    return Lens(model, size, intrinsics, np.array(coefficients))


LENSES = {
    "brown, landscape": lens_of(BROWN, (240, 160), -0.26, 0.07, 0.001, -0.002),
    "brown, portrait": lens_of(BROWN, (160, 240), -0.26, 0.07),
    "fisheye, landscape": lens_of(FISHEYE, (240, 160), 0.02, -0.01),
    "fisheye, portrait": lens_of(FISHEYE, (160, 240), 0.02, -0.01),
}


def camera_of(room, scene, lens: Lens) -> Any:
    size, pixels = straight_camera(lens)
    focal, middle = tuple(pixels.diagonal()[:2]), tuple(pixels[:2, 2])
    view = replace(room.view(photo_size=size, focal=focal, principal=middle, name="a.jpg"), lens=lens)
    return write_scene(plan_scene(room.prediction(view), "room"), scene).cameras[0]


def through(group, scene, kind: str, folder: Path, image: Any = None) -> np.ndarray:
    """[h,w,4] what the group makes of what a node of this kind gives, as the scene renders now."""
    tree = begin_compositor(scene)
    assert compositor_of(scene) == tree
    ((layers, result),) = ((link.from_node, link.to_socket) for link in tree.links)
    tree.nodes.remove(layers)  # nothing is rendered that nothing needs
    source, node = tree.nodes.new(kind), tree.nodes.new("CompositorNodeGroup")
    node.node_tree = group
    if image is not None:
        source.image = image
    tree.links.new(source.outputs["Image"], node.inputs["Image"])
    tree.links.new(node.outputs["Image"], result)
    write_exrs(tree, node.outputs["Image"], folder)
    bpy.ops.render.render()
    with OpenEXR.File(str(next(folder.glob("*.exr")))) as made:
        return made.channels()["RGBA"].pixels.copy()


def image_of(picture: np.ndarray) -> Any:
    """Blender's image of [h,w,4]."""
    height, width = picture.shape[:2]
    image: Any = bpy.data.images.new("card", width, height, alpha=True, float_buffer=True)
    image.colorspace_settings.name = "Non-Color"
    image.pixels.foreach_set(np.float32(picture[::-1]).ravel())
    image.pack()
    return image


def card_of(size: tuple[int, int]) -> np.ndarray:
    """[h,w,4] each pixel's red and green say where it is, in pixels; its blue is noise."""
    x, y = np.moveaxis(pixel_centres(size), -1, 0)
    return np.stack((x, y, np.random.default_rng(5).random(x.shape), np.ones_like(x)), axis=-1)


@pytest.mark.parametrize("lens", LENSES.values(), ids=LENSES)
@pytest.mark.parametrize("way", [DISTORT, UNDISTORT])
def test_every_pixel_comes_from_where_the_lens_says(room, empty_scene, tmp_path, lens: Lens, way: str) -> None:
    camera, straight = camera_of(room, empty_scene, lens), straight_camera(lens)
    name = lens_group(camera, way).name
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "a.blend"))  # with the map as the file keeps it
    if way == DISTORT:
        source, size, look = straight.size, lens.size, seen_by_straight
    else:
        source, size, look = lens.size, straight.size, seen_from_straight
    card = card_of(source)
    scene = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y = 40, 30  # whatever it is
    found = through(bpy.data.node_groups[name], scene, "CompositorNodeImage", tmp_path, image_of(card))
    assert found.shape == (size[1], size[0], 4)
    wanted = look(lens, straight, pixel_centres(size))
    with np.errstate(invalid="ignore"):
        well_inside = ((wanted > 1) & (wanted < np.array(source) - 1)).all(-1)
        outside = ~((wanted >= 0) & (wanted <= source)).all(-1)
    assert well_inside.mean() > 0.75
    assert np.abs(found[well_inside, :2] - wanted[well_inside]).max() < 1e-3
    mixed = map_coordinates(card[..., 2], wanted[well_inside].T[::-1] - 0.5, order=1)
    assert np.abs(found[well_inside, 2] - mixed).max() < 1e-3  # as sharp as can be between pixels
    assert np.abs(found[well_inside, 3] - 1).max() < 1e-5 and not found[outside].any()


@pytest.mark.parametrize("which", ["brown, landscape", "fisheye, portrait"])
def test_a_render_of_the_camera_lands_on_the_photo(room, empty_scene, tmp_path, which: str) -> None:
    lens = LENSES[which]
    camera = camera_of(room, empty_scene, lens)
    for item in empty_scene.objects:
        item.hide_render = True
    place = np.array([-0.33, 0.35, -1.0])  # of a small square, left and above, in Blender's camera
    bpy.ops.mesh.primitive_plane_add(size=0.06)
    square: Any = bpy.context.object
    square.matrix_world = camera.matrix_world @ Matrix.Translation(place)
    empty_scene.timeline_markers.clear()  # which would choose the camera
    empty_scene.camera, render = camera, empty_scene.render
    apply_camera_resolution(empty_scene, camera)
    render.engine, render.film_transparent, empty_scene.cycles.samples = "CYCLES", True, 16
    opacity = through(lens_group(camera, DISTORT), empty_scene, "CompositorNodeRLayers", tmp_path)[..., 3]
    assert opacity.shape == lens.size[::-1] and opacity.sum() > 60
    middle = np.tensordot(opacity / opacity.sum(), pixel_centres(lens.size), axes=2)
    assert np.linalg.norm(middle - distort(lens, np.array([-0.33, -0.35]))) < 0.1
