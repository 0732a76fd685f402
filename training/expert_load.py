"""Which experts a mixture uses: load per layer, and what each expert is chosen for.

Over the evaluation records (prompt and right answer): for each layer the share of the top-k choices
that go to each expert, times the number of experts (1 is even), and for each kind of token the
expert it goes to most, with its lift over that expert's load.
"""

import argparse
import json
from collections import defaultdict
from pathlib import Path

import torch
from tokenizers import Tokenizer

from data.prompt import compact, render
from export import HERE, load


def kind(token: str) -> str:
    if token.startswith("<|"):
        return "special"
    if token == "Ġ":
        return "space"
    if token.isdigit():
        return "digit"
    if all(ch in '{}[]":,' for ch in token):
        return "JSON punctuation"
    if token[0].isalpha():
        return "capitalised" if token[0].isupper() else "lower case"
    return "other"


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, default=HERE / "tokenizer" / "tokenizer.json", help="that of the checkpoint")
    parser.add_argument("--eval", type=Path, default=HERE.parent / "models" / "eval")
    parser.add_argument("--count", type=int, default=100, help="records of each split")
    parser.add_argument("--record", type=Path)
    args = parser.parse_args()
    model, _ = load(args.checkpoint)
    c = model.c
    tokenizer = Tokenizer.from_file(str(args.tokenizer))
    chosen = [defaultdict(lambda: torch.zeros(c.num_experts)) for _ in range(c.num_layers)]
    for split in ("seen", "heldout"):
        for text in (args.eval / f"extraction-{split}.jsonl").read_text(encoding="utf-8").splitlines()[: args.count]:
            line = json.loads(text)
            prompt = tokenizer.encode(render(line))
            answer = tokenizer.encode(compact(line["expected"]))
            kinds = [f"prompt: {kind(t)}" for t in prompt.tokens] + [f"answer: {kind(t)}" for t in answer.tokens]
            _, _, routers = model.hidden(torch.tensor([prompt.ids + answer.ids]))
            for layer, logits in enumerate(routers):
                for name, experts in zip(kinds, logits.topk(c.experts_per_token, -1).indices):
                    chosen[layer][name][experts] += 1
    report = []
    for layer in chosen:
        total = sum(layer.values())
        load_of = total / total.sum() * c.num_experts
        favourite = {}
        for name, counts in sorted(layer.items()):
            lift = counts / counts.sum() * c.num_experts / load_of.clamp(min=1e-6)
            best = int((counts / counts.sum()).argmax())
            favourite[name] = {"expert": best, "share": round(float(counts[best] / counts.sum()), 3), "lift": round(float(lift[best]), 2)}
        report.append({"load": [round(float(x), 3) for x in load_of], "favourite": favourite})
    print(json.dumps([layer["load"] for layer in report]))
    if args.record:
        args.record.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
