"""Names of objects that every program takes."""

from __future__ import annotations

import pytest

from da3_blender.plan.plain_names import free_name, plain_name


@pytest.mark.parametrize(
    ("photo", "name"),
    [
        ("IMG_0001.JPG", "IMG_0001"),
        ("left/1.jpg", "left_1"),
        ("C:\\photos\\left 1.tif", "C_photos_left_1"),
        ("my.photo (2).jpeg", "my_photo_2"),
        ("1.jpg (2)", "1"),
        ("Image.001", "Image_001"),
        ("Küche-03.webp", "Küche_03"),
        ("写真 1.png", "写真_1"),
        ("__a__b__.png", "a_b"),
        ("....", "photo"),
        ("", "photo"),
        ("no ending", "no_ending"),
        ("x" * 100 + "7.jpg", "x" * 47 + "7"),
    ],
)
def test_names_hold_nothing_that_breaks_tools(photo, name):
    assert plain_name(photo) == name
    assert plain_name(name) == name


def test_long_names_are_cut_between_letters():
    assert plain_name("写" * 40) == "写" * 16 and plain_name("é" * 40 + "1") == "é" * 23 + "1"


def test_names_that_are_taken_get_a_number():
    assert free_name("a", {"b"}) == "a"
    assert free_name("a", {"a", "a_2"}, {"a_3"}) == "a_4"
