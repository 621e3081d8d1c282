"""The command `bench`: methods on the scenes of a data set, to pages of tables and plots."""

from __future__ import annotations

import argparse
import hashlib
import platform
import sys
from pathlib import Path

from model_runtime.benchmark import scores
from model_runtime.benchmark.datasets import read_dataset
from model_runtime.benchmark.datasets.scene import TruthScene, evenly_chosen
from model_runtime.benchmark.methods import SINGLE, SPLATS, Runner, RunOptions
from model_runtime.benchmark.plots import draw
from model_runtime.benchmark.report import FRONT, pages
from model_runtime.benchmark.results import Entry, Results
from model_runtime.checkpoints.locate import locate_checkpoint
from model_runtime.contract.messages import JobError
from model_runtime.prediction.devices import choose_compute, describe

RESULTS = "results.json"
SAME_IN_ALL_RUNS = ("data set", "checkpoint", "weights", "resolution", "device")
"""Settings that must not change between runs whose results come into one table."""


def run(options: argparse.Namespace) -> None:
    scenes = [evenly_chosen(scene, options.views) for scene in read_dataset(options.dataset, options.root)]
    if options.scenes:
        scenes = [scene for scene in scenes if scene.name in options.scenes]
    if not scenes:
        raise JobError("bad-request", "None of the scenes asked for exists.", "Leave --scenes out to see their names.")
    runner = Runner(RunOptions(options.checkpoint, options.resolution, options.device, options.precision))
    results = Results(_settings(options, scenes))
    saved = options.output / RESULTS
    if (options.output / FRONT).exists() and not saved.exists():
        sentence = f"{options.output} has a {FRONT} that is no page of the benchmark."
        raise JobError("output-exists", sentence, "Choose another --output.")
    options.output.mkdir(parents=True, exist_ok=True)
    if options.resume and saved.is_file():
        results.entries = _finished(Results.load(saved), results.settings, options.methods)
    for scene in [scene for scene in scenes if scene.name not in results.scenes]:
        for method in options.methods:
            entry = measure(runner, method, scene, not options.no_surfaces, not options.no_novel_views)
            results.entries.append(entry)
            print(_line(entry), file=sys.stderr, flush=True)
        results.save(saved)
    write(results, options.output)


def _finished(before: Results, settings: dict[str, object], methods: list[str]) -> list[Entry]:
    """What an earlier run measured of scenes that it finished with the same methods."""
    changed = [name for name in SAME_IN_ALL_RUNS if before.settings.get(name) != settings[name]]
    if changed:
        raise JobError(
            "bad-request",
            f"The results to go on with were made with another {' and another '.join(changed)}.",
            "Leave --resume out, or choose another --output.",
        )
    by_scene = {scene: [entry for entry in before.entries if entry.scene == scene] for scene in before.scenes}
    whole = [entries for entries in by_scene.values() if [entry.method for entry in entries] == methods]
    return [entry for entries in whole for entry in entries]


def measure(runner: Runner, method: str, scene: TruthScene, surfaces: bool, novel_views: bool) -> Entry:
    """Every score of one method on one scene. A method that gives no result is an entry that says why."""
    entry = Entry(scene.name, scene.group, method)
    try:
        if method in SPLATS:
            entry.scores |= scores.score_novel_views(runner, method, scene) if novel_views else {}
            return entry
        outcome = runner.run(method, scene)
        entry.source = outcome.source
        entry.scores |= scores.score_depth(outcome, scene)
        entry.scores["seconds"] = outcome.cost.seconds
        if outcome.cost.gibibytes is not None:
            entry.scores["gibibytes"] = outcome.cost.gibibytes
        if method == SINGLE:
            entry.scores = {name: value for name, value in entry.scores.items() if not name.endswith("_scene")}
            return entry
        entry.errors = list(scores.pair_errors_of(outcome, scene))
        entry.scores |= scores.score_cameras(outcome, scene) | scores.score_overlapping_pairs(outcome, scene)
        if surfaces:
            entry.scores |= scores.score_reconstruction(outcome, scene)
        if novel_views and outcome.depths is not None and method != "unaligned":
            entry.scores |= scores.score_novel_views(runner, method, scene)
    except JobError as error:
        entry.failure = error.failure.sentence
    return entry


def write(results: Results, folder: Path) -> None:
    """The pages, their plots and the numbers behind them."""
    results.save(folder / RESULTS)
    saved = Results.load(folder / RESULTS)
    for name, text in pages(saved, draw(saved, folder)).items():
        (folder / name).write_text(text, encoding="utf-8")
    print(folder / FRONT)


def _settings(options: argparse.Namespace, scenes: list[TruthScene]) -> dict[str, object]:
    compute = choose_compute("torch", options.device, options.precision)
    counts = sorted({len(scene.views) for scene in scenes})
    with locate_checkpoint(options.checkpoint).path.open("rb") as weights:
        digest = hashlib.file_digest(weights, "sha256").hexdigest()
    return {
        "data set": options.dataset,
        "photos a scene": " to ".join(str(count) for count in dict.fromkeys((counts[0], counts[-1]))),
        "checkpoint": Path(options.checkpoint).name,
        "weights": f"sha256 {digest[:12]}",
        "resolution": options.resolution,
        "device": describe(compute)[0] if compute.name != "cpu" else f"CPU ({platform.machine()})",
    }


def _line(entry: Entry) -> str:
    if entry.failure:
        return f"{entry.scene}, {entry.method}: {entry.failure}"
    names = ("auc30", "abs_rel_scene", "fscore", "psnr", "seconds")
    values = ", ".join(f"{name} {entry.scores[name]:.1f}" for name in names if name in entry.scores)
    return f"{entry.scene}, {entry.method} ({entry.source}): {values}"
