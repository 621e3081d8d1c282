"""Improving splats where PyTorch is not installed."""

from __future__ import annotations

import subprocess
import sys

import pytest

from model_runtime.contract.messages import JobError
from model_runtime.splats import improve

IMPORTS = """
import sys
sys.modules["torch"] = None
from model_runtime.splats import beyond, even, head, improve, make, merge, surface
from model_runtime.prediction import predictor
"""


def test_splats_are_made_without_torch() -> None:
    """What a job imports where it is not installed."""
    subprocess.run([sys.executable, "-c", IMPORTS], check=True)


def test_improving_them_needs_it_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    improve.check_improving()
    monkeypatch.setattr(improve, "find_spec", lambda _: None)
    with pytest.raises(JobError) as error:
        improve.check_improving()
    assert error.value.failure.code == "needs-torch"
    assert "PyTorch" in error.value.failure.sentence and "full runtime" in error.value.failure.advice
