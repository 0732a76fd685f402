"""Records and tool calls told by words of kindred meaning.

A text says `She wrote it` or `the author is Ana Ruiz` where the schema asks for the `writer`. The words and how they are
kindred come from a dictionary of English (`relations.txt`, see make_relations.py), so a few thousand common senses
are met: derived verbs and adjectives, synonyms, kinds of a thing. No name of a held-out field is asked for.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from . import values as v
from .domains import FRESH_DOMAINS, HELD_OUT, SEEN_DOMAINS, UNSEEN_NAMES, bare, sentences_of
from .extract import describe, finish, hide, noisy
from .loose import joined
from .prompt import compact
from .render import LAYOUTS, filler
from .schemas import Dialect, Slot, object_schema, styled
from .tools import UNSEEN, call
from .words import Rng

Kinds = tuple[Callable[[Rng], v.Value], ...]
TOLD = sentences_of(HELD_OUT, FRESH_DOMAINS) - sentences_of(SEEN_DOMAINS)
UNSEEN_TOOLS = frozenset(name for tools in UNSEEN.values() for name, *_ in tools)
UNSEEN_VERBS = frozenset(name.split()[0] for name in UNSEEN_TOOLS)


@dataclass(frozen=True)
class Verb:
    base: str
    third: str
    past: str
    participle: str


@dataclass(frozen=True)
class Concept:
    """A sense of a noun: its names, and other nouns, verbs and adjectives that tell it."""

    look: str
    names: tuple[str, ...]
    nouns: tuple[str, ...] = ()
    verbs: tuple[Verb, ...] = ()
    adjectives: tuple[str, ...] = ()


@dataclass(frozen=True)
class Form:
    """Names of a field ({n} a noun, {p} a participle), its values, and how each relation tells a value {}.

    In sentences: {k} a kindred noun or another name; {b} {t} {d} {p} base, third person, past and participle of a verb; {a} an adjective.
    Capitals begin with one.
    """

    looks: tuple[str, ...]
    names: tuple[str, ...]
    kinds: Kinds
    noun: tuple[str, ...] = ()
    verb: tuple[str, ...] = ()
    adjective: tuple[str, ...] = ()
    needs_verb: bool = False
    by_name: list[Concept] = field(default_factory=list, compare=False)


FORMS = (
    Form(("person",), ("{n}", "{n}", "{n}", "{n} name", "name of {n}"), (v.name,),
         ("The {k} is {}.", "{K}: {}.", "{}, the {k}.", "{} is our {k}.", "{} works as {k}.", "Our {k} {} agreed.", "As {k} we have {}."),
         ("{P} by {}.", "{} {t} it.", "{} {d} it.", "It was {p} by {}.", "{} will {b} it.", "{} has {p} this before.", "It is {} who {t}.")),
    Form(("act", "text", "thing"), ("{n} by", "{p} by", "{n} contact"), (v.name,), ("The {k} is by {}.", "{K} by {}."),
         ("{P} by {}.", "{} {d} it.", "{} {t} it.", "It was {p} by {}."), needs_verb=True),
    Form(("act", "idea"), ("{n} date", "{n} day", "date of {n}", "{p} on", "{p} at"), (v.date,), ("The {k} is on {}.", "{K} on {}."),
         ("{P} on {}.", "On {} they {d} it.", "It was {p} on {}.", "We {b} on {}."), needs_verb=True),
    Form(("act",), ("{n} time",), (v.time,), ("The {k} begins at {}.", "{K} at {}."), ("{P} at {}.", "At {} we {b} it."), needs_verb=True),
    Form(("act",), ("{n} place", "{n} location", "place of {n}", "{p} in"), (v.city, v.capital_word), ("The {k} is in {}.", "{K} in {}."),
         ("{P} in {}.", "In {} they {d} it.", "We {b} in {}.", "It was {p} near {}."), needs_verb=True),
    Form(("act",), ("{n} count", "number of {n}s", "{n}s"), (v.whole(1, 12), v.whole(1, 500)), ("{} {k}s.", "There were {} {k}s.", "{K}s: {}."),
         ("{P} {} times.", "They {d} {} times.")),
    Form(("act", "thing", "text", "person", "group"), ("{n} id", "{n} number", "{n} code", "{n} reference", "{n}"), (v.code, v.hexcode, v.digit_code),
         ("{K} {}.", "The {k} is {}.", "See {k} {}.", "{K} number {}.", "{} is the {k}."), ("{P} as {}.", "{P} under {}.")),
    Form(("act", "thing", "money"), ("{n} cost", "{n} price", "{n} fee", "{n}"), (v.price,), ("The {k} is {}.", "{K} of {}.", "A {k} for {}.", "{} is the {k}."),
         ("We {d} {}.", "{} to {b} it.", "{} was {p}.", "{P} for {}.", "They {b} {}.")),
    Form(("attribute",), ("{n}", "{n}", "total {n}", "{n} in units"), (v.any_whole, v.whole(1, 500), v.decimal), ("The {k} is {}.", "{K} {}.", "A {k} of {}.", "{} of {k}."),
         ("It {t} {}.", "{P} {}.", "They {t} {} units."), ("It is {} {a}.", "{} units {a}.", "{} {a}.", "{A}: {}.")),
    Form(("attribute", "idea"), ("{n}",), (v.one_word, v.random_choice, v.capital_word), ("The {k} is {}.", "{K}: {}.", "{} is the {k}.", "By {k}: {}."),
         ("{P} as {}.", "It {t} {}."), ("{A}: {}.", "It is {a}: {}.")),
    Form(("amount", "span", "kind", "thing"), ("{n}s", "{n} count", "number of {n}s"), (v.any_whole, v.whole(1, 12), v.whole(1, 500)),
         ("{} {k}s.", "There are {} {k}s.", "{K}s: {}.", "With {} {k}s.", "It takes {} {k}s.", "{} of the {k}s.")),
    Form(("text", "idea"), ("{n}", "{n}", "{n} text"), (v.phrase,), ("The {k} is {}.", "{K}: {}.", "The {k} says {}.", "{}, that is the {k}."),
         ("They {d}: {}.", "{P}: {}.", "We {b} {}.", "{} {d} us."), ("{A}: {}.",)),
    Form(("text", "thing", "group", "kind"), ("{n}", "{n} title", "{n} name", "name of {n}"), (v.title, v.product, v.company),
         ("The {k} is {}.", "A {k} called {}.", "{} is the {k}.", "{K}: {}.", "The {k} {} is meant."), ("{P}: {}.", "They {d} {}.", "We {b} {}.", "{P} with {}.")),
    Form(("group",), ("{n}", "{n}", "{n} name"), (v.company, v.capital_word), ("The {k} is {}.", "At {}, a {k}.", "{} is the {k}.", "For the {k} {}.", "{K}: {}."),
         ("{} {t} it.", "{P} by {}.", "{} {d} us.")),
    Form(("place",), ("{n}", "{n}", "{n} name"), (v.city, v.capital_word, v.country), ("The {k} is {}.", "In {}, a {k}.", "{} is the {k}.", "To the {k} of {}.", "{K}: {}."),
         ("They {b} in {}.", "{P} in {}.", "It {t} in {}.")),
    Form(("thing", "kind", "person"), ("{n}s", "list of {n}s", "all {n}s"), (v.several(v.one_word), v.several(v.capital_word), v.several(v.name)),
         ("{K}s: {}.", "The {k}s are {}.", "With {} as {k}s.", "{} are the {k}s.")),
)


def parsed(text: str) -> tuple[list[Concept], list[tuple[str, ...]]]:
    """Senses of nouns, and verbs of one meaning."""
    nouns, verbs = [], []
    for line in text.splitlines():
        if line.startswith("#") or not line:
            continue
        look, names, *rest = line.split(" ; ")
        kin = [told.split(":") for told in rest[0].split(", ")] if rest else []
        of = lambda *relations: tuple(word for relation, word in kin if relation in relations)
        if look == "do":
            verbs.append(tuple(names.split("|")))
        else:
            nouns.append(Concept(look, tuple(names.split("|")), of("kind"), tuple(Verb(*forms.split("/")) for forms in of("verb")), of("adj")))
    return nouns, verbs


def seen(name: str) -> bool:
    return UNSEEN_NAMES.isdisjoint((name, *name.split()))


CONCEPTS, SAME = parsed((Path(__file__).parent / "relations.txt").read_text())
for _form in FORMS:
    _form.by_name.extend(c for c in CONCEPTS if c.look in _form.looks and (c.verbs or not _form.needs_verb))


def plural(text: str) -> str:
    """Words that came of `{n}s` as they are written: of nouns in y, s, x, ch and sh."""
    return re.sub(r"(?<=ss)s\b|(?<=x)s\b|(?<=[cs]h)s\b", "es", re.sub(r"(?<=[^aeiou\W])ys\b", "ies", text))


def told(r: Rng, form: Form, concept: Concept, noun: str, name: str) -> tuple[str, str] | None:
    """A sentence for the value {} and a label for it; None where it would be one of a held-out set."""
    others = [n for n in (*concept.names, *concept.nouns) if n != noun]
    ways = [way for way, there in (("noun", others and form.noun), ("verb", concept.verbs and form.verb), ("adjective", concept.adjectives and form.adjective)) if there]
    way = r.choice(ways) if ways and r.random() < 0.85 else "noun"
    k = r.choice(others) if others and r.random() < 0.85 else noun
    words = {"k": k, "n": noun}
    if way == "verb":
        verb = r.choice(concept.verbs)
        words |= {"b": verb.base, "t": verb.third, "d": verb.past, "p": verb.participle}
    elif way == "adjective":
        words["a"] = r.choice(concept.adjectives)
    # Letters stand for whole words, so capitals are filled in too.
    words |= {key.upper(): word.capitalize() for key, word in words.items()}
    sentence = r.choice(getattr(form, way)).format("{}", **words)
    label = name.replace(noun, k) if way == "noun" else words.get("p", words.get("a", k))
    sentence = plural(sentence)
    return None if bare(sentence) in TOLD else (sentence, plural(label))


def related_slots(r: Rng, count: int, thing: str) -> list[tuple[Slot, str]]:
    """Slots of different names and words, each with a sentence for its value."""
    out: list[tuple[Slot, str]] = []
    taken: set[str] = set()
    for _ in range(8 * count):
        if len(out) == count:
            break
        form = r.choice(FORMS)
        concept = r.choice(form.by_name)
        noun = r.choice(concept.names)
        participle = concept.verbs[0].participle if concept.verbs else noun
        name = plural(r.choice(form.names).format(n=noun, p=participle))
        words = {noun, *concept.names, *concept.nouns, *(w.base for w in concept.verbs), *concept.adjectives}
        said = told(r, form, concept, noun, name)
        if said is None or not seen(name) or taken & words:
            continue
        taken |= words
        value = r.choice(form.kinds)(r)
        out.append((Slot(name, said[1], value, True, describe(r, name, value, thing)), said[0].replace("{}", value.text)))
    return out


def related_record(r: Rng) -> dict:
    """Mostly sentences; else a layout or one sentence whose labels are kindred words."""
    thing = r.choice(r.choice(CONCEPTS).names)
    pairs = related_slots(r, r.randint(2, 7), thing)
    slots = [slot for slot, _ in pairs]
    sentences = {id(slot): sentence for slot, sentence in pairs}
    shown = hide(r, slots, 0.4) if r.random() < 0.25 else list(slots)
    r.shuffle(shown)
    style = r.random()
    if style < 0.15:
        text = joined(r, [Slot(s.label, s.label, s.value) for s in shown])
    elif style < 0.4:
        text = r.choice(LAYOUTS)(r, [(s.label, s.value.text) for s in shown])
    else:
        parts = [sentences[id(s)] for s in shown]
        if r.random() < 0.2:
            parts.insert(r.randint(0, len(parts)), filler(r))
        text = " ".join(part[0].upper() + part[1:] for part in parts)
    return {"domain": "related", **finish(r, slots, noisy(r, text), thing, lean=True)}


# What people say before the thing they want, whatever the tool is called.
WANTING = ("Get me {a} {n}", "I need {a} {n}", "I want {a} {n}", "Can I have {a} {n}", "Please find {a} {n}", "{N}", "{N} please:", "Show me the {n}", "Give me {a} {n}", "Set up {a} {n}", "Make {a} {n}", "We could use {a} {n}")


def related_call(r: Rng) -> dict:
    """Tools named by a verb and a noun; the request may have only one of the two, or words of the same meaning."""
    dialect = Dialect.draw(r)
    tools, answer, request = [], {}, ""
    count = r.randint(2, 4)
    chosen, described, common = r.randrange(count), r.random() < 0.7, r.choice(("get", "find", "show", "make", "set", "give"))
    nouns: set[str] = set()
    while len(tools) < count:
        verbs, concept = r.choice(SAME), r.choice(CONCEPTS)
        do, noun = common if r.random() < 0.25 else r.choice(verbs), r.choice(concept.names)
        if nouns & {*concept.names, *concept.nouns} or not UNSEEN_VERBS.isdisjoint(verbs) or f"{do} {noun}" in UNSEEN_TOOLS:
            continue
        nouns |= {*concept.names, *concept.nouns}
        pairs = related_slots(r, r.randint(1, 3), noun)
        slots = [slot for slot, _ in pairs]
        style = dialect.style if dialect.style in ("snake", "camel") else "snake"
        schema, arguments = object_schema(r, slots, dialect)
        tool = {"name": styled(f"{do} {noun}", style)}
        if described:
            tool["description"] = r.choice((f"{do.capitalize()} a {noun}", f"{r.choice(verbs).capitalize()} {noun}", f"{do.capitalize()} the {r.choice((*concept.names, *concept.nouns))}"))
        if len(tools) == chosen:
            answer = {"name": tool["name"], "arguments": arguments}
            said = r.choice((*concept.names, *concept.nouns))
            if do == common or r.random() < 0.4:
                start = r.choice(WANTING).format(a=r.choice(("a", "the", "my", "one")), n=said, N=said.capitalize())
            else:
                start = f"{r.choice((do, *verbs))} {r.choice(('the', 'a', 'my', 'this'))} {said}"
            request = r.choice(("", "", "Please ", "Can you ", "I want to ")) + start if not start[0].isupper() else start
            rest = r.choice((joined(r, slots, plain=True), ", ".join(sentence.rstrip(".") for _, sentence in pairs) + "."))
            request = f"{request[0].upper()}{request[1:]} {rest}"
        tools.append({**tool, "parameters": schema})
    r.shuffle(tools)
    return call("related tools", request, tools, answer)
