"""Trains da3-tiny on synthetic rooms, in three steps that share a folder; each resumes when started again.

python -m model_runtime.training geometry --out runs/tiny     depth, rays and cameras
python -m model_runtime.training gaussians --out runs/tiny    the Gaussian head, all else frozen
python -m model_runtime.training export --out runs/tiny FOLDER

The first two run on several processes under torchrun, which on a CPU is faster than several threads.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch

from model_runtime.network.any_view import AnyViewNetwork
from model_runtime.training import distributed
from model_runtime.training.curriculum import Curriculum
from model_runtime.training.export import export_checkpoint
from model_runtime.training.gaussians import GaussianConfig, GaussianTrainer
from model_runtime.training.initialise import fresh_network
from model_runtime.training.trainer import STATE_FILE, Trainer, TrainingConfig

PRESET = "da3-tiny"


def _trained(out: Path) -> tuple[AnyViewNetwork, dict[str, object]]:
    """The network of a geometry run, and what its state tells of the run."""
    state = torch.load(out / STATE_FILE, weights_only=True)
    network = fresh_network(PRESET, 0)
    network.load_state_dict(state["network"], strict=True)
    return network.eval(), state


def train_geometry(chosen: argparse.Namespace) -> None:
    curriculum = Curriculum(chosen.steps, chosen.images, grow_at=chosen.grow_at, seed=chosen.seed)
    config = TrainingConfig(chosen.out, curriculum, learning_rate=chosen.learning_rate, seed=chosen.seed)
    Trainer(config).run(chosen.until)


def train_gaussians(chosen: argparse.Namespace) -> None:
    config = GaussianConfig(chosen.out, copy_steps=chosen.copy_steps, render_steps=chosen.render_steps)
    GaussianTrainer(_trained(chosen.out)[0], config).run()


def export(chosen: argparse.Namespace) -> None:
    network, state = _trained(chosen.out)
    facts = {
        "steps": state["step"],
        "images": state["images"],
        "hours": round(float(str(state["seconds"])) / 3600, 2),
        "data": "synthetic rooms of model_runtime.training, nothing else",
    }
    gaussians = GaussianTrainer(network, GaussianConfig(chosen.out))
    facts["gaussian_steps"] = gaussians.step
    export_checkpoint(network, chosen.folder, preset=PRESET, resolution=chosen.resolution, training=facts)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line; `arguments` default to the process's own."""
    parser = argparse.ArgumentParser(
        prog="python -m model_runtime.training", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    steps = parser.add_subparsers(required=True)
    geometry = steps.add_parser("geometry", help="depth, rays and cameras")
    geometry.set_defaults(run=train_geometry)
    geometry.add_argument("--steps", type=int, default=4000, help="length of the whole run")
    geometry.add_argument("--until", type=int, help="stop after this step")
    geometry.add_argument("--images", type=int, default=48, help="photos a step at 84 x 84")
    geometry.add_argument("--grow-at", type=float, default=0.5, help="share of the run after which sizes are mixed")
    geometry.add_argument("--learning-rate", type=float, default=7e-4)
    geometry.add_argument("--seed", type=int, default=0)
    gaussians = steps.add_parser("gaussians", help="the Gaussian head, all else frozen")
    gaussians.set_defaults(run=train_gaussians)
    gaussians.add_argument("--copy-steps", type=int, default=300)
    gaussians.add_argument("--render-steps", type=int, default=100)
    exporting = steps.add_parser("export", help="write config.json and model.safetensors")
    exporting.set_defaults(run=export)
    exporting.add_argument("folder", type=Path)
    exporting.add_argument("--resolution", type=int, default=168, help="longest side the checkpoint works best at")
    for step in (geometry, gaussians, exporting):
        step.add_argument("--out", type=Path, required=True, help="folder for states and logs")
    chosen = parser.parse_args(arguments)
    chosen.run(chosen)
    distributed.stop()


if __name__ == "__main__":
    main()
