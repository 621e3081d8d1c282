"""What photos are called, and which entry of a camera file belongs to which of them. Standard library only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

NAMES_TOLD = 5


def distinct_names(paths: Sequence[Path], taken: Collection[str] = ()) -> list[str]:
    """A name for each photo: its file's, with as much of the folders before it as tells it from all others.

    taken: names that other photos have.
    """
    parts = [path.parts for path in paths]
    counts = [1] * len(paths)
    while True:
        names = ["/".join(each[-count:]) for each, count in zip(parts, counts, strict=True)]
        times = Counter([*names, *taken])
        clashing = [i for i, name in enumerate(names) if times[name] > 1]
        longer = [i for i in clashing if counts[i] < len(parts[i])]
        if not longer:
            return _numbered(names, taken) if clashing else names
        for i in longer:
            counts[i] += 1


def _numbered(names: Iterable[str], taken: Collection[str]) -> list[str]:
    used = set(taken)
    result = []
    for name in names:
        free, number = name, 2
        while free in used:
            free, number = f"{name} ({number})", number + 1
        used.add(free)
        result.append(free)
    return result


def shortened(name: str, most: int = 100) -> str:
    """A name as it can stand in a sentence."""
    name = "".join(letter if letter.isprintable() else "\ufffd" for letter in name[: most + 1])
    return name if len(name) <= most else f"{name[:most]}..."


def listed(names: Sequence[str]) -> str:
    """The first few of the names, as they can stand in a sentence."""
    more = f" and {len(names) - NAMES_TOLD} more" if len(names) > NAMES_TOLD else ""
    return ", ".join(shortened(name) for name in names[:NAMES_TOLD]) + more


def match_names(photos: Sequence[str], entries: Sequence[str]) -> list[str | None]:
    """The entry of each photo: the one of its whole name, else the one that most of its last parts agree with
    (`left/1.jpg`); None where there is none.

    An entry that belongs to one photo for sure is not in question for the others. Raises ValueError with a sentence
    where several would do, be they the same name twice.
    """
    by_last: dict[str, list[tuple[str, list[str]]]] = {}
    for entry in entries:
        parts = _parts(entry)
        by_last.setdefault(parts[-1] if parts else "", []).append((entry, parts))
    found: dict[str, str] = {}
    fitting: dict[str, list[str]] = {}
    taken: set[str] = set()
    for photo, parts in sorted(((name, _parts(name)) for name in photos), key=lambda each: -len(each[1])):
        near = by_last.get(parts[-1], []) if parts else []
        agreeing = [(entry, _agreeing(parts, others)) for entry, others in near if entry not in taken]
        most = max((agree for _, agree in agreeing), default=(0, False))
        fitting[photo] = [entry for entry, agree in agreeing if agree == most]
        if len(fitting[photo]) == 1:
            found[photo] = fitting[photo][0]
            taken.add(found[photo])
    for photo in photos:
        if photo not in found and fitting[photo]:
            raise ValueError(f"There are several cameras for {photo}: {listed(fitting[photo])}.")
    return [found.get(photo) for photo in photos]


def _agreeing(one: list[str], other: list[str]) -> tuple[int, bool]:
    """How many of the last parts of two paths agree, and whether all do."""
    count = 0
    while count < min(len(one), len(other)) and one[-1 - count] == other[-1 - count]:
        count += 1
    return count, one == other


def _parts(name: str) -> list[str]:
    return [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]
