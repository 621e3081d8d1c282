"""Colours of films against the standards' own formulas: matrices, ranges, curves and primaries."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

from model_runtime.clips.film import film_source
from model_runtime.contract.messages import Clip

BARS = np.array(
    [(255, 255, 255), (255, 255, 0), (0, 255, 255), (0, 255, 0), (255, 0, 255), (255, 0, 0), (0, 0, 255), (90, 140, 60)]
)
"""sRGB codes, from left to right."""

KR_KB = {Colorspace.ITU601: (0.299, 0.114), Colorspace.ITU709: (0.2126, 0.0722), Colorspace.BT2020: (0.2627, 0.0593)}
"""Weights of red and blue in luma, of the recommendations BT.601, BT.709 and BT.2020."""


def to_ycc(rgb: np.ndarray, weights: tuple[float, float], full: bool, bits: int) -> np.ndarray:
    """[N,3] RGB codes in 0..1 -> [N,3] codes of Y, Cb, Cr with `bits` bits, as BT.709 3.4 and 3.5 say it."""
    kr, kb = weights
    luma = rgb @ (kr, 1 - kr - kb, kb)
    blue, red = (rgb[:, 2] - luma) / (2 - 2 * kb), (rgb[:, 0] - luma) / (2 - 2 * kr)
    one = 1 << (bits - 8)
    most = (1 << bits) - 1
    scale, base, chroma = (most, 0, most) if full else (219 * one, 16 * one, 224 * one)
    codes = np.stack((luma * scale + base, blue * chroma + 128 * one, red * chroma + 128 * one), axis=1)
    return np.clip(np.round(codes), 0, most).astype(int)


def write_patches(path: Path, codes: np.ndarray, deep: bool = False, height: int = 32, **tags: int) -> Path:
    """Patches of the Y, Cb and Cr side by side, without any loss."""
    kind = np.dtype("<u2") if deep else np.dtype("u1")
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = 16 * len(codes), height
        stream.pix_fmt = "yuv444p10le" if deep else "yuv444p"
        for name, value in tags.items():
            setattr(stream.codec_context, name, value)
        frame = av.VideoFrame(stream.width, height, stream.pix_fmt)
        for plane, values in zip(frame.planes, codes.T, strict=True):
            row = np.repeat(values, 16).astype(kind)
            padded = np.zeros((height, plane.line_size // kind.itemsize), kind)
            padded[:, : len(row)] = row
            plane.update(padded.tobytes())
        for name, value in tags.items():
            setattr(frame, name, value)
        frame.pts, frame.time_base = 0, Fraction(1, 25)
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def patches(path: Path) -> np.ndarray:
    """[N,3] RGB codes in the middle of each patch."""
    ((_, picture),) = film_source(path, Clip("bars")).pictures()
    return picture[len(picture) // 2, 8::16].astype(int)


@pytest.mark.parametrize("matrix", KR_KB)
@pytest.mark.parametrize("full", [False, True])
def test_matrix_and_range_are_as_the_film_tells(matrix: Colorspace, full: bool, tmp_path: Path) -> None:
    codes = to_ycc(BARS / 255, KR_KB[matrix], full, 8)
    colour_range = ColorRange.JPEG if full else ColorRange.MPEG
    path = write_patches(tmp_path / "bars.mkv", codes, colorspace=matrix, color_range=colour_range)
    assert np.abs(patches(path) - BARS).max() <= 3


@pytest.mark.parametrize(("height", "matrix"), [(480, Colorspace.ITU601), (720, Colorspace.ITU709)])
def test_untold_matrices_are_those_of_players(height: int, matrix: Colorspace, tmp_path: Path) -> None:
    codes = to_ycc(BARS / 255, KR_KB[matrix], False, 8)
    assert np.abs(patches(write_patches(tmp_path / "bars.mkv", codes, height=height)) - BARS).max() <= 3


def test_ten_bits_are_brought_to_eight(tmp_path: Path) -> None:
    codes = to_ycc(BARS / 255, KR_KB[Colorspace.ITU709], False, 10)
    path = write_patches(tmp_path / "bars.mkv", codes, deep=True, colorspace=Colorspace.ITU709)
    assert np.abs(patches(path) - BARS).max() <= 2


def srgb(linear: np.ndarray) -> np.ndarray:
    """Codes 0..255 of linear light, by IEC 61966-2-1."""
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055)


def pq(nits: np.ndarray) -> np.ndarray:
    """SMPTE ST 2084, equations 5.1."""
    power = (nits / 10000) ** (2610 / 16384)
    return ((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)


def hlg(scene: np.ndarray) -> np.ndarray:
    """BT.2100, the opto-electronic transfer function."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), a * np.log(np.maximum(12 * scene - b, 1e-9)) + c)


BT709_TO_2020 = np.array(
    [(0.6274039, 0.3292830, 0.0433131), (0.0690973, 0.9195404, 0.0113623), (0.0163914, 0.0880133, 0.8955953)]
)
"""BT.2087, linear light."""

LIGHT = np.array([(0.02, 0.02, 0.02), (0.18, 0.18, 0.18), (0.5, 0.5, 0.5), (0.6, 0.1, 0.1), (0.1, 0.5, 0.2)])
"""Linear sRGB below where highlights are pressed together."""


@pytest.mark.parametrize("curve", [ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67])
def test_hdr_below_white_looks_as_on_a_usual_screen(curve: ColorTrc, tmp_path: Path) -> None:
    wide = LIGHT @ BT709_TO_2020.T
    if curve == ColorTrc.SMPTE2084:
        codes = pq(wide * 203)
    else:  # the inverse of the screen's system gamma 1.2 at 1000 cd/m2
        shown = wide * 203 / 1000
        luma = shown @ (0.2627, 0.6780, 0.0593)
        codes = hlg(shown * luma[:, None] ** (1 / 1.2 - 1))
    path = write_patches(
        tmp_path / "hdr.mkv",
        to_ycc(codes, KR_KB[Colorspace.BT2020], False, 10),
        deep=True,
        colorspace=Colorspace.BT2020,
        color_trc=curve,
        color_primaries=ColorPrimaries.BT2020,
    )
    assert np.abs(patches(path) - srgb(LIGHT)).max() <= 3
    assert "is HDR" in film_source(path, Clip("bars")).notes[0]


def test_highlights_of_hdr_keep_their_order_and_end_at_white(tmp_path: Path) -> None:
    nits = np.array([100, 150, 203, 300, 500, 1000, 10000])
    codes = to_ycc(np.repeat(pq(nits)[:, None], 3, 1), KR_KB[Colorspace.BT2020], False, 10)
    tags = {"color_trc": ColorTrc.SMPTE2084, "color_primaries": ColorPrimaries.BT2020, "colorspace": Colorspace.BT2020}
    grey = patches(write_patches(tmp_path / "hdr.mkv", codes, deep=True, **tags))
    assert np.ptp(grey, axis=1).max() <= 1
    assert (np.diff(grey[:, 1]) >= 0).all() and (np.diff(grey[:5, 1]) > 0).all() and grey[-1, 1] == 255


def test_display_p3_of_phones_is_brought_to_srgb(tmp_path: Path) -> None:
    """The primaries' chromaticities (SMPTE EG 432-1, D65) make the matrix here."""
    p3, bt709 = (
        _to_xyz(*xy) for xy in (((0.68, 0.32), (0.265, 0.69), (0.15, 0.06)), ((0.64, 0.33), (0.3, 0.6), (0.15, 0.06)))
    )
    codes = srgb(LIGHT @ (np.linalg.inv(p3) @ bt709).T) / 255
    path = write_patches(
        tmp_path / "p3.mkv",
        to_ycc(codes, KR_KB[Colorspace.ITU709], False, 10),
        deep=True,
        colorspace=Colorspace.ITU709,
        color_primaries=ColorPrimaries.SMPTE432,
    )
    assert np.abs(patches(path) - srgb(LIGHT)).max() <= 3


def _to_xyz(*primaries: tuple[float, float]) -> np.ndarray:
    """[3,3]: linear RGB of these chromaticities, with D65 as white, to CIE XYZ."""
    columns = np.array([(x / y, 1, (1 - x - y) / y) for x, y in primaries]).T
    white = np.array([0.3127 / 0.3290, 1, (1 - 0.3127 - 0.3290) / 0.3290])
    return columns * np.linalg.solve(columns, white)


def test_chroma_of_fewer_samples_is_interpolated(tmp_path: Path) -> None:
    """Between two colours of a usual film (4:2:0) there is a ramp, and not two columns alike."""
    path = tmp_path / "ramp.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 32, "yuv420p"
        frame = av.VideoFrame(64, 32, "yuv420p")
        for plane, samples in zip(frame.planes, (64, 32, 32), strict=True):
            rows = np.full((32 if samples == 64 else 16, plane.line_size), 128, np.uint8)
            if samples == 32:
                rows[:, :32] = np.arange(32) * 4 + 64
            plane.update(rows.tobytes())
        frame.pts, frame.time_base = 0, Fraction(1, 25)
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    ((_, picture),) = film_source(path, Clip("ramp")).pictures()
    red = picture[16, 8:56, 0].astype(int)
    assert (np.diff(red) > 0).all()
