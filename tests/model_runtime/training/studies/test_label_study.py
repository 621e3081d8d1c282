"""The label study: what it teaches, what it judges, and that it goes on."""

import json
from pathlib import Path

import pytest
import torch

from model_runtime.network.config import AnyViewConfig, BackboneConfig, HeadConfig
from model_runtime.training.rendering.views import ViewGenerator
from model_runtime.training.studies.evaluate import HELD_OUT_SEED
from model_runtime.training.studies.label_study import Study, judge, label_quality, run, table

SMALL = AnyViewConfig(
    BackboneConfig(96, 6, 3, taken_layers=(2, 3, 4, 5), alternation=2), HeadConfig(16, (16, 24, 48, 96))
)
STUDY = Study(network=SMALL, start=None, size=(28, 42), scenes=2, held_out=2, images=4, steps=2)


def test_every_label_teaches_its_own_student_and_a_second_run_trains_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    results = run(STUDY, tmp_path, [0])
    labels, students = results["labels"], results["students"]
    assert [*students] == [*labels]
    assert len({of_seed["0"]["abs_rel"] for of_seed in students.values()}) == len(labels) == 5
    assert labels["exact depth"]["abs_rel"] == 0
    assert labels["sparse points, as measured"]["covered"] < 0.06 < labels["depth camera, as measured"]["covered"]
    assert labels["sparse points, teacher's labels"]["covered"] > 0.5
    assert json.loads((tmp_path / "results.json").read_text())["students"] == students
    assert table(results).count("\n") == 7

    monkeypatch.setattr("model_runtime.training.learning.trainer.Trainer.train_step", None)
    assert run(STUDY, tmp_path, [0])["students"] == students


def test_judgement_of_known_errors():
    """The truth, but for a factor of 1.3 where nothing was measured."""
    room = ViewGenerator(HELD_OUT_SEED).batch(0, 1, 2, (28, 42), 0.5)
    known = room.depth > 0
    measured = room.depth * (torch.rand(room.depth.shape, generator=torch.Generator().manual_seed(0)) < 0.7)

    depth = torch.where(measured > 0, room.depth, 1.3 * room.depth).where(known, 1.0)
    verdict = judge(depth, room, measured)
    assert verdict["where_measured"] == pytest.approx(0, abs=1e-5)
    assert verdict["elsewhere"] == pytest.approx(0.3, abs=1e-5)
    wrong = float((known & (measured == 0)).sum() / known.sum())
    assert verdict["abs_rel"] == pytest.approx(0.3 * wrong, rel=1e-4)
    assert verdict["delta1"] == pytest.approx(1 - wrong, rel=1e-4)


def test_quality_of_labels():
    exact = torch.tensor([1.0, 2.0, 4.0, 0.0])
    quality = label_quality(torch.tensor([1.1, 0.0, 3.0, 5.0]), exact)
    assert quality == pytest.approx({"covered": 0.5, "median": 0.1, "abs_rel": (0.1 + 0.25) / 2}, rel=1e-5)
