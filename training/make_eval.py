"""Write the evaluation records for the TypeScript bench.

`extraction-seen.jsonl`: new records of trained domains, templates and layouts.
`extraction-heldout.jsonl`: domains, field names, layouts, tools and cues never trained on.
Each line: id, split, domain, schema, messages, tools when there are some, expected. The engine writes
the schema into the prompt itself, so messages hold only what a user would send.
"""

import argparse
import json
import random
from pathlib import Path

from data.mixture import HELD, SEEN, draw
from data.prompt import compact

HERE = Path(__file__).parent


def records(split: str, count: int, seed: int) -> list[dict]:
    rng = random.Random(f"evaluation-{seed}-{split}")
    out = []
    while len(out) < count:
        sample = draw(rng, SEEN if split == "seen" else HELD)
        line = {"id": f"{split}-{len(out):04d}", "split": split, "domain": sample["domain"], "schema": sample["schema"], "messages": sample["messages"]}
        if "tools" in sample:
            line["tools"] = sample["tools"]
        line["expected"] = json.loads(sample["expected"])
        if len(compact(line)) < 4000:
            out.append(line)
    return out


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, default=HERE.parent / "models" / "eval")
    parser.add_argument("--count", type=int, default=600)
    parser.add_argument("--seed", type=int, default=11)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    for split in ("seen", "heldout"):
        lines = "".join(compact(line) + "\n" for line in records(split, args.count, args.seed))
        (args.out / f"extraction-{split}.jsonl").write_text(lines, encoding="utf-8")


if __name__ == "__main__":
    main()
