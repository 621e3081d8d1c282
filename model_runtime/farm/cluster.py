"""A farm's shots on Ray: sent to its machines, tried again where one dies, their answers brought back."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from model_runtime.contract.messages import Failure, JobError
from model_runtime.farm.answers import Answers
from model_runtime.farm.lines import Lines
from model_runtime.farm.shots import GIGABYTE, Shot
from model_runtime.farm.work import Order, do_order, make_order, order_digest

if TYPE_CHECKING:
    from ray import ObjectRef

MOST_RETRIES = 3
"""Times that a shot is begun again because a machine or a process died; never because of what its photos are."""

ANSWER_SECONDS = 10.0
"""That the cluster has to take a connection."""

LOOK_SECONDS = 0.5
"""Between two looks at what there is news of."""

NEWS_SECONDS = 1.0
"""Between two reports of one stage of a shot."""


@dataclass(frozen=True)
class Outcome:
    """state: `done`, `was there` or `failed`. machine: where it was done. seconds: from its sending to its answer."""

    shot: str
    state: str
    machine: str = ""
    seconds: float = 0.0
    failure: Failure | None = None


def run_shots(shots: Sequence[Shot], answers: Answers, lines: Lines, address: str | None) -> list[Outcome]:
    """Every shot's answer in the folder, or why it is not there; in the order of the shots.

    address: of a Ray cluster; None for one of this machine alone, which ends with the farm. Raises JobError where that
    cannot be reached, or where a shot asks for more than any of its machines has.
    """
    digests = {shot.name: order_digest(shot) for shot in shots}
    found = {shot.name: Outcome(shot.name, "was there") for shot in shots if answers.has(shot.name, digests[shot.name])}
    for shot in shots:
        if shot.name in found:
            lines.tell(shot.name, "done", "is there already")
        else:
            answers.check(shot.name)
    waiting = [shot for shot in shots if shot.name not in found]
    if waiting:
        with _connected(address):
            needs = {shot.name: _needs(shot) for shot in waiting}
            found |= {each.shot: each for each in _Farm(waiting, needs, answers, digests, lines).outcomes()}
    return [found[shot.name] for shot in shots]


@contextmanager
def _connected(address: str | None) -> Iterator[None]:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would tell its makers what is run
    import ray

    _check_address(address)
    dashboard = None if address else False
    try:
        ray.init(address=address, include_dashboard=dashboard, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, OSError, ValueError, RuntimeError) as error:
        told = " ".join(str(error).split())
        raise JobError("remote-unreachable", f"Ray cannot be reached at {address or 'this machine'}: {told}") from error
    try:
        yield
    finally:
        ray.shutdown()


def _check_address(address: str | None) -> None:
    """Raises JobError where nothing listens at `host:port`: Ray itself would try for minutes, and cannot be stopped."""
    host, colon, port = (address or "").removeprefix("ray://").rpartition(":")
    if not colon or not port.isdigit():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), ANSWER_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise JobError(
            "remote-unreachable", f"Nothing answers at {address}: {error}.", "Start Ray there, or correct --address."
        ) from error


def _needs(shot: Shot) -> dict[str, float]:
    """What Ray keeps free for a shot. Raises JobError where no machine has it."""
    import ray

    machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    gpus = shot.gpus if shot.gpus is not None else float(any(each.get("GPU") for each in machines))
    needs = {"CPU": float(shot.cpus), "GPU": gpus, "memory": float(shot.memory)}
    if any(all(each.get(kind, 0.0) >= amount for kind, amount in needs.items()) for each in machines):
        return needs
    raise JobError(
        "bad-request",
        f"{shot.name} asks for {shot.cpus} processors, {gpus:g} GPUs and {shot.memory / GIGABYTE:g} GB of memory, "
        "which none of the farm's machines has.",
        "Lower cpus, gpus or memory of the shot.",
    )


@dataclass(frozen=True)
class _Sent:
    shot: Shot
    since: float


class _Farm:
    """The shots that are to be done, on a cluster that is connected. needs, digests: by a shot's name."""

    def __init__(
        self,
        shots: Sequence[Shot],
        needs: Mapping[str, Mapping[str, float]],
        answers: Answers,
        digests: Mapping[str, str],
        lines: Lines,
    ) -> None:
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        self._waiting = list(shots)
        self._needs, self._answers, self._digests, self._lines = needs, answers, digests, lines
        self._sent: dict[ObjectRef[Any], _Sent] = {}
        # The board is where the farm is: it must not die with a machine that does shots.
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        self._board: Any = ray.remote(_Board).options(num_cpus=0, scheduling_strategy=here).remote()

    def outcomes(self) -> Iterator[Outcome]:
        """Each when it is known. What still runs is ended where this is left early, as by Ctrl-C."""
        import ray

        try:
            while self._waiting or self._sent:
                yield from self._send()
                done, _ = ray.wait(list(self._sent), timeout=LOOK_SECONDS) if self._sent else ([], [])
                self._tell_news()
                for each in done:
                    yield self._collect(each)
        finally:
            for each in self._sent:
                ray.cancel(each, force=True)

    def _send(self) -> Iterator[Outcome]:
        """As many shots as the machines can do, and one more: more orders would only fill their memory."""
        import ray

        while self._waiting and len(self._sent) <= self._places(self._waiting[0]):
            shot = self._waiting.pop(0)
            try:
                order = ray.put(make_order(shot))
            except JobError as error:
                yield self._failed(_Sent(shot, time.monotonic()), error.failure)
                continue
            needs = self._needs[shot.name]
            task = ray.remote(_do_on_machine).options(
                num_cpus=needs["CPU"],
                num_gpus=needs["GPU"],
                memory=needs["memory"] or None,
                max_retries=MOST_RETRIES,
                retry_exceptions=False,
                name=shot.name,
            )
            self._sent[task.remote(order, shot.name, self._board)] = _Sent(shot, time.monotonic())
            self._lines.tell(shot.name, "sent", "waits for a machine")

    def _places(self, shot: Shot) -> int:
        """How many shots like this one the machines do at once."""
        import ray

        there = ray.cluster_resources()
        needs = {kind: amount for kind, amount in self._needs[shot.name].items() if amount}
        return int(min(there.get(kind, 0.0) // amount for kind, amount in needs.items()))

    def _tell_news(self) -> None:
        import ray

        names = {sent.shot.name for sent in self._sent.values()}
        news: Any = ray.get(self._board.take.remote())
        for shot, (stage, text) in news.items():
            if shot in names:
                self._lines.tell(shot, stage, text)

    def _collect(self, done: ObjectRef[Any]) -> Outcome:
        import ray
        from ray.exceptions import RayError, RayTaskError

        sent = self._sent.pop(done)
        try:
            answer, machine = ray.get(done)
        except RayTaskError as error:
            sentence = f"A program's fault ended it: {type(error.cause).__name__}: {error.cause}."
            return self._failed(sent, Failure("internal", sentence, "Please report this.", str(error)))
        except RayError as error:
            sentence = f"Its machine or its process died, and {MOST_RETRIES} more attempts ended so ({_short(error)})."
            return self._failed(sent, Failure("worker-died", sentence, "Give it more memory, or a smaller resolution."))
        if isinstance(answer, Failure):
            return self._failed(sent, answer, machine)
        try:
            self._answers.put(sent.shot.name, self._digests[sent.shot.name], answer)
        except JobError as error:
            return self._failed(sent, error.failure, machine)
        seconds = time.monotonic() - sent.since
        self._lines.tell(sent.shot.name, "done", f"done in {seconds:.0f} s on {machine}")
        return Outcome(sent.shot.name, "done", machine, seconds)

    def _failed(self, sent: _Sent, failure: Failure, machine: str = "") -> Outcome:
        self._lines.tell(sent.shot.name, "failed", f"failed: {failure.sentence}")
        return Outcome(sent.shot.name, "failed", machine, time.monotonic() - sent.since, failure)


def _short(error: Exception) -> str:
    return type(error).__name__


class _Board:
    """Where the machines write what they are at, the last of each shot. An actor of Ray."""

    def __init__(self) -> None:
        self._news: dict[str, tuple[str, str]] = {}

    def tell(self, shot: str, stage: str, text: str) -> None:
        self._news[shot] = (stage, text)

    def take(self) -> dict[str, tuple[str, str]]:
        """What is new: shot -> stage and text."""
        news, self._news = self._news, {}
        return news


def _do_on_machine(order: Order, shot: str, board: Any) -> tuple[bytes | Failure, str]:
    """The answer, or why there is none, and the machine's name. A task of Ray; its reports are not waited for."""
    machine = socket.gethostname()
    last: tuple[str, float] = ("", 0.0)

    def report(stage: str, fraction: float, sentence: str) -> None:
        nonlocal last
        now = time.monotonic()
        if stage != last[0] or now - last[1] >= NEWS_SECONDS:
            last = (stage, now)
            board.tell.remote(shot, stage, f"{fraction:4.0%}  {sentence} ({machine})")

    report("begun", 0.0, "Begun.")
    return do_order(order, report), machine
