"""Written domains and tools with some of their words replaced by others, the same wherever they stand.

`Renew {license} for {years} years` of the tool `renew_license` becomes `Gust {license} for {years} zeals` of `gust_license`: the
sentence stays as people write, but no memory of it helps, only that the word of the text is the word of the schema. What
would no longer be told by its words (a sentence without the new name) is left out.
"""

import re
from dataclasses import replace
from functools import lru_cache

from .calls import TOOLS, Tool, called, offered
from .domains import TRAINED, UNSEEN_NAMES, Domain, Field
from .extract import domain_record, many_records
from .marks import UNSEEN_WORDS
from .render import Layout
from .splits import TRAINING, Split
from .words import DICTIONARY, Rng, english, invented

Words = dict[str, str]

SMALL = frozenset("the and for with from into per has have was are not you your its can any all new one who how what when where which that this use".split())
TEXT = re.compile(r"(\{[^}]*\})|([A-Za-z]+)")
ENDINGS = ("", "s", "es", "d", "ed", "er", "ing")


def another(r: Rng) -> str:
    while True:
        word = invented(r) if r.random() < 0.35 else r.choice(DICTIONARY) if r.random() < 0.7 else english(r)
        if word not in UNSEEN_WORDS:
            return word


def swapped(text: str, words: Words) -> str:
    """The text with words replaced, endings and capitals kept; what stands in braces stays."""

    def swap(match: re.Match) -> str:
        if match[1]:
            return match[1]
        word = match[2].lower()
        for ending in ENDINGS:
            if word.endswith(ending) and word[: len(word) - len(ending)] in words:
                new = words[word[: len(word) - len(ending)]] + ending
                return new.capitalize() if match[2][0].isupper() else new
        return match[2]

    return TEXT.sub(swap, text)


@lru_cache(1 << 16)
def content(text: str) -> tuple[str, ...]:
    return tuple(w for w in (m[2].lower() for m in TEXT.finditer(text) if m[2]) if len(w) > 2 and w not in SMALL)


def tells(sentence: str, name: str, words: Words) -> bool:
    """Whether the sentence, its words replaced, has a new word of the name."""
    new = {words[w] for w in content(name) if w in words}
    return any(w.startswith(tuple(new)) for w in content(swapped(sentence, words))) if new else True


def renamed_field(field: Field, words: Words) -> Field | None:
    """None where its new names would be held-out ones. A field that keeps its words keeps all else."""
    name = next((n for n in field.names if any(w in words for w in content(n))), None)
    if name is None:
        return field
    names = tuple(dict.fromkeys(swapped(n, words) for n in field.names if any(w in words for w in content(n))))
    if not UNSEEN_NAMES.isdisjoint(n.lower() for n in names):
        return None
    return Field(names, field.kind, tuple(swapped(s, words) for s in field.sentences if tells(s, name, words)))


def renamed(r: Rng, domain: Domain) -> Domain:
    words: Words = {}
    for field in domain.fields:
        told = {w for s in field.sentences for w in content(s)}
        own = [w for name in field.names for w in content(name)]
        if own and r.random() < 0.75:
            words.setdefault(r.choice([w for w in own if w in told] or own), another(r))
    pairs = [(field, renamed_field(field, words)) for field in domain.fields]
    keys = {old.names[0].replace(" ", "_"): (old, new) for old, new in pairs if new}
    sentences = []
    for sentence in domain.sentences:
        slots = re.findall(r"\{([^}]*)\}", sentence)
        if all(s in keys and (keys[s][0] is keys[s][1] or tells(sentence, keys[s][0].names[0], words)) for s in slots):
            text = swapped(sentence, words)
            sentences.append(re.sub(r"\{([^}]*)\}", lambda m: "{" + keys[m[1]][1].names[0].replace(" ", "_") + "}", text))
    return Domain(swapped(domain.name, words) if r.random() < 0.5 else another(r), tuple(dict.fromkeys(new for _, new in pairs if new)), tuple(sentences))


def drawn(r: Rng) -> Split:
    """Training with one domain, renamed: one of several fields, no two of which share a name."""
    while True:
        domain = renamed(r, r.choice(list(TRAINED.values())))
        names = [n for field in domain.fields for n in field.names]
        if len(domain.fields) > 3 and len(names) == len(set(names)):
            return Split((domain,), (), TRAINING.refused)


def renamed_record(r: Rng, extra: Layout | None = None) -> dict:
    return domain_record(r, drawn(r), most=9 if extra else 7, extra=extra)


def renamed_records(r: Rng, extra: Layout | None = None) -> dict:
    return many_records(r, drawn(r), extra)


def renamed_tool(r: Rng, tool: Tool, request: str = "") -> tuple[Tool, str] | None:
    """The tool and the request; None where the request would tell none of the name's words."""
    own = content(tool.name)
    told = set(content(request))
    words = {w: another(r) for w in own if r.random() < 0.7}
    keys = [w for a in tool.arguments for w in content(a.key) if w in told and w not in own]
    words |= {w: another(r) for w in dict.fromkeys(keys) if r.random() < 0.5}
    name, text = swapped(tool.name, words), swapped(request, words)
    if request and set(content(name)).isdisjoint(content(text)):
        return None
    arguments = []
    for a in tool.arguments:
        key = swapped(a.key, words)
        text = text.replace("{" + a.field + "}", "{" + key.replace(" ", "_") + "}")
        arguments.append(replace(a, key=key))
    if not UNSEEN_NAMES.isdisjoint(a.key for a in arguments):
        return None
    return replace(tool, name=name, description=swapped(tool.description, words), arguments=tuple(arguments)), text


def renamed_call(r: Rng) -> dict:
    """A request that one of several tools fits, told by a word of its name."""
    while True:
        tool = r.choice(TOOLS)
        chosen = renamed_tool(r, tool, r.choice(tool.requests))
        if chosen:
            break
    others = [(renamed_tool(r, t) or (t,))[0] if r.random() < 0.7 else t for t in offered(r, tool)]
    return called(r, *chosen, [t for t in others if t.name != chosen[0].name])
