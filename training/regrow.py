"""A checkpoint for another vocabulary of the same pieces: `python training/regrow.py --checkpoint OLD.pt --old tokenizer.json --out NEW.pt`.

Embeddings of tokens that stay go along, those of new capitals come from their small letters (parallel_case.py). Optimizer states stay behind. Before any
training the seen validation loss went from 0.024 to 0.098 so.
"""

import argparse
import json
from pathlib import Path

import torch

from parallel_case import regrown

HERE = Path(__file__).parent


def vocabulary(path: Path) -> dict[str, int]:
    return json.loads(path.read_text(encoding="utf-8"))["model"]["vocab"]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--old", type=Path, required=True, help="the tokenizer.json that the checkpoint was trained with")
    parser.add_argument("--new", type=Path, default=HERE / "tokenizer" / "tokenizer.json")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    saved = torch.load(args.checkpoint, weights_only=True, map_location="cpu")
    old, new = vocabulary(args.old), vocabulary(args.new)
    model = dict(saved["model"])
    model["embedding.weight"] = regrown(model["embedding.weight"].float(), old, new)
    config = {**saved["config"], "vocab_size": len(new)}
    torch.save({"model": model, "step": saved["step"], "tokens": saved["tokens"], "config": config}, args.out)


if __name__ == "__main__":
    main()
