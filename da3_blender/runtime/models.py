"""The list of models as the add-on shows it, and their downloads. No bpy; nothing here waits.

What is on this machine is looked up without a worker, what is on a remote worker's machine is asked from it. Downloads
run in a worker of their own, so that gigabytes never stand in the way of a job; `pump` moves everything on.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from queue import Empty, SimpleQueue

from model_runtime.contract.catalogue import CATALOGUE, Model, human_size
from model_runtime.contract.messages import (
    DownloadModel,
    Failure,
    JobError,
    ListModels,
    Models,
    ModelState,
    Progress,
    RemoveModel,
)
from model_runtime.contract.model_files import (
    CONFIG_FILE,
    WEIGHTS_FILE,
    find_model,
    list_models,
    models_folder,
    read_config,
    remove_model,
    told_licence,
)
from model_runtime.contract.pipe import Task

from .chosen_worker import worker_of
from .worker_command import RuntimeSettings
from .worker_process import WorkerProcess

MODELS_THREAD = "da3-models"
"""Looks at the folder of models."""


@dataclass(frozen=True)
class ModelRow:
    """One model of the list. state: what of it is here; None where nobody has looked yet."""

    model: Model
    state: ModelState | None

    @property
    def ready(self) -> bool:
        return self.model.bundled or (self.state is not None and self.state.ready)

    @property
    def started(self) -> bool:
        """Whether a download of it was begun and can go on."""
        return not self.ready and self.state is not None and self.state.bytes_here > 0

    @property
    def asks_for_licence(self) -> bool:
        """Whether somebody still has to accept the licence."""
        return self.model.needs_acceptance and (self.state is None or not self.state.licence_accepted)

    @property
    def size(self) -> str:
        return human_size(self.model.size)

    @property
    def memory(self) -> str:
        return human_size(self.model.memory_needed())

    @property
    def here(self) -> str:
        """How much of it is here."""
        return human_size(self.state.bytes_here if self.state else 0)


@dataclass(frozen=True)
class OwnCheckpoint:
    """What can be told of a checkpoint of the artist's own before it is opened. problem: why it cannot be used."""

    problem: str = ""
    licence: str = "unknown"
    commercial_use: bool | None = None


def model_rows(models: Models | None, only_commercial: bool = False) -> list[ModelRow]:
    """The catalogue in its order, with what is here. only_commercial: leave out what may not be used for money."""
    states = {state.name: state for state in models.models} if models is not None else {}
    shown = (model for model in CATALOGUE.values() if model.commercial_use or not only_commercial)
    return [ModelRow(model, states.get(model.name)) for model in shown]


def model_row(models: Models | None, name: str) -> ModelRow | None:
    """The row of one model; None where the catalogue does not know it."""
    return next((row for row in model_rows(models) if row.model.name == name), None)


def check_ready(models: Models | None, name: str) -> None:
    """Raise JobError `checkpoint-missing` or `licence-not-accepted` for a model that is known not to be ready.

    Where nobody has looked yet, as with a remote worker, the worker tells.
    """
    row = model_row(models, name)
    if row is None or row.state is None:
        return
    if not row.ready:
        sentence = f"{row.model.title} is not here yet ({row.size})."
        raise JobError("checkpoint-missing", sentence, "Download it in the Model panel, or choose another model.")
    if row.asks_for_licence:
        sentence = f"The license of {row.model.title}, {row.model.licence}, has not been accepted yet."
        raise JobError("licence-not-accepted", sentence, "Accept it in the Model panel, or choose another model.")


def own_checkpoint(path: Path) -> OwnCheckpoint:
    """What a folder or file of one's own says of itself; whether its network fits, the worker tells."""
    is_folder = os.path.isdir(path)
    weights = path / WEIGHTS_FILE if is_folder else path
    if not os.path.isfile(weights):
        what = f"This folder holds no {WEIGHTS_FILE}" if is_folder else "There is no such file or folder"
        return OwnCheckpoint(what)
    if weights.suffix.lower() != ".safetensors":
        return OwnCheckpoint("Only safetensors files are opened; others could run any program")
    try:
        config = read_config(weights.parent / CONFIG_FILE)
    except JobError:
        return OwnCheckpoint(f"Its {CONFIG_FILE} cannot be read")
    return OwnCheckpoint("", *told_licence(config))


class ModelDownloads:
    """What is here, and at most one download or removal at a time.

    runtime: tells where the worker runs, anew for every task.
    folder: of models on this machine; None where the worker is on another one.

    models: what was found last. name: of the model that is being downloaded or removed. progress: of that.
    failure: why the last thing asked for did not work, about the model `failed`.
    """

    def __init__(self, runtime: Callable[[], RuntimeSettings], folder: Callable[[], Path | None]) -> None:
        self._runtime, self._folder = runtime, folder
        self.models: Models | None = None
        self.name = ""
        self.progress: Progress | None = None
        self.failure: Failure | None = None
        self.failed = ""
        self._worker: WorkerProcess | None = None
        self._job = ""
        self._answers: SimpleQueue[Models | Failure] = SimpleQueue()
        self._threads = 0

    @property
    def busy(self) -> bool:
        return bool(self._job or self._threads)

    def refresh(self) -> None:
        """Find out anew what is here; on a remote machine the worker is asked."""
        folder = self._folder()
        if folder is not None:
            self._in_thread(lambda: list_models(folder))
        elif not self._job:
            self._submit("", ListModels())

    def download(self, name: str, accepted_licence: str = "", *, online: bool = True) -> None:
        """Begin or go on with a download; of a model that is here, only note that its licence was accepted.

        online: whether Blender's preferences allow it. Raises JobError `model-unknown`, `offline`, `download-running`,
        `licence-not-accepted`, and what `worker_of` raises.
        """
        row = model_row(self.models, find_model(name).name)
        assert row is not None  # find_model knows it
        if not online and not row.ready:
            sentence = "Blender's online access is off, so nothing is downloaded."
            raise JobError("offline", sentence, "Allow it in Preferences > System > Network.")
        if self._job:
            raise JobError("download-running", "Another download is running.", "Wait for it, or cancel it.")
        if row.asks_for_licence and accepted_licence != row.model.licence:
            sentence = f"{row.model.title} comes under {row.model.licence}, which has not been accepted."
            raise JobError("licence-not-accepted", sentence, "Accept it, or choose a model under Apache-2.0.")
        noted = row.state.licence_accepted if row.state is not None else ""
        self._submit(name, DownloadModel(name, row.model.licence, noted or date.today().isoformat()))

    def cancel(self) -> None:
        """Stop the download; what came stays, and the next one goes on from there."""
        if self._worker is None or not self._job:
            return
        if self._worker.hello is None:  # still starting: it would hear of it only then
            self._end(Failure("cancelled", "The download was cancelled."))
        else:
            self._worker.cancel(self._job)

    def remove(self, name: str) -> None:
        """Delete a downloaded model. Raises JobError `model-unknown`, `download-running`, and what
        `worker_of` raises."""
        find_model(name)
        if self._job:
            raise JobError("download-running", "A download is running.", "Wait for it, or cancel it.")
        folder = self._folder()
        if folder is None:
            self._submit(name, RemoveModel(name))
            return
        self.failure, self.failed = None, name

        def work() -> Models:
            remove_model(name, folder)
            return list_models(folder)

        self._in_thread(work)

    def pump(self) -> bool:
        """Take in what happened since the last call; whether there is more to come."""
        while True:
            try:
                found = self._answers.get_nowait()
            except Empty:
                break
            self._threads -= 1
            self._take(found)
        for event in self._worker.poll() if self._worker else ():
            if event.job not in ("", self._job) or not self._job:
                continue
            if isinstance(event.message, Progress):
                self.progress = event.message
            elif isinstance(event.message, Models | Failure):
                self._end(event.message)
                break
        return self.busy

    def close(self) -> None:
        """End the worker, wherever it is."""
        if self._worker is not None:
            self._worker.close()
        self._worker, self._job, self.name, self.progress = None, "", "", None

    def _submit(self, name: str, task: Task) -> None:
        worker = worker_of(self._runtime())
        self.failure, self.failed, self.name = None, name, name
        self.progress = Progress("start", 0.0, "Starting the worker.")
        self._worker, self._job = worker, worker.submit(task)

    def _end(self, message: Models | Failure) -> None:
        """The worker has answered; it is not needed any more, and its memory is."""
        self.close()
        self._take(message)
        if isinstance(message, Failure) and self._folder() is not None:
            self.refresh()

    def _take(self, found: Models | Failure) -> None:
        if isinstance(found, Models):
            self.models = found
        elif found.code != "cancelled":
            self.failure = found

    def _in_thread(self, work: Callable[[], Models]) -> None:
        def run() -> None:
            try:
                self._answers.put(work())
            except JobError as error:
                self._answers.put(error.failure)
            except OSError as error:
                sentence = f"The folder of models cannot be looked at: {error}."
                self._answers.put(Failure("folder-unusable", sentence, "Choose another folder for models."))

        self._threads += 1
        threading.Thread(target=run, name=MODELS_THREAD, daemon=True).start()


def local_folder(chosen: str) -> Path:
    """The folder that the preferences name, else the worker's own default."""
    return Path(os.path.expanduser(chosen)) if chosen else models_folder()
