"""Pictures that were made here can be told from photos."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from da3_blender.photos.own_pictures import is_marked, mark


def test_a_marked_picture_is_still_that_picture(tmp_path: Path) -> None:
    photo, marked = tmp_path / "photo.png", tmp_path / "marked.png"
    Image.effect_noise((40, 30), 50).save(photo)
    marked.write_bytes(mark(photo.read_bytes()))
    assert is_marked(marked) and not is_marked(photo)
    assert not is_marked(tmp_path / "nowhere.png")
    with Image.open(marked) as opened, Image.open(photo) as original:
        assert opened.tobytes() == original.tobytes()
        assert opened.info["Software"] == "DA3 for Blender"
