"""The results as pictures (PNG)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from model_runtime.benchmark.results import Results

COLORS = ("#1f5fa8", "#d9722a", "#4a9a5b", "#8c5fb0", "#666666")
DPI = 110
LARGEST_ERROR = 30


def draw(results: Results, folder: Path) -> list[str]:
    """Writes the plots whose scores there are; returns their file names."""
    names = []
    for name, title, score, unit in (
        ("cameras_by_scene.png", "Camera accuracy by scene", "auc30", "AUC30, % (higher is better)"),
        (
            "depth_by_scene.png",
            "Depth error by scene",
            "abs_rel_scene",
            "AbsRel, one scale per scene, % (lower is better)",
        ),
        ("surface_by_scene.png", "Surface by scene", "fscore", "F-score, % (higher is better)"),
    ):
        if any(score in entry.scores for entry in results.entries):
            figure = Figure(figsize=(max(6.0, 0.85 * len(results.scenes)), 3.6), layout="constrained")
            _bars(figure.add_subplot(), results, score)
            figure.axes[0].set(title=title, ylabel=unit)
            figure.savefig(folder / name, dpi=DPI)
            names.append(name)
    if any(entry.errors for entry in results.entries):
        figure = Figure(figsize=(6.0, 3.6), layout="constrained")
        _recall(figure.add_subplot(), results)
        figure.savefig(folder / "camera_recall.png", dpi=DPI)
        names.insert(0, "camera_recall.png")
    return names


def _recall(axes: Axes, results: Results) -> None:
    """Share of pairs of photos whose error is below x; a photo that was not placed counts as wrong."""
    grid = np.linspace(0, LARGEST_ERROR, 301)
    for k, method in enumerate(results.methods):
        errors = [np.inf if e is None else e for entry in results.of(method) for e in entry.errors]
        missing = sum(bool(entry.failure) for entry in results.of(method))
        if errors:
            whole = len(errors) * len(results.of(method)) / max(len(results.of(method)) - missing, 1)
            share = 100 * np.searchsorted(np.sort(errors), grid, side="right") / whole
            axes.plot(grid, share, label=method, color=COLORS[k % len(COLORS)])
    axes.set(title="Relative poses", xlabel="error below, degrees", ylabel="pairs of photos, %")
    axes.set(xlim=(0, LARGEST_ERROR), ylim=(0, 101))
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)


def _bars(axes: Axes, results: Results, score: str) -> None:
    methods = [m for m in results.methods if any(score in e.scores for e in results.of(m))]
    width = 0.8 / len(methods)
    walls = {entry.scene: entry.group for entry in results.entries}
    scenes = sorted(results.scenes, key=lambda scene: (walls[scene], scene))
    for k, method in enumerate(methods):
        values = {entry.scene: entry.scores.get(score, 0.0) for entry in results.of(method)}
        spots = np.arange(len(scenes)) + (k - (len(methods) - 1) / 2) * width
        color = COLORS[results.methods.index(method) % len(COLORS)]
        axes.bar(spots, [values.get(scene, 0.0) for scene in scenes], width, label=method, color=color)
    labels = [f"{scene.replace('_', ' ')}\n{walls[scene]}".strip() for scene in scenes]
    axes.set_xticks(np.arange(len(scenes)), labels, fontsize=7)
    axes.grid(axis="y", alpha=0.3)
    axes.legend(frameon=False, ncols=len(methods), fontsize=8)
