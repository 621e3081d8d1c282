"""Two processes of torch's own launcher do what one process does with the whole batch."""

import os
import subprocess
import sys
from pathlib import Path

import torch

SCRIPT = """
import sys
from pathlib import Path
import torch
from model_runtime.training.runs import distributed
from model_runtime.training.learning.batches import ViewBatch
from model_runtime.network.config import AnyViewConfig, BackboneConfig, HeadConfig
from model_runtime.training.learning.curriculum import OneSize
from model_runtime.training.rendering.views import ViewGenerator
from model_runtime.training.learning.trainer import Trainer, TrainingConfig

torch.set_num_threads(1)
rank, ranks = distributed.start()

class Share:
    def batch(self, step):
        whole = ViewGenerator(0).batch(step * 100, 4, 2, (28, 42), 0.2)
        part = slice(rank * 4 // ranks, (rank + 1) * 4 // ranks)
        parts = (whole.images, whole.depth.clamp_min(0.1), whole.extrinsics, whole.intrinsics)
        return ViewBatch(*(value[part] for value in parts))

out = Path(sys.argv[1])
backbone = BackboneConfig(96, 6, 3, taken_layers=(2, 3, 4, 5), alternation=2)
network = AnyViewConfig(backbone, HeadConfig(16, (16, 24, 48, 96)))
config = TrainingConfig(out, OneSize(1), network, bf16=False, dense_share=1.0, matching_layers=(), posed_share=0.0)
trainer = Trainer(config, Share())
trainer.run()
gradients = {name: p.grad for name, p in trainer.network.named_parameters() if p.grad is not None}
torch.save(gradients, out / f"gradients-{rank}.pt")
distributed.stop()
"""


def test_two_processes_make_the_gradient_of_one(tmp_path: Path):
    script = tmp_path / "share.py"
    script.write_text(SCRIPT)
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node"]
    root = Path(__file__).parents[4]
    variables = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    found = []
    for processes in (1, 2):
        out = tmp_path / str(processes)
        command = [*launcher, str(processes), str(script), str(out)]
        done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
        found.append([torch.load(path, weights_only=True) for path in sorted(out.glob("gradients-*.pt"))])
    (one,), (first, second) = found
    assert one.keys() == first.keys() == second.keys()
    largest = max(float(gradient.abs().max()) for gradient in one.values())
    for name, gradient in one.items():
        assert torch.equal(first[name], second[name]), name
        torch.testing.assert_close(first[name], gradient, atol=1e-5 * largest, rtol=1e-3, msg=name)
