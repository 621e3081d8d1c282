"""A projected photo, rendered by Cycles through its camera, is the photo, pixel by pixel."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from da3_blender.plan.scene_plan import plan_scene
from model_runtime.contract.messages import JobError

bpy = pytest.importorskip("bpy")

from mathutils import Euler, Matrix, Vector  # noqa: E402

from da3_blender.scene import projection, write_scene  # noqa: E402
from da3_blender.scene.cameras import apply_camera_resolution  # noqa: E402
from da3_blender.scene.remove import remove_scene  # noqa: E402

CASES = {
    "landscape": ((48, 36), (40.0, 40.0), None),
    "portrait": ((36, 48), (40.0, 40.0), None),
    "off centre": ((48, 36), (40.0, 40.0), (30.5, 11.25)),
    "wide pixels": ((48, 36), (50.0, 40.0), (20.0, 20.0)),
    "tall pixels, portrait": ((36, 48), (40.0, 52.0), (22.0, 20.0)),
}


def write_card(path: Path, size: tuple[int, int]) -> np.ndarray:
    """A photo no two pixels of which are alike; returns [h,w,3] uint8."""
    card = np.random.default_rng(3).integers(0, 256, (size[1], size[0], 3), np.uint8)
    Image.fromarray(card).save(path)
    return card


def room_mesh(name: str = "set") -> object:
    """A folded surface all around: walls at many distances and slants, which fill any view."""
    bpy.ops.mesh.primitive_ico_sphere_add(subdivisions=2, radius=6, location=(0.5, 1, 1))
    item = bpy.context.object
    item.name = name
    for index, vertex in enumerate(item.data.vertices):
        vertex.co *= 1 + 0.25 * np.sin(7.0 * index)
    item.rotation_euler, item.scale = (0.2, 0.4, 0.1), (1.0, 1.3, 0.9)
    return item


@pytest.fixture
def photographed(room, empty_scene, tmp_path):
    def make(case: str) -> SimpleNamespace:
        size, focal, principal = CASES[case]
        card = write_card(tmp_path / "a.png", size)
        view = room.view(photo_size=size, focal=focal, principal=principal, name="a.png", detail=4)
        made = write_scene(plan_scene(room.prediction(view), "room", [tmp_path / "a.png"]), empty_scene)
        for part in (made.points, made.splats):
            if part is not None:
                part.hide_render = True
        empty_scene.timeline_markers.clear()  # which would choose the camera
        return SimpleNamespace(camera=made.cameras[0], card=card, scene=empty_scene, collection=made.collection)

    return make


def rendered(scene, camera, folder: Path) -> np.ndarray:
    """[h,w,4] uint8 by Cycles, a sample in the middle of each pixel."""
    apply_camera_resolution(scene, camera)
    render = scene.render
    render.engine, render.film_transparent, render.dither_intensity = "CYCLES", True, 0.0
    scene.cycles.samples, scene.cycles.device, scene.cycles.use_denoising = 1, "CPU", False
    scene.cycles.pixel_filter_type, scene.cycles.filter_width = "BOX", 0.01
    scene.view_settings.view_transform = "Standard"
    render.image_settings.file_format, render.image_settings.color_mode = "PNG", "RGBA"
    scene.camera, render.filepath = camera, str(folder / "render.png")
    bpy.ops.render.render(write_still=True)
    return np.asarray(Image.open(folder / "render.png"))


def error(picture: np.ndarray, card: np.ndarray) -> int:
    """The worst difference from the photo away from its edges, of 255."""
    assert picture.shape[:2] == card.shape[:2]
    assert (picture[1:-1, 1:-1, 3] == 255).all()
    return int(np.abs(picture[1:-1, 1:-1, :3].astype(int) - card[1:-1, 1:-1]).max())


@pytest.mark.parametrize("case", CASES)
def test_through_the_camera_it_is_the_photo(photographed, case, tmp_path):
    seen = photographed(case)
    projection.project_photo(seen.camera, [room_mesh()])
    assert error(rendered(seen.scene, seen.camera, tmp_path), seen.card) <= 2


@pytest.mark.parametrize("fit", ["AUTO", "HORIZONTAL", "VERTICAL"])
@pytest.mark.parametrize("case", ["off centre", "tall pixels, portrait"])
def test_it_follows_the_camera_and_its_lens(photographed, case, fit, tmp_path):
    seen = photographed(case)
    projection.project_photo(seen.camera, [room_mesh()])
    lens = seen.camera.data
    lens.sensor_fit, lens.sensor_width, lens.sensor_height, lens.lens = fit, 23.6, 15.7, 19.0
    lens.shift_x, lens.shift_y = 0.11, -0.07
    parent = bpy.data.objects.new("rig", None)
    seen.scene.collection.objects.link(parent)
    seen.camera.parent = parent
    parent.matrix_world = Matrix.LocRotScale(Vector((0.3, 0.5, 0.2)), Euler((0.3, 0.2, 0.5)), Vector((0.5, 0.5, 0.5)))
    assert error(rendered(seen.scene, seen.camera, tmp_path), seen.card) <= 2


def test_nothing_lies_behind_the_camera_or_beside_the_photo(photographed, tmp_path):
    seen = photographed("landscape")
    projection.project_photo(seen.camera, [room_mesh()])
    other = seen.camera.copy()
    seen.scene.collection.objects.link(other)
    for turn in (np.pi, np.pi / 2):
        other.matrix_world = seen.camera.matrix_world @ Matrix.Rotation(turn, 4, "Y")
        assert not rendered(seen.scene, other, tmp_path).any()


def materials(item) -> list[tuple[str, str | None]]:
    return [(slot.link, slot.material and slot.material.name) for slot in item.material_slots]


def test_what_was_there_is_kept_and_comes_back(photographed):
    camera = photographed("landscape").camera
    item, other = room_mesh(), room_mesh("bare")
    gold, paint = bpy.data.materials.new("gold"), bpy.data.materials.new("paint")
    for material in (gold, gold):
        item.data.materials.append(material)
    item.material_slots[1].link = "OBJECT"
    item.material_slots[1].material = paint
    before = materials(item)
    for _ in range(2):  # a second click makes nothing new
        made = projection.project_photo(camera, [item, other, camera])
        assert made.name == "DA3 Projection a" and len(bpy.data.materials) == 4
    assert materials(item) == [("OBJECT", made.name)] * 2 and materials(other) == [("OBJECT", made.name)]
    assert list(item.data.materials) == [gold, gold]
    assert projection.take_off([item, other, camera]) == 2
    assert materials(item) == before and materials(other) == [("DATA", None)]
    assert projection.take_off([item]) == 0


def test_a_material_of_the_artists_since_stays(photographed):
    camera, item = photographed("landscape").camera, room_mesh()
    projection.project_photo(camera, [item])
    item.material_slots[0].material = gold = bpy.data.materials.new("gold")
    projection.take_off([item])
    assert item.material_slots[0].material == gold


def test_refusals(photographed):
    seen = photographed("landscape")
    with pytest.raises(JobError, match="No mesh object is selected"):
        projection.project_photo(seen.camera, [seen.camera, *seen.collection.all_objects])
    item = room_mesh()
    seen.camera.data.type = "ORTHO"
    with pytest.raises(JobError, match="is no perspective camera"):
        projection.project_photo(seen.camera, [item])
    seen.camera.data.background_images.clear()
    with pytest.raises(JobError, match="has no photo behind it"):
        projection.project_photo(seen.camera, [item])
    assert projection.projecting_camera(None, item, seen.camera) == seen.camera
    with pytest.raises(JobError, match="No camera of a DA3 scene is chosen"):
        projection.projecting_camera(item, bpy.data.objects.new("own", bpy.data.cameras.new("own")))


def test_a_removed_scene_leaves_the_artists_object(photographed):
    seen, item = photographed("landscape"), room_mesh()
    projection.project_photo(seen.camera, [item])
    remove_scene(seen.collection)
    assert projection.take_off([item]) == 1 and materials(item) == [("DATA", None)]
