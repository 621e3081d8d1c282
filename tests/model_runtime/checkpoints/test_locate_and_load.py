"""Checkpoints in the released format, found and loaded strictly, and a sentence for every way they can be wrong."""

import json
import os
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from model_runtime.checkpoints import locate as checkpoints
from model_runtime.checkpoints.loading import load_network
from model_runtime.checkpoints.locate import available_checkpoints, locate_checkpoint
from model_runtime.contract.catalogue import CATALOGUE
from model_runtime.contract.messages import CheckpointInfo, JobError
from model_runtime.network.config import PRESETS
from model_runtime.network.create import create_model

CPU = torch.device("cpu")


@pytest.fixture
def copy(tiny_checkpoint: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_checkpoint, tmp_path / "copy"))


@pytest.fixture(autouse=True)
def no_models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DA3_MODELS", str(tmp_path / "models"))


def failure(checkpoint: Path | str) -> tuple[str, str]:
    """Code and all words of the JobError that locating or loading ends in."""
    with pytest.raises(JobError) as caught:
        load_network(locate_checkpoint(str(checkpoint)), CPU)
    told = caught.value.failure
    assert told.advice
    return told.code, f"{told.sentence} {told.advice}"


@pytest.mark.parametrize("as_file", [False, True])
def test_half_precision_file_becomes_a_float32_network(tiny_checkpoint: Path, as_file: bool) -> None:
    weights = tiny_checkpoint / "model.safetensors"
    located = locate_checkpoint(str(weights if as_file else tiny_checkpoint))
    assert located.resolution == 84
    assert located.info == CheckpointInfo("model.safetensors" if as_file else "mine", "da3-tiny", "unknown", None)
    network = load_network(located, CPU)
    stored = load_file(weights)
    state = network.state_dict()
    assert {f"model.{key}" for key in state} == stored.keys()
    assert all(t.dtype == torch.float32 and (t == stored[f"model.{k}"]).all() for k, t in state.items())
    assert not network.training and not any(p.requires_grad for p in network.parameters())


def test_a_large_file_is_loaded_the_same_without_building_twice(
    tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    located = locate_checkpoint(str(tiny_checkpoint))
    expected = load_network(located, CPU).state_dict()
    monkeypatch.setattr("model_runtime.checkpoints.loading.LARGE_NETWORK", 1)
    network = load_network(located, CPU)
    assert all((t == expected[k]).all() for k, t in network.state_dict().items())
    assert not any(t.is_meta for t in (*network.parameters(), *network.buffers()))


def test_the_bundled_checkpoint_is_here_and_says_the_same_of_itself() -> None:
    assert available_checkpoints() == ("da3-tiny",)
    located = locate_checkpoint("da3-tiny")
    assert located.path.stat().st_size < 20e6
    own = locate_checkpoint(str(located.path.parent))
    assert own.info == located.info == CheckpointInfo("da3-tiny", "da3-tiny", "Apache-2.0", True)
    network = load_network(located, CPU)
    assert round(sum(p.numel() for p in network.parameters()) / 1e6, 1) == CATALOGUE["da3-tiny"].parameters


def test_a_config_may_tell_the_licence(copy: Path) -> None:
    config = {"model_name": "da3-tiny", "licence": "CC-BY-4.0", "commercial_use": True}
    (copy / "config.json").write_text(json.dumps(config))
    assert locate_checkpoint(str(copy)).info == CheckpointInfo("copy", "da3-tiny", "CC-BY-4.0", True)


def test_a_released_name_that_is_not_here_tells_repository_size_licence_and_place(tmp_path: Path) -> None:
    code, words = failure("da3-large-1.1")
    assert code == "checkpoint-missing"
    for word in ("depth-anything/DA3-LARGE-1.1", "1644 MB", "CC-BY-NC-4.0", "no commercial use"):
        assert word in words
    assert str(tmp_path / "models" / "DA3-LARGE-1.1") in words


@pytest.mark.parametrize("folder", ["DA3-SMALL", "da3-small"])
def test_a_released_name_is_found_in_the_models_folder(tmp_path: Path, folder: str) -> None:
    assert "da3-small" not in available_checkpoints()
    (tmp_path / "models" / folder).mkdir(parents=True)
    (tmp_path / "models" / folder / "model.safetensors").touch()
    assert "da3-small" in available_checkpoints()
    located = locate_checkpoint("DA3-Small")
    assert located.info == CheckpointInfo("da3-small", "da3-small", "Apache-2.0", True)
    assert located.resolution == 504


def test_preset_comes_from_the_repository_name_where_no_config_tells(copy: Path, tmp_path: Path) -> None:
    (copy / "config.json").unlink()
    shutil.move(copy, tmp_path / "DA3-TINY")
    assert locate_checkpoint(str(tmp_path / "DA3-TINY")).info.preset == "da3-tiny"
    assert locate_checkpoint(str(tmp_path / "DA3-TINY" / "model.safetensors")).info.preset == "da3-tiny"


def test_unknown_checkpoint_lists_the_names() -> None:
    code, words = failure("da3-enormous")
    assert code == "checkpoint-unknown"
    assert "da3-enormous" in words and "da3-small" in words


def test_a_small_file_that_claims_to_be_the_largest_network_takes_no_memory(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its config is a lie; the network it names would take seven gigabytes."""

    def create(preset: str) -> torch.nn.Module:
        assert torch.empty(0).is_meta
        return create_model(preset)

    monkeypatch.setattr("model_runtime.checkpoints.loading.create_model", create)
    (copy / "config.json").write_text(json.dumps({"model_name": "da3nested-giant-large"}))
    code, words = failure(copy)
    assert code == "checkpoint-mismatch" and "does not fit the preset da3nested-giant-large" in words


def test_every_preset_has_a_size() -> None:
    assert {model.preset for model in CATALOGUE.values()} == PRESETS.keys()
    assert all(model.parameters for model in CATALOGUE.values())


def test_a_header_too_long_to_read_is_refused_unread(copy: Path) -> None:
    weights = copy / "model.safetensors"
    weights.write_bytes((90_000_000).to_bytes(8, "little") + b"{" + b" " * 1000)
    code, words = failure(copy)
    assert code == "checkpoint-damaged" and "its header would have 90000000 bytes" in words


def test_a_link_to_weights_elsewhere_is_followed_and_a_pipe_is_not_opened(copy: Path, tmp_path: Path) -> None:
    weights = copy / "model.safetensors"
    elsewhere = weights.rename(tmp_path / "elsewhere.safetensors")
    weights.symlink_to(elsewhere)
    load_network(locate_checkpoint(str(copy)), CPU)
    weights.unlink()
    if hasattr(os, "mkfifo"):
        os.mkfifo(weights)
        assert failure(copy)[0] == "checkpoint-missing"
        assert failure(weights)[0] == "checkpoint-unknown"


@pytest.mark.parametrize("told", [True, 0, -14, 10**17, "504", None])
def test_a_resolution_that_cannot_be_is_named(copy: Path, told: object) -> None:
    (copy / "config.json").write_text(json.dumps({"model_name": "da3-tiny", "resolution": told}))
    code, words = failure(copy)
    assert code == "checkpoint-preset" and f"names the resolution {str(told)[:5]}" in words


@pytest.mark.parametrize(
    ("config", "told"),
    [
        (b"[" * 100_000, "nested too deeply"),
        (b'{"model_name": NaN}', "line 1 says NaN"),
        (b'{"model_name": "da3-tiny", "model_name": "da3-giant"}', "says 'model_name' twice"),
        (b'{"model_name": "da3-tiny", "licence": "\\udc00"}', "half a letter"),
        (b'{"model_name": "\xe9"}', "old encoding"),
        (b'{"x": "' + b"a" * 1_000_000 + b'"}', "more than 1 MB"),
    ],
)
def test_a_config_that_is_no_config_is_named_with_the_reason(copy: Path, config: bytes, told: str) -> None:
    (copy / "config.json").write_bytes(config)
    code, words = failure(copy)
    assert code == "checkpoint-preset" and f"{copy / 'config.json'} cannot be used: " in words and told in words


def test_what_a_config_says_is_told_shortly(copy: Path) -> None:
    (copy / "config.json").write_text(json.dumps({"model_name": "da3-tiny", "licence": "mine\n" * 1000}))
    licence = locate_checkpoint(str(copy)).info.licence
    assert len(licence) == 100 and licence.startswith("mine?mine?")
    (copy / "config.json").write_text(json.dumps({"model_name": "x" * 100_000}))
    assert len(failure(copy)[1]) < 1000


@pytest.mark.parametrize("path", ["~nobody-at-all/x", "a\0b", "x" * 5000])
def test_a_path_that_cannot_be_is_unknown(path: str) -> None:
    code, words = failure(path)
    assert code == "checkpoint-unknown" and len(words) < 1000


@pytest.mark.parametrize("config", [None, "{}", '{"model_name": "vggt"}', "not json", '{"model_name": ["da3-tiny"]}'])
def test_without_a_preset_the_config_is_blamed(copy: Path, config: str | None) -> None:
    (copy / "config.json").unlink()
    if config is not None:
        (copy / "config.json").write_text(config)
    code, words = failure(copy)
    assert code == "checkpoint-preset"
    assert "config.json" in words and str(copy) in words


def test_another_preset_is_a_mismatch_naming_the_first_keys(copy: Path) -> None:
    (copy / "config.json").write_text(json.dumps({"model_name": "da3-small"}))
    code, words = failure(copy)
    assert code == "checkpoint-mismatch"
    assert str(copy / "model.safetensors") in words
    assert "missing (model.backbone.pretrained.blocks.10." in words
    assert "not part of the network (model.backbone.pretrained.blocks.2.attn." in words
    assert "model.backbone.pretrained.cls_token [1, 1, 192] instead of [1, 1, 384]" in words


@pytest.mark.parametrize("fault", ["missing", "extra", "shape", "integers", "no prefix"])
def test_one_wrong_tensor_is_enough(copy: Path, fault: str) -> None:
    state = load_file(copy / "model.safetensors")
    key = "model.cam_dec.fc_t.weight"
    if fault == "missing":
        del state[key]
    elif fault == "extra":
        state["model.surprise"] = torch.zeros(1)
    elif fault == "shape":
        state[key] = state[key].T.contiguous()
    elif fault == "integers":
        state[key] = state[key].to(torch.int32)
    else:
        state[key.removeprefix("model.")] = state.pop(key)
    save_file(state, copy / "model.safetensors")
    code, words = failure(copy)
    assert code == "checkpoint-mismatch"
    assert ("model.surprise" if fault == "extra" else key) in words


@pytest.mark.parametrize("size", [0, 7, 1000, -1000])
def test_a_truncated_file_is_named(copy: Path, size: int) -> None:
    weights = copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:size])
    code, words = failure(copy)
    assert code == "checkpoint-damaged"
    assert str(weights) in words


@pytest.mark.parametrize("suffix", checkpoints.PICKLE_SUFFIXES)
def test_pickle_files_are_never_opened(tmp_path: Path, suffix: str) -> None:
    weights = tmp_path / "folder" / f"pytorch_model{suffix}"
    weights.parent.mkdir()
    torch.save({"a": torch.zeros(1)}, weights)
    for checkpoint in (weights, weights.parent):
        code, words = failure(checkpoint)
        assert code == "checkpoint-pickle"
        assert str(weights) in words


def test_an_empty_folder_is_named(tmp_path: Path) -> None:
    code, words = failure(tmp_path)
    assert code == "checkpoint-missing"
    assert str(tmp_path) in words
