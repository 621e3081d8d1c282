"""`python -m model_runtime.training --out DIR`: trains da3-tiny's geometry; the same command again resumes."""

import argparse
from pathlib import Path

from model_runtime.training import distributed
from model_runtime.training.curriculum import Curriculum
from model_runtime.training.trainer import Trainer, TrainingConfig


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m model_runtime.training", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for the state and the log")
    parser.add_argument("--steps", type=int, default=4000, help="length of the whole run")
    parser.add_argument("--images", type=int, default=64, help="photos a step at 84 x 84")
    parser.add_argument("--learning-rate", type=float, default=7e-4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--until", type=int, help="stop after this step")
    chosen = parser.parse_args()
    curriculum = Curriculum(chosen.steps, chosen.images, seed=chosen.seed)
    trainer = Trainer(TrainingConfig(chosen.out, curriculum, learning_rate=chosen.learning_rate, seed=chosen.seed))
    trainer.run(chosen.until)
    distributed.stop()


if __name__ == "__main__":
    main()
