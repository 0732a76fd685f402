"""The weighted mean of two checkpoints of one shape: `python training/average.py A B --share 0.4 --out C` takes 0.4 of B.

Weights that went on from A on other data, averaged with A, keep most of what A knew and have most of what was new
(Wortsman et al., 2022, "Robust fine-tuning of zero-shot models"). Prints the validation of the mean.
"""

import argparse
import json
from pathlib import Path

import torch
from model import restored
from precision import mixed
from train import HERE, validate


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("a", type=Path)
    parser.add_argument("b", type=Path)
    parser.add_argument("--share", type=float, default=0.5, help="of B")
    parser.add_argument("--work", type=Path, default=HERE / "work", help="has the validation shards")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    a, b = (torch.load(path, weights_only=True, map_location="cpu") for path in (args.a, args.b))
    mean = {name: (1 - args.share) * a["model"][name].float() + args.share * weights.float() for name, weights in b["model"].items()}
    model = restored({"config": b["config"], "model": mean}).eval()
    with mixed("cpu"):
        print(json.dumps(validate(model, sorted((args.work / "validation").glob("*.npz")))))
    if args.out:
        torch.save({"model": mean, "step": b["step"], "tokens": b["tokens"], "config": b["config"]}, args.out)


if __name__ == "__main__":
    main()
