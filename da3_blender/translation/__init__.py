"""What the artist reads, in the language of Blender's interface.

Labels, tooltips and names of properties Blender translates by itself, with what `register` hands to it. What is put
together while running goes through `iface`, `tip` or `rpt`, called after Blender's own functions for labels, tooltips
and reports. They take

- a template and its values: iface("Making '{name}'", name="kitchen");
- a finished English sentence, such as a failure's, whose words come from modules without bpy or from a worker, perhaps
  on another machine: the template that it was made from is found again by its fixed words. Sentences that are not
  known stay English.

Each language is a file beside this one, named as Blender names the language: English text or template -> translation,
in the order of the panels. Templates of f-strings count their values: {0}, {1}, ...
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from string import Formatter

import bpy

from model_runtime.contract.json_files import read_json

LANGUAGES = ("de_DE", "ja_JP")
"""All have the same texts."""

CONTEXTS = ("*", "Operator")
"""Blender looks up labels of operators apart from all other texts; no text here means two things."""

SENTENCE_END = re.compile(r"(?<=[.!?]) (?=\S)")

_pgettext_iface = bpy.app.translations.pgettext_iface
_pgettext_tip = bpy.app.translations.pgettext_tip
_pgettext_rpt = bpy.app.translations.pgettext_rpt


@cache
def catalogue(language: str) -> dict[str, str]:
    """English text or template -> its translation into one of the LANGUAGES."""
    return read_json(Path(__file__).with_name(f"{language}.json"))


def iface(text: str, **values: object) -> str:
    """A label or a sentence of a panel. text: a template for `values`; without them, finished English."""
    return _translate(_pgettext_iface, text, values)


def tip(text: str, **values: object) -> str:
    """As `iface`, for tooltips."""
    return _translate(_pgettext_tip, text, values)


def rpt(text: str, **values: object) -> str:
    """As `iface`, for reports of operators."""
    return _translate(_pgettext_rpt, text, values)


def _translate(lookup: Callable[[str], str], text: str, values: dict[str, object]) -> str:
    return lookup(text).format(**values) if values else _translate_finished(lookup, text)


def _translate_finished(lookup: Callable[[str], str], text: str) -> str:
    """A finished text as a whole, else sentence by sentence; values inside it that are known texts follow."""
    template, values = recognise(text)
    translated = lookup(template)
    if values:
        return fill(translated, {name: _translate_finished(lookup, value) for name, value in values.items()})
    parts = SENTENCE_END.split(text) if translated == text else []
    return " ".join(_translate_finished(lookup, part) for part in parts) if len(parts) > 1 else translated


@lru_cache(maxsize=1024)
def recognise(text: str) -> tuple[str, dict[str, str]]:
    """The template that a finished text was made from, and its values; the text itself where none fits.

    Of several that fit, the one with the most fixed words counts. Values are parts of one sentence.
    """
    if text in catalogue(LANGUAGES[0]):
        return text, {}
    for template, pattern in _patterns():
        match = pattern.fullmatch(text)
        if match is not None:
            return template, {name[1:]: value for name, value in match.groupdict().items()}
    return text, {}


def fill(template: str, values: dict[str, str]) -> str:
    """`str.format` for values by name or, as "0", "1", ..., by number."""
    positions = [values[name] for name in sorted((name for name in values if name.isdigit()), key=int)]
    return template.format(*positions, **{name: value for name, value in values.items() if not name.isdigit()})


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Every template and what it looks like when it is filled; those with the most fixed words come first."""
    found = []
    for template in catalogue(LANGUAGES[0]):
        pieces = list(Formatter().parse(template))
        if any(name is not None for _, name, _, _ in pieces):
            fixed = sum(len(words) for words, _, _, _ in pieces)
            pattern = "".join(
                re.escape(words) + ("" if name is None else f"(?P<_{name}>(?:(?![.!?] ).)*?)")
                for words, name, _, _ in pieces
            )
            found.append((-fixed, template, re.compile(pattern, re.DOTALL)))
    return tuple((template, pattern) for _, template, pattern in sorted(found, key=lambda item: item[:2]))


def register() -> None:
    bpy.app.translations.register(
        __package__,
        {
            language: {(context, text): done for context in CONTEXTS for text, done in catalogue(language).items()}
            for language in LANGUAGES
        },
    )


def unregister() -> None:
    bpy.app.translations.unregister(__package__)
