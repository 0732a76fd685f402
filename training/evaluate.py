"""Field accuracy of a model folder, greedy and unconstrained.

`python training/evaluate.py --model models/embedded` reads the evaluation records and counts,
by split and domain, the leaf fields (by JSON pointer) that are exactly right, whole answers
that are, and answers that are JSON at all. The constrained numbers come from the bench in TypeScript.
"""

import argparse
import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import onnx
from tokenizers import Tokenizer

from data.prompt import END, compact, render
from onnx_export.check import Runner

HERE = Path(__file__).parent
ROOT = HERE.parent


def leaves(value, pointer: str = "") -> dict:
    """JSON pointer to scalar (or empty container) for every leaf."""
    if isinstance(value, dict) and value:
        return {k: v for key, part in value.items() for k, v in leaves(part, f"{pointer}/{key}").items()}
    if isinstance(value, list) and value:
        return {k: v for i, part in enumerate(value) for k, v in leaves(part, f"{pointer}/{i}").items()}
    return {pointer: compact(value)}


def greedy(runner: Runner, tokenizer: Tokenizer, prompt: str, limit: int = 400) -> str:
    step, past, out = np.array([tokenizer.encode(prompt).ids]), runner.empty(), []
    while len(out) < limit:
        logits, past = runner.step(step, past)
        token = int(logits[0, -1].argmax())
        if token == END:
            break
        out.append(token)
        step = np.array([[token]])
    return tokenizer.decode(out, skip_special_tokens=False)


def score(line: dict, answer: str) -> dict:
    wanted = leaves(line["expected"])
    try:
        got, valid = leaves(json.loads(answer)), 1
    except json.JSONDecodeError:
        got, valid = {}, 0
    right = sum(got.get(pointer) == value for pointer, value in wanted.items())
    return {"fields": len(wanted), "right": right, "whole": int(got == wanted), "json": valid, "records": 1}


def summary(counts: dict) -> dict:
    n = counts["records"]
    return {"records": n, "fields": counts["fields"], "field_accuracy": round(counts["right"] / counts["fields"], 4), "whole_records": round(counts["whole"] / n, 4), "valid_json": round(counts["json"] / n, 4)}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path, default=ROOT / "models" / "embedded")
    parser.add_argument("--eval", type=Path, default=ROOT / "models" / "eval")
    parser.add_argument("--count", type=int, help="records of each split; all unless given")
    parser.add_argument("--record", type=Path, help="write the numbers here as JSON")
    parser.add_argument("--show", type=int, default=0, help="print this many wrong answers")
    args = parser.parse_args()
    config = json.loads((args.model / "config.json").read_text())
    shape = {"num_layers": config["num_hidden_layers"], "num_kv_heads": config["num_key_value_heads"], "head_dim": config["head_dim"]}
    runner = Runner(onnx.load(args.model / "onnx" / "model.onnx"), shape)
    tokenizer = Tokenizer.from_file(str(args.model / "tokenizer.json"))
    report, shown = {}, 0
    for split in ("seen", "heldout", "fresh"):
        totals: dict[str, dict] = defaultdict(lambda: defaultdict(int))
        for text in (args.eval / f"extraction-{split}.jsonl").read_text(encoding="utf-8").splitlines()[: args.count]:
            line = json.loads(text)
            answer = greedy(runner, tokenizer, render(line))
            result = score(line, answer)
            for key in ("all", line["domain"]):
                for name, value in result.items():
                    totals[key][name] += value
            if not result["whole"] and shown < args.show:
                shown += 1
                print(f"--- {line['id']} {line['messages'][-1]['content']}\nwanted {compact(line['expected'])}\ngot    {answer}")
        report[split] = {key: summary(value) for key, value in totals.items()}
    print(json.dumps({split: part["all"] for split, part in report.items()}, indent=2))
    if args.record:
        args.record.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
