"""Batches of samples of about equal length, in an order fixed by the seed.

Each batch is one sample per row, padded on the right to the longest; only answer tokens carry
loss. A shard's samples are sorted by length, cut into batches of at most `budget` padded
tokens, and the batches shuffled.
"""

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from data.prompt import PAD

IGNORED = -100


class Shard:
    def __init__(self, path: Path):
        with np.load(path) as data:
            self.tokens, self.offsets, self.answers = data["tokens"], data["offsets"], data["answers"]

    def __len__(self) -> int:
        return len(self.answers)

    def rows(self, indices: list[int]) -> tuple[Tensor, Tensor]:
        """Input ids and next-token targets, both [B, T]; targets only on the answer."""
        longest = max(int(self.offsets[i + 1] - self.offsets[i]) for i in indices) - 1
        ids = np.full((len(indices), longest), PAD, np.int64)
        targets = np.full((len(indices), longest), IGNORED, np.int64)
        for row, i in enumerate(indices):
            sample = self.tokens[self.offsets[i] : self.offsets[i + 1]].astype(np.int64)
            start = int(self.answers[i]) - 1
            ids[row, : len(sample) - 1] = sample[:-1]
            targets[row, start : len(sample) - 1] = sample[start + 1 :]
        return torch.from_numpy(ids), torch.from_numpy(targets)

    def batches(self, budget: int, seed: str) -> list[list[int]]:
        lengths = np.diff(self.offsets)
        out: list[list[int]] = []
        current: list[int] = []
        for index in np.argsort(lengths, kind="stable"):
            if current and (len(current) + 1) * int(lengths[index]) > budget:
                out.append(current)
                current = []
            current.append(int(index))
        out.append(current)
        random.Random(seed).shuffle(out)
        return out


def stream(paths: list[Path], budget: int, seed: int, skip: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
    """Every shard in turn, again and again; `skip` batches are passed over without reading rows."""
    turn = 0
    while True:
        for path in paths:
            shard = Shard(path)
            for indices in shard.batches(budget, f"{seed}-{turn}-{path.name}"):
                if skip > 0:
                    skip -= 1
                    continue
                yield shard.rows(indices)
        turn += 1
