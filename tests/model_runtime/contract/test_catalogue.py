"""The catalogue agrees with the networks, with itself, and with what it says of licences."""

import re

from model_runtime.contract.catalogue import CATALOGUE, LICENCES, human_size
from model_runtime.contract.model_files import BUNDLED_FOLDER, WEIGHTS_FILE, model_state
from model_runtime.network.config import PRESETS, AnyViewConfig, NestedConfig


def test_every_preset_is_there_with_its_widths_and_heads() -> None:
    assert {model.preset for model in CATALOGUE.values()} == PRESETS.keys()
    for model in CATALOGUE.values():
        config = PRESETS[model.preset]
        main = config.any_view if isinstance(config, NestedConfig) else config
        assert (model.width, model.features) == (main.backbone.dim, main.head.features)
        assert model.cameras == isinstance(main, AnyViewConfig)
        assert model.gaussians == (isinstance(main, AnyViewConfig) and main.gaussian_head)
        assert model.metric == (isinstance(config, NestedConfig) or model.name == "da3metric-large")


def test_licences_are_the_authors() -> None:
    commercial = {name for name, model in CATALOGUE.items() if model.commercial_use}
    assert commercial == {"da3-tiny", "da3-small", "da3-base", "da3mono-large", "da3metric-large"}
    for model in CATALOGUE.values():
        assert model.licence in LICENCES
        assert model.needs_acceptance == (not model.commercial_use)


def test_every_download_is_pinned_and_as_large_as_its_parameters() -> None:
    for name, model in CATALOGUE.items():
        assert model.name == name and model.good_for and not model.good_for.endswith(".")
        if model.bundled:
            assert model_state(model).bytes_needed == (BUNDLED_FOLDER / name / WEIGHTS_FILE).stat().st_size
            continue
        assert re.fullmatch("[0-9a-f]{40}", model.revision) and re.fullmatch("[0-9a-f]{64}", model.sha256)
        assert model.repository.lower() == f"depth-anything/{name}"
        # The files hold float32, some of them tables that are no parameters, and a head of keys.
        assert 4e6 * model.parameters <= model.size + 0.5e6 and model.size < 4.02e6 * model.parameters


def test_larger_models_need_more_memory_and_more_photos_too() -> None:
    by_size = sorted((model for model in CATALOGUE.values() if model.cameras), key=lambda model: model.parameters)
    needs = [model.memory_needed() for model in by_size]
    assert needs == sorted(needs)
    for model in CATALOGUE.values():
        assert model.memory_needed() > 4e6 * model.parameters
        assert model.memory_needed(photos=40) > model.memory_needed(photos=4)
        assert model.memory_needed(resolution=1008) > 1.5 * (model.memory_needed() - 4e6 * model.parameters)


def test_memory_is_about_what_was_measured() -> None:
    """Peak resident memory in MB of whole jobs on a CPU: 1 and 6 photos of 504 x 378, float32."""
    measured = {("da3-small", 1): 644, ("da3-small", 6): 1234, ("da3-base", 1): 996, ("da3-base", 6): 1946}
    for (name, photos), megabytes in measured.items():
        assert 0.8 < CATALOGUE[name].memory_needed(photos) / (megabytes * 1e6 * 1.0486) < 1.25


def test_sizes_are_told_as_people_say_them() -> None:
    assert [human_size(n) for n in (0, 900, 137_248_940, 5_422_814_644)] == ["0 kB", "1 kB", "137 MB", "5.4 GB"]
