"""What a job is refused for by its words alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from model_runtime.checkpoints.locate import CheckpointFile
from model_runtime.contract.messages import REFINE_DEPTH, CheckpointInfo, JobError, Request
from model_runtime.prediction.checks import check_request

TINY = CheckpointFile(CheckpointInfo("da3-tiny", "da3-tiny", "Apache-2.0", True), Path("model.safetensors"))


@pytest.mark.parametrize("refine_depth", ["maybe", "", "On"])
def test_other_words_for_refining_depth_are_refused(refine_depth: str) -> None:
    with pytest.raises(JobError) as caught:
        check_request(Request((), refine_depth=refine_depth), TINY)
    failure = caught.value.failure
    assert failure.code == "bad-request" and f"cannot be '{refine_depth}'" in failure.sentence
    assert failure.advice == "Choose one of auto, on, off."


@pytest.mark.parametrize("refine_depth", REFINE_DEPTH)
def test_those_there_are_pass(refine_depth: str) -> None:
    check_request(Request((), refine_depth=refine_depth), TINY)


@pytest.mark.parametrize("budget", [0, -1])
def test_no_splats_are_not_a_number_of_splats(budget: int) -> None:
    with pytest.raises(JobError, match=f"{budget} splats cannot be asked for") as caught:
        check_request(Request((), splat_budget=budget), TINY)
    assert caught.value.failure.code == "bad-request"
