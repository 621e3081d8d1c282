"""The contract modules stay light: Blender imports them, and Blender has no torch."""

import subprocess
import sys

import pytest

MODULES = [
    "model_runtime.contract.messages",
    "model_runtime.contract.pipe",
    "model_runtime.contract.catalogue",
    "model_runtime.contract.depth_edges",
    "model_runtime.contract.disk",
    "model_runtime.contract.failures",
    "model_runtime.contract.model_files",
    "da3_blender.runtime.models",
    "da3_blender.runtime.worker_process",
]


@pytest.mark.parametrize("module", MODULES)
def test_module_loads_without_torch_and_bpy(module: str) -> None:
    heavy = {"torch", "bpy", "PIL", "scipy", "huggingface_hub"}
    script = f"import sys, {module}; sys.exit(', '.join({heavy} & sys.modules.keys()) or 0)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
