"""Batches of samples of about equal length, in an order fixed by the seed.

Each batch is one sample per row, padded on the right to the longest; only answer tokens carry
loss. A shard's samples are sorted by length, cut into batches of at most `budget` padded
tokens, and the batches shuffled.
"""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from data.prompt import PAD

IGNORED = -100
PATIENCE_S = 600


@dataclass(frozen=True)
class Batch:
    """Rows [B, T] of input ids. The N answer tokens: where each is asked for, and what it is.

    `index` [N] counts in the last `tail` positions of the rows, flattened: before `tail` no row has an answer.
    `tokens` are those that are not padding.
    """

    ids: Tensor
    index: Tensor
    targets: Tensor
    tail: int
    tokens: int

    def to(self, device: str) -> "Batch":
        move = {name: getattr(self, name).to(device, non_blocking=True) for name in ("ids", "index", "targets")}
        return replace(self, **move)

    def pin_memory(self) -> "Batch":
        return replace(self, ids=self.ids.pin_memory(), index=self.index.pin_memory(), targets=self.targets.pin_memory())


def hardest(batches: list[Batch], losses: list[Tensor], budget: int) -> Batch:
    """One batch of the rows whose losses (one tensor [B] a batch) are highest: at most `budget` padded tokens, two rows at least.

    Selective backpropagation (Jiang et al. 2019), by rank. Losses are means over a row's answer: by sums, long tables would be most of it.
    """
    longest, tail = max(b.ids.shape[1] for b in batches), max(b.tail for b in batches)
    order = torch.cat(losses).argsort(descending=True)[: max(2, budget // longest)]
    # Rows are padded on the right, tails counted from there: a shorter batch moves to the left.
    most = max(tail + longest - b.ids.shape[1] for b in batches)
    ids, wanted = [], []
    for b in batches:
        rows, short = b.ids.shape[0], longest - b.ids.shape[1]
        targets = b.targets.new_full((rows * b.tail,), IGNORED)
        targets[b.index] = b.targets
        ids.append(F.pad(b.ids, (0, short), value=PAD))
        wanted.append(F.pad(targets.view(rows, b.tail), (most - b.tail - short, short), value=IGNORED))
    targets = torch.cat(wanted)[order]
    index = torch.nonzero((targets != IGNORED).flatten()).flatten()
    chosen = torch.cat(ids)[order]
    return Batch(chosen, index, targets.flatten()[index], most, int((chosen != PAD).sum()))


@dataclass(frozen=True)
class Shape:
    """What a device wants of a batch: T a multiple of `unit` (few shapes to plan kernels for), `tail` all of T."""

    unit: int = 1
    whole: bool = False

    def padded(self, length: int) -> int:
        return -(-length // self.unit) * self.unit


class Shard:
    def __init__(self, path: Path):
        with np.load(path) as data:
            self.tokens, self.offsets, self.answers = data["tokens"], data["offsets"], data["answers"]

    def __len__(self) -> int:
        return len(self.answers)

    def batch(self, indices: list[int], shape: Shape = Shape()) -> Batch:
        longest = shape.padded(max(int(self.offsets[i + 1] - self.offsets[i]) for i in indices) - 1)
        ids = np.full((len(indices), longest), PAD, np.int64)
        targets = np.full((len(indices), longest), IGNORED, np.int64)
        for row, i in enumerate(indices):
            sample = self.tokens[self.offsets[i] : self.offsets[i + 1]].astype(np.int64)
            start = int(self.answers[i]) - 1
            ids[row, : len(sample) - 1] = sample[:-1]
            targets[row, start : len(sample) - 1] = sample[start + 1 :]
        wanted = targets != IGNORED
        tail = longest if shape.whole else longest - int(wanted.any(0).argmax())
        index = np.flatnonzero(wanted[:, longest - tail :])
        return Batch(torch.from_numpy(ids), torch.from_numpy(index), torch.from_numpy(targets[wanted]), tail, int((ids != PAD).sum()))

    def batches(self, budget: int, seed: str, shape: Shape = Shape(), group: int = 1) -> list[list[int]]:
        """Of a `group`, batches that follow each other, the rows are about as long; what is left over is not read, unless it is all."""
        lengths = np.diff(self.offsets)
        out: list[list[int]] = []
        current: list[int] = []
        for index in np.argsort(lengths, kind="stable"):
            if current and (len(current) + 1) * shape.padded(int(lengths[index])) > budget:
                out.append(current)
                current = []
            current.append(int(index))
        # One row alone would be another program to compile.
        out.append(out.pop() + current if out and len(current) == 1 else current)
        groups = [out[i : i + group] for i in range(0, len(out) - group + 1, group)] or [out]
        random.Random(seed).shuffle(groups)
        return [batch for batches in groups for batch in batches]


def awaited(path: Path) -> Path:
    """The path, once another process has written it."""
    for _ in range(PATIENCE_S * 5):
        if path.exists():
            return path
        time.sleep(0.2)
    raise FileNotFoundError(f"no {path} after {PATIENCE_S} s: is make_shards.py running?")


class Stream(IterableDataset):
    """Every shard in turn, again and again. With several workers each has every n-th shard."""

    def __init__(self, paths: list[Path], budget: int, seed: int, skip: int, shape: Shape, group: int):
        self.paths, self.budget, self.seed, self.skip, self.shape, self.group = paths, budget, seed, skip, shape, group

    def __iter__(self) -> Iterator[Batch]:
        info = get_worker_info()
        mine, workers = (info.id, info.num_workers) if info else (0, 1)
        # The loader takes one batch of each worker in turn.
        skip, turn = (self.skip + workers - 1 - mine) // workers, 0
        while True:
            for path in islice(self.paths, mine, None, workers):
                shard = Shard(awaited(path))
                for indices in shard.batches(self.budget, f"{self.seed}-{turn}-{path.name}", self.shape, self.group):
                    if skip > 0:
                        skip -= 1
                        continue
                    yield shard.batch(indices, self.shape)
            turn += 1


def stream(paths: list[Path], budget: int, seed: int, skip: int = 0, workers: int = 0, shape: Shape = Shape(), group: int = 1) -> Iterator[Batch]:
    """Batches of the shards; `skip` of them are passed over without reading rows. `workers` processes prepare them ahead."""
    if not paths:
        raise FileNotFoundError("no shard fits the pattern: run make_shards.py")
    data = Stream(paths, budget, seed, skip, shape, group)
    ahead = {"prefetch_factor": 8, "pin_memory": torch.cuda.is_available()} if workers else {}
    return iter(DataLoader(data, batch_size=None, num_workers=min(workers, len(paths)), **ahead))
