"""What all trainers share: steps that resume exactly, a state on disk, a log, progress with the time left.

Nothing in training draws from a global random generator: the data of a step, its cameras and its choices follow from
the seed, the step and the process, so weights, optimiser and step number are the whole state.
"""

import json
import math
import time
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import torch

from model_runtime.training.runs import distributed
from model_runtime.training.runs.state_files import load_state, save_state

LOG_FILES = {"state.pt": "log.jsonl"}
"""Log of a state file; others are named like their state."""
TENSORBOARD = "tensorboard"


class Part(Protocol):
    """A module or an optimiser."""

    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state_dict: dict[str, Any]) -> object: ...


class TrainingRun:
    """One process's part of a run of `steps` steps in the folder `out`.

    A trainer says what there is to save (`parts`) and does one step (`train_step`: advances `step`, returns what there
    is to log); it calls `resume` once it is made. save_every, log_every: steps.
    """

    save_every = 100
    log_every = 10
    shard_bytes: int | None = None

    def __init__(self, out: Path, state_file: str, steps: int) -> None:
        self.rank, self.ranks = distributed.start()
        self.device = distributed.device()
        self.out, self.steps = out, steps
        self.state_path = out / state_file
        self.log_path = out / LOG_FILES.get(state_file, Path(state_file).with_suffix(".jsonl").name)
        self.step = 0
        self.seconds = 0.0
        self.images = 0
        self._board: Any = None
        out.mkdir(parents=True, exist_ok=True)

    def parts(self) -> Mapping[str, Part]:
        raise NotImplementedError

    def train_step(self) -> dict[str, float]:
        raise NotImplementedError

    def resume(self) -> None:
        """Continues from the last saved state, if there is one; the log forgets what came after it."""
        state = load_state(self.state_path, self.device)
        if state is None:
            return
        for name, part in self.parts().items():
            part.load_state_dict(state[name])
        self.step = state["step"]
        self.seconds, self.images = state.get("seconds", 0.0), state.get("images", 0)
        if self.rank == 0 and self.log_path.exists():
            lines = [line for line in self.log_path.read_text().splitlines() if line.endswith("}")]
            kept = [line for line in lines if json.loads(line)["step"] <= self.step]
            beside = self.log_path.with_suffix(".part")
            beside.write_text("".join(line + "\n" for line in kept))
            beside.replace(self.log_path)

    def save(self) -> None:
        if self.rank == 0:
            state: dict[str, Any] = {name: part.state_dict() for name, part in self.parts().items()}
            state |= {"step": self.step, "seconds": self.seconds, "images": self.images}
            save_state(self.state_path, state, self.shard_bytes)
        distributed.barrier()

    def run(self, until: int | None = None) -> None:
        """Trains up to step `until` (the whole run by default), saving and logging on the way."""
        last = self.steps if until is None else min(until, self.steps)
        first, began = self.step, time.perf_counter()
        while self.step < last:
            record = self.train_step()
            if self.step % self.log_every == 0 or self.step == last:
                left = (time.perf_counter() - began) / (self.step - first) * (self.steps - self.step)
                self.log(record, left)
            if self.step % self.save_every == 0 or self.step == last:
                self.save()
        if self._board is not None:
            self._board.close()
            self._board = None

    def log(self, record: dict[str, float], left: float) -> None:
        """Adds a record to the log and to TensorBoard, and shows it with the seconds left."""
        if self.rank != 0:
            return
        with self.log_path.open("a") as file:
            file.write(json.dumps(record) + "\n")
        board = self._tensorboard()
        shown = {name: value for name, value in record.items() if name not in ("step", "seconds")}
        if board is not None:
            for name, value in shown.items():
                board.add_scalar(f"{self.log_path.stem}/{name}", value, self.step)
        numbers = "  ".join(f"{name} {value:.4g}" for name, value in shown.items())
        print(f"step {self.step}/{self.steps}, {time_left(left)} left  {numbers}", flush=True)

    def _tensorboard(self) -> Any:
        """TensorBoard's writer, or None where the package is not installed."""
        if self._board is None and find_spec("tensorboard") is not None:
            from torch.utils.tensorboard import SummaryWriter

            self._board = SummaryWriter(str(self.out / TENSORBOARD), purge_step=self.step)
        return self._board


def time_left(seconds: float) -> str:
    minutes = math.ceil(seconds / 60)
    return f"{seconds:.0f} s" if seconds < 100 else f"{minutes} min" if minutes < 100 else f"{minutes / 60:.1f} h"


def mixed_precision(device: torch.device, wanted: bool) -> torch.autocast:
    """Autocast to bfloat16 where it is wanted and the device is fast in it; a CPU without it takes ten times longer."""
    fast = torch.cuda.is_bf16_supported(including_emulation=False) if device.type == "cuda" else cpu_has_bf16()
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=wanted and fast)


def cpu_has_bf16() -> bool:
    able = torch.cpu.get_capabilities()
    return any(able.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def warm_cosine(step: int, warmup: int, steps: int) -> float:
    """Share of the peak learning rate: linear warm-up, then a cosine down to two percent."""
    if step < warmup:
        return (step + 1) / warmup
    rest = (step - warmup) / max(1, steps - warmup)
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, rest)))
