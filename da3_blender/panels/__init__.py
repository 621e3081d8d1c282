"""The sidebar tab DA3. Panels only show; what they need is worked out elsewhere."""

from __future__ import annotations

import textwrap
from typing import Any

from ..translation import iface

LETTER_WIDTH = 6.6
"""Pixels, at scale 1, of an average letter of Blender's interface font."""


class Sidebar:
    """What every panel of the tab has in common."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "DA3"


def paragraph(layout: Any, context: Any, text: str, icon: str = "NONE") -> None:
    """Text in the language of the interface, as lines broken at the sidebar's width; Blender's labels do not break.

    Where words are not parted by spaces, lines are broken between any two letters, and letters are twice as wide.
    """
    text = iface(text)
    scale = context.preferences.system.ui_scale
    wide = any(letter > "\u2e80" for letter in text)
    letters = max(20, int(context.region.width / (LETTER_WIDTH * scale)) - 5) // (2 if wide else 1)
    column = layout.column(align=True)
    column.scale_y = 0.8
    for number, line in enumerate(textwrap.wrap(text, letters)):
        column.label(text=line, translate=False, icon=icon if number == 0 else ("BLANK1" if icon != "NONE" else "NONE"))
