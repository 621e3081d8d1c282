"""Where models lie on this machine and which of them are whole: what the worker and Blender both look at.

A downloaded model is a folder with config.json, download.json (which commit, which hash, who accepted what) and
model.safetensors, which gets this name last of all: a model is ready when, and only when, that file is there. Until
then its bytes are in model.safetensors.<hash>.incomplete.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from model_runtime.contract.catalogue import CATALOGUE, Model
from model_runtime.contract.disk import INCOMPLETE_SUFFIX, free_bytes, write_file
from model_runtime.contract.json_files import JsonError, read_json, shown
from model_runtime.contract.messages import JobError, Models, ModelState
from model_runtime.contract.plain_files import own_size

BUNDLED_FOLDER = Path(__file__).parents[1] / "weights"
WEIGHTS_FILE = "model.safetensors"
CONFIG_FILE = "config.json"
DOWNLOAD_FILE = "download.json"
LOCK_FILE = ".download.lock"

MOST_LETTERS = 100
"""Of a text that is taken from a file."""


@dataclass(frozen=True)
class DownloadRecord:
    """What download.json tells: where the files came from, and who accepted their licence when (YYYY-MM-DD)."""

    repository: str = ""
    revision: str = ""
    sha256: str = ""
    licence: str = ""
    licence_accepted: str = ""


def models_folder() -> Path:
    """Where released models are looked for: DA3_MODELS, else a folder in the user's home."""
    return Path(os.path.expanduser(os.environ.get("DA3_MODELS") or Path("~", ".da3", "models")))


def ready_folder(model: Model, folder: Path | None = None) -> Path | None:
    """The model's folder where its weights are here and whole. folder: of all models; None for `models_folder()`."""
    parent = BUNDLED_FOLDER if model.bundled else (folder or models_folder())
    for name in (model.folder_name, model.name):
        if os.path.isfile(parent / name / WEIGHTS_FILE):
            return parent / name
    return None


def download_folder(model: Model, folder: Path | None = None) -> Path:
    """Where the model is downloaded to."""
    return (folder or models_folder()) / model.folder_name


def incomplete_files(model: Model, folder: Path | None = None) -> list[Path]:
    """What is left of downloads that did not come to their end."""
    return sorted(download_folder(model, folder).glob(f"{WEIGHTS_FILE}.*{INCOMPLETE_SUFFIX}"))


def read_record(folder: Path) -> DownloadRecord:
    """A model's download.json; empty where there is none or it cannot be read, as in a folder filled by hand."""
    try:
        content = read_json(folder / DOWNLOAD_FILE)
    except JsonError:
        return DownloadRecord()
    if not isinstance(content, dict):
        return DownloadRecord()
    names = {field.name for field in fields(DownloadRecord)}
    return DownloadRecord(
        **{k: shown(v, MOST_LETTERS) for k, v in content.items() if k in names and isinstance(v, str)}
    )


def read_config(config: Path) -> dict[str, object]:
    """A checkpoint's config.json; empty where there is none. Raises JobError `checkpoint-preset`."""
    if not os.path.exists(config):
        return {}
    try:
        content = read_json(config)
    except JsonError as error:
        advice = "Copy the file again, or write it anew: it tells which network a checkpoint is for."
        raise JobError("checkpoint-preset", f"{config} cannot be used: {error}.", advice) from error
    return content if isinstance(content, dict) else {}


def told_licence(config: Mapping[str, object]) -> tuple[str, bool | None]:
    """The licence that a config.json tells, `unknown` without one, and whether it allows commercial use."""
    licence, commercial_use = config.get("licence"), config.get("commercial_use")
    return (
        shown(licence, MOST_LETTERS) if isinstance(licence, str) else "unknown",
        commercial_use if isinstance(commercial_use, bool) else None,
    )


def write_record(folder: Path, record: DownloadRecord) -> None:
    """Write download.json, whole or not at all."""
    write_file(folder / DOWNLOAD_FILE, json.dumps(asdict(record), indent=2).encode())


def model_state(model: Model, folder: Path | None = None) -> ModelState:
    """What of one model is here."""
    ready = ready_folder(model, folder)
    if ready is not None:
        size = (ready / WEIGHTS_FILE).stat().st_size
        record = read_record(ready)
        return ModelState(
            model.name, True, size, size, str(ready), record.revision, record.sha256, record.licence_accepted
        )
    here = max(map(own_size, incomplete_files(model, folder)), default=0)
    place = BUNDLED_FOLDER / model.name if model.bundled else download_folder(model, folder)
    return ModelState(model.name, False, here, model.size, str(place))


def list_models(folder: Path | None = None) -> Models:
    """What of every model of the catalogue is here."""
    folder = folder or models_folder()
    states = tuple(model_state(model, folder) for model in CATALOGUE.values())
    return Models(str(folder), free_bytes(folder), states)


def find_model(name: str) -> Model:
    """Raises JobError `model-unknown`."""
    if name not in CATALOGUE:
        raise JobError("model-unknown", f"There is no model '{name}'.", f"Known names: {', '.join(CATALOGUE)}.")
    return CATALOGUE[name]


def remove_model(name: str, folder: Path | None = None) -> None:
    """Delete the files of a downloaded model, whole or half; others in its folder stay.

    Raises JobError `model-unknown`, `model-bundled` or `model-in-use`.
    """
    model = find_model(name)
    if model.bundled:
        raise JobError("model-bundled", f"{name} comes with the worker and stays.", "Choose a downloaded model.")
    place = ready_folder(model, folder) or download_folder(model, folder)
    names = (WEIGHTS_FILE, CONFIG_FILE, DOWNLOAD_FILE, LOCK_FILE)
    try:
        for path in (place / WEIGHTS_FILE, *incomplete_files(model, folder), *(place / n for n in names)):
            path.unlink(missing_ok=True)
        if place.is_dir() and not any(place.iterdir()):
            place.rmdir()
    except OSError as error:
        raise JobError(
            "model-in-use", f"The files of {name} cannot be deleted: {error}.", "Close what uses them, then try again."
        ) from error
