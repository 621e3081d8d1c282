"""One file of a repository on the Hugging Face hub: what is known of it, and its bytes from any place on.

huggingface_hub finds, authorises and names errors; it keeps nothing of a download that breaks off (since its version
1), so the bytes are taken from its session here. Network calls block for as long as the network likes; they run in
threads, and the caller's `tick` is called all the while and may raise to stop.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, Full, Queue
from typing import TypeVar
from urllib.parse import urlsplit

import httpx2
from huggingface_hub import get_hf_file_metadata, get_session, hf_hub_url
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    OfflineModeIsEnabled,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import build_hf_headers, hf_raise_for_status

from model_runtime.contract.catalogue import Model
from model_runtime.contract.messages import JobError
from model_runtime.contract.secrecy import without_secrets

TICK = 0.1
"""Seconds between two calls of `tick`."""

STALL = 30.0
"""Seconds without a byte until a connection is given up."""

BUFFERED_CHUNKS = 64
FAILED = (httpx2.HTTPError, httpx2.InvalidURL, OSError)

Tick = Callable[[], None]
Result = TypeVar("Result")


@dataclass(frozen=True)
class RemoteFile:
    """A file at one commit. etag: its SHA-256 where it is a large file, else the hash git gives it. size: in bytes."""

    url: str
    revision: str
    etag: str
    size: int


def look_up(model: Model, name: str, revision: str, endpoint: str | None, tick: Tick) -> RemoteFile:
    """What the hub tells of a file of the model. Raises JobError, and what `tick` raises."""
    url = hf_hub_url(model.repository, name, revision=revision or None, endpoint=endpoint)
    try:
        metadata = _while_ticking(lambda: get_hf_file_metadata(url, endpoint=endpoint), tick)
    except FAILED as error:
        raise explain(error, model, url) from error
    except ValueError as error:  # urllib's and httpx2's, of an address; its text may hold a part of a password
        raise _bad_address() from error
    if metadata.commit_hash is None or metadata.etag is None or metadata.size is None or metadata.size < 0:
        raise JobError(
            "hub-answer",
            f"{_host(url)} does not tell the commit, hash and size of {name} of {model.title}.",
            "A proxy or mirror may leave them out: try without it, or put the files into the folder by hand.",
        )
    at_commit = hf_hub_url(model.repository, name, revision=metadata.commit_hash, endpoint=endpoint)
    return RemoteFile(at_commit, metadata.commit_hash, metadata.etag, metadata.size)


def read_bytes(file: RemoteFile, start: int, tick: Tick) -> Iterator[tuple[int, bytes]]:
    """The file's bytes as (offset, chunk), beginning at `start`, or at 0 where the server gives no parts.

    Raises what httpx2 raises, an HfHubHTTPError for an answer that is none, and what `tick` raises.
    """
    reader = _Reader(file, start)
    try:
        while True:
            tick()
            with suppress(Empty):
                item = reader.chunks.get(timeout=TICK)
                if item is None:
                    return
                if isinstance(item, Exception):
                    raise item
                yield item
    finally:
        reader.stop.set()


class _Reader:
    """A thread that queues a file's bytes, then None or what went wrong.

    Once `stop` is set it ends at its next chunk, or when its connection times out.
    """

    def __init__(self, file: RemoteFile, start: int) -> None:
        self.file, self.start = file, start
        self.chunks: Queue[tuple[int, bytes] | Exception | None] = Queue(BUFFERED_CHUNKS)
        self.stop = threading.Event()
        threading.Thread(target=self._run, name="download", daemon=True).start()

    def _run(self) -> None:
        try:
            self._read()
            self._put(None)
        except Exception as error:  # raised again by read_bytes
            self._put(error)

    def _read(self) -> None:
        headers = build_hf_headers() | {"Accept-Encoding": "identity"}
        if self.start:
            headers["Range"] = f"bytes={self.start}-"
        with get_session().stream("GET", self.file.url, headers=headers, timeout=STALL) as response:
            hf_raise_for_status(response)
            offset = self.start if response.status_code == 206 else 0
            for chunk in response.iter_raw():
                if self.stop.is_set():
                    return
                self._put((offset, chunk))
                offset += len(chunk)

    def _put(self, item: tuple[int, bytes] | Exception | None) -> None:
        while not self.stop.is_set():
            with suppress(Full):
                self.chunks.put(item, timeout=TICK)
                return


def fetch(file: RemoteFile, tick: Tick, most: int) -> bytes:
    """A small file whole, or more than `most` of its bytes where it has more. Raises as `read_bytes` does."""
    data = b""
    for _, chunk in read_bytes(file, 0, tick):
        data += chunk
        if len(data) > most:
            break
    return data


def explain(error: Exception, model: Model, url: str, done: str = "") -> JobError:
    """What went wrong on the network, in words and without secrets. done: a sentence that tells how far the download
    came."""
    host, again = _host(url), "Download again: it goes on where it stopped."
    if isinstance(error, HfHubHTTPError):
        return _refusal(error, model, url, done)
    if isinstance(error, OfflineModeIsEnabled):
        return JobError("offline", "Downloads are switched off (HF_HUB_OFFLINE is set).", "Allow online access.")
    if isinstance(error, httpx2.TimeoutException):
        return JobError("download-stalled", f"{host} does not answer in time." + done, again)
    if isinstance(error, httpx2.InvalidURL | httpx2.UnsupportedProtocol):
        return _bad_address()
    if isinstance(error, httpx2.HTTPError):
        advice = again if done else "Check the connection, then try again."
        sentence = f"{host} cannot be reached ({_said(error)})."
        return JobError("no-network", sentence + done, advice)
    return JobError("download-broken", f"{model.title} cannot be downloaded: {_said(error)}." + done, again)


def _bad_address() -> JobError:
    return JobError(
        "hub-address",
        "The address of the hub, or of a proxy, cannot be used.",
        "Check the variables HF_ENDPOINT and HTTPS_PROXY: in a password, / is written %2F and @ is written %40.",
    )


def _said(error: Exception) -> str:
    """The error's own text, which may hold addresses."""
    return without_secrets(str(error)).rstrip(".") or type(error).__name__


def _refusal(error: HfHubHTTPError, model: Model, url: str, done: str) -> JobError:
    """What the hub's answer means."""
    host, status = _host(url), error.response.status_code
    if isinstance(error, GatedRepoError):
        advice = f"Agree to the terms at {model.page} and give the worker your token as HF_TOKEN."
        return JobError("model-gated", f"{model.title} is only given to those who agreed to its terms.", advice)
    if status == 404 or isinstance(error, RepositoryNotFoundError | RevisionNotFoundError | RemoteEntryNotFoundError):
        sentence = f"{host} has no such file: {urlsplit(url).path}."
        return JobError("model-not-found", sentence, "It may have moved: update the add-on, or use another model.")
    if status in (401, 403):
        advice = "Check the token in HF_TOKEN, or remove it: the released models need none."
        return JobError("model-refused", f"{host} refuses to hand out {model.title} (status {status}).", advice)
    sentence = f"{host} cannot hand out {model.title} at the moment (status {status})."
    return JobError("hub-busy", sentence + done, "Try again in some minutes.")


def _while_ticking(function: Callable[[], Result], tick: Tick) -> Result:
    future: Future[Result] = Future()

    def work() -> None:
        try:
            future.set_result(function())
        except Exception as error:  # raised again by future.result
            future.set_exception(error)

    threading.Thread(target=work, name="look-up", daemon=True).start()
    while not future.done():
        tick()
        wait([future], TICK)
    return future.result()


def _host(url: str) -> str:
    """Host and port alone: what stands before them may be a password."""
    return url.partition("://")[2].rpartition("@")[2].partition("/")[0]
