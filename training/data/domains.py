"""Domains as data: the fields of a record and the sentences that speak of them.

`domains_*.txt` hold them. A field line is `name|alias ; kind ; sentence ; sentence`; `{}` in a
sentence stands for the value, a kind `=a,b,c` is an enumeration of these labels, `~a,b,c` a string such as these. A domain sentence
uses `{field}` for several fields at once (spaces in a field's first name become underscores). Domains in `HELD_OUT` and `FRESH_DOMAINS` are never
trained on: they, their field names and their sentences appear in the evaluation only. A trained domain that
repeats one of them, or a trained field with no name but theirs, is an error when this module is loaded.

Which names are unseen is settled by `domains_trained.txt` and the held-out files. The files `domains_more_*.txt` are written
without a look at the held-out ones: loading takes out of them what would make a held-out name or sentence seen (`dropped` counts it).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from . import values as v

KINDS: dict[str, Callable] = {
    "name": v.name, "first": v.first_name, "last": v.last_name, "company": v.company, "city": v.city,
    "country": v.country, "street": v.street, "email": v.email, "phone": v.phone, "url": v.url, "path": v.path,
    "ip": v.ip, "uuid": v.uuid, "hex": v.hexcode, "code": v.code, "digits": v.digit_code, "word": v.one_word,
    "cap": v.capital_word, "title": v.title, "phrase": v.phrase, "job": v.job, "product": v.product,
    "color": v.color, "currency": v.currency, "int": v.any_whole, "small": v.whole(1, 12), "age": v.whole(1, 99),
    "count": v.whole(1, 500), "year": v.whole(1950, 2035), "big": v.whole(1000, 500000), "decimal": v.decimal,
    "price": v.price, "percent": v.percent, "rating": v.rating, "bool": v.boolean, "date": v.date, "time": v.time,
    "datetime": v.datetime_, "weekday": v.weekday, "words": v.several(v.one_word), "names": v.several(v.name),
    "caps": v.several(v.capital_word), "codes": v.several(v.code), "cities": v.several(v.city),
    "products": v.several(v.product), "titles": v.several(v.title), "level": v.choice("debug", "info", "warn", "error"),
    "priority": v.choice("low", "medium", "high", "urgent"), "order_status": v.choice("pending", "shipped", "delivered", "cancelled"),
    "size": v.choice("small", "medium", "large"), "method": v.choice("GET", "POST", "PUT", "DELETE"),
    "state": v.choice("open", "closed", "in_progress", "blocked"), "class": v.choice("economy", "business", "first"),
    "difficulty": v.choice("easy", "medium", "hard"), "pay": v.choice("cash", "credit_card", "bank_transfer", "paypal"),
    "genre": v.choice("fiction", "science", "history", "poetry", "travel"), "severity": v.choice("minor", "major", "critical"),
    "contract": v.choice("full-time", "part-time", "contract", "internship"), "blood": v.choice("A", "B", "AB", "O"),
    "power": v.choice("on", "off", "standby"), "verdict": v.choice("approve", "request_changes", "comment"),
    "fuel": v.choice("petrol", "diesel", "electric", "hybrid"), "condition": v.choice("new", "used", "refurbished"),
}


def kind_of(text: str) -> Callable:
    """The maker of values that a field line names."""
    if text.startswith("~"):
        return v.such_as(*text[1:].split(","))
    return v.choice(*text[1:].split(",")) if text.startswith("=") else KINDS[text]


@dataclass(frozen=True)
class Field:
    names: tuple[str, ...]
    kind: str
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class Domain:
    name: str
    fields: tuple[Field, ...]
    sentences: tuple[str, ...]


def parse(text: str) -> dict[str, Domain]:
    """Read the blocks below: `= domain`, then field lines, then `>` sentence lines."""
    domains = {}
    for block in text.strip().split("\n= "):
        lines = [line.strip() for line in block.lstrip("= ").split("\n") if line.strip()]
        fields, sentences = [], []
        for line in lines[1:]:
            if line.startswith(">"):
                sentences.append(line[1:].strip())
                continue
            parts = [part.strip() for part in line.split(" ; ")]
            fields.append(Field(tuple(parts[0].split("|")), parts[1], tuple(parts[2:])))
        if lines[0] in domains:
            raise ValueError(f"domain {lines[0]} is given twice; rename or remove one")
        domains[lines[0]] = Domain(lines[0], tuple(fields), tuple(sentences))
    return domains


def load(*paths: Path) -> dict[str, Domain]:
    """The domains of all files; a domain in two of them is an error."""
    domains: dict[str, Domain] = {}
    for path in paths:
        more = parse(path.read_text(encoding="utf-8"))
        if twice := sorted(domains.keys() & more.keys()):
            raise ValueError(f"{path.name}: domain {', '.join(twice)} is in another file too; rename or remove it")
        domains |= more
    return domains


def names_of(*sets: dict[str, Domain]) -> frozenset[str]:
    """Every name of every field."""
    return frozenset(name for domains in sets for d in domains.values() for f in d.fields for name in f.names)


def placeholders(sentence: str) -> list[str]:
    return re.findall(r"\{(.*?)\}", sentence)


def bare(sentence: str) -> str:
    """The words of a sentence in lower case, without placeholders."""
    return " ".join(re.sub(r"\{[^}]*\}", " ", sentence).lower().split())


def sentences_of(*sets: dict[str, Domain]) -> frozenset[str]:
    """Every sentence that has a word, bare."""
    texts = (s for domains in sets for d in domains.values() for s in (*d.sentences, *(s for f in d.fields for s in f.sentences)))
    return frozenset(text for text in map(bare, texts) if re.search("[a-z]", text))


def check(domain: Domain) -> None:
    """ValueError that names each kind, sentence and alias of the domain that does not hold up."""
    aliases = [alias for field in domain.fields for alias in field.names]
    known = {field.names[0].replace(" ", "_") for field in domain.fields}
    wrong = [f"alias {alias} names two fields" for alias in sorted(set(aliases)) if aliases.count(alias) > 1]
    wrong += [f"no kind {f.kind}" for f in domain.fields if f.kind[0] not in "=~" and f.kind not in KINDS]
    wrong += [f"not one {{}} in '{s}'" for f in domain.fields for s in f.sentences if placeholders(s) != [""]]
    wrong += [f"no field for a placeholder of '{s}'" for s in domain.sentences if not placeholders(s) or not known.issuperset(placeholders(s))]
    if wrong:
        raise ValueError(f"domain {domain.name}: {'; '.join(wrong)}")


def without(domain: Domain, names: frozenset[str], told: frozenset[str]) -> Domain:
    """The domain less the fields with an alias in `names`, the domain sentences that need them, and the sentences in `told`."""
    fields = tuple(
        replace(field, sentences=tuple(s for s in field.sentences if bare(s) not in told))
        for field in domain.fields if names.isdisjoint(field.names)
    )
    known = {field.names[0].replace(" ", "_") for field in fields}
    sentences = tuple(s for s in domain.sentences if bare(s) not in told and known.issuperset(placeholders(s)))
    return replace(domain, fields=fields, sentences=sentences)


def cleared(domains: dict[str, Domain], *held_out: dict[str, Domain]) -> dict[str, Domain]:
    """The domains without what the held-out sets have and `SEEN_DOMAINS` lack; those left with too few fields go."""
    names = names_of(*held_out) - names_of(SEEN_DOMAINS)
    told = sentences_of(*held_out) - sentences_of(SEEN_DOMAINS)
    rest = [without(d, names, told) for d in domains.values() if not any(d.name in held for held in held_out)]
    return {d.name: d for d in rest if len(d.fields) >= FEWEST_FIELDS}


def refuse_held_out(trained: dict[str, Domain], *held_out: dict[str, Domain]) -> None:
    """ValueError that names each trained domain, and each trained field all of whose names are, in a held-out set."""
    known = names_of(*held_out)
    wrong = [f"domain {name}" for name in trained if any(name in domains for domains in held_out)]
    wrong += [f"field {f.names[0]} of {d.name}" for d in trained.values() for f in d.fields if known.issuperset(f.names)]
    if wrong:
        raise ValueError(f"held out, so not to be trained on: {'; '.join(wrong)}. Remove or rename them on the trained side")


FOLDER = Path(__file__).parent
FEWEST_FIELDS = 5  # `many_records` draws up to five fields of a domain.

SEEN_DOMAINS = load(FOLDER / "domains_trained.txt")
HELD_OUT = load(FOLDER / "domains_held_out.txt")
FRESH_DOMAINS = load(FOLDER / "domains_fresh.txt")

HELD_OUT_NAMES = names_of(HELD_OUT) - names_of(SEEN_DOMAINS)
UNSEEN_NAMES = HELD_OUT_NAMES | names_of(FRESH_DOMAINS)

WRITTEN = load(*sorted(FOLDER.glob("domains_more_*.txt")))
for domain in WRITTEN.values():
    check(domain)
if twice := sorted(SEEN_DOMAINS.keys() & WRITTEN.keys()):
    raise ValueError(f"domain {', '.join(twice)} is in domains_trained.txt too; rename or remove it")
TRAINED = SEEN_DOMAINS | cleared(WRITTEN, HELD_OUT, FRESH_DOMAINS)
refuse_held_out(TRAINED, HELD_OUT, FRESH_DOMAINS)


def dropped() -> dict[str, int]:
    """How much of `domains_more_*.txt` was left out so that held-out names and sentences stay unseen."""

    def count(domains: list[Domain]) -> tuple[int, ...]:
        fields = [field for d in domains for field in d.fields]
        return len(domains), len(fields), sum(len(f.sentences) for f in fields), sum(len(d.sentences) for d in domains)

    kinds = ("domains", "fields", "field sentences", "domain sentences")
    left = [d for name, d in TRAINED.items() if name in WRITTEN]
    return {kind: before - after for kind, before, after in zip(kinds, count(list(WRITTEN.values())), count(left))}
