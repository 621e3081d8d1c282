"""The teacher: a monocular network trained on synthetic pictures alone, whose depth becomes the student's label.

Its head says depth as an exponential (Lin et al. 2025, arXiv 2511.10647), which resolves near things as well as far
ones. One photo does not tell its scale, so errors count in logarithms after each view's median has been taken out.
"""

import time
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch.nn import functional

from model_runtime.checkpoints.loading import load_network
from model_runtime.checkpoints.locate import locate_checkpoint
from model_runtime.contract.messages import JobError
from model_runtime.network.any_view import AnyViewNetwork
from model_runtime.network.config import BackboneConfig, HeadConfig, MonocularConfig
from model_runtime.network.monocular import MonocularNetwork
from model_runtime.network.monocular_head import DepthAndSky
from model_runtime.training.learning.batches import Batches
from model_runtime.training.learning.curriculum import Curriculum, ViewPool
from model_runtime.training.learning.initialise import fresh_monocular
from model_runtime.training.learning.losses import gradient_loss, masked_mean
from model_runtime.training.learning.targets import normalise_images
from model_runtime.training.rendering.views import ViewGenerator
from model_runtime.training.runs import distributed
from model_runtime.training.runs.run import Part, TrainingRun, mixed_precision, warm_cosine
from model_runtime.training.runs.state_files import load_state

TEACHER_FILE = "teacher.pt"
TINY_TEACHER = MonocularConfig(
    BackboneConfig(192, 10, 3, taken_layers=(3, 5, 7, 9), alternation=None), HeadConfig(32, (24, 48, 96, 192))
)


@dataclass(frozen=True)
class TeacherConfig:
    """warmup, save_every, log_every: steps. Every photo of the curriculum's scenes counts for itself."""

    out: Path
    curriculum: Curriculum
    network: MonocularConfig = field(default_factory=lambda: TINY_TEACHER)
    learning_rate: float = 7e-4
    weight_decay: float = 0.02
    warmup: int = 100
    clip: float = 2.0
    bf16: bool = True
    seed: int = 0
    save_every: int = 100
    log_every: int = 10


def teacher_terms(prediction: DepthAndSky, depth: torch.Tensor) -> dict[str, torch.Tensor]:
    """Loss terms of prediction [V,H,W] against exact depth [V,H,W] of any unit, without a value where there is sky."""
    valid = torch.isfinite(depth) & (depth > 0)
    error = prediction.depth.clamp_min(1e-6).log() - depth.where(valid, 1.0).log()
    hidden = error.detach().where(valid, torch.nan).flatten(1)
    middle = hidden.nanmedian(1).values.nan_to_num()[:, None, None]
    zero = torch.zeros_like(error)
    return {
        "depth": masked_mean((error - middle).abs(), valid),
        "gradient": 0.5 * gradient_loss(error, zero, valid),
        "sky": functional.mse_loss(prediction.sky, (~valid).to(prediction.sky)),
    }


class TeacherTrainer(TrainingRun):
    """Trains a teacher; resumes exactly from `out`/teacher.pt."""

    def __init__(self, config: TeacherConfig, pool: Batches | None = None) -> None:
        super().__init__(config.out, TEACHER_FILE, config.curriculum.steps)
        self.config = config
        self.save_every, self.log_every = config.save_every, config.log_every
        self.network = fresh_monocular(config.network, config.seed).to(self.device)
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(),
            config.learning_rate,
            (0.9, 0.95),
            weight_decay=config.weight_decay,
            fused=True,
        )
        self.pool = pool or ViewPool(
            config.curriculum, ViewGenerator(config.curriculum.seed, device=self.device), self.rank, self.ranks
        )
        self.resume()

    def parts(self) -> dict[str, Part]:
        return {"network": self.network, "optimiser": self.optimiser}

    def train_step(self) -> dict[str, float]:
        began = time.perf_counter()
        rate = self.config.learning_rate * warm_cosine(self.step, self.config.warmup, self.steps)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        batch = self.pool.batch(self.step)
        images = normalise_images(batch.images.to(self.device).flatten(0, 1))[:, None]
        self.optimiser.zero_grad(set_to_none=True)
        with mixed_precision(self.device, self.config.bf16):
            features = self.network.backbone(images)
            tokens = [layer.patches.flatten(0, 1) for layer in features.layers]
            maps = self.network.head(tokens, features.grid, images[:, 0])
        prediction = DepthAndSky(*(value.float() for value in maps))
        terms = teacher_terms(prediction, batch.depth.to(self.device).flatten(0, 1))
        total = torch.stack(list(terms.values())).sum()
        total.backward()
        distributed.average_gradients(self.network.parameters())
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.config.clip)
        self.optimiser.step()
        self.step += 1
        self.images += len(images) * self.ranks
        self.seconds += time.perf_counter() - began
        record = {name: float(value.detach()) for name, value in terms.items()}
        return record | {"step": self.step, "total": float(total.detach()), "rate": rate, "seconds": self.seconds}


def load_teacher(source: str, network: MonocularConfig = TINY_TEACHER) -> MonocularNetwork | AnyViewNetwork:
    """A teacher in evaluation mode: of a run's teacher.pt, whose network is `network`, or a checkpoint by name or
    folder, monocular or any-view.

    Raises JobError `teacher-missing`, or what `locate_checkpoint` and `load_network` raise.
    """
    path = Path(source)
    if path.suffix != ".pt":
        teacher = load_network(locate_checkpoint(source), torch.device("cpu"))
        if not isinstance(teacher, (MonocularNetwork, AnyViewNetwork)):
            raise JobError("teacher-missing", f"{source} is no single network.", "Choose another as teacher.")
        return teacher
    state = load_state(path)
    if state is None:
        raise JobError("teacher-missing", f"There is no teacher in {path}.", "Train one first, or name another file.")
    teacher = MonocularNetwork(network)
    teacher.load_state_dict(state["network"], strict=True)
    return teacher.eval().requires_grad_(False)
