"""Which checkpoints there are, what they may be used for, and where their files lie.

The released models and their licences are those of the Depth Anything 3 repositories on Hugging Face
(depth-anything/..., Lin et al. 2025). `checkpoint_loading` turns a located file into a network.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from model_runtime.messages import CheckpointInfo, JobError
from model_runtime.network.config import PRESETS

BUNDLED_FOLDER = Path(__file__).parent / "weights"
WEIGHTS_FILE = "model.safetensors"
CONFIG_FILE = "config.json"
RESOLUTION = 504
"""Longest side the released models are meant for; `resolution` in a config.json says another."""

PICKLE_SUFFIXES = (".pt", ".pth", ".bin", ".ckpt", ".pkl")


@dataclass(frozen=True)
class CatalogueEntry:
    """One checkpoint known by name. repository: on Hugging Face, empty where the checkpoint comes with the worker.

    parameters: in millions. megabytes: of its file.
    """

    info: CheckpointInfo
    repository: str
    parameters: float
    megabytes: int

    @property
    def folder_name(self) -> str:
        return self.repository.rpartition("/")[2] or self.info.name


@dataclass(frozen=True)
class CheckpointFile:
    """A checkpoint whose weights file exists. resolution: longest side in pixels it works best at."""

    info: CheckpointInfo
    path: Path
    resolution: int = RESOLUTION


def _released(repository: str, preset: str, licence: str, parameters: float, megabytes: int) -> CatalogueEntry:
    info = CheckpointInfo(repository.lower(), preset, licence, licence == "Apache-2.0")
    return CatalogueEntry(info, f"depth-anything/{repository}", parameters, megabytes)


CATALOGUE = {
    entry.info.name: entry
    for entry in (
        CatalogueEntry(CheckpointInfo("da3-tiny", "da3-tiny", "Apache-2.0", True), "", 8.7, 17),
        _released("DA3-SMALL", "da3-small", "Apache-2.0", 34.3, 137),
        _released("DA3-BASE", "da3-base", "Apache-2.0", 135.4, 542),
        _released("DA3-LARGE", "da3-large", "CC-BY-NC-4.0", 410.9, 1644),
        _released("DA3-LARGE-1.1", "da3-large", "CC-BY-NC-4.0", 410.9, 1644),
        _released("DA3-GIANT", "da3-giant", "CC-BY-NC-4.0", 1355.7, 5423),
        _released("DA3-GIANT-1.1", "da3-giant", "CC-BY-NC-4.0", 1355.7, 5423),
        _released("DA3MONO-LARGE", "da3mono-large", "Apache-2.0", 334.2, 1337),
        _released("DA3METRIC-LARGE", "da3metric-large", "Apache-2.0", 334.2, 1337),
        _released("DA3NESTED-GIANT-LARGE", "da3nested-giant-large", "CC-BY-NC-4.0", 1689.8, 6759),
        _released("DA3NESTED-GIANT-LARGE-1.1", "da3nested-giant-large", "CC-BY-NC-4.0", 1689.8, 6759),
    )
}


def models_folder() -> Path:
    """Where released checkpoints are looked for: DA3_MODELS, else a folder in the user's home."""
    return Path(os.environ.get("DA3_MODELS") or Path.home() / ".da3" / "models")


def available_checkpoints() -> tuple[str, ...]:
    """Catalogue names whose files are here."""
    return tuple(name for name, entry in CATALOGUE.items() if _folder(entry) is not None)


def locate_checkpoint(checkpoint: str) -> CheckpointFile:
    """The weights file of a catalogue name, or of a path to a folder or file in the released format.

    Raises JobError `checkpoint-unknown`, `checkpoint-missing`, `checkpoint-pickle` or `checkpoint-preset`.
    """
    entry = CATALOGUE.get(checkpoint.lower())
    path = Path(checkpoint).expanduser() if entry is None else _entry_folder(entry)
    if path.is_dir():
        weights, config = path / WEIGHTS_FILE, _read_config(path / CONFIG_FILE)
        _check_folder(path)
    elif path.is_file():
        _refuse_pickle(path)
        weights, config = path, _read_config(path.parent / CONFIG_FILE)
    else:
        raise JobError(
            "checkpoint-unknown",
            f"There is no checkpoint '{checkpoint}': no known name, and no file or folder the worker can see.",
            f"Known names: {', '.join(CATALOGUE)}.",
        )
    info = _own_info(path, config) if entry is None else entry.info
    resolution = config.get("resolution", RESOLUTION)
    return CheckpointFile(info, weights, resolution if isinstance(resolution, int) else RESOLUTION)


def _entry_folder(entry: CatalogueEntry) -> Path:
    folder = _folder(entry)
    if folder is not None:
        return folder
    name, info = entry.info.name, entry.info
    if not entry.repository:
        raise JobError(
            "checkpoint-missing",
            f"{name} should come with the worker, but {BUNDLED_FOLDER / name / WEIGHTS_FILE} is missing.",
            "Install the worker again.",
        )
    use = "commercial use allowed" if info.commercial_use else "no commercial use"
    raise JobError(
        "checkpoint-missing",
        f"{name} is not here yet: {entry.repository} on Hugging Face, {entry.megabytes} MB, {info.licence} ({use}).",
        f"Put its {CONFIG_FILE} and {WEIGHTS_FILE} into {models_folder() / entry.folder_name}.",
    )


def _folder(entry: CatalogueEntry) -> Path | None:
    parent = models_folder() if entry.repository else BUNDLED_FOLDER
    for name in (entry.folder_name, entry.info.name):
        if (parent / name / WEIGHTS_FILE).is_file():
            return parent / name
    return None


def _check_folder(folder: Path) -> None:
    if (folder / WEIGHTS_FILE).is_file():
        return
    for other in sorted(folder.iterdir()):
        _refuse_pickle(other)
    raise JobError(
        "checkpoint-missing",
        f"The folder {folder} holds no {WEIGHTS_FILE}.",
        f"A checkpoint is a folder with {CONFIG_FILE} and {WEIGHTS_FILE}.",
    )


def _refuse_pickle(path: Path) -> None:
    if path.suffix.lower() in PICKLE_SUFFIXES:
        raise JobError(
            "checkpoint-pickle",
            f"{path} is a pickle file, which could run any program; it is not opened.",
            f"Use the same weights as {WEIGHTS_FILE}.",
        )


def _own_info(path: Path, config: dict[str, object]) -> CheckpointInfo:
    """What is known of a user's own file: its preset, from its config or from the name of its folder or file."""
    preset = config.get("model_name")
    if preset is None:
        names = (path.name,) if path.is_dir() else (path.stem, path.absolute().parent.name)
        preset = next((CATALOGUE[name.lower()].info.preset for name in names if name.lower() in CATALOGUE), None)
    if not isinstance(preset, str) or preset not in PRESETS:
        told = "no preset" if preset is None else f"the unknown preset {preset!r}"
        raise JobError(
            "checkpoint-preset",
            f"The {CONFIG_FILE} beside {path} names {told}, so nobody knows which network the weights are for.",
            f'It should read {{"model_name": "da3-small"}}, or another of {", ".join(PRESETS)}.',
        )
    licence, commercial_use = config.get("licence"), config.get("commercial_use")
    return CheckpointInfo(
        path.name,
        preset,
        licence if isinstance(licence, str) else "unknown",
        commercial_use if isinstance(commercial_use, bool) else None,
    )


def _read_config(config: Path) -> dict[str, object]:
    """A checkpoint's config.json; empty where there is none."""
    if not config.is_file():
        return {}
    try:
        content = json.loads(config.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise JobError("checkpoint-preset", f"{config} cannot be read: {error}.", "Copy the file again.") from error
    return content if isinstance(content, dict) else {}
