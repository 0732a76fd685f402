"""Writes `data/relations.txt` from a WordNet 3.0 database: `python training/make_relations.py /usr/share/wordnet`.

Only the file that comes of it is needed for training; Debian has the database as wordnet-base. WordNet (Miller 1995) is a
dictionary of senses; its relations say that who writes is a writer, that height is told by high, that a lorry is a vehicle.
A line of the result is a common sense of a noun: `look ; its names ; what a text may say in their place, by relation`,
or, with the look `do`, verbs of one meaning. Common: WordNet's own counts over a tagged corpus.
"""

import argparse
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
PARTS = {"noun": "n", "verb": "v", "adj": "a"}
# Lexicographer files of nouns (lexnames(5WN)) and how values of them look.
LOOKS = {
    4: "act", 5: "kind", 6: "thing", 7: "attribute", 8: "thing", 9: "idea", 10: "text", 11: "act", 12: "idea", 13: "thing", 14: "group", 15: "place",
    16: "idea", 17: "thing", 18: "person", 19: "act", 20: "kind", 21: "money", 22: "act", 23: "amount", 26: "idea", 27: "thing", 28: "span",
}
LEAST_NOUN, LEAST_KIN = 4, 2
MOST_KIN = 6
UNCHANGED = frozenset("bet burst cast cost cut hit hurt let put quit read set shed shut split spread thrust upset".split())


@dataclass
class Synset:
    words: list[str]
    lexname: int
    lex_ids: list[int]
    pointers: list[tuple[str, str, int, int]] = field(default_factory=list)


def load(path: Path) -> dict[int, Synset]:
    """Synsets of a data file by offset (wndb(5WN))."""
    out = {}
    for line in path.read_text().splitlines():
        if line.startswith(" "):
            continue
        parts = line.split(" | ")[0].split()
        count = int(parts[3], 16)
        words = [w.split("(")[0] for w in parts[4 : 4 + 2 * count : 2]]
        ids = [int(x, 16) for x in parts[5 : 5 + 2 * count : 2]]
        at = 4 + 2 * count
        pointers = []
        for _ in range(int(parts[at])):
            symbol, offset, part, ends = parts[at + 1 : at + 5]
            pointers.append((symbol, part, int(offset), int(ends, 16)))
            at += 4
        out[int(parts[0])] = Synset(words, int(parts[1]), ids, pointers)
    return out


def counts(path: Path) -> dict[tuple[str, str, int, int], int]:
    """How often each sense was tagged, by (lemma, part of speech, lexicographer file, id)."""
    kinds = {1: "n", 2: "v", 3: "a", 5: "a"}
    out = {}
    for line in path.read_text().splitlines():
        key, _, count = line.split()
        lemma, rest = key.split("%")
        kind, lexname, lex_id = rest.split(":")[:3]
        if int(kind) in kinds:
            out[lemma, kinds[int(kind)], int(lexname), int(lex_id)] = int(count)
    return out


def irregular(path: Path) -> dict[str, list[str]]:
    """Irregular past forms of verbs: write to wrote, written (in the order of the alphabet, as the file has no other)."""
    out = defaultdict(list)
    for line in path.read_text().splitlines():
        form, *lemmas = line.split()
        if not form.endswith(("ing", "s")):
            for lemma in lemmas:
                out[lemma].append(form)
    return out


def inflected(verb: str, odd: dict[str, list[str]]) -> str:
    """base/third person/past/participle; past and participle may be swapped for irregular verbs of two forms."""
    if verb.endswith(("s", "x", "z", "ch", "sh", "o")):
        third = verb + "es"
    elif verb.endswith("y") and verb[-2] not in "aeiou":
        third = verb[:-1] + "ies"
    else:
        third = verb + "s"
    if verb in UNCHANGED:
        past = participle = verb
    elif forms := odd.get(verb):
        participle = next((f for f in forms if f.endswith("n")), forms[-1])
        past = next((f for f in forms if f != participle), participle)
    elif verb.endswith("e"):
        past = participle = verb + "d"
    elif verb.endswith("y") and verb[-2] not in "aeiou":
        past = participle = verb[:-1] + "ied"
    else:
        past = participle = verb + "ed"
    return "/".join((verb, third, past, participle))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("wordnet", type=Path)
    parser.add_argument("--out", type=Path, default=HERE / "data" / "relations.txt")
    args = parser.parse_args()
    synsets = {tag: load(args.wordnet / f"data.{name}") for name, tag in PARTS.items()}
    tagged, odd = counts(args.wordnet / "cntlist.rev"), irregular(args.wordnet / "verb.exc")

    def often(part: str, synset: Synset, index: int) -> int:
        return tagged.get((synset.words[index].lower(), part, synset.lexname, synset.lex_ids[index]), 0)

    def usable(word: str) -> bool:
        return word.islower() and word.replace("_", "").isascii() and word.replace("_", "").isalpha() and 2 < len(word) < 20 and word.count("_") < 2

    def common(part: str, synset: Synset, least: int) -> list[str]:
        return [w.replace("_", " ") for i, w in enumerate(synset.words) if usable(w) and often(part, synset, i) >= least]

    lines = []
    for synset in synsets["n"].values():
        look = LOOKS.get(synset.lexname)
        names = common("n", synset, LEAST_NOUN)
        if look is None or not names:
            continue
        kin: dict[str, list[str]] = defaultdict(list)
        for symbol, part, offset, ends in synset.pointers:
            # Adjectives that cluster about another are satellites.
            part = "a" if part == "s" else part
            if part == "r":
                continue
            other = synsets[part][offset]
            if symbol == "+" and part in "va":
                source, target = (ends >> 8) - 1, (ends & 255) - 1
                word = other.words[target]
                if synset.words[source].replace("_", " ") in names and usable(word) and "_" not in word and often(part, other, target) >= LEAST_KIN:
                    kin["verb" if part == "v" else "adj"].append(inflected(word, odd) if part == "v" else word)
            elif symbol == "=":
                kin["adj"] += [w for w in common("a", other, LEAST_KIN) if " " not in w]
            elif symbol == "~" and part == "n":
                kin["kind"] += common("n", other, LEAST_KIN)
        told = [f"{relation}:{word}" for relation, words in kin.items() for word in list(dict.fromkeys(words))[:MOST_KIN] if word not in names]
        if len(names) > 1 or told:
            lines.append(" ; ".join((look, "|".join(names), ", ".join(told))).rstrip(" ;"))
    for synset in synsets["v"].values():
        # One-word verbs of one meaning, for the names of tools and what people say for them.
        verbs = [w for w in common("v", synset, 2) if " " not in w]
        if len(verbs) > 1:
            lines.append(f"do ; {'|'.join(verbs)}")
    head = "# Made by training/make_relations.py from WordNet 3.0, Copyright 2006 by Princeton University, all rights reserved.\n# Its licence, which asks that this notice stay: data/relations-licence.txt\n"
    args.out.write_text(head + "\n".join(sorted(lines)) + "\n")
    print(len(lines), "senses,", args.out.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
