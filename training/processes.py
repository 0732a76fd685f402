"""The processes of a run under torchrun, each with a batch of every step; one process without it."""

import os

import torch
import torch.distributed as dist
from torch import nn


class Processes:
    def __init__(self):
        self.rank, self.count = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
        if self.count > 1:
            dist.init_process_group("gloo")

    def average(self, model: nn.Module) -> None:
        """The mean of all gradients in place of each process's own."""
        if self.count == 1:
            return
        gradients = [p.grad for p in model.parameters()]
        flat = torch.cat([g.flatten() for g in gradients])
        dist.all_reduce(flat)
        for gradient, mean in zip(gradients, flat.div_(self.count).split([g.numel() for g in gradients])):
            gradient.copy_(mean.view_as(gradient))

    def agreed(self, value: float) -> float:
        """The first process's value."""
        if self.count == 1:
            return value
        own = torch.tensor([value], dtype=torch.float64)
        dist.broadcast(own, 0)
        return float(own)

    def joined(self, part: dict) -> dict:
        """The entries of all processes."""
        if self.count == 1:
            return part
        parts: list[dict] = [{}] * self.count
        dist.all_gather_object(parts, part)
        return {key: value for each in parts for key, value in each.items()}

    def end(self) -> None:
        if self.count > 1:
            dist.destroy_process_group()
