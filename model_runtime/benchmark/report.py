"""The results as pages (Markdown): one table in front, all others behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from model_runtime.benchmark import published
from model_runtime.benchmark.methods import LEGEND
from model_runtime.benchmark.results import Results


@dataclass(frozen=True)
class Column:
    """score: its key. better: `higher`, `lower` or empty."""

    title: str
    score: str
    digits: int
    better: str = ""


CAMERAS = (
    Column("AUC3", "auc3", 1, "higher"),
    Column("AUC5", "auc5", 1, "higher"),
    Column("AUC15", "auc15", 1, "higher"),
    Column("AUC30", "auc30", 1, "higher"),
    Column("rotation °", "rotation", 2, "lower"),
    Column("focal %", "focal", 1, "lower"),
    Column("placed %", "placed", 0, "higher"),
)
PAIRS = (Column("rotation °", "pair_rotation", 2, "lower"), Column("AUC30", "pair_auc30", 1, "higher"))
DEPTH = (
    Column("AbsRel, scene scale %", "abs_rel_scene", 1, "lower"),
    Column("AbsRel, view scale %", "abs_rel_view", 1, "lower"),
    Column("AbsRel, scale + shift %", "abs_rel_shift", 1, "lower"),
    Column("within 2 %, scene scale %", "within2_scene", 1, "higher"),
    Column("within 5 %, scene scale %", "within5_scene", 1, "higher"),
    Column("δ1, scene scale %", "delta1_scene", 1, "higher"),
    Column("δ1, view scale %", "delta1_view", 1, "higher"),
    Column("δ1, scale + shift %", "delta1_shift", 1, "higher"),
)
SURFACE = (
    Column("F-score %", "fscore", 1, "higher"),
    Column("precision %", "precision", 1, "higher"),
    Column("recall %", "recall", 1, "higher"),
    Column("accuracy", "accuracy", 3, "lower"),
    Column("completeness", "completeness", 3, "lower"),
    Column("Chamfer", "chamfer", 3, "lower"),
)
NOVEL_VIEWS = (
    Column("PSNR dB", "psnr", 2, "higher"),
    Column("of the nearest photo", "nearest_psnr", 2),
    Column("gain dB", "psnr_gain", 2, "higher"),
    Column("SSIM", "ssim", 3, "higher"),
    Column("of the nearest photo", "nearest_ssim", 3),
    Column("thousand splats", "thousand_splats", 0, "lower"),
)
COST = (Column("seconds", "seconds", 1, "lower"), Column("peak GiB", "gibibytes", 2, "lower"))

SECTIONS = (
    ("Cameras", CAMERAS, "All pairs of photos; rotation and focal length: median over the photos placed."),
    ("Pairs that overlap", PAIRS, "Pairs of photos that share half of what they show; rotation: median of a scene."),
    ("Depth", DEPTH, "After one scale for the whole scene, a scale for each view, a scale and a shift for each view."),
    ("Surface", SURFACE, "Fused depth against the true surface, cameras aligned; distances in the data set's unit."),
    (
        "Novel views",
        NOVEL_VIEWS,
        "Every 8th photo kept back and rendered from the splats of the others, and of at most 8 photos each in turn; "
        "beside it the photo taken nearest to the one kept back, unchanged.",
    ),
    (
        "Cost",
        COST,
        "One scene, network already loaded, features and their matches included where a method uses them. Peak memory "
        "of the GPU, or on a CPU of the process, leftovers included.",
    ),
)
PER_SCENE = (CAMERAS[3], CAMERAS[6], DEPTH[0], DEPTH[3], SURFACE[0])
AT_A_GLANCE = (CAMERAS[3], CAMERAS[4], CAMERAS[6], DEPTH[0], DEPTH[3], DEPTH[4], SURFACE[0], NOVEL_VIEWS[0], COST[0])

FRONT, MEASURES, SCENES = "README.md", "measures.md", "scenes.md"


def pages(results: Results, pictures: list[str]) -> dict[str, str]:
    """The pages by their file names; pictures: file names of the plots beside them."""
    return {
        FRONT: _join(_front(results, pictures)),
        MEASURES: _join(_measures(results)),
        SCENES: _join(["# Benchmark, scene by scene", f"Behind [the benchmark]({FRONT}).", _scenes(results)]),
    }


def _join(parts: list[str]) -> str:
    return "\n\n".join(parts) + "\n"


def _front(results: Results, pictures: list[str]) -> list[str]:
    settings = ", ".join(f"{name}: {value}" for name, value in results.settings.items() if value is not None)
    parts = [
        "# Benchmark",
        f"Made by `python -m model_runtime bench`. {len(results.scenes)} scenes; {settings}.",
        "Means of all scenes. AUC and rotation tell how right the cameras are, AbsRel and the shares within 2 and 5 % "
        "of the truth the depth after one scale for the whole scene, F-score the fused surface, PSNR views that "
        "were kept back.",
        _summary(results, AT_A_GLANCE, [None]),
        "\n".join(f"- `{method}`: {LEGEND[method]}" for method in results.methods),
        f"Behind it: [every measure by itself, and what others published]({MEASURES}) · [scene by scene]({SCENES}) · "
        "[how long it takes](speed.md)",
    ]
    if failures := [e for e in results.entries if e.failure]:
        parts += ["## Failures", "\n".join(f"- {e.scene}, {e.method}: {e.failure}" for e in failures)]
    return parts + [f"![{name.removesuffix('.png')}]({name})" for name in pictures]


def _measures(results: Results) -> list[str]:
    groups = [None, *results.groups] if len(results.groups) > 1 else [None]
    parts = ["# Benchmark, every measure", f"Behind [the benchmark]({FRONT}), which explains the methods."]
    for title, columns, caption in SECTIONS:
        if any(results.mean(method, c.score) is not None for method in results.methods for c in columns):
            parts += [f"## {title}", caption, _summary(results, columns, groups)]
    return [*parts, "## Published numbers, for context", _published()]


def _summary(results: Results, columns: tuple[Column, ...], groups: Sequence[str | None]) -> str:
    """A row for every group (None: all scenes) and method; a table of one group does not name it."""
    rows = []
    for group in groups:
        shown = [m for m in results.methods if any(results.mean(m, c.score, group) is not None for c in columns)]
        values = [[results.mean(method, c.score, group) for c in columns] for method in shown]
        best = [_best(column, [row[k] for row in values]) for k, column in enumerate(columns)]
        name = "all" if group is None else group
        for method, row in zip(shown, values, strict=True):
            cells = [_number(value, c.digits, value == b) for value, c, b in zip(row, columns, best, strict=True)]
            rows.append([name, f"`{method}`", *cells])
    heading = ["scenes", "method", *(_heading(column) for column in columns)]
    first = 0 if len(groups) > 1 else 1
    return _table(heading[first:], [row[first:] for row in rows])


def _scenes(results: Results) -> str:
    rows = []
    for entry in results.entries:
        cells = [_number(entry.scores.get(c.score), c.digits) for c in PER_SCENE]
        rows.append([entry.scene, entry.group, f"`{entry.method}`", entry.source, *cells])
    return _table(["scene", "walls", "method", "cameras from", *(_heading(column) for column in PER_SCENE)], rows)


def _published() -> str:
    rows = [
        [method, *(f"{low:.1f} / {high:.1f}" for low, high in values)] for method, values in published.POSE_AUC.items()
    ]
    note = (
        "AUC3 / AUC30 in percent as the paper of Depth Anything 3 reports them on its five data sets. Other photos, "
        "other scenes, up to 100 views each: they say how the released networks compare with each other, not how the "
        "tables above compare with them."
    )
    return note + "\n\n" + _table(["published", *published.DATASETS], rows)


def _heading(column: Column) -> str:
    return column.title + {"higher": " ↑", "lower": " ↓", "": ""}[column.better]


def _best(column: Column, values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    if len(known) < 2 or not column.better:
        return None
    return max(known) if column.better == "higher" else min(known)


def _number(value: float | None, digits: int, bold: bool = False) -> str:
    if value is None:
        return "-"
    return f"**{value:.{digits}f}**" if bold else f"{value:.{digits}f}"


def _table(heading: list[str], rows: list[list[str]]) -> str:
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
