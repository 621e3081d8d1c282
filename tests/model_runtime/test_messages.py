"""The contract modules stay light: Blender imports them, and Blender has no torch."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["model_runtime.messages", "model_runtime.pipe", "da3_blender.worker_process"])
def test_module_loads_without_torch_and_bpy(module: str) -> None:
    script = f"import sys, {module}; sys.exit(', '.join({{'torch', 'bpy', 'PIL', 'scipy'}} & sys.modules.keys()) or 0)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
