"""The list of photos, by its plain functions and by its operators."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

bpy = pytest.importorskip("bpy")

from da3_blender.jobs import request as job_request  # noqa: E402
from da3_blender.operators.photos import FILTER  # noqa: E402
from da3_blender.panels.photos import photo_details  # noqa: E402
from da3_blender.photos import photo_list, thumbnails  # noqa: E402
from da3_blender.photos.own_pictures import mark  # noqa: E402
from model_runtime.contract.messages import JobError  # noqa: E402
from tests.photo_files import dng, exr, heic  # noqa: E402


@pytest.fixture
def settings(addon):
    return bpy.context.scene.da3


@pytest.fixture
def photos(tmp_path) -> list[Path]:
    paths = [tmp_path / f"room {number}.jpg" for number in (10, 9, 1)]
    for path in paths:
        Image.new("RGB", (40, 30)).save(path)
    return paths


def names(settings) -> list[str]:
    return [photo.name for photo in settings.photos]


def test_files_come_in_natural_order_and_once(settings, photos):
    assert photo_list.add_files(settings, photos).sentence == "Photos added: 3."
    assert names(settings) == ["room 1.jpg", "room 9.jpg", "room 10.jpg"]
    assert (settings.photos[0].width, settings.photos[0].height) == (40, 30)
    again = photo_list.add_files(settings, photos[:1])
    assert again == photo_list.Added(0, 1) and len(settings.photos) == 3
    assert again.sentence == "Photos added: 0. In the list already: 1."


def test_problems_are_told(settings, tmp_path):
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.jpg").write_text("no photo at all")
    (tmp_path / "phone.HEIC").write_bytes(b"anything")
    (tmp_path / "camera.NEF").write_bytes(b"anything")
    files = ["empty.jpg", "text.jpg", "phone.HEIC", "camera.NEF", "gone.jpg"]
    photo_list.add_files(settings, [tmp_path / name for name in files])
    told = {photo.name: photo.problem for photo in settings.photos}
    assert told["empty.jpg"] == "The file is empty; copy it again"
    assert told["text.jpg"].startswith("The file is not a photo")
    assert told["phone.HEIC"] == told["camera.NEF"] == told["text.jpg"]
    assert told["gone.jpg"] == "The file is not there any more"
    with pytest.raises(JobError, match="None of the photos"):
        job_request.photo_sources(settings)


def test_a_photo_that_goes_and_comes_back(settings, photos):
    photo_list.add_files(settings, photos)
    content = photos[0].read_bytes()
    photos[0].unlink()
    assert photo_list.refresh(settings) == 1
    assert len(photo_list.usable(settings)) == 2
    photos[0].write_bytes(content)
    assert photo_list.refresh(settings) == 0


def test_folder(settings, photos, tmp_path):
    (tmp_path / "notes.txt").touch()
    (tmp_path / ".hidden.jpg").touch()
    assert photo_list.add_folder(settings, tmp_path).added == 3
    with pytest.raises(ValueError, match="holds no photos"):
        (tmp_path / "bare").mkdir()
        photo_list.add_folder(settings, tmp_path / "bare")
    (tmp_path / "bare" / "a.heic").write_bytes(b"something")
    (tmp_path / "bare" / "b.jpg").write_bytes(photos[0].read_bytes())
    added = photo_list.add_folder(settings, tmp_path / "bare")
    assert added.sentence == "Photos added: 1. Added in red, with the reason: 1."
    assert settings.photos[-2].problem.startswith("The file is not a photo")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems make no such names")
def test_names_that_no_text_can_hold_are_left_out(settings, photos, tmp_path):
    (tmp_path / os.fsdecode(b"bad\xff.jpg")).write_bytes(photos[0].read_bytes())
    told = photo_list.add_folder(settings, tmp_path).sentence
    assert told == "Photos added: 3. Left out until they are renamed, as their names are not UTF-8: 1."
    assert len(settings.photos) == 3


def test_a_preview_made_here_is_no_photo(settings, photos):
    preview = photos[0].with_name("a_preview.png")
    Image.new("RGB", (40, 30)).save(preview)
    preview.write_bytes(mark(preview.read_bytes()))
    assert photo_list.add_files(settings, [*photos, preview]).unusable == 1
    assert preview.name not in [photo.name for photo in photo_list.usable(settings)]


def test_images_of_the_file(settings, photos):
    linked = bpy.data.images.load(str(photos[0]))
    packed = bpy.data.images.load(str(photos[1]))
    packed.pack()
    bpy.data.images.new("painted", 8, 8)
    assert set(photo_list.usable_images()) == {linked, packed}
    assert photo_list.add_images(settings, photo_list.usable_images()).added == 2
    assert photo_list.add_images(settings, photo_list.usable_images()).known == 2
    read = {source.name: source.read().data for source in job_request.photo_sources(settings)}
    assert read == {photos[0].name: photos[0].read_bytes(), photos[1].name: photos[1].read_bytes()}
    bpy.data.images.remove(packed)
    photo_list.refresh(settings)
    assert [photo.problem for photo in settings.photos if not photo.path] == ["This image is not in the file any more"]


def test_order_and_reference(settings, photos):
    photo_list.add_files(settings, photos)
    settings.active_photo = 2
    bpy.ops.da3.move_photo(step=-1)
    assert names(settings) == ["room 1.jpg", "room 10.jpg", "room 9.jpg"] and settings.active_photo == 1
    assert bpy.ops.da3.move_photo(step=5) == {"CANCELLED"}
    settings.active_photo = 2
    bpy.ops.da3.set_reference()
    sources = job_request.photo_sources(settings)
    assert [source.name for source in sources] == ["room 9.jpg", "room 1.jpg", "room 10.jpg"]
    assert job_request.base_request(settings).reference_view == "first"
    bpy.ops.da3.set_reference()
    assert job_request.base_request(settings).reference_view == "saddle_balanced"
    bpy.ops.da3.remove_photo()
    assert names(settings) == ["room 1.jpg", "room 10.jpg"] and settings.active_photo == 1
    bpy.ops.da3.clear_photos()
    assert names(settings) == [] and not bpy.ops.da3.clear_photos.poll()


def test_photos_of_one_name_are_told_apart(settings, photos, tmp_path):
    other = tmp_path / "second" / photos[0].name
    other.parent.mkdir()
    other.write_bytes(photos[0].read_bytes())
    photo_list.add_files(settings, [photos[0], other])
    found = {source.name for source in job_request.photo_sources(settings)}
    assert found == set(names(settings)) == {f"{tmp_path.name}/{photos[0].name}", f"second/{photos[0].name}"}


def test_folders_in_a_folder_are_added_in_order_with_their_names(settings, photos, tmp_path):
    for name in ("a/deeper/room 1.jpg", "a/room 1.jpg", "b/new.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(photos[0].read_bytes())
    assert photo_list.add_folder(settings, tmp_path).added == 6
    first = f"{tmp_path.name}/room 1.jpg"
    assert names(settings) == [first, "room 9.jpg", "room 10.jpg", "a/room 1.jpg", "deeper/room 1.jpg", "new.jpg"]


def test_photos_of_phones_cameras_and_renderers_are_listed(settings, tmp_path, monkeypatch):
    picture = Image.effect_noise((40, 30), 50).convert("RGB")
    (tmp_path / "1.heic").write_bytes(heic(picture, 6, 6, FocalLengthIn35mmFilm=26))
    (tmp_path / "2.dng").write_bytes(dng(np.zeros((30, 40, 3))))
    (tmp_path / "3.exr").write_bytes(exr({"Y": np.zeros((30, 40), np.float16)}))
    assert photo_list.add_folder(settings, tmp_path).sentence == "Photos added: 3."
    assert [photo_details(photo) for photo in settings.photos] == ["30 x 40   26 mm", "RAW", "40 x 30"]
    # In the background Blender makes no thumbnails.
    made = SimpleNamespace(get=lambda key: None, load=lambda *_: SimpleNamespace(icon_id=7))
    monkeypatch.setattr(thumbnails, "_previews", [made])
    assert [thumbnails.icon(photo.path) for photo in settings.photos] == [0, 0, 7]


def test_file_browsers_offer_them_all():
    """Blender cuts a file browser's filter after 255 letters."""
    assert {"*.heic", "*.avif", "*.nef", "*.exr", "*.jpg"} <= set(FILTER.split(";")) and len(FILTER) < 256


def test_operators_do_what_the_functions_do(settings, photos, tmp_path):
    bpy.ops.da3.add_photos(directory=str(tmp_path), files=[{"name": path.name} for path in photos])
    by_files = names(settings)
    bpy.ops.da3.clear_photos()
    bpy.ops.da3.add_photo_folder(directory=str(tmp_path))
    assert names(settings) == by_files == ["room 1.jpg", "room 9.jpg", "room 10.jpg"]
