"""What trained domains share with the held-out sets: `python training/check_held_out.py [more trained files]`.

For the development set and the fresh one: names of domains in both, the share of held-out field names that a
trained field has too, and sentences (without placeholders, in lower case) in both. It names only what is to be
changed on the trained side. The exit status is 1 if the fresh set shares a domain, more field names than `SHARED`
(the development set's share when it was written, 1 of 136), or a sentence. Further files count as trained.
The same for cues of classification: it names a trained one that a held-out set has too, and exits with 1.
Then it draws texts of every layout in `TRAINED_LAYOUTS` and counts those in the shape of a fresh layout: add new layouts to it.
"""

import argparse
import random
import re
import sys
from pathlib import Path

from data import fresh, labels
from data.classify import TASKS
from data.domains import FOLDER, FRESH_DOMAINS, HELD_OUT, TRAINED, Domain, load, names_of
from data.layouts import SHAPES, any_table
from data.marks import any_pattern, row_pattern
from data.phrasings import FAMILY_LAYOUTS, gapped, phrased
from data.render import LAYOUTS
from data.tables import wild_table

SHARED = 1 / 136


def one_line(r: random.Random, pairs: list[tuple[str, str]]) -> str:
    return any_table(r, [pairs])


def one_wild_line(r: random.Random, pairs: list[tuple[str, str]]) -> str:
    return wild_table(r, [pairs])


def wild_lines(r: random.Random, pairs: list[tuple[str, str]]) -> str:
    return wild_table(r, [pairs, [(label, value + "s") for label, value in pairs]])


TRAINED_LAYOUTS = (*dict.fromkeys(LAYOUTS), any_pattern, row_pattern, *dict.fromkeys(SHAPES), one_line, one_wild_line, wild_lines, phrased, gapped, *FAMILY_LAYOUTS)


def sentences_of(*sets: dict[str, Domain]) -> dict[str, str]:
    """Every sentence with a word of its own, made bare, to where it stands."""
    out: dict[str, str] = {}
    for d in (d for domains in sets for d in domains.values()):
        for where, text in [*((f"{d.name}, {f.names[0]}", s) for f in d.fields for s in f.sentences), *((d.name, s) for s in d.sentences)]:
            bare = " ".join(re.sub(r"\{[^}]*\}", " ", text).lower().split())
            if re.search("[a-z]", bare):
                out[bare] = f"{out[bare]}; {where}" if bare in out else where
    return out


def report(title: str, held_out: dict[str, Domain], trained: list[dict[str, Domain]]) -> bool:
    """Prints what is shared; whether the set is as far from training as a fresh one has to be."""
    domains = [name for part in trained for name in part if name in held_out]
    names, known = names_of(held_out), names_of(*trained)
    shared = names & known
    told, asked = sentences_of(*trained), sentences_of(held_out)
    both = sorted(told.keys() & asked.keys())
    print(f"{title}: {len(domains)} domains shared, {len(shared)} of {len(names)} field names ({100 * len(shared) / len(names):.1f}%), {len(both)} of {len(asked)} sentences")
    for name in domains:
        print(f"  domain {name}")
    for part in trained:
        for d in part.values():
            for f in d.fields:
                if again := [n for n in f.names if n in shared]:
                    print(f"  name {', '.join(again)} of field {f.names[0]} of {d.name}")
    for bare in both:
        print(f"  sentence '{bare}' of {told[bare]}")
    return not domains and len(shared) <= SHARED * len(names) and not both


def fresh_shapes(count: int = 20000) -> bool:
    """Prints which trained layouts look like a fresh one; whether one does more than once in a thousand texts (any marks do by chance)."""
    clean = True
    for layout in TRAINED_LAYOUTS:
        r = random.Random(f"shapes-{layout.__name__}")
        drawn = count // 10 if layout in FAMILY_LAYOUTS else count
        texts = [layout(r, [("label", "value"), ("other", "thing")]).lower() for _ in range(drawn)]
        if hits := sum(any(re.search(shape, text) for shape in fresh.SHAPES) for text in texts):
            print(f"layout {layout.__name__}: {hits} of {drawn} texts in the shape of a fresh layout")
            clean = clean and hits <= drawn / 1000
    return clean


def cues_apart() -> bool:
    """Prints the trained cues of classification that a held-out set has too; whether there are none."""

    def bare(cue: str) -> str:
        return " ".join(re.findall(r"\w+", cue.lower()))

    held_out = {bare(told.split("|")[-1]) for cues in TASKS.values() for told in cues.values()} | {bare(cue) for cue in fresh.CUES.values()}
    again = [(task.keys[0], label, cue) for task in labels.ALL for label, cues in task.cues.items() for cue in cues if bare(cue) in held_out]
    for key, label, cue in again:
        print(f"cue '{cue}' of {label} of {key}")
    print(f"classification: {len(again)} trained cues among {len(held_out)} held-out ones")
    return not again


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("files", type=Path, nargs="*", help="domain files that count as trained beside those in training/data")
    files = [path for path in parser.parse_args().files if path.resolve().parent != FOLDER.resolve()]
    trained = [TRAINED, *(load(path) for path in files)]
    report("held out (development)", HELD_OUT, trained)
    apart = report("held out (fresh)", FRESH_DOMAINS, trained)
    apart = cues_apart() and apart
    sys.exit(0 if fresh_shapes() and apart else 1)


if __name__ == "__main__":
    main()
