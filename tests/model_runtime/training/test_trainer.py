"""A short run: it resumes to the bit, it learns, and what it writes loads strictly."""

from pathlib import Path

import pytest
import torch

from model_runtime.checkpoint_loading import load_network
from model_runtime.checkpoints import locate_checkpoint
from model_runtime.training.curriculum import Curriculum, RoomPool
from model_runtime.training.export import export_checkpoint
from model_runtime.training.rooms import RoomGenerator
from model_runtime.training.trainer import Trainer, TrainingConfig


def make_trainer(out: Path, steps: int = 4) -> Trainer:
    return Trainer(TrainingConfig(out, Curriculum(steps, images=4, reuse=1), bf16=False, warmup=2, log_every=1))


def test_resumes_exactly(tmp_path: Path):
    whole = make_trainer(tmp_path / "whole")
    whole.run()
    make_trainer(tmp_path / "parts").run(until=2)
    resumed = make_trainer(tmp_path / "parts")
    assert resumed.step == 2
    resumed.run()
    for (name, one), two in zip(whole.network.state_dict().items(), resumed.network.state_dict().values(), strict=True):
        assert torch.equal(one, two), name


def test_learns_within_a_few_steps(tmp_path: Path):
    trainer = make_trainer(tmp_path, steps=1000)
    totals = [trainer.train_step()["total"] for _ in range(16)]
    assert sum(totals[-4:]) < 0.93 * sum(totals[:4])


def test_export_loads_strictly_and_keeps_the_network(tmp_path: Path):
    network = make_trainer(tmp_path / "run").network.eval()
    export_checkpoint(network, tmp_path / "da3-tiny", preset="da3-tiny", resolution=168, training={"steps": 0})
    found = locate_checkpoint(str(tmp_path / "da3-tiny"))
    assert found.resolution == 168
    loaded = load_network(found, torch.device("cpu"))
    for (name, one), two in zip(network.state_dict().items(), loaded.state_dict().values(), strict=True):
        torch.testing.assert_close(two, one, atol=1e-3, rtol=1e-3, msg=name)
    assert (tmp_path / "da3-tiny" / "model.safetensors").stat().st_size < 20_000_000


def test_processes_share_a_step_without_overlap():
    curriculum = Curriculum(100, images=8, reuse=1)
    generator = RoomGenerator(0)
    shares = [RoomPool(curriculum, generator, rank, 2).batch(0) for rank in (0, 1)]
    assert shares[0].depth.shape == shares[1].depth.shape == (2, 2, 84, 84)
    assert not torch.equal(shares[0].depth, shares[1].depth)


@pytest.mark.parametrize("step", [0, 30, 60, 99])
def test_curriculum_keeps_work_even(step: int):
    stage = Curriculum(100, images=64, reuse=1).stage(step)
    area = stage.size[0] * stage.size[1]
    assert stage.scenes * stage.views * area <= 1.15 * 64 * 84 * 84
    assert stage.size[0] % 14 == stage.size[1] % 14 == 0
