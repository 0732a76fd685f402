"""Write evaluation records: `python training/make_eval.py` for those in models/eval.

`seen`: new records of trained domains, templates and layouts. `heldout` (development) and `fresh`: domains, field names,
layouts, tools and cues never trained on; training data was chosen after errors on the first, never after errors on the second.
The seed decides the records; another seed gives others:

    python training/make_eval.py --seed 21 --heldout 3000 --seen 1000 --one bench/reliability/requests/extraction.jsonl.gz

Each line is one record: `id`, `split`, `domain`, `schema`, `messages` (what a user would send: the engine
writes the schema into the prompt itself), `tools` when there are some, `expected` (the right answer, a JSON value).
"""

import argparse
import gzip
import json
import random
from pathlib import Path

from data.mixture import FRESH, HELD, SEEN, draw
from data.prompt import compact

HERE = Path(__file__).parent
LONGEST = 4000
SHARES = {"heldout": HELD, "seen": SEEN, "fresh": FRESH}


def records(split: str, count: int, seed: int) -> list[str]:
    """Lines of JSON; a record longer than `LONGEST` characters is drawn again."""
    rng = random.Random(f"evaluation-{seed}-{split}")
    out: list[str] = []
    while len(out) < count:
        sample = draw(rng, SHARES[split])
        line = {"id": f"{split}-{len(out):04d}", "split": split, "domain": sample["domain"], "schema": sample["schema"], "messages": sample["messages"]}
        if "tools" in sample:
            line["tools"] = sample["tools"]
        line["expected"] = json.loads(sample["expected"])
        if len(text := compact(line)) < LONGEST:
            out.append(text + "\n")
    return out


def write(path: Path, lines: list[str]) -> None:
    """UTF-8, gzipped when the name says so, the same bytes for the same lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = "".join(lines).encode()
    path.write_bytes(gzip.compress(data, 9, mtime=0) if path.suffix == ".gz" else data)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, default=HERE.parent / "models" / "eval", help="folder of one file per split")
    parser.add_argument("--one", type=Path, help="one file of the held-out (first) and seen records instead, no fresh ones; .gz is gzipped")
    parser.add_argument("--heldout", type=int, default=600)
    parser.add_argument("--seen", type=int, default=600)
    parser.add_argument("--fresh", type=int, default=500)
    parser.add_argument("--seed", type=int, default=11)
    args = parser.parse_args()
    parts = {split: records(split, count, args.seed) for split, count in (("heldout", args.heldout), ("seen", args.seen))}
    if args.one:
        write(args.one, [line for lines in parts.values() for line in lines])
        return
    parts["fresh"] = records("fresh", args.fresh, args.seed)
    for split, lines in parts.items():
        write(args.out / f"extraction-{split}.jsonl", lines)


if __name__ == "__main__":
    main()
