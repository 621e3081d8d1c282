"""What a geometry run and a Gaussian run in one folder add up to: a network, and its checkpoint."""

from pathlib import Path
from typing import Any

import torch

from model_runtime.checkpoints.locate import CONFIG_FILE, locate_checkpoint, read_config
from model_runtime.contract.messages import JobError
from model_runtime.network.any_view import AnyViewNetwork
from model_runtime.training.learning.export import export_checkpoint
from model_runtime.training.learning.gaussians import GAUSSIAN_FILE
from model_runtime.training.learning.initialise import fresh_network
from model_runtime.training.learning.trainer import STATE_FILE, initial_weights
from model_runtime.training.runs import distributed
from model_runtime.training.runs.state_files import load_state, save_state

PRESET = "da3-tiny"


def trained_network(out: Path) -> AnyViewNetwork:
    """The network of a geometry run, its Gaussian head untrained; JobError `run-missing` where there is no run."""
    network = fresh_network(PRESET, 0)
    network.load_state_dict(_state(out)["network"], strict=True)
    return network.eval()


def export_student(out: Path, folder: Path, resolution: int, initial: str | None = None) -> Path:
    """Writes the checkpoint of a run, with its Gaussian head where that was trained; one process of several does.

    initial: the checkpoint whose weights the run began with; what went into it is counted too.
    """
    network, state = trained_network(out), _state(out)
    head = load_state(out / GAUSSIAN_FILE)
    before = {} if initial is None else trained_by(initial)
    facts: dict[str, object] = {
        "steps": state["step"] + before.get("steps", 0),
        "images": state["images"] + before.get("images", 0),
        "hours": round(state["seconds"] / 3600 + before.get("hours", 0), 2),
        "data": "synthetic rooms, streets and close-ups of model_runtime.training, nothing else",
    }
    if head is not None:
        network.gs_head.load_state_dict(head["head"], strict=True)
        facts["gaussian_steps"] = head["step"]
    if distributed.start()[0] == 0:
        export_checkpoint(network, folder, preset=PRESET, resolution=resolution, training=facts)
    distributed.barrier()
    return folder


def blend(run: Path, initial: str, share: float, out: Path) -> None:
    """Writes the geometry of a run in `out`, averaged with the weights that it began with; for the Gaussian head and
    for export, not to be trained on.

    share: 0..1, of the run. A network that was taught something new keeps more of what it knew (Wortsman et al. 2022,
    arXiv 2109.01903). Raises JobError `run-missing`, or what `initial_weights` raises.
    """
    state, before = _state(run), initial_weights(initial, PRESET)
    network = {key: torch.lerp(before[key], value.float(), share) for key, value in state["network"].items()}
    out.mkdir(parents=True, exist_ok=True)
    save_state(out / STATE_FILE, {key: state[key] for key in ("step", "images", "seconds")} | {"network": network})


def trained_by(checkpoint: str) -> dict[str, Any]:
    """What the config.json of a checkpoint, by name or folder, says of its training; nothing where it says nothing."""
    values = read_config(locate_checkpoint(checkpoint).path.parent / CONFIG_FILE).get("training", {})
    return values if isinstance(values, dict) else {}


def _state(out: Path) -> dict[str, Any]:
    state = load_state(out / STATE_FILE)
    if state is None:
        raise JobError("run-missing", f"There is no {STATE_FILE} in {out}.", "Train the geometry first.")
    return state
