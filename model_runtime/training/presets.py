"""Whole trainings by name, each a folder of states that resumes: what `da3-runtime train --preset NAME` does."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from model_runtime.training.learning.curriculum import Curriculum, OneSize
from model_runtime.training.learning.gaussians import GaussianConfig, GaussianTrainer
from model_runtime.training.learning.labels import LabelConfig
from model_runtime.training.learning.noisy_depth import NoisyDepth
from model_runtime.training.learning.student import export_student, trained_network
from model_runtime.training.learning.teacher import TEACHER_FILE, TeacherConfig, TeacherTrainer
from model_runtime.training.learning.trainer import Trainer, TrainingConfig


@dataclass(frozen=True)
class Preset:
    """teacher: steps and data of the teacher, None for none: synthetic depth is exact, and a label as good as any.
    noise: what the student's given depth is like. switch_at: share of the student's run after which the teacher's
    labels take over. resolution: longest side that the checkpoint is best at."""

    student: Curriculum
    warmup: int
    gaussian_steps: int
    gaussian_size: tuple[int, int] = (84, 112)
    gaussian_scenes: int = 2
    teacher: Curriculum | None = None
    noise: NoisyDepth | None = None
    switch_at: float = 0.6
    resolution: int = 168
    bf16: bool = True


PRESETS = {
    "smoke": Preset(
        student=OneSize(6, images=4, reuse=1),
        teacher=OneSize(16, images=8, reuse=2, seed=1),
        noise=NoisyDepth(),
        switch_at=0.5,
        warmup=2,
        gaussian_steps=2,
        gaussian_size=(28, 42),
        gaussian_scenes=1,
        resolution=42,
        bf16=False,
    ),
    "tiny": Preset(student=Curriculum(6500, images=48, grow_at=0.45), warmup=200, gaussian_steps=350),
}


def train(preset: Preset, out: Path, say: Callable[[str], None]) -> Path:
    """Teacher, student, Gaussian head and export; what is done already is not done again.

    Runs on every process of the launcher alike. Returns the folder of the checkpoint, in the released format.
    """
    teacher = None
    if preset.teacher is not None:
        say(f"teacher: {preset.teacher.steps} steps")
        TeacherTrainer(TeacherConfig(out, preset.teacher, warmup=preset.warmup, bf16=preset.bf16)).run()
        teacher = str(out / TEACHER_FILE)
    say(f"student: {preset.student.steps} steps")
    labels = LabelConfig(preset.noise, teacher, preset.switch_at)
    config = TrainingConfig(out, preset.student, warmup=preset.warmup, bf16=preset.bf16, labels=labels)
    Trainer(config).run()
    say(f"Gaussian head: {preset.gaussian_steps} steps")
    gaussians = GaussianConfig(out, preset.gaussian_steps, preset.gaussian_scenes, size=preset.gaussian_size)
    GaussianTrainer(trained_network(out), gaussians).run()
    return export_student(out, out / "checkpoint", preset.resolution)
