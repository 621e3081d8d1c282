"""What other programs wrote of the same splats (tests/reference/README.md), and bytes that have to be theirs."""

from __future__ import annotations

import struct
import zlib
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from model_runtime.contract.splat_files import zstandard_frames
from model_runtime.contract.splat_files.axes import OPENCV, from_z_up, to_z_up
from model_runtime.contract.splat_files.cloud import SplatCloud
from model_runtime.contract.splat_files.files import read_splats, write_splats

SPLATS = Path(__file__).parents[3] / "reference" / "splats"
SPZ_SH = 1 / 16 + 1 / 256
"""Half a step of degree 2 in an SPZ, and its rounding."""

FILES = {
    "gaussforge_2.spz": (2.0**-13, 0.12, 0.014, SPZ_SH),
    "gaussforge_3.spz": (2.0**-13, 0.07, 0.014, SPZ_SH),
    "gaussforge_4.spz": (2.0**-13, 0.07, 0.014, SPZ_SH),
    "gsply.spz": (2.0**-13, 0.07, 0.014, SPZ_SH),
    "splat_transform.spz": (2.0**-13, 0.07, 0.014, SPZ_SH),
    "gaussforge.splat": (0, 0.03, 0.014, None),
    "splat_transform.sog": (5e-4, 0.03, 0.012, 0.7),
    "splat_transform.compressed.ply": (0.01, 0.01, 0.008, 0.017),
    "gsply.compressed.ply": (0.01, 0.01, 0.008, 0.017),
}
"""File -> how far places, covariances (of their own size), coefficients of degree 0, and those above may be off by the
steps of the format; None where it has none above."""

KEEPS_AXES = ("gaussforge", "gsply")


def original() -> SplatCloud:
    return read_splats(SPLATS / "original.ply").splats


def covariances(cloud: SplatCloud) -> np.ndarray:
    w, x, y, z = cloud.rotations.T.astype(np.float64)
    rows = (
        (1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        (2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        (2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    )
    axes = np.stack([np.stack(row, axis=1) for row in rows], axis=1) * cloud.scales[:, None, :]
    return axes @ axes.swapaxes(1, 2)


def order_of(got: SplatCloud, wanted: SplatCloud) -> np.ndarray:
    distances = np.linalg.norm(wanted.means[:, None] - got.means[None], axis=2)
    order = distances.argmin(axis=1)
    assert sorted(order) == list(range(len(wanted)))
    return order


@pytest.mark.parametrize("name", FILES)
def test_files_of_other_programs(name, decode_webp):
    place, shape, base, rest = FILES[name]
    got, wanted = read_splats(SPLATS / name, decode_webp), original()
    turned = name.endswith(".spz") and not name.startswith(KEEPS_AXES)
    splats = from_z_up(to_z_up(got.splats, got.axes), OPENCV) if turned else got.splats
    order = order_of(splats, wanted)
    assert np.abs(splats.means[order] - wanted.means).max() <= place
    np.testing.assert_allclose(splats.opacities[order], wanted.opacities, atol=1 / 250)
    assert np.abs(splats.harmonics[order][:, :, 0] - wanted.harmonics[:, :, 0]).max() <= base
    size = np.linalg.norm(covariances(wanted), axis=(1, 2))
    off = np.linalg.norm(covariances(splats)[order] - covariances(wanted), axis=(1, 2)) / size
    assert off.max() <= shape
    if rest is None:
        assert splats.degree == 0
    else:
        assert splats.degree == 2
        assert np.abs(splats.harmonics[order] - wanted.harmonics)[:, :, 1:].max() <= rest


def test_a_sog_is_what_its_writer_makes_of_it(decode_webp):
    got = read_splats(SPLATS / "splat_transform.sog", decode_webp).splats
    wanted = read_splats(SPLATS / "splat_transform_sog.ply").splats
    np.testing.assert_allclose(got.means, wanted.means, atol=1e-6)
    np.testing.assert_allclose(covariances(got), covariances(wanted), rtol=1e-4, atol=1e-9)
    np.testing.assert_allclose(got.opacities, wanted.opacities, atol=1e-6)
    np.testing.assert_array_equal(got.harmonics, wanted.harmonics)


def test_spz_has_the_bytes_of_niantics_code(tmp_path):
    write_splats(tmp_path / "a.spz", original())
    ours, theirs = (
        zlib.decompress(path.read_bytes(), 31) for path in (tmp_path / "a.spz", SPLATS / "gaussforge_3.spz")
    )
    places = 16 + 9 * 12
    assert ours[:13] == theirs[:13] and ours[14:16] == theirs[14:16]
    assert ours[places:] == theirs[places:]  # places have more fraction bits in ours: 16 instead of 12
    assert (ours[13], theirs[13]) == (16, 12)


def test_spz_4_has_the_bytes_of_niantics_code(tmp_path):
    write_splats(tmp_path / "a.spz", original(), spz_version=4)

    def streams(path: Path) -> list[bytes]:
        data = path.read_bytes()
        assert data[:12] == b"NGSP" + struct.pack("<II", 4, 12)
        (table,) = struct.unpack_from("<I", data, 16)
        sizes = list(struct.iter_unpack("<QQ", data[table : table + 16 * data[15]]))
        ends = np.cumsum([table + 16 * len(sizes), *(length for length, _ in sizes)])
        cut = [data[start:end] for start, end in pairwise(ends)]
        return [zstandard_frames.decompress(piece, told) for piece, (_, told) in zip(cut, sizes, strict=True)]

    ours, theirs = streams(tmp_path / "a.spz"), streams(SPLATS / "gaussforge_4.spz")
    assert [len(each) for each in ours] == [108, 12, 36, 36, 48, 288]
    assert ours[1:] == theirs[1:]
