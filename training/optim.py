"""Muon for the weight matrices, AdamW for the embedding and the norms.

Muon (Jordan et al. 2024) replaces the momentum of a matrix by its nearest orthogonal
matrix, found by five Newton-Schulz steps. Matrices of one shape are stacked, so a step is
a few batched products whatever the number of layers. Several processes share the stacks out.
"""

import torch
import torch.distributed as dist
from torch import Tensor, nn

from precision import reduced

COEFFICIENTS = (3.4445, -4.7750, 2.0315)


def orthogonalize(stack: Tensor, steps: int = 5) -> Tensor:
    """stack [N, R, C] to its orthogonal factor, all singular values near one."""
    a, b, c = COEFFICIENTS
    x = stack.to(reduced(stack.device.type))
    tall = x.shape[1] > x.shape[2]
    x = x.mT if tall else x
    x = x / (x.flatten(1).norm(dim=1)[:, None, None] + 1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return (x.mT if tall else x).float()


class Muon(torch.optim.Optimizer):
    """Parameters are matrices [R, C] or stacks of them [N, R, C]."""

    def __init__(self, parameters, lr: float, momentum: float = 0.95, weight_decay: float = 0.0):
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self) -> None:
        rank, processes = (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
        for group in self.param_groups:
            by_shape: dict[tuple, list[nn.Parameter]] = {}
            for p in group["params"]:
                if p.grad is not None:
                    by_shape.setdefault(tuple(p.shape), []).append(p)
            steps = []
            for turn, (shape, parameters) in enumerate(by_shape.items()):
                updates = []
                for p in parameters:
                    state = self.state[p]
                    if not state:
                        state["momentum"] = torch.zeros_like(p)
                    state["momentum"].lerp_(p.grad, 1 - group["momentum"])
                    updates.append(p.grad.lerp(state["momentum"], group["momentum"]))
                stack = torch.stack(updates).view(-1, *shape[-2:])
                steps.append(orthogonalize(stack) if turn % processes == rank else torch.empty_like(stack))
            for turn, (shape, parameters) in enumerate(by_shape.items()):
                if processes > 1:
                    dist.broadcast(steps[turn], turn % processes)
                step = steps[turn].view(len(parameters), *shape)
                scale = max(1.0, shape[-2] / shape[-1]) ** 0.5
                for p, update in zip(parameters, step):
                    p.mul_(1 - group["lr"] * group["weight_decay"])
                    p.add_(update, alpha=-group["lr"] * scale)


def make_optimizers(model: nn.Module, muon_lr: float, adam_lr: float, weight_decay: float, momentum: float = 0.95) -> list[torch.optim.Optimizer]:
    matrices, rest = [], []
    for name, p in model.named_parameters():
        matrices.append(p) if p.ndim >= 2 and "embedding" not in name and "router" not in name else rest.append(p)
    return [
        Muon(matrices, muon_lr, momentum, weight_decay),
        torch.optim.AdamW(rest, adam_lr, betas=(0.9, 0.98), weight_decay=0.0, fused=True),
    ]
