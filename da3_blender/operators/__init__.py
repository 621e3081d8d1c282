"""Operators: each a few lines that call the plain functions scripts and tests call too."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from model_runtime.contract.messages import Failure
from model_runtime.contract.secrecy import without_homes, without_secrets

from ..translation import rpt

UNDOABLE = {"REGISTER", "UNDO"}

NOT_UNDOABLE: set[str] = set()
"""For operators that change nothing themselves and lead to one that does."""

DIALOG_WIDTH = 420
"""Pixels, at scale 1."""

ONLY_ONCE = {"UNDO"}
"""For operators that Adjust Last Operation must not run again."""


def select(context: Any, items: Iterable[Any]) -> None:
    """Select those objects of `items` that can be, and no other; the last one is active."""
    for item in context.selected_objects:
        item.select_set(False)
    for item in items:
        if context.view_layer.objects.get(item.name) == item:
            item.select_set(True)
            context.view_layer.objects.active = item


def tell(operator: Any, failure: Failure) -> None:
    """Report what went wrong and what to do, in the language of the interface."""
    operator.report({"ERROR"}, f"{rpt(failure.sentence)} {rpt(failure.advice)}".strip())


def report_of(failure: Failure) -> str:
    """What went wrong with its log, to be shown to strangers: no passwords, no names of home folders."""
    parts = (f"{failure.code}: {failure.sentence}", failure.advice, failure.log)
    return without_homes(without_secrets("\n".join(part for part in parts if part)))
