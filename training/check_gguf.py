"""The GGUF in llama.cpp against PyTorch: `python training/check_gguf.py --model models/embedded`.

Exports it to a temporary file, runs it through node-llama-cpp (`bench/peers/node-llama-cpp`, installed as
the README there says; without it this says so and ends well) and reports the largest difference of a logit over
the answers of some records, how often the top token is the same, and whether the greedy answers are.
Both get the same token ids: llama.cpp has no pre-tokenizer like ours, and how many prompts its own cuts alike is reported.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from data.mixture import HELD, SEEN, draw
from data.prompt import END, render
from export import HERE
from export_gguf import export, loaded, source

PEER = HERE.parent / "bench" / "peers" / "node-llama-cpp"


@torch.no_grad()
def greedy(model, ids: list[int], limit: int) -> list[int]:
    out: list[int] = []
    logits, past = model(torch.tensor([ids]))
    while len(out) < limit and (token := int(logits[0, -1].argmax())) != END:
        out.append(token)
        logits, past = model(torch.tensor([[token]]), past)
    return out


def main() -> None:
    parser = argparse.ArgumentParser()
    source(parser)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--limit", type=int, default=200)
    parser.add_argument("--record", type=Path, help="write the numbers here as JSON")
    args = parser.parse_args()
    if not (PEER / "node_modules" / "node-llama-cpp").is_dir():
        sys.exit(print("skipped: node-llama-cpp is not installed in bench/peers/node-llama-cpp"))
    torch.set_num_threads(1)
    model = loaded(args)
    folder_of_tokenizer = args.model or HERE / "tokenizer"
    tokenizer = Tokenizer.from_file(str(folder_of_tokenizer / "tokenizer.json"))
    rng = random.Random(6)
    samples = [draw(rng, SEEN if i % 2 else HELD) for i in range(args.count)]
    texts = [render(s) for s in samples]
    prompts = [tokenizer.encode(t).ids for t in texts]
    whole = [p + tokenizer.encode(s["expected"]).ids for p, s in zip(prompts, samples)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.gguf"
        export(model, path, folder_of_tokenizer)
        asked = {"model": str(path), "prompts": whole, "texts": texts, "from": [len(p) - 1 for p in prompts], "limit": args.limit, "end": END}
        done = subprocess.run(["node", "logits.mjs"], cwd=PEER, input=json.dumps(asked), capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"node-llama-cpp failed:\n{done.stderr[-2000:]}")
    largest, total, same_top, positions, same_answer, same_ids = 0.0, 0.0, 0, 0, 0, 0
    for prompt, ids, theirs in zip(prompts, whole, json.loads(done.stdout)):
        with torch.no_grad():
            wanted = model(torch.tensor([ids]))[0][0, len(prompt) - 1 :].numpy()
        got = np.array(theirs["logits"], np.float32)
        difference = np.abs(got - wanted)
        largest, total = max(largest, float(difference.max())), total + float(difference.mean()) * len(got)
        same_top += int((got.argmax(-1) == wanted.argmax(-1)).sum())
        positions += len(got)
        same_answer += int(theirs["greedy"] == greedy(model, prompt, args.limit))
        same_ids += int(theirs["ids"] == prompt)
    report = {
        "prompts": len(prompts), "positions": positions, "logit_max_abs": round(largest, 5), "logit_mean_abs": round(total / positions, 5),
        "same_top_token": round(same_top / positions, 4), "same_greedy_answer": same_answer, "same_token_ids_from_text": same_ids,
    }
    print(json.dumps(report, indent=2))
    if args.record:
        args.record.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
