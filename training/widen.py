"""A checkpoint with wider attention that answers as before: `python training/widen.py --checkpoint OLD.pt --config dense --out NEW.pt`.

Key/value heads are doubled (each copy serves half of the query heads of the old one) until there are as many as the configuration has, and a
head grows from D to a multiple m D: dimension i of the old half-split rotation turns as fast as dimension m i of the new one (the same theta), so
old dimensions go there, times sqrt(m) in the queries for the scale of the scores. New query rows and output columns are zero, new keys and
values random. Optimizer states stay behind.
"""

import argparse
import json
from pathlib import Path

import torch
from torch import Tensor

HERE = Path(__file__).parent


def spread(weight: Tensor, heads: int, size: int, times: int, fill: float) -> Tensor:
    """Rows [heads * size, C] to [heads * size * times, C], in the order of the rotation; new rows are normal with deviation `fill`."""
    old = weight.view(heads, 2, size // 2, -1)
    new = torch.randn(heads, 2, size // 2, times, old.shape[-1]) * fill
    new[:, :, :, 0] = old
    return new.reshape(heads * size * times, -1)


def widened(model: dict[str, Tensor], old: dict, new: dict) -> dict[str, Tensor]:
    """State of a model of configuration `old` as one of `new`. Raises ValueError where anything but these two sizes differs or one is no multiple."""
    grown = ("num_kv_heads", "head_dim")
    if any(new[name] % old[name] if name in grown else new[name] != value for name, value in old.items()):
        raise ValueError(f"{new} is no wider {old}: only num_kv_heads and head_dim may differ, by whole multiples; choose another --config")
    copies, times = (new[name] // old[name] for name in grown)
    size, fill, out = old["head_dim"], old["hidden_size"] ** -0.5, dict(model)
    for name, weight in model.items():
        kind = name.split(".")[-2]
        if kind == "q":
            out[name] = spread(weight * times**0.5, old["num_heads"], size, times, 0.0)
        elif kind in ("k", "v"):
            doubled = weight.view(old["num_kv_heads"], size, -1).repeat_interleave(copies, 0)
            out[name] = spread(doubled.reshape(-1, weight.shape[1]), new["num_kv_heads"], size, times, fill)
        elif kind == "o":
            out[name] = spread(weight.T.contiguous(), old["num_heads"], size, times, 0.0).T.contiguous()
    return out


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--config", default="dense")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    torch.manual_seed(0)
    saved = torch.load(args.checkpoint, weights_only=True, map_location="cpu")
    new = {**saved["config"], **json.loads((HERE / "configs" / f"{args.config}.json").read_text())["model"]}
    model = widened({name: weight.float() for name, weight in saved["model"].items()}, saved["config"], new)
    torch.save({"model": model, "step": saved["step"], "tokens": saved["tokens"], "config": new}, args.out)


if __name__ == "__main__":
    main()
