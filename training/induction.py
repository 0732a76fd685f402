"""First weights that already copy: previous-token heads feeding induction heads.

Extraction is copying, and a transformer copies once it has an induction circuit (Olsson et al.
2022): one layer writes into each position what stood before it, a later one looks for the position
whose predecessor is the current token and copies what stands there. Finding this from random weights
costs millions of tokens; writing it down costs none, and training is free to reshape all of it.

The residual stream is laid out as: dimension 0 a constant; then the token's identity; the last
two runs of W dimensions hold the tokens one and two places back (W is D, or less where two of them and two readings would not fit). Heads of layer 0 reach them
by position alone (the constant, turned by the rotary angles of that distance); the matching heads
use the slow rotary pairs, which hardly turn within a prompt.
"""

import torch
from torch import Tensor

from model import Decoder

TOKEN_STD, CONSTANT = 0.1, 0.3
SLOW = 0.02
SHARPNESS = 6.0
MATCH = 1.7


def _rows(model: Decoder, heads: int, width: int, seed: int) -> Tensor:
    """Orthonormal readings [heads, W, C] of the identity dimensions."""
    first, last = 1, model.c.hidden_size - 2 * width
    generator = torch.Generator().manual_seed(seed)
    basis, _ = torch.linalg.qr(torch.randn(last - first, heads * width, generator=generator))
    rows = torch.zeros(heads, width, model.c.hidden_size)
    rows[:, :, first:last] = basis.T.reshape(heads, width, -1)
    return rows


@torch.no_grad()
def install(model: Decoder, match_layers: tuple[int, ...] = (1, 3), seed: int = 0) -> None:
    """Write the circuit into a freshly made dense model (two key/value heads or more)."""
    c, d, half = model.c, model.c.head_dim, model.c.head_dim // 2
    group = c.num_heads // c.num_kv_heads
    width = min(d, (c.hidden_size - 1) // 4)
    back = [slice(c.hidden_size - (2 - k) * width, c.hidden_size - (1 - k) * width) for k in (0, 1)]
    read = _rows(model, 2, width, seed)
    angle = c.rope_theta ** (-torch.arange(half, dtype=torch.float32) / half)
    slow = [f for f in range(half) if angle[f] < SLOW]
    slow += [f + half for f in slow]

    table = model.embedding.weight
    table.normal_(std=TOKEN_STD)
    table[:, back[0].start :] = 0
    table[:, 0] = CONSTANT
    model.norm.weight.fill_(0.2)

    layer = model.blocks[0].attention
    constant = CONSTANT / table.square().mean().sqrt()
    layer.k.weight[:d] = 0
    layer.k.weight[:half, 0] = SHARPNESS / constant
    layer.v.weight[:width] = read[0]
    for head, distance in ((0, 1), (1, 2)):
        q = layer.q.weight[head * d : (head + 1) * d]
        q.zero_()
        q[:half, 0] = SHARPNESS / constant * torch.cos(distance * angle)
        q[half:, 0] = SHARPNESS / constant * -torch.sin(distance * angle)
        layer.o.weight[back[head], head * d : head * d + width] = TOKEN_STD * torch.eye(width)

    before, twice = torch.zeros(2, width, c.hidden_size)
    before[:, back[0]] = twice[:, back[1]] = torch.eye(width)
    for index in match_layers:
        layer = model.blocks[index].attention
        for kv, (query, key) in enumerate(((read[0], before), (before, twice))):
            q = layer.q.weight[kv * group * d : kv * group * d + d]
            k = layer.k.weight[kv * d : (kv + 1) * d]
            q.zero_()
            k.zero_()
            q[slow], k[slow] = MATCH * query[: len(slow)], MATCH * key[: len(slow)]
            layer.v.weight[kv * d : kv * d + width] = read[kv]
            layer.o.weight[:, kv * group * d : kv * group * d + width] = 2 * TOKEN_STD * read[kv].T
