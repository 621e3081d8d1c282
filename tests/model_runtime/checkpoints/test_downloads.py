"""Downloads from a stand-in for the Hugging Face hub on this machine, which speaks the hub's routes and misbehaves."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch

from da3_blender.runtime.worker_process import Event, WorkerProcess
from model_runtime.checkpoints import hub as hub_module
from model_runtime.checkpoints.downloads import download_model
from model_runtime.checkpoints.loading import load_network
from model_runtime.checkpoints.locate import available_checkpoints, locate_checkpoint
from model_runtime.commands.command_line import main
from model_runtime.contract.catalogue import CATALOGUE
from model_runtime.contract.messages import (
    DownloadModel,
    Failure,
    JobError,
    ListModels,
    Models,
    Progress,
    RemoveModel,
    Request,
)
from model_runtime.contract.model_files import DownloadRecord, list_models, model_state, read_record, remove_model

COMMIT = "c0ffee" + 34 * "0"
REPOSITORY = "depth-anything/DA3-SMALL"
CONFIG = b'{"model_name": "da3-tiny", "resolution": 84}'
WEIGHTS = os.urandom(6_000_000)
PIECE = 16_384


@dataclass
class Hub:
    """What the stand-in has, how it misbehaves, and what it did.

    cut: bytes of weights after which every connection ends, for the first `cuts` of them. rate: bytes a second.
    refusal: status and X-Error-Code of every answer. config: more of it, and what its size is said to be.
    sent: (Range header, bytes of weights sent), one per request.
    """

    weights: bytes = WEIGHTS
    published: str = ""
    cut: int | None = None
    cuts: int = 1
    rate: float | None = None
    ranges: bool = True
    refusal: tuple[int, str] | None = None
    config: tuple[bytes, int] = (b"", len(CONFIG))
    configs_sent: int = 0
    sent: list[tuple[str | None, int]] = field(default_factory=list)
    address: str = ""

    @property
    def sha256(self) -> str:
        return self.published or hashlib.sha256(self.weights).hexdigest()


class Handler(BaseHTTPRequestHandler):
    hub: Hub

    def log_message(self, format: str, *args: object) -> None: ...

    def do_HEAD(self) -> None:
        self.answer(with_body=False)

    def do_GET(self) -> None:
        self.answer(with_body=True)

    def answer(self, with_body: bool) -> None:
        hub = self.hub
        if hub.refusal is not None:
            self.head(hub.refusal[0], {"X-Error-Code": hub.refusal[1], "Content-Length": "0"})
        elif self.path == f"/cdn/{hub.sha256}":
            self.weights()
        elif self.path in [f"/{REPOSITORY}/resolve/{r}/model.safetensors" for r in ("main", COMMIT)]:
            linked = {"X-Linked-Etag": f'"{hub.sha256}"', "X-Linked-Size": str(len(hub.weights))}
            location = {
                "Location": f"{hub.address}/cdn/{hub.sha256}".replace("127.0.0.1", "localhost"),
                "Content-Length": "0",
            }
            self.head(302, {"X-Repo-Commit": COMMIT, **linked, **location})
        elif self.path in [f"/{REPOSITORY}/resolve/{r}/config.json" for r in ("main", COMMIT)]:
            etag = hashlib.sha1(b"blob %d\0" % len(CONFIG) + CONFIG).hexdigest()
            self.head(200, {"X-Repo-Commit": COMMIT, "ETag": f'"{etag}"', "Content-Length": str(hub.config[1])})
            self.config(CONFIG + hub.config[0] if with_body else b"")
        else:
            self.head(404, {"X-Error-Code": "RevisionNotFound", "Content-Length": "0"})

    def config(self, data: bytes) -> None:
        for at in range(0, len(data), PIECE):
            try:
                self.wfile.write(data[at : at + PIECE])
            except OSError:
                return
            self.hub.configs_sent += PIECE

    def head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def weights(self) -> None:
        hub = self.hub
        asked = self.headers.get("Range")
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and hub.ranges else 0
        size = len(hub.weights)
        headers = {"Content-Length": str(size - start), "Accept-Ranges": "bytes"}
        if asked and hub.ranges:
            headers["Content-Range"] = f"bytes {start}-{size - 1}/{size}"
        self.head(206 if asked and hub.ranges else 200, headers)
        end = size
        if hub.cut is not None and hub.cuts > 0:
            end, hub.cuts = min(size, start + hub.cut), hub.cuts - 1
        index = len(hub.sent)
        hub.sent.append((asked, 0))
        for at in range(start, end, PIECE):
            if hub.rate is not None:
                time.sleep(PIECE / hub.rate)
            piece = hub.weights[at : min(at + PIECE, end)]
            try:
                self.wfile.write(piece)
            except OSError:
                return
            hub.sent[index] = (asked, at + len(piece) - start)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("HubHandler", (Handler,), {"hub": hub}))
    server.daemon_threads = True
    hub.address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setattr("model_runtime.checkpoints.downloads.RETRY_WAIT", 0.05)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield hub
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """da3-small is what the stand-in has, and models lie in `tmp_path`."""
    monkeypatch.setenv("DA3_MODELS", str(tmp_path))
    changed = replace(CATALOGUE["da3-small"], preset="da3-tiny", revision="", sha256="", size=len(WEIGHTS))
    monkeypatch.setitem(CATALOGUE, "da3-small", changed)


def quiet(stage: str, fraction: float, sentence: str) -> None: ...


def get(hub: Hub, report: Callable[[str, float, str], None] = quiet, licence: str = "") -> Models:
    return download_model("da3-small", licence, report, endpoint=hub.address)


def failure(hub: Hub, report: Callable[[str, float, str], None] = quiet, licence: str = "") -> Failure:
    with pytest.raises(JobError) as caught:
        get(hub, report, licence)
    assert "da3-small" not in available_checkpoints()
    assert caught.value.failure.advice
    return caught.value.failure


def stop_at(fraction: float) -> Callable[[str, float, str], None]:
    def report(stage: str, done: float, sentence: str) -> None:
        if done >= fraction:
            raise JobError("cancelled", "Stopped.", "None.")

    return report


def weights_here(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "DA3-SMALL").glob("model.safetensors*"))


def test_a_whole_download_is_loaded_strictly_and_tells_where_it_came_from(
    hub: Hub, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    hub.weights = (tiny_checkpoint / "model.safetensors").read_bytes()
    told: list[tuple[str, float, str]] = []
    models = get(hub, lambda *step: told.append(step))
    state = {model.name: model for model in models.models}["da3-small"]
    assert state.ready and state.bytes_here == state.bytes_needed == len(hub.weights)
    located = locate_checkpoint("da3-small")
    network = load_network(located, torch.device("cpu"))
    assert sum(p.numel() for p in network.parameters()) > 8e6
    assert located.resolution == 84
    assert (located.info.revision, located.info.sha256) == (COMMIT, hub.sha256)
    assert located.info.licence_accepted == ""
    fractions = [fraction for _, fraction, _ in told]
    assert fractions == sorted(fractions) and fractions[-1] > 0.98
    assert any(" / 17 MB" in sentence for _, _, sentence in told)
    assert len(weights_here(tmp_path)) == 1
    sent = len(hub.sent)
    get(hub)
    assert len(hub.sent) == sent


def test_a_connection_that_breaks_off_is_taken_up_where_it_stopped(hub: Hub, tmp_path: Path) -> None:
    hub.cut, hub.cuts = len(WEIGHTS) // 4, 3
    get(hub)
    assert (tmp_path / "DA3-SMALL" / "model.safetensors").read_bytes() == WEIGHTS
    assert len(hub.sent) == 4 and all(asked for asked, _ in hub.sent[1:])
    assert sum(count for _, count in hub.sent) == len(WEIGHTS)


def test_a_download_stopped_at_half_goes_on_there(hub: Hub, tmp_path: Path) -> None:
    hub.rate = 6e6
    assert failure(hub, stop_at(0.5)).code == "cancelled"
    here = model_state(CATALOGUE["da3-small"]).bytes_here
    assert 0.5 * len(WEIGHTS) <= here < 0.8 * len(WEIGHTS)
    hub.rate = None
    sentences: list[str] = []
    get(hub, lambda stage, _, sentence: sentences.append(f"{stage}: {sentence}"))
    assert any(sentence.startswith("resume: ") for sentence in sentences)
    assert hub.sent[-1] == (f"bytes={here}-", len(WEIGHTS) - here)
    assert (tmp_path / "DA3-SMALL" / "model.safetensors").read_bytes() == WEIGHTS


def test_a_server_without_parts_is_read_from_the_start_again(hub: Hub, tmp_path: Path) -> None:
    hub.cut, hub.ranges = len(WEIGHTS) // 2, False
    get(hub)
    assert [count for _, count in hub.sent] == [len(WEIGHTS) // 2, len(WEIGHTS)]
    assert (tmp_path / "DA3-SMALL" / "model.safetensors").read_bytes() == WEIGHTS


def test_a_connection_that_always_breaks_off_is_given_up_and_keeps_what_came(hub: Hub) -> None:
    failure(hub, stop_at(0.2))
    hub.cut, hub.cuts = 0, 99
    told = failure(hub)
    assert told.code == "no-network" and "MB / 6 MB are here" in told.sentence and "where it stopped" in told.advice
    assert model_state(CATALOGUE["da3-small"]).bytes_here > 0


def test_wrong_bytes_are_refused_and_removed(hub: Hub, tmp_path: Path) -> None:
    hub.published = hashlib.sha256(b"other").hexdigest()
    assert failure(hub).code == "hash-mismatch"
    assert weights_here(tmp_path) == []
    hub.published = ""
    assert get(hub).models


def test_a_pinned_hash_wins_over_the_hubs(hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pinned = replace(CATALOGUE["da3-small"], sha256=hashlib.sha256(b"pinned").hexdigest(), revision=COMMIT)
    monkeypatch.setitem(CATALOGUE, "da3-small", pinned)
    assert failure(hub).code == "hash-mismatch"
    assert hub.sent == [] and weights_here(tmp_path) == []


def test_damage_to_what_is_here_is_found(hub: Hub, tmp_path: Path) -> None:
    failure(hub, stop_at(0.3))
    (incomplete,) = weights_here(tmp_path)
    incomplete.write_bytes(b"\0" + incomplete.read_bytes()[1:])
    assert failure(hub).code == "hash-mismatch"
    assert weights_here(tmp_path) == []


def test_too_little_space_is_told_before_anything_comes(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("model_runtime.checkpoints.downloads.free_bytes", lambda folder: 65_000_000)
    told = failure(hub)
    assert told.code == "no-space" and "6 MB" in told.sentence and "65 MB are free" in told.sentence
    assert hub.sent == []


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        ((404, "EntryNotFound"), "model-not-found"),
        ((404, "RevisionNotFound"), "model-not-found"),
        ((401, "RepoNotFound"), "model-not-found"),
        ((404, ""), "model-not-found"),
        ((403, "GatedRepo"), "model-gated"),
        ((403, ""), "model-refused"),
        ((503, ""), "hub-busy"),
    ],
)
def test_refusals_are_told_apart(hub: Hub, refusal: tuple[int, str], code: str) -> None:
    hub.refusal = refusal
    assert failure(hub).code == code


def test_no_network_and_switched_off_network(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    assert failure(replace(hub, address="http://127.0.0.1:1")).code == "no-network"
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert failure(hub).code == "offline"


def test_a_config_without_end_is_not_taken(hub: Hub, tmp_path: Path) -> None:
    hub.config = (bytes(60_000_000), 70_000_000)
    told = failure(hub)
    assert told.code == "hash-mismatch" and "its config.json has more than 1 MB" in told.sentence
    assert hub.configs_sent < 40_000_000 and list((tmp_path / "DA3-SMALL").glob("*.json*")) == []


def test_a_negative_size_is_no_answer(hub: Hub) -> None:
    hub.config = (b"", -1)
    assert failure(hub).code in ("hub-answer", "no-network")  # as the library reads it
    assert hub.sent == []


SECRET = "hunter2-and-more"


@pytest.mark.parametrize(
    "address",
    [
        f"http://me:{SECRET}@127.0.0.1:1",
        f"http://me:{SECRET}@[bad",
        f"http://me:{SECRET}@host.invalid:99999999",
        f"ftp://me:{SECRET}@host.invalid",
        f"http://me:{SECRET}/more@host.invalid",
        SECRET,
    ],
)
def test_a_password_in_the_address_stays_unsaid(hub: Hub, address: str) -> None:
    told = failure(replace(hub, address=address))
    assert told.code in ("no-network", "hub-address")
    assert "hunter2" not in f"{told.sentence}{told.advice}{told.log}"


def test_a_password_of_a_proxy_stays_unsaid(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import close_session

    monkeypatch.delenv("NO_PROXY")
    for proxy, code in ((f"http://me:{SECRET}@127.0.0.1:1", "no-network"), (f"odd://me:{SECRET}@host", "hub-address")):
        monkeypatch.setenv("HTTP_PROXY", proxy)
        close_session()  # it reads the variable once
        told = failure(replace(hub, address="http://hub.invalid"))
        assert told.code == code and "hunter2" not in f"{told.sentence}{told.advice}{told.log}"
    monkeypatch.delenv("HTTP_PROXY")
    close_session()


def test_a_refusal_names_the_host_without_its_password(hub: Hub) -> None:
    for hub.refusal in ((404, "EntryNotFound"), (403, ""), (503, "")):
        told = failure(replace(hub, address=hub.address.replace("//", f"//me:{SECRET}@")))
        assert told.sentence.find("127.0.0.1:") >= 0 and "hunter2" not in told.sentence and "me:" not in told.sentence


def traps(place: Path, name: str) -> Iterator[Path]:
    """What may stand where a file should be written: a link out of the folder, and a pipe. Gives what the link hits."""
    outside = place.parents[1] / "precious"
    outside.write_bytes(b"precious")
    place.mkdir(parents=True, exist_ok=True)
    (place / name).symlink_to(outside)
    yield outside
    if hasattr(os, "mkfifo"):
        (place / name).unlink()
        os.mkfifo(place / name)
        yield outside


@pytest.mark.parametrize("name", ["weights", "config.json.incomplete", "download.json.incomplete", ".download.lock"])
def test_nothing_outside_the_folder_is_written(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    monkeypatch.setenv("DA3_MODELS", str(tmp_path / "models"))
    if name == "weights":
        name = f"model.safetensors.{hub.sha256[:16]}.incomplete"
    place = tmp_path / "models" / "DA3-SMALL"
    for outside in traps(place, name):
        told = failure(hub)
        assert told.code == "folder-unusable" and str(place / name) in told.sentence
        assert outside.read_bytes() == b"precious"
        assert model_state(CATALOGUE["da3-small"]).bytes_here in (0, len(WEIGHTS))
    (place / name).unlink()
    get(hub)
    assert (place / "model.safetensors").read_bytes() == WEIGHTS


@pytest.mark.parametrize("name", ["config.json", "download.json", "model.safetensors"])
def test_links_and_pipes_in_the_place_of_what_comes_are_replaced(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    monkeypatch.setenv("DA3_MODELS", str(tmp_path / "models"))
    place = tmp_path / "models" / "DA3-SMALL"
    for outside in traps(place, name):
        if name == "model.safetensors":
            outside.unlink(missing_ok=True)  # weights elsewhere would be a model that is here
        get(hub)
        assert not (place / name).is_symlink() and (place / name).is_file()
        assert not outside.exists() if name == "model.safetensors" else outside.read_bytes() == b"precious"
        remove_model("da3-small")
        place.mkdir(exist_ok=True)
        (place / name).touch()


def test_a_record_that_is_a_pipe_or_no_record_is_none(tmp_path: Path) -> None:
    for text in ("[" * 100_000, '{"revision": NaN}', '{"revision": ["x"], "licence": 3}', '["revision"]', "\ufeff"):
        (tmp_path / "download.json").write_text(text, encoding="utf-8")
        assert read_record(tmp_path) == DownloadRecord()
    if hasattr(os, "mkfifo"):
        (tmp_path / "download.json").unlink()
        os.mkfifo(tmp_path / "download.json")
        assert read_record(tmp_path) == DownloadRecord()


def test_a_slow_download_tells_the_time_left_and_stops_at_once(hub: Hub) -> None:
    hub.rate = 400_000
    sentences: list[str] = []
    stopped = 0.0

    def report(stage: str, fraction: float, sentence: str) -> None:
        nonlocal stopped
        sentences.append(sentence)
        if " left." in sentence:
            stopped = time.monotonic()
            raise JobError("cancelled", "Stopped.", "None.")

    assert failure(hub, report).code == "cancelled"
    assert time.monotonic() - stopped < 3
    assert 5 <= int(sentences[-1].rpartition(", ")[2].split()[0]) <= 60


def test_a_silent_server_is_given_up_and_can_be_stopped_meanwhile(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "STALL", 0.3)
    hub.rate = PIECE / 60
    assert failure(hub).code == "download-stalled"
    monkeypatch.setattr(hub_module, "STALL", 30.0)
    started = time.monotonic()

    def report(stage: str, fraction: float, sentence: str) -> None:
        if time.monotonic() - started > 0.5:
            raise JobError("cancelled", "Stopped.", "None.")

    assert failure(hub, report).code == "cancelled"
    assert time.monotonic() - started < 15


def test_two_at_once_do_not_disturb_each_other(hub: Hub, tmp_path: Path) -> None:
    hub.rate = 12e6
    begun = threading.Event()
    first = threading.Thread(target=get, args=(hub, lambda stage, *_: begun.set() if stage == "download" else None))
    first.start()
    assert begun.wait(20)
    assert failure(hub).code == "download-running"
    first.join(30)
    assert (tmp_path / "DA3-SMALL" / "model.safetensors").read_bytes() == WEIGHTS


def test_a_licence_is_accepted_by_name_and_stays_with_the_files(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CATALOGUE, "da3-small", replace(CATALOGUE["da3-small"], licence="CC-BY-NC-4.0"))
    for wrong in ("", "Apache-2.0"):
        told = failure(hub, licence=wrong)
        assert told.code == "licence-not-accepted" and "CC-BY-NC-4.0" in told.sentence
    assert hub.sent == []
    download_model("da3-small", "CC-BY-NC-4.0", quiet, accepted_on="2026-01-31", endpoint=hub.address)
    assert locate_checkpoint("da3-small").info.licence_accepted == "2026-01-31"
    assert model_state(CATALOGUE["da3-small"]).licence_accepted == "2026-01-31"


def test_acceptance_is_noted_for_files_put_there_by_hand(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(CATALOGUE, "da3-small", replace(CATALOGUE["da3-small"], licence="CC-BY-NC-4.0"))
    (tmp_path / "da3-small").mkdir()
    (tmp_path / "da3-small" / "model.safetensors").touch()
    assert locate_checkpoint("da3-small").info.licence_accepted == ""
    download_model("da3-small", "CC-BY-NC-4.0", quiet, accepted_on="2026-01-31", endpoint=hub.address)
    download_model("da3-small", "CC-BY-NC-4.0", quiet, accepted_on="2026-02-28", endpoint=hub.address)
    assert locate_checkpoint("da3-small").info.licence_accepted == "2026-01-31"
    assert hub.sent == []


def test_removal_leaves_other_files_alone(hub: Hub, tmp_path: Path) -> None:
    get(hub)
    folder = tmp_path / "DA3-SMALL"
    (folder / "notes.txt").write_text("mine")
    remove_model("da3-small")
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]
    failure(hub, stop_at(0.3))
    (folder / "notes.txt").unlink()
    remove_model("da3-small")
    assert not folder.exists()
    for name, code in (("da3-tiny", "model-bundled"), ("da3-enormous", "model-unknown")):
        with pytest.raises(JobError) as caught:
            remove_model(name)
        assert caught.value.failure.code == code
    assert "da3-tiny" in available_checkpoints()


WORKER = """
from dataclasses import replace
from model_runtime.contract.catalogue import CATALOGUE
from model_runtime.commands.command_line import main
CATALOGUE["da3-small"] = replace(CATALOGUE["da3-small"], revision="", sha256="", size=6_000_000)
main(["worker"])
"""


class Listener:
    """What a client is told, in order and nothing of it lost."""

    def __init__(self, client: WorkerProcess) -> None:
        self.client, self.waiting = client, deque[Event]()

    def reach(self, job: str, fraction: float) -> None:
        """Wait until so much of the job is done."""
        told = self.answer(job, lambda told: told.fraction > fraction)
        assert isinstance(told, Progress), told

    def answer(self, job: str, until: Callable[[Progress], bool] | None = None) -> object:
        """What ends the job, or the first Progress that `until` is true for."""
        end = time.monotonic() + 120
        while time.monotonic() < end:
            self.waiting.extend(self.client.poll())
            while self.waiting:
                event = self.waiting.popleft()
                if event.job == job and not isinstance(event.message, Progress):
                    return event.message
                if until is not None and isinstance(event.message, Progress) and until(event.message):
                    return event.message
            time.sleep(0.01)
        raise AssertionError(self.client.log)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_worker_downloads_is_killed_at_half_and_goes_on(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", hub.address)
    client = WorkerProcess([sys.executable, "-c", WORKER])
    listen = Listener(client)
    try:
        hub.rate = 2e6
        job = client.submit(DownloadModel("da3-small"))
        listen.reach(job, 0.2)
        client.cancel(job)
        cancelled = time.monotonic()
        told = listen.answer(job)
        assert isinstance(told, Failure) and told.code == "cancelled"
        assert time.monotonic() - cancelled < 2

        job = client.submit(DownloadModel("da3-small"))
        listen.reach(job, 0.5)
        assert client.pid is not None
        os.kill(client.pid, signal.SIGKILL)
        told = listen.answer(job)
        assert isinstance(told, Failure) and told.code == "worker-died"

        hub.rate = None
        told = listen.answer(client.submit(ListModels()))
        assert isinstance(told, Models) and told == replace(list_models(), free_bytes=told.free_bytes)
        here = {state.name: state for state in told.models}["da3-small"].bytes_here
        assert here > 0.45 * len(WEIGHTS)
        told = listen.answer(client.submit(DownloadModel("da3-small")))
        assert isinstance(told, Models)
        assert {state.name for state in told.models if state.ready} == {"da3-tiny", "da3-small"}
        assert hub.sent[-1] == (f"bytes={here}-", len(WEIGHTS) - here)
        assert json.loads((tmp_path / "DA3-SMALL" / "download.json").read_text())["revision"] == COMMIT
        told = listen.answer(client.submit(RemoveModel("da3-small")))
        assert isinstance(told, Models) and [s.name for s in told.models if s.ready] == ["da3-tiny"]
        told = listen.answer(client.submit(Request((), checkpoint="da3-small")))
        assert isinstance(told, Failure) and told.code == "checkpoint-missing"
    finally:
        client.close()


def test_models_are_downloaded_and_listed_by_command(
    hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    address = hub.address + "/{repo_id}/resolve/{revision}/{filename}"  # read from HF_ENDPOINT when it was imported
    monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", address)
    folder = tmp_path / "elsewhere"
    main(["download", "da3-small", "--models", str(folder)])
    told = capsys.readouterr()
    assert Path(told.out.strip()) == folder / "DA3-SMALL"
    assert (folder / "DA3-SMALL" / "model.safetensors").read_bytes() == WEIGHTS
    assert 3 < told.err.count("\n") <= 101

    main(["models", "--models", str(folder)])
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()[1:]}
    assert list(lines) == list(CATALOGUE)
    assert " ready " in lines["da3-small"] and "Apache-2.0" in lines["da3-small"]
    assert " ready " not in lines["da3-giant"] and "no commercial use" in lines["da3-giant"]

    with pytest.raises(SystemExit, match=r"CC-BY-NC-4\.0, which has not been accepted"):
        main(["download", "da3-giant", "--models", str(folder)])
