"""From the name or path of a checkpoint to its weights file, and what that may be used for.

`catalogue` knows the released models, `model_files` where they lie, `loading` turns a located file into
a network.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from model_runtime.contract.catalogue import CATALOGUE, PATCH, Model
from model_runtime.contract.json_files import shown
from model_runtime.contract.messages import CheckpointInfo, JobError
from model_runtime.contract.model_files import (
    BUNDLED_FOLDER,
    CONFIG_FILE,
    WEIGHTS_FILE,
    download_folder,
    read_config,
    read_record,
    ready_folder,
    told_licence,
)
from model_runtime.network.config import PRESETS

RESOLUTION = 504
"""Longest side the released models are meant for; `resolution` in a config.json says another."""

MOST_RESOLUTION = 8192
"""Pixels; the least is one patch."""

MOST_LETTERS = 200
"""Of a path in a sentence."""

PICKLE_SUFFIXES = (".pt", ".pth", ".bin", ".ckpt", ".pkl")


@dataclass(frozen=True)
class CheckpointFile:
    """A checkpoint whose weights file exists. resolution: longest side in pixels it works best at."""

    info: CheckpointInfo
    path: Path
    resolution: int = RESOLUTION


def available_checkpoints() -> tuple[str, ...]:
    """Catalogue names whose files are here and whole."""
    return tuple(name for name, model in CATALOGUE.items() if ready_folder(model) is not None)


def locate_checkpoint(checkpoint: str) -> CheckpointFile:
    """The weights file of a catalogue name, or of a path to a folder or file in the released format.

    Raises JobError `checkpoint-unknown`, `checkpoint-missing`, `checkpoint-pickle` or `checkpoint-preset`.
    """
    model = CATALOGUE.get(checkpoint.lower())
    path = Path(os.path.expanduser(checkpoint)) if model is None else _model_folder(model)
    if os.path.isdir(path):
        weights, config = path / WEIGHTS_FILE, read_config(path / CONFIG_FILE)
        _check_folder(path)
    elif os.path.isfile(path):
        _refuse_pickle(path)
        weights, config = path, read_config(path.parent / CONFIG_FILE)
    else:
        raise JobError(
            "checkpoint-unknown",
            f"There is no checkpoint '{shown(checkpoint, MOST_LETTERS)}': no known name, and no file or folder the "
            "worker can see.",
            f"Known names: {', '.join(CATALOGUE)}.",
        )
    info = _own_info(path, config) if model is None else _released_info(model, path)
    return CheckpointFile(info, weights, _resolution(config, path))


def _resolution(config: Mapping[str, object], path: Path) -> int:
    side = config.get("resolution", RESOLUTION)
    if type(side) is not int or not PATCH <= side <= MOST_RESOLUTION:
        raise JobError(
            "checkpoint-preset",
            f"The {CONFIG_FILE} of {path} names the resolution {shown(side)}, which cannot be used.",
            f"It should be a number of pixels from {PATCH} to {MOST_RESOLUTION}, or be left out.",
        )
    return side


def _model_folder(model: Model) -> Path:
    folder = ready_folder(model)
    if folder is not None:
        return folder
    if model.bundled:
        raise JobError(
            "checkpoint-missing",
            f"{model.name} should come with the worker, but {BUNDLED_FOLDER / model.name / WEIGHTS_FILE} is missing.",
            "Install the worker again.",
        )
    use = "commercial use allowed" if model.commercial_use else "no commercial use"
    what = f"{model.repository} on Hugging Face, {model.size / 1e6:.0f} MB, {model.licence} ({use})"
    raise JobError(
        "checkpoint-missing",
        f"{model.name} is not here yet: {what}.",
        f"Download it in the model list, or put its {CONFIG_FILE} and {WEIGHTS_FILE} into {download_folder(model)}.",
    )


def _released_info(model: Model, folder: Path) -> CheckpointInfo:
    record = read_record(folder)
    return CheckpointInfo(
        model.name,
        model.preset,
        model.licence,
        model.commercial_use,
        record.revision,
        record.sha256,
        record.licence_accepted,
    )


def _check_folder(folder: Path) -> None:
    if os.path.isfile(folder / WEIGHTS_FILE):
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


def _own_info(path: Path, config: Mapping[str, object]) -> CheckpointInfo:
    """What is known of a user's own file: its preset, from its config or from the name of its folder or file."""
    preset = config.get("model_name")
    if preset is None:
        names = (path.name,) if os.path.isdir(path) else (path.stem, path.absolute().parent.name)
        preset = next((CATALOGUE[name.lower()].preset for name in names if name.lower() in CATALOGUE), None)
    if not isinstance(preset, str) or preset not in PRESETS:
        named = "no preset" if preset is None else f"the unknown preset {shown(repr(preset))}"
        raise JobError(
            "checkpoint-preset",
            f"The {CONFIG_FILE} beside {path} names {named}, so nobody knows which network the weights are for.",
            f'It should read {{"model_name": "da3-small"}}, or another of {", ".join(PRESETS)}.',
        )
    return CheckpointInfo(path.name, preset, *told_licence(config))
