"""A shipped folder to a checkpoint: `python training/read_folder.py models/embedded-moe --out training/work/moe.pt`.

Its weights are those the 8-bit graph computes with, without optimizers: where the checkpoint they were exported from is not
at hand, training goes on from here (train.py --resume, average.py).
"""

import argparse
from pathlib import Path

import torch

from onnx_export.read import load_folder


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    model = load_folder(args.folder)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"model": model.state_dict(), "step": 0, "tokens": 0, "config": model.c.to_dict()}, args.out)


if __name__ == "__main__":
    main()
