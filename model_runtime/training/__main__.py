"""Trains da3-tiny on synthetic scenes, in steps that share a folder; each resumes when started again.

python -m model_runtime.training teacher --out runs/tiny      a teacher for measured depth; not needed for exact depth
python -m model_runtime.training geometry --out runs/tiny     depth, rays and cameras
python -m model_runtime.training blend --out runs/both --run runs/tiny --initial CHECKPOINT     see `student.blend`
python -m model_runtime.training gaussians --out runs/tiny    the Gaussian head, all else frozen
python -m model_runtime.training export --out runs/tiny FOLDER

All but blending and export run on several processes under torchrun, which on a CPU is faster than several threads.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from model_runtime.training.learning.curriculum import Curriculum
from model_runtime.training.learning.gaussians import GaussianConfig, GaussianTrainer
from model_runtime.training.learning.labels import LabelConfig
from model_runtime.training.learning.noisy_depth import NoisyDepth
from model_runtime.training.learning.student import blend, export_student, trained_network
from model_runtime.training.learning.teacher import TeacherConfig, TeacherTrainer
from model_runtime.training.learning.trainer import Trainer, TrainingConfig
from model_runtime.training.runs import distributed

MEGABYTE = 1_000_000


def train_teacher(chosen: argparse.Namespace) -> None:
    curriculum = Curriculum(chosen.steps, chosen.images, seed=chosen.seed)
    TeacherTrainer(TeacherConfig(chosen.out, curriculum, learning_rate=chosen.learning_rate)).run(chosen.until)


def train_geometry(chosen: argparse.Namespace) -> None:
    curriculum = Curriculum(chosen.steps, chosen.images, grow_at=chosen.grow_at, seed=chosen.seed, begin=chosen.begin)
    config = TrainingConfig(
        chosen.out,
        curriculum,
        learning_rate=chosen.learning_rate,
        seed=chosen.seed,
        initial=chosen.initial,
        labels=LabelConfig(NoisyDepth() if chosen.noisy else None, chosen.teacher, chosen.switch_at),
        shard_bytes=chosen.shard_megabytes and chosen.shard_megabytes * MEGABYTE,
    )
    Trainer(config).run(chosen.until)


def blend_weights(chosen: argparse.Namespace) -> None:
    blend(chosen.run_folder, chosen.initial, chosen.share, chosen.out)


def train_gaussians(chosen: argparse.Namespace) -> None:
    GaussianTrainer(trained_network(chosen.out), GaussianConfig(chosen.out, chosen.steps)).run()


def export(chosen: argparse.Namespace) -> None:
    export_student(chosen.out, chosen.folder, chosen.resolution, chosen.initial)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line; `arguments` default to the process's own."""
    parser = argparse.ArgumentParser(
        prog="python -m model_runtime.training", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    steps = parser.add_subparsers(required=True)
    teacher = steps.add_parser("teacher", help="monocular depth on exact synthetic depth")
    teacher.set_defaults(run=train_teacher)
    geometry = steps.add_parser("geometry", help="depth, rays and cameras")
    geometry.set_defaults(run=train_geometry)
    for step in (teacher, geometry):
        step.add_argument("--steps", type=int, default=4000, help="length of the whole run")
        step.add_argument("--until", type=int, help="stop after this step")
        step.add_argument("--images", type=int, default=48, help="photos a step at 84 x 84")
        step.add_argument("--learning-rate", type=float, default=7e-4)
        step.add_argument("--seed", type=int, default=0)
    geometry.add_argument("--initial", metavar="CHECKPOINT", help="weights to begin with, by name or folder")
    geometry.add_argument("--begin", type=float, default=0.0, help="share of the course to leave out, with --initial")
    geometry.add_argument("--grow-at", type=float, default=0.5, help="share of the course after which sizes are mixed")
    geometry.add_argument("--noisy", action="store_true", help="learn from depth as a sensor would measure it")
    geometry.add_argument("--teacher", help="teacher.pt, or a checkpoint's name or folder, whose labels take over")
    geometry.add_argument("--switch-at", type=float, default=LabelConfig.switch_at, help="share of the run, see above")
    geometry.add_argument("--shard-megabytes", type=int, help="save the state in files no larger than this")
    blending = steps.add_parser("blend", help="average a geometry run's weights with those it began with")
    blending.set_defaults(run=blend_weights)
    blending.add_argument("--run", dest="run_folder", type=Path, required=True, help="folder of the geometry run")
    blending.add_argument("--initial", metavar="CHECKPOINT", required=True, help="what the run began with")
    blending.add_argument("--share", type=float, default=0.7, help="of the run's weights, 0..1")
    gaussians = steps.add_parser("gaussians", help="the Gaussian head, all else frozen")
    gaussians.set_defaults(run=train_gaussians)
    gaussians.add_argument("--steps", type=int, default=GaussianConfig.steps)
    exporting = steps.add_parser("export", help="write config.json and model.safetensors")
    exporting.set_defaults(run=export)
    exporting.add_argument("folder", type=Path)
    exporting.add_argument("--resolution", type=int, default=168, help="longest side the checkpoint works best at")
    exporting.add_argument("--initial", metavar="CHECKPOINT", help="what the run began with; its steps are counted too")
    for step in (geometry, blending, gaussians, exporting):
        step.add_argument("--out", type=Path, required=True, help="folder for states and logs")
    chosen = parser.parse_args(arguments)
    chosen.run(chosen)
    distributed.stop()


if __name__ == "__main__":
    main()
