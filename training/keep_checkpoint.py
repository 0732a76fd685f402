"""A training checkpoint to the small one in git: weights in bfloat16, no optimizer state.

`python training/keep_checkpoint.py --checkpoint training/work/dense.pt --out training/checkpoint/dense-before-decay.pt`. Muon's momentum forgets within
20 steps and AdamW only moves the embedding, so `--resume` of weights alone warms up new optimizers over 100 steps instead.
"""

import argparse
from pathlib import Path

import torch


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    saved = torch.load(args.checkpoint, weights_only=True, map_location="cpu")
    weights = {name: value.bfloat16() for name, value in saved["model"].items()}
    torch.save({"model": weights, **{key: saved[key] for key in ("step", "tokens", "config")}}, args.out)


if __name__ == "__main__":
    main()
