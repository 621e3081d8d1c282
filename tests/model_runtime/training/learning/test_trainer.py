"""Short runs: they resume to the bit, they learn, their labels switch, and what they write loads strictly."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from model_runtime.checkpoints.loading import load_network
from model_runtime.checkpoints.locate import locate_checkpoint
from model_runtime.contract.messages import JobError
from model_runtime.network.config import AnyViewConfig, BackboneConfig, HeadConfig
from model_runtime.training.learning.curriculum import Curriculum, OneSize, ViewPool
from model_runtime.training.learning.export import export_checkpoint
from model_runtime.training.learning.initialise import fresh_network
from model_runtime.training.learning.labels import LabelConfig, Labels
from model_runtime.training.learning.noisy_depth import NoisyDepth
from model_runtime.training.learning.student import blend, export_student
from model_runtime.training.learning.teacher import TEACHER_FILE, TeacherConfig, TeacherTrainer
from model_runtime.training.learning.trainer import Trainer, TrainingConfig
from model_runtime.training.rendering.views import ViewGenerator
from model_runtime.training.runs.run import mixed_precision, time_left, warm_cosine

NO_TEACHER = LabelConfig()
SMALL = AnyViewConfig(
    BackboneConfig(96, 6, 3, taken_layers=(2, 3, 4, 5), alternation=2), HeadConfig(16, (16, 24, 48, 96))
)


def make_trainer(
    out: Path, steps: int = 4, labels: LabelConfig = NO_TEACHER, shard_bytes: int | None = None
) -> Trainer:
    return Trainer(
        TrainingConfig(
            out,
            OneSize(steps, images=4, reuse=2),
            SMALL,
            bf16=False,
            warmup=2,
            log_every=1,
            matching_layers=(3, 5),
            labels=labels,
            shard_bytes=shard_bytes,
            posed_share=0.5,
        )
    )


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("teacher")
    TeacherTrainer(TeacherConfig(out, OneSize(2, images=4, reuse=1), bf16=False)).run()
    return out / TEACHER_FILE


def parts_of(trainer: Trainer) -> dict[str, torch.Tensor]:
    """All tensors that the next step depends on."""
    moments = {
        f"{index} {name}": value
        for index, of_parameter in trainer.optimiser.state_dict()["state"].items()
        for name, value in of_parameter.items()
    }
    return trainer.network.state_dict() | trainer.readout.state_dict() | moments


def test_resumes_exactly(tmp_path: Path, teacher: Path):
    # The run is interrupted within a pool of scenes, and before its labels switch; its state is in several files.
    shard_bytes = 500_000
    labels = LabelConfig(NoisyDepth(), str(teacher), switch_at=0.75)
    whole = make_trainer(tmp_path / "whole", labels=labels)
    torch.manual_seed(1)
    whole.run()
    make_trainer(tmp_path / "parts", labels=labels, shard_bytes=shard_bytes).run(until=2)
    torch.manual_seed(99)
    torch.rand(7)
    resumed = make_trainer(tmp_path / "parts", labels=labels, shard_bytes=shard_bytes)
    assert resumed.step == 2
    assert sum(file.stat().st_size < shard_bytes for file in (tmp_path / "parts" / "state-2").iterdir()) > 2
    resumed.run()
    expected, found = parts_of(whole), parts_of(resumed)
    assert expected.keys() == found.keys()
    for name, value in expected.items():
        assert torch.equal(value, found[name]), name
    logs = [(tmp_path / run / "log.jsonl").read_text().splitlines() for run in ("whole", "parts")]
    records = [[json.loads(line) | {"seconds": 0} for line in log] for log in logs]
    assert records[0] == records[1]


def test_a_resumed_log_forgets_what_came_after_the_state(tmp_path: Path):
    make_trainer(tmp_path).run(until=1)
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('{"step": 2}\n{"step": 3}\n{"st')
    make_trainer(tmp_path)
    assert [json.loads(line)["step"] for line in (tmp_path / "log.jsonl").read_text().splitlines()] == [1]


def test_a_state_without_newer_fields_still_resumes(tmp_path: Path):
    make_trainer(tmp_path).run(until=1)
    state = torch.load(tmp_path / "state.pt", weights_only=True)
    wanted = ("network", "readout", "optimiser", "step", "seconds", "images")
    torch.save({name: state[name] for name in wanted}, tmp_path / "state.pt")
    resumed = make_trainer(tmp_path)
    assert (resumed.step, resumed.images) == (1, 4)


def test_logs_to_tensorboard_and_shows_the_time_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    make_trainer(tmp_path).run(until=2)
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    logged = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    depth = [(event.step, event.value) for event in events.Scalars("log/depth")]
    assert depth == [(record["step"], pytest.approx(record["depth"], rel=1e-6)) for record in logged]
    assert "step 2/4, " in capsys.readouterr().out


def test_begins_with_the_weights_of_a_checkpoint(tmp_path: Path):
    taught = fresh_network("da3-tiny", 5)
    export_checkpoint(taught, tmp_path / "taught", preset="da3-tiny", resolution=168, training={})
    config = TrainingConfig(tmp_path / "run", OneSize(4), initial=str(tmp_path / "taught"))
    begun = Trainer(config).network
    for (name, weight), wanted in zip(begun.state_dict().items(), taught.state_dict().values(), strict=True):
        torch.testing.assert_close(weight, wanted, atol=1e-3, rtol=1e-3, msg=name)
    assert begun.training and all(weight.requires_grad for weight in begun.parameters())
    with pytest.raises(JobError, match="da3-tiny, and the run trains a da3-small"):
        Trainer(replace(config, preset="da3-small"))


def test_blended_weights_lie_between_and_what_went_into_both_is_counted(tmp_path: Path):
    before = fresh_network("da3-tiny", 5)
    told = {"steps": 10, "images": 100, "hours": 1.5}
    export_checkpoint(before, tmp_path / "before", preset="da3-tiny", resolution=168, training=told)
    after = Trainer(TrainingConfig(tmp_path / "run", OneSize(4)))
    after.step, after.images, after.seconds = 4, 16, 3600
    after.save()
    initial = str(tmp_path / "before")
    blend(tmp_path / "run", initial, 0.75, tmp_path / "both")
    folder = export_student(tmp_path / "both", tmp_path / "da3-tiny", 168, initial)

    blended = load_network(locate_checkpoint(str(folder)), torch.device("cpu")).state_dict()
    for name, weight in after.network.state_dict().items():
        wanted = 0.25 * before.state_dict()[name] + 0.75 * weight
        torch.testing.assert_close(blended[name], wanted, atol=1e-3, rtol=1e-3, msg=name)
    counted = json.loads((folder / "config.json").read_text())["training"]
    assert {name: counted[name] for name in told} == {"steps": 14, "images": 116, "hours": 2.5}


def test_bfloat16_where_it_is_wanted_and_the_device_is_fast_in_it(monkeypatch: pytest.MonkeyPatch):
    found = {}
    for able in ({"avx512_bf16": True}, {"amx_bf16": True}, {"avx512_f": True, "avx512_bf16": False}):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda able=able: able)
        for wanted in (True, False):
            with mixed_precision(torch.device("cpu"), wanted):
                found[next(iter(able)), wanted] = torch.ones(2, 2).matmul(torch.ones(2, 2)).dtype == torch.bfloat16
    assert [used for used, is_bf16 in found.items() if is_bf16] == [("avx512_bf16", True), ("amx_bf16", True)]


def test_learns_within_a_few_steps(tmp_path: Path):
    trainer = make_trainer(tmp_path, steps=1000)
    totals = [trainer.train_step()["total"] for _ in range(24)]
    assert sum(totals[-6:]) < 0.93 * sum(totals[:6])


def test_cameras_are_given_at_the_chosen_share_of_steps(tmp_path: Path):
    trainer = make_trainer(tmp_path)
    trainer.config = replace(trainer.config, posed_share=0.2)
    stage = trainer.config.curriculum.stage(0)
    given = 0
    for trainer.step in range(1000):
        given += trainer.is_posed(stage)
        assert not trainer.is_posed(replace(stage, views=1))
    # Four standard deviations of a thousand draws.
    assert given == pytest.approx(200, abs=4 * (1000 * 0.2 * 0.8) ** 0.5)


def test_labels_switch_from_measured_to_the_teachers(teacher: Path, monkeypatch: pytest.MonkeyPatch):
    noise = NoisyDepth()
    labels = Labels(LabelConfig(noise, str(teacher), switch_at=0.6), 10, torch.device("cpu"))
    batch = ViewGenerator(0).batch(0, 2, 2, (28, 42), 0.3)
    # A perfect teacher but for scale and shift, which nobody can see in a photo.
    monkeypatch.setattr("model_runtime.training.learning.labels.teacher_depth", lambda *_: (batch.depth + 0.1) / 3)
    given, taught = labels.of(batch, 5).depth, labels.of(batch, 6).depth
    assert torch.equal(given, noise.of(batch))
    error = (taught - batch.depth).abs() / batch.depth
    assert float(error.median()) < 0.05
    assert float(error.median()) < float(((given - batch.depth).abs() / batch.depth).median())
    assert torch.equal(Labels(NO_TEACHER, 10, torch.device("cpu")).of(batch, 9).depth, batch.depth)


def test_learning_rate_warms_up_and_falls():
    shares = [warm_cosine(step, 10, 110) for step in (0, 9, 10, 60, 110)]
    assert shares == pytest.approx([0.1, 1, 1, 0.02 + 0.98 / 2, 0.02])


def test_time_left_in_words():
    assert [time_left(s) for s in (30, 600, 36000)] == ["30 s", "10 min", "10.0 h"]


def test_export_loads_strictly_and_keeps_the_network(tmp_path: Path):
    network = fresh_network("da3-tiny", 0).eval()
    export_checkpoint(network, tmp_path / "da3-tiny", preset="da3-tiny", resolution=168, training={"steps": 0})
    found = locate_checkpoint(str(tmp_path / "da3-tiny"))
    assert found.resolution == 168
    loaded = load_network(found, torch.device("cpu"))
    for (name, one), two in zip(network.state_dict().items(), loaded.state_dict().values(), strict=True):
        torch.testing.assert_close(two, one, atol=1e-3, rtol=1e-3, msg=name)
    assert (tmp_path / "da3-tiny" / "model.safetensors").stat().st_size < 20_000_000


def test_processes_share_a_step_without_overlap():
    curriculum = OneSize(100, images=8, reuse=1)
    generator = ViewGenerator(0)
    shares = [ViewPool(curriculum, generator, rank, 2).batch(0) for rank in (0, 1)]
    assert shares[0].depth.shape == shares[1].depth.shape == (2, 2, 28, 42)
    assert not torch.equal(shares[0].depth, shares[1].depth)


@pytest.mark.parametrize("step", [0, 30, 60, 99])
def test_a_shortened_course_begins_where_the_whole_one_has_come(step: int):
    whole, rest = Curriculum(1600).stage(1200 + step), Curriculum(400, begin=0.75).stage(step)
    for name in ("difficulty", "overlap", "matching"):
        assert getattr(rest, name) == pytest.approx(getattr(whole, name)), name


@pytest.mark.parametrize("step", [0, 30, 60, 99])
def test_curriculum_keeps_work_even(step: int):
    stage = Curriculum(100, images=64, reuse=1).stage(step)
    area = stage.size[0] * stage.size[1]
    assert stage.scenes * stage.views * area <= 1.15 * 64 * 84 * 84
    assert stage.size[0] % 14 == stage.size[1] % 14 == 0


def test_a_checkpoint_from_elsewhere_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"downloaded")
    (tmp_path / "config.json").write_text('{"model_name": "da3-small"}')
    with pytest.raises(JobError, match="not exported from here"):
        export_checkpoint(fresh_network("da3-tiny", 0), tmp_path, preset="da3-tiny", resolution=168, training={})
    assert (tmp_path / "model.safetensors").read_bytes() == b"downloaded"
