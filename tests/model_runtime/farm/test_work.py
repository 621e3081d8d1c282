"""How many processors a shot takes on a machine of the farm."""

import subprocess
import sys

import pytest

PROGRAM = """
import sys
import numpy, scipy.linalg
from threadpoolctl import threadpool_info, threadpool_limits
if sys.argv[1] == "without":
    sys.modules["torch"] = None
threadpool_limits(4)
from model_runtime.farm.work import _use_threads
_use_threads(3)
print({library["num_threads"] for library in threadpool_info()})
if sys.argv[1] == "with":
    import torch
    print(torch.get_num_threads())
"""


@pytest.mark.parametrize(("torch", "told"), [("with", ["{3}", "3"]), ("without", ["{3}"])])
def test_a_shot_takes_the_threads_it_asks_for_with_and_without_pytorch(torch: str, told: list[str]) -> None:
    said = subprocess.run([sys.executable, "-c", PROGRAM, torch], capture_output=True, text=True, check=True)
    assert said.stdout.split("\n")[:-1] == told
