"""The sidebar tab DA3. Panels only show; what they need is worked out elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable

import blf
import bpy

from ..translation import iface

MARGINS, ICON = 85, 22
"""Pixels, at scale 1, that a text in a box of the sidebar cannot use: for borders and tabs, and for an icon."""

NARROWEST = 100
WIDEST = 700

PIECES = re.compile(r"\S+\s*|\s+")


class Sidebar:
    """What every panel of the tab has in common."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "DA3"


def paragraph(layout: bpy.types.UILayout, context: bpy.types.Context, text: str, icon: str = "NONE") -> None:
    """Lines of text, in the interface's language, broken at the region's width; Blender's labels do not break."""
    scale = context.preferences.system.ui_scale
    width = context.region.width / scale - MARGINS - (ICON if icon != "NONE" else 0)
    blf.size(0, context.preferences.ui_styles[0].widget.points)
    column = layout.column(align=True)
    column.scale_y = 0.8
    lines = wrap(iface(text), min(max(width, NARROWEST), WIDEST), lambda line: blf.dimensions(0, line)[0])
    for number, line in enumerate(lines):
        given = icon if number == 0 else ("BLANK1" if icon != "NONE" else "NONE")
        column.label(text=line, icon=given, translate=False)


def wrap(text: str, width: float, measure: Callable[[str], float]) -> list[str]:
    """Lines that `measure` finds no wider than `width`, broken between words; inside only those wider than a line,
    such as all of a language that sets no spaces."""
    lines = [""]
    for piece in PIECES.findall(text):
        if lines[-1] and measure((lines[-1] + piece).rstrip()) > width:
            lines.append("")
        for part in (piece,) if measure(piece.rstrip()) <= width else piece:
            if lines[-1] and measure((lines[-1] + part).rstrip()) > width:
                lines.append("")
            lines[-1] += part
    return [line.rstrip() for line in lines]
