"""A frame as FFmpeg decodes it -> an upright picture with square pixels, 8 bits, sRGB-encoded.

swscale does the matrix and the range of Y'CbCr. It knows neither transfer curves nor primaries as PyAV calls it, so
what is not that of usual screens (HDR, wide gamuts) is done here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from av import VideoFrame

HD = 720
"""Rows of a film from which on it counts as ITU-R BT.709 where it does not tell its matrix, as players take it."""

BT709, BT601, UNSPECIFIED = 1, 5, 2
"""Matrices, as ITU-T H.273 numbers them."""

PQ, HLG = 16, 18
"""Transfer curves of HDR, as H.273 numbers them: SMPTE ST 2084, and ARIB STD-B67."""

LIMITED, FULL = 1, 2
"""Ranges, as FFmpeg numbers them."""

TO_SRGB = {
    9: ((1.660491, -0.587641, -0.072850), (-0.124550, 1.132900, -0.008349), (-0.018151, -0.100579, 1.118730)),
    12: ((1.224940, -0.224940, 0.0), (-0.042057, 1.042057, 0.0), (-0.019638, -0.078636, 1.098274)),
}
"""H.273's number of primaries -> matrix from linear light in them to linear sRGB: BT.2020 (ITU-R BT.2087), and Display
P3, both with D65 as white."""

BT2020_LUMA = np.array([0.2627, 0.6780, 0.0593], np.float32)
WHITE = 203.0
"""cd/m2 of white paper in HDR (ITU-R BT.2408): what becomes white on a usual screen, but for `KNEE`."""

HLG_PEAK, HLG_GAMMA = 1000.0, 1.2
"""cd/m2 of the screen that HLG is shown on, and its system gamma (ITU-R BT.2100)."""

KNEE = 0.8
"""Of white: brighter is pressed together up to white, so that highlights keep their shape."""

LEVELS = 1 << 16
ROWS = 128
"""Of a frame that are worked on at once."""

MOST_SQUEEZED = 4
"""How much wider than tall a pixel may be, or the other way round; more is a damaged header."""


def is_hdr(frame: VideoFrame) -> bool:
    return frame.color_trc in (PQ, HLG)


def square_size(frame: VideoFrame, aspect: float) -> tuple[int, int]:
    """(width, height) of the frame with square pixels, none of which is thrown away; aspect: width of a pixel by its
    height, as the film tells it; 0 where it does not."""
    if not 1 / MOST_SQUEEZED <= aspect <= MOST_SQUEEZED:
        return frame.width, frame.height
    if aspect >= 1:
        return round(frame.width * aspect), frame.height
    return frame.width, round(frame.height / aspect)


def to_picture(frame: VideoFrame, size: tuple[int, int], turn: np.ndarray | None) -> np.ndarray:
    """[H,W,3] uint8 RGB. size: of `square_size`. turn: of `display_matrix`."""
    from av.video.reformatter import Interpolation

    deep = is_hdr(frame) or frame.color_primaries in TO_SRGB
    # The same bytes on every processor; without the flag for chroma, it is doubled instead of interpolated.
    way = Interpolation.BICUBIC | Interpolation.FULL_CHR_H_INT | Interpolation.ACCURATE_RND | Interpolation.BITEXACT
    shown = frame.reformat(
        width=size[0],
        height=size[1],
        format="rgb48le" if deep else "rgb24",
        src_colorspace=_matrix(frame),
        src_color_range=_range(frame),
        dst_color_range=FULL,
        interpolation=way,
    )
    pixels = shown.to_ndarray()
    if deep:
        pixels = _to_srgb(pixels, frame.color_trc, frame.color_primaries)
    return np.ascontiguousarray(turned(pixels, turn))


def _matrix(frame: VideoFrame) -> int:
    told = int(frame.colorspace)
    if told in (BT709, 4, BT601, 7, 9):  # all that swscale knows
        return told
    if told == 6:  # BT.601 of 525 lines, the same numbers
        return BT601
    if told == 10:  # BT.2020 with constant luminance, which no camera writes
        return 9
    return BT709 if frame.height >= HD else BT601


def _range(frame: VideoFrame) -> int:
    """Full where the film tells that, by its pixels' format or by a flag; else as television has it."""
    return FULL if frame.color_range == FULL or frame.format.name.startswith("yuvj") else LIMITED


def display_matrix(frame: VideoFrame) -> np.ndarray | None:
    """[2,2] of -1, 0 and 1: where a step along the stored rows (first row) and down the columns (second row) leads in
    what is shown, x to the right and y down; the nearest of the eight that keep pixels pixels. None where the film
    tells nothing.
    """
    data = frame.side_data.get("DISPLAYMATRIX")
    if data is None or data.buffer_size != 36:
        return None
    told = np.frombuffer(memoryview(data), np.int32).reshape(3, 3)[:2, :2].astype(float)
    turn = np.zeros((2, 2), int)
    straight, across = np.abs(told.diagonal()).sum(), np.abs(told[[0, 1], [1, 0]]).sum()
    if straight >= across:
        turn[[0, 1], [0, 1]] = np.sign(told.diagonal())
    else:
        turn[[0, 1], [1, 0]] = np.sign(told[[0, 1], [1, 0]])
    return turn if np.abs(turn).sum() == 2 else None


def swaps_sides(turn: np.ndarray | None) -> bool:
    """Whether what is shown is as wide as what is stored is high."""
    return turn is not None and turn[0, 0] == 0


def turned(pixels: np.ndarray, turn: np.ndarray | None) -> np.ndarray:
    """[h,w,3] as it is stored -> as it is shown."""
    if turn is None:
        return pixels
    if swaps_sides(turn):
        pixels = pixels.transpose(1, 0, 2)
    right, down = turn.sum(axis=0)
    return pixels[:: int(down), :: int(right)]


def clockwise(turn: np.ndarray | None) -> int:
    """Degrees by which what is stored is turned to be shown, after it was mirrored left to right where it is."""
    if turn is None:
        return 0
    if np.linalg.det(turn) < 0:
        turn = np.diag((-1, 1)) @ turn
    return round(np.degrees(np.arctan2(turn[0, 1], turn[0, 0]))) % 360


def _to_srgb(pixels: np.ndarray, curve: int, primaries: int) -> np.ndarray:
    """[h,w,3] uint16, in any curve and primaries -> uint8."""
    light = {PQ: _pq_light, HLG: _hlg_light}.get(curve, _srgb_light)
    matrix = np.array(TO_SRGB.get(primaries, np.eye(3)), np.float32)
    picture = np.empty(pixels.shape, np.uint8)
    for top in range(0, len(pixels), ROWS):
        linear = light(pixels[top : top + ROWS]) @ matrix.T
        if curve in (PQ, HLG):
            linear = _pressed(linear)
        codes = np.clip(linear * (LEVELS - 1) + 0.5, 0, LEVELS - 1).astype(np.uint16)
        picture[top : top + ROWS] = _srgb_codes()[codes]
    return picture


def _pressed(linear: np.ndarray) -> np.ndarray:
    """Linear light, white at 1 -> at most 1, the hue kept."""
    brightest = linear.max(axis=-1, keepdims=True)
    above = np.maximum(brightest - KNEE, 0) / (1 - KNEE)
    shown = np.where(above > 0, KNEE + (1 - KNEE) * (1 - np.exp(-above)), brightest)
    return linear * (shown / np.maximum(brightest, 1e-6))


def _hlg_light(pixels: np.ndarray) -> np.ndarray:
    scene = _curve(_hlg_scene)[pixels]
    luma = scene @ BT2020_LUMA
    return scene * np.maximum(luma, 1e-6)[..., None] ** (HLG_GAMMA - 1) * (HLG_PEAK / WHITE)


def _pq_light(pixels: np.ndarray) -> np.ndarray:
    return _curve(_pq_shown)[pixels]


def _srgb_light(pixels: np.ndarray) -> np.ndarray:
    return _curve(_srgb_shown)[pixels]


@cache
def _curve(function: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """[LEVELS] float32: the function of 0..1."""
    return function(np.linspace(0, 1, LEVELS)).astype(np.float32)


@cache
def _srgb_codes() -> np.ndarray:
    """[LEVELS] uint8: sRGB's codes of linear light (IEC 61966-2-1)."""
    light = np.linspace(0, 1, LEVELS)
    codes = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.round(codes * 255).astype(np.uint8)


def _srgb_shown(code: np.ndarray) -> np.ndarray:
    return np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)


def _hlg_scene(code: np.ndarray) -> np.ndarray:
    """Light of the scene, 0..1, from HLG's codes (BT.2100)."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12)


def _pq_shown(code: np.ndarray) -> np.ndarray:
    """Light of the screen, white paper at 1, from PQ's codes (BT.2100)."""
    m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
    power = code ** (1 / m2)
    return 10000 / WHITE * (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1)
