"""How a failure is shown, wherever that is: what happened, what to do, and the button that helps."""

from __future__ import annotations

import bpy

from model_runtime.contract.messages import Failure

from ..remedies import Remedy, remedy_of
from ..translation import iface
from . import paragraph


def draw_failure(
    layout: bpy.types.UILayout,
    context: bpy.types.Context,
    failure: Failure,
    keeper: str = "",
    without: Remedy | None = None,
) -> None:
    """keeper: who keeps the failure (`live.keeper`), so that it can be copied and closed; empty for a note, which
    stays. without: the remedy that needs no button here."""
    box = layout.box()
    sentence = box.column()
    sentence.alert = True
    paragraph(sentence, context, failure.sentence, icon="ERROR")
    if failure.advice:
        paragraph(box, context, failure.advice)
    if remedy_of(failure.code) != without:
        draw_remedy(box, failure)
    if keeper:
        row = box.row(align=True)
        row.operator("da3.copy_report", icon="COPYDOWN").keeper = keeper
        row.operator("da3.dismiss_failure", icon="X").keeper = keeper


def draw_remedy(layout: bpy.types.UILayout, failure: Failure) -> None:
    """The button that helps against a failure, where there is one."""
    remedy = remedy_of(failure.code)
    if remedy is not None:
        button = layout.operator(remedy.operator, text=remedy.label)
        for name, value in remedy.properties.items():
            setattr(button, name, value)


def both(failure: Failure) -> str:
    """What happened and what to do, in the language of the interface."""
    return f"{iface(failure.sentence)} {iface(failure.advice)}".strip()
