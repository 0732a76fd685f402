"""Generate, tokenize and store training samples ahead of training.

A shard is one .npz: `tokens` (uint16, all samples end to end), `offsets` (int64,
one more than samples) and `answers` (int64, where each answer starts inside its sample).
Shard k depends on (seed, k, mixture) alone.
"""

import argparse
import random
from multiprocessing import Pool
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from data.mixture import EASY, HELD, LABELS, SEEN, TRAINING, draw
from data.prompt import END, render

HERE = Path(__file__).parent
LONGEST = 1536


def make(job: tuple[str, int, int, int, str, Path]) -> str:
    mixture, index, size, seed, tokenizer_path, out = job
    tokenizer = Tokenizer.from_file(tokenizer_path)
    rng = random.Random(f"{seed}-{mixture}-{index}")
    shares = {"easy": EASY, "full": TRAINING, "labels": LABELS, "seen": SEEN, "heldout": HELD}[mixture]
    tokens, offsets, answers = [], [0], []
    while len(answers) < size:
        sample = draw(rng, shares)
        prompt = tokenizer.encode(render(sample)).ids
        ids = prompt + tokenizer.encode(sample["expected"]).ids + [END]
        if len(ids) > LONGEST:
            continue
        tokens += ids
        offsets.append(len(tokens))
        answers.append(len(prompt))
    name = f"{mixture}-{index:03d}" if mixture in ("easy", "full", "labels") else mixture
    path = out / f"{name}.npz"
    # A trainer may wait for the name.
    unfinished = path.with_suffix(".part")
    with unfinished.open("wb") as file:
        np.savez(file, tokens=np.array(tokens, np.uint16), offsets=np.array(offsets), answers=np.array(answers))
    unfinished.replace(path)
    return f"{path.name}: {size} samples, {len(tokens)} tokens"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", type=Path, default=HERE / "work")
    parser.add_argument("--tokenizer", type=Path, default=HERE / "tokenizer" / "tokenizer.json")
    parser.add_argument("--size", type=int, default=10000)
    parser.add_argument("--easy", type=int, default=2, help="shards of short, simple samples")
    parser.add_argument("--full", type=int, default=30, help="shards of the training mixture")
    parser.add_argument("--first", type=int, default=0, help="index of the first full shard")
    parser.add_argument("--labels", type=int, default=0, help="shards two thirds of which are classification")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    args = parser.parse_args()
    shards, validation = args.work / "shards", args.work / "validation"
    shards.mkdir(parents=True, exist_ok=True)
    validation.mkdir(parents=True, exist_ok=True)
    tokenizer = str(args.tokenizer)
    # Not the fresh split: whoever watches the validation loss steers by it.
    splits = [(split, 0, 300, args.seed + 1000, tokenizer, validation) for split in ("seen", "heldout")]
    jobs = splits + [("easy", i, args.size, args.seed, tokenizer, shards) for i in range(args.easy)]
    jobs += [("full", args.first + i, args.size, args.seed, tokenizer, shards) for i in range(args.full)]
    jobs += [("labels", i, args.size, args.seed, tokenizer, shards) for i in range(args.labels)]
    with Pool(args.processes) as workers:
        for line in workers.imap(make, jobs):
            print(line, flush=True)


if __name__ == "__main__":
    main()
