"""`python -m model_runtime.training.studies.curves RUN`: a run's learning curves as a picture, RUN/curves.png."""

import argparse
import json
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np

SHOWN = ("depth", "gradient", "ray", "point", "rotation", "translation", "field_of_view", "matched", "psnr_novel")
COLUMNS = 3


def read_log(path: Path) -> list[dict[str, float]]:
    """Records of a log, one per line; ValueError where a line is none."""
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except OSError as error:
        raise ValueError(f"{path} cannot be read ({error.strerror}); name the folder of a run.") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} is no log of a run: {error}.") from error


def smooth(steps: np.ndarray, values: np.ndarray, window: int) -> tuple[np.ndarray, np.ndarray]:
    """Medians of consecutive groups of `window` values, and the middle step of each; the last group may be shorter."""
    groups = [slice(start, start + window) for start in range(0, len(values), window)]
    return np.array([steps[g].mean() for g in groups]), np.array([np.median(values[g]) for g in groups])


def curves(records: Sequence[dict[str, float]]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Steps and values of every quantity of SHOWN that the log has. Steps with one view have no pose to learn."""
    found = {}
    for name in SHOWN:
        kept = [(r["step"], r[name]) for r in records if name in r and (r.get("views", 2) > 1 or name == "depth")]
        if kept:
            steps, values = np.array(kept, float).T
            found[name] = steps, values
    return found


def draw(records: Sequence[dict[str, float]], picture: Path) -> None:
    """Writes the curves as a PNG; needs matplotlib."""
    from matplotlib.figure import Figure

    found = curves(records)
    rows = -(-len(found) // COLUMNS)
    figure = Figure(figsize=(4 * COLUMNS, 2.6 * rows), layout="constrained")
    for number, (name, (steps, values)) in enumerate(found.items(), 1):
        axes = figure.add_subplot(rows, COLUMNS, number)
        axes.plot(steps, values, color="0.8", linewidth=0.6)
        axes.plot(*smooth(steps, values, max(1, len(values) // 40)), color="tab:blue")
        axes.set_title(name.replace("_", " "), fontsize=10)
        axes.set_ylim(0, 1.1 * float(np.quantile(values, 0.98)) or 1)
        axes.grid(alpha=0.3)
    figure.supxlabel("step", fontsize=9)
    figure.savefig(picture, dpi=90)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m model_runtime.training.studies.curves", description=__doc__)
    parser.add_argument("run", type=Path, help="folder of a run, or one of its .jsonl logs")
    parser.add_argument("--output", type=Path, help="the PNG; curves.png in the run's folder by default")
    chosen = parser.parse_args(arguments)
    if find_spec("matplotlib") is None:
        parser.error("curves are drawn by matplotlib, which is not installed: pip install matplotlib")
    log = chosen.run / "log.jsonl" if chosen.run.suffix != ".jsonl" else chosen.run
    try:
        records = read_log(log)
    except ValueError as error:
        parser.error(str(error))
    if not curves(records):
        parser.error(f"{log} holds nothing to draw yet.")
    picture = chosen.output or log.with_name("curves.png")
    draw(records, picture)
    print(picture)


if __name__ == "__main__":
    main()
