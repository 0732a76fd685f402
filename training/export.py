"""Checkpoint to a model folder: `python training/export.py --checkpoint C --out models/embedded`.

Writes the ONNX graph with its weights inside, the configurations and the tokenizer, then checks
the graph against PyTorch, both without quantization (the graph is right) and with it (its cost).
"""

import argparse
import json
import random
from pathlib import Path

import torch
from tokenizers import Tokenizer

from data.mixture import HELD, SEEN, draw
from data.prompt import render
from model import Decoder, restored
from onnx_export.check import Runner, largest_difference
from onnx_export.folder import write
from onnx_export.graph import build

HERE = Path(__file__).parent


def load(checkpoint: Path) -> tuple[Decoder, dict]:
    saved = torch.load(checkpoint, weights_only=True, map_location="cpu")
    return restored(saved).eval(), saved


def graph_of(model: Decoder, bits: int, accuracy_level: int):
    weights = {key: value.float().numpy() for key, value in model.state_dict().items()}
    return build(model.c.to_dict(), weights, model.cos.numpy(), model.sin.numpy(), bits, accuracy_level)


def check_samples(tokenizer: Tokenizer, count: int = 10) -> list[list[int]]:
    rng = random.Random(5)
    samples = [draw(rng, SEEN if i % 2 else HELD) for i in range(count)]
    return [tokenizer.encode(render(s) + s["expected"]).ids for s in samples]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, default=HERE / "tokenizer")
    parser.add_argument("--bits", type=int, default=8, choices=(4, 8, 32))
    parser.add_argument("--accuracy-level", type=int, default=4, help="MatMulNBits: 0 computes in float32, 4 in int8")
    parser.add_argument("--record", type=Path, help="write the checks here as JSON")
    args = parser.parse_args()
    torch.set_num_threads(1)
    model, saved = load(args.checkpoint)
    config = model.c.to_dict()
    samples = check_samples(Tokenizer.from_file(str(args.tokenizer / "tokenizer.json")))
    graph = graph_of(model, args.bits, args.accuracy_level)
    report = {"step": saved["step"], "tokens": saved["tokens"], "parameters": sum(p.numel() for p in model.parameters())}
    report["float32"] = largest_difference(model, Runner(graph_of(model, 32, 0), config), samples)
    report[f"int{args.bits}"] = largest_difference(model, Runner(graph, config), samples)
    report["bytes"] = write(args.out, graph, config, args.tokenizer)
    print(json.dumps(report, indent=2))
    if args.record:
        args.record.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
