"""The line in the status bar: progress, what is ready, what went wrong, wherever the artist works."""

from __future__ import annotations

import bpy

from .. import live
from ..scene import arrival
from ..translation import iface


def draw_status(self: bpy.types.Header, context: bpy.types.Context) -> None:
    state, last = live.jobs().state, arrival.notice()
    row = self.layout.row(align=True)
    if state.running:
        making = iface("Making '{name}'", name=state.name)
        row.label(text=f"{making}  {state.fraction:.0%}", icon="TIME", translate=False)
        row.operator("da3.cancel", text="", icon="CANCEL", emboss=False)
    elif last is not None:
        row.label(text=last.sentence, icon="CHECKMARK", translate=False)
        row.operator("da3.show_result", text="Show")
        row.operator("da3.dismiss_notice", text="", icon="X", emboss=False)
    elif state.waiting is not None:
        ready = iface(f"'{state.waiting.result.plan.name}' is ready.")
        text = f"{ready} {iface(state.waiting.reason)}"
        row.label(text=text, icon="INFO", translate=False)
        row.operator("da3.place_result", icon="IMPORT")
    elif state.failure is not None:
        row.label(text=iface(state.failure.sentence), icon="ERROR", translate=False)
        row.operator("da3.dismiss_failure", text="", icon="X", emboss=False)


def register() -> None:
    bpy.types.STATUSBAR_HT_header.append(draw_status)


def unregister() -> None:
    bpy.types.STATUSBAR_HT_header.remove(draw_status)
    arrival.forget()
