"""Several processes as one trainer, by torch's own launcher (`torchrun --nproc-per-node 2 -m model_runtime.training`).

On a CPU, processes of one thread each beat one process of many threads: they meet once a step instead of at every
operation, so a busy machine slows them down far less.
"""

import os
from collections.abc import Iterable

import torch
import torch.distributed as dist


def device() -> torch.device:
    """This process's own GPU, or the CPU where there is none."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count())


def start() -> tuple[int, int]:
    """Rank and number of processes; joins the group that the launcher set up, if any."""
    ranks = int(os.environ.get("WORLD_SIZE", "1"))
    if ranks > 1 and not dist.is_initialized():
        # NCCL refuses two processes on one GPU; gloo takes them, and CPUs.
        alone = torch.cuda.is_available() and torch.cuda.device_count() >= int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
        dist.init_process_group("nccl" if alone else "gloo")
    return (dist.get_rank(), ranks) if ranks > 1 else (0, 1)


def stop() -> None:
    if dist.is_initialized():
        dist.destroy_process_group()


def average_gradients(parameters: Iterable[torch.nn.Parameter]) -> None:
    """Every gradient becomes its mean over the processes; parameters without one are left out on all of them alike."""
    if not dist.is_initialized():
        return
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    start = 0
    for gradient in gradients:
        gradient.copy_(flat[start : start + gradient.numel()].view_as(gradient))
        start += gradient.numel()


def barrier() -> None:
    if dist.is_initialized():
        dist.barrier()
