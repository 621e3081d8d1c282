"""SOG of the first version and as a folder, made here pixel by pixel."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model_runtime.contract.messages import JobError
from model_runtime.contract.splat_files.files import read_splats

SPLATS = Path(__file__).parents[3] / "reference" / "splats"


def webp(pixels: list[list[int]], size: tuple[int, int] = (2, 2)) -> bytes:
    """A lossless picture of `size` that begins with these pixels."""
    data = np.zeros((size[0] * size[1], 4), np.uint8)
    data[: len(pixels)] = pixels
    file = io.BytesIO()
    Image.fromarray(data.reshape(size[1], size[0], 4), "RGBA").save(file, "WEBP", lossless=True, exact=True)
    return file.getvalue()


def first_version() -> dict[str, bytes]:
    """Two splats of degree 1: at 0 and at (e - 1, 1 - e, 0), with bounds that bytes 0 and 255 stand for."""
    meta = {
        "means": {"shape": [2, 3], "mins": [0, -1, 0], "maxs": [1, 0, 1], "files": ["l.webp", "u.webp"]},
        "scales": {"mins": [-2, -2, -2], "maxs": [0, 0, 0], "files": ["s.webp"]},
        "quats": {"files": ["q.webp"]},
        "sh0": {"mins": [-1, -1, -1, -2], "maxs": [1, 1, 1, 2], "files": ["c.webp"]},
        "shN": {"mins": -0.5, "maxs": 0.5, "files": ["n.webp", "k.webp"]},
    }
    centroids = [[0, 255, 0, 255]] * 3 + [[255, 0, 255, 255]] * 3
    return {
        "meta.json": json.dumps(meta).encode(),
        "l.webp": webp([[0, 255, 0, 255], [255, 0, 0, 255]]),
        "u.webp": webp([[0, 255, 0, 255], [255, 0, 0, 255]]),
        "s.webp": webp([[0, 0, 255, 255], [255, 255, 0, 255]]),
        "q.webp": webp([[127, 128, 127, 252], [255, 127, 128, 255]]),
        "c.webp": webp([[255, 0, 255, 255], [0, 255, 0, 0]]),
        "n.webp": webp(centroids, (192, 1)),
        "k.webp": webp([[1, 0, 0, 255], [0, 0, 0, 255]]),
    }


def zipped(files: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


def test_first_version(tmp_path, decode_webp):
    (tmp_path / "a.sog").write_bytes(zipped(first_version()))
    got = read_splats(tmp_path / "a.sog", decode_webp).splats
    np.testing.assert_allclose(got.means, [[0, 0, 0], [np.e - 1, 1 - np.e, 0]], atol=1e-6)
    np.testing.assert_allclose(got.scales, np.exp([[-2, -2, 0], [0, 0, -2]]), rtol=1e-6)
    np.testing.assert_allclose(got.rotations, [[1, 0, 0, 0], [0.70710678, 0, 0, 0.70710678]], atol=0.004)
    np.testing.assert_allclose(got.opacities, 1 / (1 + np.exp([-2, 2])), rtol=1e-6)
    np.testing.assert_allclose(got.harmonics[:, :, 0], [[1, -1, 1], [-1, 1, -1]], atol=1e-6)
    np.testing.assert_allclose(got.harmonics[0, :, 1:], np.outer([0.5, -0.5, 0.5], [1, 1, 1]), atol=1e-6)
    np.testing.assert_allclose(got.harmonics[1, :, 1:], np.outer([-0.5, 0.5, -0.5], [1, 1, 1]), atol=1e-6)


def test_a_folder_holds_what_the_zip_does(tmp_path, decode_webp):
    with zipfile.ZipFile(SPLATS / "splat_transform.sog") as archive:
        archive.extractall(tmp_path)
    one = read_splats(SPLATS / "splat_transform.sog", decode_webp).splats
    two = read_splats(tmp_path / "meta.json", decode_webp).splats
    for name in ("means", "scales", "rotations", "opacities", "harmonics"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


def changed(part: str, name: str, value: object) -> dict[str, bytes]:
    files = first_version()
    meta = json.loads(files["meta.json"])
    (meta[part] if part else meta)[name] = value
    return {**files, "meta.json": json.dumps(meta).encode()}


def bomb() -> bytes:
    """A lossless WebP of a few bytes that says to be 16384 pixels wide and high."""
    data = bytearray(webp([[0, 0, 0, 255]]))
    data[21:25] = ((1 << 28) - 1).to_bytes(4, "little")
    return bytes(data)


BROKEN = {
    "a picture is missing": ({k: v for k, v in first_version().items() if k != "s.webp"}, "s.webp is missing in it"),
    "a picture of another place": (changed("scales", "files", ["../s.webp"]), "its meta.json is damaged"),
    "too many splats": (changed("means", "shape", [500, 3]), "do not fit its splats"),
    "a bomb": ({**first_version(), "l.webp": bomb()}, "16384 x 16384 pixels"),
    "no picture": ({**first_version(), "l.webp": b"RIFF"}, "a picture of it is no lossless WebP"),
    "another version": (changed("", "version", 3), "it is version 3 of SOG"),
    "a list": ({"meta.json": b"[]"}, "its meta.json is damaged"),
    "no number": (changed("means", "mins", ["a", 0, 0]), "its meta.json is damaged"),
    "not finite": (changed("means", "maxs", [None, 1, 1]), "none of its splats"),
    "a label too far": ({**first_version(), "k.webp": webp([[64, 0, 0, 255]])}, "its colors are not all there"),
}


@pytest.mark.parametrize(("files", "reason"), BROKEN.values(), ids=BROKEN)
def test_broken(tmp_path, decode_webp, files, reason):
    (tmp_path / "a.sog").write_bytes(zipped(files))
    with pytest.raises(JobError) as refused:
        read_splats(tmp_path / "a.sog", decode_webp)
    assert refused.value.failure.code == "splats-unreadable"
    assert reason in refused.value.failure.sentence


def test_no_decoder(tmp_path):
    with pytest.raises(JobError, match="cannot be decoded here"):
        read_splats(SPLATS / "splat_transform.sog")
