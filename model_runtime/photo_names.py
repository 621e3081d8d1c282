"""Which entry of a camera file belongs to which photo, by their names. Standard library only."""

from __future__ import annotations

from collections.abc import Sequence

from model_runtime.messages import JobError


def match_names(photos: Sequence[str], entries: Sequence[str]) -> list[str | None]:
    """The entry of each photo: the one of its whole name, else the one that most of its last parts agree with
    (`left/1.jpg`); None where there is none.

    An entry that belongs to one photo for sure is not in question for the others. Raises JobError `bad-cameras` where
    several would do.
    """
    found: dict[str, str] = {}
    fitting: dict[str, list[str]] = {}
    for photo in sorted(photos, key=lambda name: -len(_parts(name))):
        taken = set(found.values())
        agreeing = {entry: _agreeing(photo, entry) for entry in entries if entry not in taken}
        most = max(agreeing.values(), default=(0, False))
        fitting[photo] = [entry for entry, parts in agreeing.items() if parts == most and most[0]]
        if len(fitting[photo]) == 1:
            found[photo] = fitting[photo][0]
    for photo in photos:
        if photo not in found and fitting[photo]:
            sentence = f"There are several cameras for {photo}: {', '.join(fitting[photo])}."
            raise JobError("bad-cameras", sentence, "Give the photos names of their own.")
    return [found.get(photo) for photo in photos]


def _agreeing(photo: str, entry: str) -> tuple[int, bool]:
    """How many of the last parts of two paths agree, and whether all do."""
    one, other = _parts(photo), _parts(entry)
    count = 0
    while count < min(len(one), len(other)) and one[-1 - count] == other[-1 - count]:
        count += 1
    return count, one == other


def _parts(name: str) -> list[str]:
    return [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]
