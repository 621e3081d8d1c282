"""What a geometry run and a Gaussian run in one folder add up to: a network, and its checkpoint."""

from pathlib import Path
from typing import Any

from model_runtime.messages import JobError
from model_runtime.network.any_view import AnyViewNetwork
from model_runtime.training import distributed
from model_runtime.training.export import export_checkpoint
from model_runtime.training.gaussians import GAUSSIAN_FILE
from model_runtime.training.initialise import fresh_network
from model_runtime.training.state_files import load_state
from model_runtime.training.trainer import STATE_FILE

PRESET = "da3-tiny"


def trained_network(out: Path) -> AnyViewNetwork:
    """The network of a geometry run, its Gaussian head untrained; JobError `run-missing` where there is no run."""
    network = fresh_network(PRESET, 0)
    network.load_state_dict(_state(out)["network"], strict=True)
    return network.eval()


def export_student(out: Path, folder: Path, resolution: int) -> Path:
    """Writes the checkpoint of a run, with its Gaussian head where that was trained; one process of several does."""
    network, state = trained_network(out), _state(out)
    head = load_state(out / GAUSSIAN_FILE)
    facts: dict[str, object] = {
        "steps": state["step"],
        "images": state["images"],
        "hours": round(state["seconds"] / 3600, 2),
        "data": "synthetic rooms, streets and close-ups of model_runtime.training, nothing else",
    }
    if head is not None:
        network.gs_head.load_state_dict(head["head"], strict=True)
        facts["gaussian_steps"] = head["step"]
    if distributed.start()[0] == 0:
        export_checkpoint(network, folder, preset=PRESET, resolution=resolution, training=facts)
    distributed.barrier()
    return folder


def _state(out: Path) -> dict[str, Any]:
    state = load_state(out / STATE_FILE)
    if state is None:
        raise JobError("run-missing", f"There is no {STATE_FILE} in {out}.", "Train the geometry first.")
    return state
