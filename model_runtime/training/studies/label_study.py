"""`python -m model_runtime.training.studies.label_study --out FOLDER`: do a teacher's labels beat the measured depth?

The same student, from the same weights and on the same photos, learns from depth as it was measured (holes, outliers,
steps: `noisy_depth`), from the teacher's depth aligned to that, and from exact depth, the best there could be. As in
the paper it begins with a trained backbone and a fresh head for depth. All are judged by exact depth of scenes that
nobody trained on. The teacher has seen synthetic scenes only, none of these; it sees one photo at a time. A study that
was interrupted goes on where it stopped.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from model_runtime.network.config import AnyViewConfig
from model_runtime.training.learning import metrics
from model_runtime.training.learning.curriculum import OneSize
from model_runtime.training.learning.initialise import fresh_network
from model_runtime.training.learning.labels import LabelConfig, Labels
from model_runtime.training.learning.noisy_depth import NoisyDepth
from model_runtime.training.learning.targets import has_label
from model_runtime.training.learning.trainer import Trainer, TrainingConfig
from model_runtime.training.rendering.views import ViewBatch, ViewGenerator, develop
from model_runtime.training.studies.evaluate import HELD_OUT_SEED, predict

VIEWS = 2
CONSTANT = "one constant"
CAPTURES = 502
"""Seed of the scenes that stand for real captures."""
SENSORS = {"depth camera": NoisyDepth(), "sparse points": NoisyDepth(density=0.05, outliers=0.2)}


@dataclass(frozen=True)
class Study:
    """network: of the students, a preset or a configuration; start: checkpoint whose backbone and camera
    head they begin with, None for fresh ones; size: height and width of the photos; scenes: captured; held_out: scenes
    that judge; images: photos of a step."""

    teacher: str = "da3-tiny"
    network: str | AnyViewConfig = "da3-tiny"
    start: str | None = "da3-tiny"
    size: tuple[int, int] = (84, 112)
    scenes: int = 320
    held_out: int = 64
    images: int = 16
    steps: int = 150
    learning_rate: float = 5e-4
    difficulty: float = 0.5


class FixedViews:
    """Batches from a fixed set of scenes, the way a data set is: every scene comes back, with other noise in its photos
    but the same faults in its depth."""

    def __init__(self, captured: ViewBatch, count: int, seed: int) -> None:
        self.captured, self.count, self.seed = captured, count, seed

    def batch(self, step: int) -> ViewBatch:
        captured = self.captured
        rng = np.random.default_rng([self.seed, 5, step])
        scenes = torch.from_numpy(rng.permutation(len(captured.depth))[: self.count])[:, None]
        pick = (scenes, torch.from_numpy(np.argsort(rng.random((len(scenes), VIEWS)), axis=1)))
        images = develop(captured.images[pick], torch.Generator().manual_seed(int(rng.integers(2**31))))
        return ViewBatch(images, captured.depth[pick], captured.extrinsics[pick], captured.intrinsics[pick])


def captures_by_label(study: Study) -> dict[str, ViewBatch]:
    """The captured scenes, as linear light, once for every kind of depth to learn from."""
    captured = ViewGenerator(CAPTURES).render(0, study.scenes, VIEWS, study.size, study.difficulty)
    photos = replace(captured, images=develop(captured.images, torch.Generator().manual_seed(CAPTURES)))
    kinds = {"exact depth": captured.depth}
    for sensor, noise in SENSORS.items():
        given, taught = (
            Labels(LabelConfig(noise, teacher, switch_at=0.0), study.steps, torch.device("cpu")).of(photos, 0).depth
            for teacher in (None, study.teacher)
        )
        kinds |= {f"{sensor}, as measured": given, f"{sensor}, teacher's labels": taught}
    return {name: replace(captured, depth=depth) for name, depth in kinds.items()}


def label_quality(label: torch.Tensor, exact: torch.Tensor) -> dict[str, float]:
    """Share of the pixels that have a label, and how those differ from the exact depth."""
    valid = has_label(label) & has_label(exact)
    relative = ((label - exact).abs() / exact)[valid]
    return {
        "covered": float(valid.float().mean()),
        "median": float(relative.median()),
        "abs_rel": float(relative.mean()),
    }


def student(study: Study, out: Path, seed: int, captures: ViewBatch) -> Trainer:
    """A student at its start, or where it was when it was interrupted."""
    curriculum = OneSize(study.steps, study.images, seed=seed, size=study.size, views=VIEWS)
    config = TrainingConfig(
        out,
        curriculum,
        study.network,
        learning_rate=study.learning_rate,
        warmup=study.steps // 10,
        initial=study.start,
        seed=seed,
        matching_layers=(),
    )
    trainer = Trainer(config, FixedViews(captures, study.images // VIEWS, seed))
    if trainer.step == 0:
        trainer.network.head.load_state_dict(fresh_network(study.network, seed).head.state_dict())
    return trainer


def judge(depth: torch.Tensor, held_out: ViewBatch, measured: torch.Tensor) -> dict[str, float]:
    """AbsRel and delta1 by exact depth, and AbsRel where the depth camera would have measured and where not."""
    relative, delta = metrics.depth_errors(depth, held_out.depth)
    error = (metrics.aligned(depth, held_out.depth) - held_out.depth).abs() / held_out.depth
    seen, known = has_label(measured), has_label(held_out.depth)
    return {
        "abs_rel": float(relative.mean()),
        "delta1": float(delta.mean()),
        "where_measured": float(error[seen & known].mean()),
        "elsewhere": float(error[~seen & known].mean()),
    }


def run(study: Study, out: Path, seeds: Sequence[int]) -> dict[str, Any]:
    """Trains the students that are missing; what is known so far stands in `out`/results.json."""
    out.mkdir(parents=True, exist_ok=True)
    captures = captures_by_label(study)
    held_out = ViewGenerator(HELD_OUT_SEED).batch(0, study.held_out, VIEWS, study.size, study.difficulty)
    measured = SENSORS["depth camera"].of(held_out)
    exact = captures["exact depth"].depth
    nothing = judge(torch.ones_like(held_out.depth), held_out, measured)
    students: dict[str, dict[str, dict[str, float]]] = {}
    results: dict[str, Any] = {
        "study": asdict(study),
        "labels": {name: label_quality(batch.depth, exact) for name, batch in captures.items()},
        "students": students,
        CONSTANT: nothing,
    }
    for seed in seeds:
        for number, (name, batch) in enumerate(captures.items()):
            trainer = student(study, out / f"student-{number}-{seed}", seed, batch)
            trainer.run()
            depth, _ = predict(trainer.network.eval(), held_out)
            students.setdefault(name, {})[str(seed)] = judge(depth, held_out, measured)
            (out / "results.json").write_text(json.dumps(results, indent=2) + "\n")
    return results


def table(results: dict[str, Any]) -> str:
    """Markdown: means over the seeds, and the standard deviation of AbsRel where there are several."""
    lines = [
        "| learnt from | pixels labelled | median error | AbsRel | delta1 | AbsRel where measured | elsewhere |",
        "|---|---|---|---|---|---|---|",
    ]
    rows = {name: list(of_seed.values()) for name, of_seed in results["students"].items()}
    for name, verdicts in (rows | {CONSTANT: [results[CONSTANT]]}).items():
        label = results["labels"].get(name)
        labels = f"{label['covered']:.0%} | {label['median']:.1%}" if label else "- | -"
        mean = {key: float(np.mean([verdict[key] for verdict in verdicts])) for key in verdicts[0]}
        spread = f" ± {np.std([v['abs_rel'] for v in verdicts], ddof=1):.3f}" if len(verdicts) > 1 else ""
        lines.append(
            f"| {name} | {labels} | {mean['abs_rel']:.3f}{spread} | {mean['delta1']:.2f} "
            f"| {mean['where_measured']:.3f} | {mean['elsewhere']:.3f} |"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m model_runtime.training.studies.label_study", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--teacher", default=Study.teacher, help="checkpoint's name or folder, or a run's teacher.pt")
    parser.add_argument("--steps", type=int, default=Study.steps, help="of every student")
    chosen = parser.parse_args(arguments)
    print(table(run(Study(teacher=chosen.teacher, steps=chosen.steps), chosen.out, chosen.seeds)))


if __name__ == "__main__":
    main()
