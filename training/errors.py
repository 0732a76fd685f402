"""Where a checkpoint errs: `python training/errors.py --checkpoint training/work/dense.pt`.

Teacher-forced, new samples of each kind: the share of samples with an error, of values, keys and ends of arrays
whose tokens are not all the greedy choice, and of wrong values how many are wrong from their first token (the
wrong place) and how many later (a copy that went astray). Two minutes of one core.
"""

import argparse
import json
import random
from collections import Counter
from pathlib import Path

import torch
from tokenizers import Tokenizer

from data import extract, render
from data.classify import classification, mentioned_label
from data.loose import loose_call, loose_record, mixed_record
from data.marks import wrapped
from data.phrasings import phrased
from data.prompt import END, compact, render as prompt_of
from data.related import related_call, related_record
from data.rows import bare_rows, table_record
from data.schemas import Dialect, object_schema
from data.tools import invented_call, known_call
from data.typed import typed_record
from data.words import invented
from export import HERE, load


def in_layout(layout):
    """Records of invented names in one layout only."""

    def make(r: random.Random) -> dict:
        slots = [extract.Slot(n, n, r.choice(extract.v.ANY_KINDS)(r)) for n in dict.fromkeys(extract.random_name(r) for _ in range(r.randint(1, 8)))]
        text = layout(r, [(s.label, s.value.text) for s in slots])
        return {"domain": "invented", **extract.finish(r, slots, extract.noisy(r, text), extract.random_name(r))}

    return make


PLAIN = Dialect("snake", "leave", False, 0, "last", True, False)


def labels(change):
    """Lines of a label of one invented word and a value; the labels are the keys of the schema, changed so."""

    def make(r: random.Random) -> dict:
        slots = [extract.Slot(n, n, extract.v.Value(w, w, extract.v.STRING)) for n, w in {invented(r): invented(r) for _ in range(5)}.items()]
        schema, expected = object_schema(r, r.sample(slots, len(slots)), PLAIN)
        text = "\n".join(f"{change(s.label)}: {s.value.text}" for s in slots)
        return {"domain": "invented", "schema": schema, "messages": [{"role": "user", "content": f"Extract: {text}"}], "expected": compact(expected)}

    return make


KINDS = {
    "labels as the keys": labels(str), "labels capitalised": labels(str.capitalize), "labels in capitals": labels(str.upper),
    "domain": lambda r: extract.domain_record(r), "invented": lambda r: extract.random_record(r), "rows": lambda r: extract.many_records(r),
    "values only": extract.values_only, "values in order": extract.values_in_order, "one value": extract.one_value,
    "loose": loose_record, "mixed": mixed_record, "typed": typed_record, "classification": lambda r: classification(r), "label in the text": mentioned_label,
    "known tool": lambda r: known_call(r), "invented tool": invented_call, "loose tool": loose_call, "related": related_record, "related tool": related_call, "layout any marks": in_layout(wrapped),
    "layout phrases": in_layout(phrased), "table": table_record, "lines without header": bare_rows,
    **{f"layout{f.__name__}": in_layout(f) for f in dict.fromkeys(render.LAYOUTS)},
    **{f"held-out layout{f.__name__}": in_layout(f) for f in render.HELD_OUT_LAYOUTS},
}


def parts(value, out: list[tuple[str, int, int]], at: int = 0) -> int:
    """Appends (what, start, end) of keys, values and ends of arrays in the compact text; returns where it ends."""
    if isinstance(value, dict):
        for key, part in value.items():
            out.append(("key", at + 1, at + 1 + len(compact(key))))
            at = parts(part, out, out[-1][2] + 1)
        return at + 1 if value else at + 2
    if isinstance(value, list):
        for part in value:
            at = parts(part, out, at + 1)
        out.append(("end", at, at + 1))
        return at + 1 if value else at + 2
    out.append(("value", at, at + len(compact(value))))
    return out[-1][2]


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--count", type=int, default=60, help="samples of each kind")
    parser.add_argument("--tokenizer", type=Path, default=HERE / "tokenizer" / "tokenizer.json")
    parser.add_argument("--record", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    model, _ = load(args.checkpoint)
    tokenizer = Tokenizer.from_file(str(args.tokenizer))
    report = {}
    for name, make in KINDS.items():
        rng, counts = random.Random(f"errors-{name}"), Counter()
        for _ in range(args.count):
            sample = make(rng)
            prompt, answer = tokenizer.encode(prompt_of(sample)).ids, tokenizer.encode(sample["expected"])
            ids = prompt + answer.ids
            if len(ids) > model.c.max_positions:
                continue
            logits = model(torch.tensor([ids]))[0][0, len(prompt) - 1 :]
            wrong = [a != b for a, b in zip(logits.argmax(-1).tolist(), [*answer.ids, END])]
            counts["samples"] += 1
            counts["samples wrong"] += any(wrong)
            spans: list[tuple[str, int, int]] = []
            parts(json.loads(sample["expected"]), spans)
            for what, start, end in spans:
                bad = [i for i, (a, b) in enumerate(answer.offsets) if a < end and b > start and wrong[i]]
                counts[what] += 1
                counts[f"{what} wrong"] += bool(bad)
                # The quote before a string shares its token with punctuation: its first character is what is chosen.
                counts["from the first"] += bool(bad) and what == "value" and answer.offsets[bad[0]][0] <= start + 1
        share = {what: round(counts[f"{what} wrong"] / max(1, counts[what]), 3) for what in ("samples", "value", "key", "end")}
        report[name] = {**share, "values": counts["value"], "from the first token": round(counts["from the first"] / max(1, counts["value wrong"]), 2)}
        print(f"{name:26} wrong: samples {share['samples']:.2f}  values {share['value']:.3f} of {counts['value']}  keys {share['key']:.3f}  array ends {share['end']:.3f}", flush=True)
    if args.record:
        args.record.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
