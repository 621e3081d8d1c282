"""What must not leave this machine in a log or a report: passwords, tokens, and the names of home folders.

Standard library only.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from model_runtime.contract.messages import Failure

HIDDEN = "***"

SHORTEST_SECRET = 6
"""Letters. Shorter ones are found in ordinary words, and only hidden where they stand in an address."""

CREDENTIALS = re.compile(r"\b([a-z][a-z0-9+.-]*://)[^\s/?#]*@", re.IGNORECASE)
SIGNED = re.compile(
    r"([?&][\w.%-]*(?:token|signature|sig|secret|passw(?:or)?d|credential|policy|key)[\w.%-]*=)[^&\s\"'<>]+",
    re.IGNORECASE,
)
"""Of addresses that hold who may use them, as those that a hub sends to its store."""

HEADERS = re.compile(
    r"(authorization['\"]?\s*[:=,]\s*(?:b?['\"])?)(?:(?:bearer|basic|token)\s+)?[^\s'\",]+",
    re.IGNORECASE,
)
HUB_TOKEN = re.compile(r"\bhf_[A-Za-z0-9]{16,}")

SECRET_NAMES = re.compile(r"(?:TOKEN|PASSWORD|PASSWD|SECRET|SECRET_KEY|ACCESS_KEY|API_KEY)$")
"""Ends of the names of variables whose value is a secret, as HF_TOKEN and UV_INDEX_<name>_PASSWORD."""

VARIABLE_CREDENTIALS = (re.compile(r"://([^\s/?#@]*)@"), re.compile(r"://(\S*)@"))
"""Of a variable's value: as they should be, and where a password holds signs that no address should."""

UNIX_HOME = re.compile(
    r"(?<![\w.~-])(?:/var|/usr|/export|/mnt/[a-z]|/Volumes/[^/\n\"']+)?/(?:home|Users)/(?!Shared\b)[^/\s\"':;,<>()\[\]]+"
)
WINDOWS_HOME = re.compile(
    r"\b[a-z]:([\\/]+)Users\1(?!Public\b|Default\b)(?:[^\\/:*?\"<>|\r\n]+(?=\1)|[^\\/:*?\"<>|\s',;]+)", re.IGNORECASE
)


def without_secrets(text: str) -> str:
    """The text without user names and passwords in addresses (also of proxies and package indexes), without their
    signatures, and without the values of variables that hold secrets."""
    text = CREDENTIALS.sub(rf"\1{HIDDEN}@", text)
    text = SIGNED.sub(rf"\1{HIDDEN}", text)
    text = HEADERS.sub(rf"\1{HIDDEN}", text)
    text = HUB_TOKEN.sub(HIDDEN, text)
    for secret in sorted(set(_secrets()), key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return text


def failure_without_secrets(failure: Failure) -> Failure:
    """The same failure, all its texts through `without_secrets`."""
    return replace(
        failure,
        sentence=without_secrets(failure.sentence),
        advice=without_secrets(failure.advice),
        log=without_secrets(failure.log),
    )


def without_homes(text: str) -> str:
    """The text with `~` for home folders, whoever's they are: their names are those of people."""
    home = Path(os.path.expanduser("~"))
    if len(home.parts) > 1:
        text = re.sub(rf"{re.escape(str(home))}(?![\w.-])", "~", text)
    return WINDOWS_HOME.sub("~", UNIX_HOME.sub("~", text))


def _secrets() -> Iterator[str]:
    """What this process's variables hide, as it may stand in a text: as it is, or as an address writes it."""
    for name, value in os.environ.items():
        found = [value] if SECRET_NAMES.search(name.upper()) else []
        for credentials in (match for pattern in VARIABLE_CREDENTIALS for match in pattern.findall(value)):
            found.append(credentials.partition(":")[2] or credentials)
        for secret in found:
            for written in (secret, unquote(secret), quote(secret, safe="")):
                if len(written) >= SHORTEST_SECRET:
                    yield written
