"""Scores of all scenes and methods: collected, averaged, kept as JSON."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

Scores = dict[str, float]


@dataclass
class Entry:
    """One method on one scene. errors: of every pair of views, degrees (None: a photo was not placed). failure: the
    sentence of a method that gave no result; its scores are then empty.
    """

    scene: str
    group: str
    method: str
    source: str = ""
    scores: Scores = field(default_factory=dict[str, float])
    errors: list[float | None] = field(default_factory=list[float | None])
    failure: str = ""


@dataclass
class Results:
    """settings: what the run was done with (data set, checkpoint, device, ...), JSON-able."""

    settings: dict[str, object]
    entries: list[Entry] = field(default_factory=list[Entry])

    @property
    def methods(self) -> list[str]:
        return list(dict.fromkeys(entry.method for entry in self.entries))

    @property
    def scenes(self) -> list[str]:
        return list(dict.fromkeys(entry.scene for entry in self.entries))

    @property
    def groups(self) -> list[str]:
        return sorted({entry.group for entry in self.entries if entry.group})

    def of(self, method: str, group: str | None = None) -> list[Entry]:
        return [e for e in self.entries if e.method == method and group in (None, e.group)]

    def mean(self, method: str, score: str, group: str | None = None) -> float | None:
        """Mean of a score over the method's scenes; None where no scene has it.

        A scene without a result counts as 0 for AUC, photos placed and F-score, and is left out of all other means.
        """
        values = []
        for entry in self.of(method, group):
            if score in entry.scores:
                values.append(entry.scores[score])
            elif entry.failure and score.startswith(("auc", "placed", "fscore")):
                values.append(0.0)
        return float(np.mean(values)) if any(score in e.scores for e in self.of(method, group)) else None

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(_finite(asdict(self)), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Results:
        stored = json.loads(path.read_text(encoding="utf-8"))
        return cls(stored["settings"], [Entry(**entry) for entry in stored["entries"]])


def _finite(value: object) -> object:
    """JSON knows no infinity: such numbers become None, and vanish from scores."""
    if isinstance(value, dict):
        return {key: _finite(v) for key, v in value.items() if not (isinstance(v, float) and not math.isfinite(v))}
    if isinstance(value, list):
        return [_finite(v) for v in value]
    if isinstance(value, float):
        return round(value, 4) if math.isfinite(value) else None
    return value
