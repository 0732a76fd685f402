"""The first weights of a mixture, from a dense model (sparse upcycling, Komatsuzaki et al. 2022).

Every expert begins as a copy of the dense inner layer plus a little noise. Where experts are narrower than the dense
layer, each gets its own random part of the inner neurons, made larger by what is left out, so that the experts differ from
the start and their mean over draws is the dense layer.
"""

import torch

from model import Decoder


@torch.no_grad()
def upcycle(model: Decoder, state: dict, noise: float = 0.05) -> None:
    """Fill a mixture from dense weights; gate and up rows become interleaved.

    Routers start small, so that the balance loss evens them out within few steps.
    """
    own = model.state_dict()
    for key, value in state.items():
        if ".mlp." not in key:
            own[key].copy_(value)
    for i in range(model.c.num_layers):
        own[f"blocks.{i}.mlp.router.weight"].mul_(0.1)
        gate, up = state[f"blocks.{i}.mlp.gate_up.weight"].float().chunk(2)
        down = state[f"blocks.{i}.mlp.down.weight"].float()
        for expert in range(model.c.num_experts):
            part = torch.randperm(gate.shape[0])[: model.c.inner_size].sort().values
            fc1 = torch.stack((gate[part], up[part]), 1).flatten(0, 1)
            fc2 = down[:, part] * (gate.shape[0] / len(part))
            for key, value in (("fc1", fc1), ("fc2", fc2)):
                own[f"blocks.{i}.mlp.{key}"][expert].copy_(value + noise * value.std() * torch.randn_like(value))
