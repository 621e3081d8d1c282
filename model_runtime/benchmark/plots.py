"""The results as pictures (PNG)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from model_runtime.benchmark.results import Results

COLORS = {
    "refined_depth": "#0b2545",
    "auto": "#1f5fa8",
    "unaligned": "#d9722a",
    "points": "#c9c2b0",
    "on_depth": "#f0c05a",
    "merged": "#d08fb8",
    "improved": "#7a1f5c",
    "network": "#4a9a5b",
    "single": "#7fc4d6",
    "rays": "#9aa832",
    "given": "#666666",
    "colmap": "#8c5fb0",
    "disturbed": "#e6b8a2",
    "refined": "#b5342c",
    "network_disturbed": "#a9d6b5",
    "network_refined": "#14706b",
}
CAMERAS_OF_ANOTHER = ("refined_depth", "unaligned", "given")
"""Methods whose cameras tell nothing new: those of `auto`, and the truth."""

DPI = 110
LARGEST_ERROR = 30


def draw(results: Results, folder: Path) -> list[str]:
    """Writes the plots whose scores there are; returns their file names."""
    names = []
    for name, title, score, unit in (
        ("cameras_by_scene.png", "Camera accuracy by scene (higher is better)", "auc30", "AUC30, %"),
        (
            "depth_by_scene.png",
            "Depth error by scene, one scale per scene (lower is better)",
            "abs_rel_scene",
            "AbsRel, %",
        ),
        ("surface_by_scene.png", "Surface by scene (higher is better)", "fscore", "F-score, %"),
    ):
        methods = [m for m in results.methods if any(score in entry.scores for entry in results.of(m))]
        if methods:
            figure = Figure(figsize=(max(6.0, 0.85 * len(results.scenes)), 3.6), layout="constrained")
            _bars(figure.add_subplot(), results, _of_their_own(methods) if score == "auc30" else methods, score)
            figure.axes[0].set(title=title, ylabel=unit)
            figure.legend(loc="outside lower center", frameon=False, ncols=4, fontsize=8)
            figure.savefig(folder / name, dpi=DPI)
            names.append(name)
    methods = [m for m in results.methods if any(entry.errors for entry in results.of(m))]
    if methods:
        figure = Figure(figsize=(6.0, 4.2), layout="constrained")
        _recall(figure.add_subplot(), results, _of_their_own(methods))
        figure.legend(loc="outside lower center", frameon=False, ncols=3, fontsize=8)
        figure.savefig(folder / "camera_recall.png", dpi=DPI)
        names.insert(0, "camera_recall.png")
    return names


def _of_their_own(methods: list[str]) -> list[str]:
    """Those whose cameras are not another's, if there are any."""
    return [method for method in methods if method not in CAMERAS_OF_ANOTHER] or methods


def _recall(axes: Axes, results: Results, methods: list[str]) -> None:
    """Share of pairs of photos whose error is below x; a photo that was not placed counts as wrong."""
    grid = np.linspace(0, LARGEST_ERROR, 301)
    for method in methods:
        errors = [np.inf if e is None else e for entry in results.of(method) for e in entry.errors]
        missing = sum(bool(entry.failure) for entry in results.of(method))
        whole = len(errors) * len(results.of(method)) / max(len(results.of(method)) - missing, 1)
        share = 100 * np.searchsorted(np.sort(errors), grid, side="right") / whole
        axes.plot(grid, share, label=method, color=COLORS[method])
    axes.set(title="Relative poses", xlabel="error below, degrees", ylabel="pairs of photos, %")
    axes.set(xlim=(0, LARGEST_ERROR), ylim=(0, 101))
    axes.grid(alpha=0.3)


def _bars(axes: Axes, results: Results, methods: list[str], score: str) -> None:
    width = 0.8 / len(methods)
    walls = {entry.scene: entry.group for entry in results.entries}
    scenes = sorted(results.scenes, key=lambda scene: (walls[scene], scene))
    for k, method in enumerate(methods):
        values = {entry.scene: entry.scores.get(score, 0.0) for entry in results.of(method)}
        spots = np.arange(len(scenes)) + (k - (len(methods) - 1) / 2) * width
        axes.bar(spots, [values.get(scene, 0.0) for scene in scenes], width, label=method, color=COLORS[method])
    labels = [f"{scene.replace('_', ' ')}\n{walls[scene]}".strip() for scene in scenes]
    axes.set_xticks(np.arange(len(scenes)), labels, fontsize=7)
    axes.margins(x=0.01)
    axes.grid(axis="y", alpha=0.3)
