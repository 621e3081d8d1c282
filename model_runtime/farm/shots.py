"""The file that lists a farm's shots (docs/farm.md): read and checked before anything is started."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from model_runtime.contract.messages import (
    BACKENDS,
    CAMERA_SOURCES,
    LENSES,
    PRECISIONS,
    REFERENCE_VIEWS,
    REFINE_DEPTH,
    JobError,
)
from model_runtime.contract.photo_kinds import kind_by_name
from model_runtime.contract.photo_names import listed, shortened

NAME = re.compile(r"[\w][\w .+=@-]{0,99}")
"""What a shot may be called, as its files are called so, too."""

GIGABYTE = 1_000_000_000
DEFAULT_CPUS = 2


def _one_of(choices: tuple[str, ...]) -> Callable[[object], str]:
    def check(value: object) -> str:
        return "" if value in choices else f"one of {', '.join(choices)}"

    return check


def _text(value: object) -> str:
    return "" if isinstance(value, str) and value else "a text"


def _switch(value: object) -> str:
    return "" if isinstance(value, bool) else "true or false"


def _count(least: int) -> Callable[[object], str]:
    def check(value: object) -> str:
        is_count = isinstance(value, int) and not isinstance(value, bool) and value >= least
        return "" if is_count else f"a whole number, {least} or more"

    return check


def _amount(value: object) -> str:
    is_amount = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf
    return "" if is_amount else "a number, 0 or more"


REQUEST_SETTINGS: dict[str, Callable[[object], str]] = {
    "checkpoint": _text,
    "resolution": _count(1),
    "camera_source": _one_of(tuple(source for source in CAMERA_SOURCES if source != "given")),
    "refine": _switch,
    "lens": _one_of(LENSES),
    "refine_depth": _one_of(REFINE_DEPTH),
    "reference_view": _one_of(REFERENCE_VIEWS),
    "gaussians": _switch,
    "improve_splats": _switch,
    "device": _text,
    "precision": _one_of(PRECISIONS),
    "backend": _one_of(BACKENDS),
    "splat_budget": _count(1),
}
"""Settings of a `Request` that a shot has, as `da3-runtime predict` has them -> what a value would have to be."""

MEANS = {"gpus": _amount, "cpus": _count(1), "memory": _amount, "shared": _switch}
"""What a shot takes of the machines."""

CLIP = {"first": _count(0), "last": _count(0), "step": _count(1)}
SOURCES = ("name", "photos", "clip")
CHECKS = {**REQUEST_SETTINGS, **MEANS, **CLIP}


@dataclass(frozen=True)
class Shot:
    """photos or clip: its files. settings: of its `Request`. frames: `first`, `last` and `step` of its clip. gpus: how
    many it takes; None for one where there are any. cpus: processors, and threads, that it takes. memory: bytes that
    are to be free for it. shared: whether the machines read its files by the same paths.
    """

    name: str
    photos: tuple[Path, ...] = ()
    clip: Path | None = None
    settings: Mapping[str, object] = field(default_factory=dict)
    frames: Mapping[str, int] = field(default_factory=dict)
    gpus: float | None = None
    cpus: int = DEFAULT_CPUS
    memory: int = 0
    shared: bool = False

    @property
    def files(self) -> tuple[Path, ...]:
        return self.photos if self.clip is None else (self.clip,)


def read_shots(path: Path) -> tuple[Shot, ...]:
    """All shots of a file; what it names is found from its folder on.

    Raises JobError `bad-request`, naming the shot.
    """
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _wrong(f"{path} cannot be read: {error.strerror}.", "Check the path.") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _wrong(f"{path} is no TOML file: {error}.") from error
    if unknown := sorted(told.keys() - {"shot", "defaults"}):
        raise _wrong(f"{path.name} has {listed(unknown)}, which means nothing.", "It has [[shot]] and [defaults].")
    defaults, shots = told.get("defaults", {}), told.get("shot", [])
    if not isinstance(shots, list) or not shots or not all(isinstance(shot, dict) for shot in shots):
        raise _wrong(f"{path.name} has no [[shot]].", 'Write [[shot]], name = "..." and photos = "..." for each.')
    if not isinstance(defaults, dict):
        raise _wrong(f"[defaults] of {path.name} is no table.")
    _check_keys(defaults, "[defaults]", {**REQUEST_SETTINGS, **MEANS})
    read = tuple(_read_shot(shot, number, defaults, path.parent) for number, shot in enumerate(shots, 1))
    _check_names(read)
    return read


def _read_shot(told: dict[str, object], number: int, defaults: Mapping[str, object], folder: Path) -> Shot:
    name = told.get("name")
    if not isinstance(name, str) or not NAME.fullmatch(name) or name.endswith((" ", ".")):
        raise _wrong(
            f"Shot {number} is called {shortened(repr(name))}.",
            "Give each a name of letters, digits, spaces and . _ + = @ -, as its files are called so.",
        )
    _check_keys({key: value for key, value in told.items() if key not in SOURCES}, name, CHECKS)
    both = {**defaults, **told}
    photos, clip = told.get("photos"), told.get("clip")
    if (photos is None) == (clip is None):
        held = "neither photos nor a clip" if clip is None else "both photos and a clip"
        raise _wrong(f"{name} has {held}.", "Give it one of them.")
    if clip is None and (given := sorted(CLIP.keys() & told.keys())):
        raise _wrong(f"{name} has {listed(given)}, but no clip.", "These choose the frames of a clip.")
    memory = both.get("memory", 0)
    assert isinstance(memory, int | float)
    return Shot(
        name,
        () if photos is None else _photos(photos, name, folder),
        None if clip is None else _clip(clip, name, folder),
        {key: both[key] for key in REQUEST_SETTINGS if key in both},
        {key: value for key in CLIP if isinstance(value := told.get(key), int)},
        _number(both.get("gpus")),
        int(_number(both.get("cpus")) or DEFAULT_CPUS),
        round(memory * GIGABYTE),
        bool(both.get("shared", False)),
    )


def _check_keys(told: Mapping[str, object], where: str, known: Mapping[str, Callable[[object], str]]) -> None:
    for key, value in told.items():
        if key not in known:
            raise _wrong(f"{where} has {shortened(key)}, which is no setting.", f"Settings are {', '.join(known)}.")
        if wanted := known[key](value):
            raise _wrong(f"{where} has {key} = {shortened(repr(value))}.", f"It has to be {wanted}.")


def _check_names(shots: tuple[Shot, ...]) -> None:
    seen: set[str] = set()
    for shot in shots:
        if shot.name.casefold() in seen:
            raise _wrong(f"Two shots are called {shot.name}.", "Give each its own name.")
        seen.add(shot.name.casefold())


def _photos(told: object, name: str, folder: Path) -> tuple[Path, ...]:
    """Of a folder, a pattern, or a list of such and of files; a folder gives the photos that lie right in it."""
    words = told if isinstance(told, list) else [told]
    found: list[Path] = []
    for word in words:
        if not isinstance(word, str) or not word:
            raise _wrong(f"The photos of {name} are {shortened(repr(told))}.", "Give a text, or a list of texts.")
        paths = _matching(word, folder)
        if not paths:
            raise _wrong(f"There are no photos {shortened(word)} for {name}.", "Check the path.")
        found += paths
    return tuple(dict.fromkeys(found))


def _matching(word: str, folder: Path) -> list[Path]:
    path = folder / Path(word).expanduser()
    if path.is_dir():
        return sorted(each for each in path.iterdir() if each.is_file() and kind_by_name(each.name))
    if path.is_file():
        return [path]
    anchor = Path(path.anchor)
    return sorted(each for each in anchor.glob(str(path.relative_to(anchor))) if each.is_file())


def _clip(told: object, name: str, folder: Path) -> Path:
    path = folder / Path(told).expanduser() if isinstance(told, str) and told else None
    if path is None or not path.is_file():
        raise _wrong(f"There is no clip {shortened(str(told))} for {name}.", "Check the path.")
    return path


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _wrong(sentence: str, advice: str = "Correct the file.") -> JobError:
    return JobError("bad-request", sentence, advice)
