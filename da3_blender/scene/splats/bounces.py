"""How many transparent surfaces Cycles looks through: splats need more than other scenes."""

from __future__ import annotations

import bpy

from ..marks import BEFORE_SPLATS

BOUNCES = {"transparent_max_bounces": 256, "min_transparent_bounces": 64}
"""How many splats deep Cycles looks, and how deep before it may leave the rest to chance: an eighth of the noise, half
as long again."""


def let_cycles_see_through(scene: bpy.types.Scene) -> None:
    """Allow Cycles enough transparent bounces for splats, until `give_back_bounces`."""
    if not hasattr(scene, "cycles"):  # the Cycles add-on may be switched off
        return
    before = {name: getattr(scene.cycles, name) for name in BOUNCES}
    raised = {name: max(before[name], needed) for name, needed in BOUNCES.items()}
    if raised == before:
        return
    if BEFORE_SPLATS not in scene:
        scene[BEFORE_SPLATS] = before
    for name, value in raised.items():
        setattr(scene.cycles, name, value)


def give_back_bounces(scene: bpy.types.Scene) -> None:
    """Undo `let_cycles_see_through`; what the artist has set since stays."""
    if BEFORE_SPLATS not in scene:
        return
    for name, value in scene[BEFORE_SPLATS].items() if hasattr(scene, "cycles") else ():
        if getattr(scene.cycles, name) == BOUNCES[name]:
            setattr(scene.cycles, name, value)
    del scene[BEFORE_SPLATS]
