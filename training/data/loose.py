"""Texts that only hint at where a value goes: kin words, type and elimination.

A real text seldom repeats the field's name. It says `Translated by Ana Ruiz` for `translator`,
or nothing at all where only one number can be the `age`. These makers teach that with invented
verbs and layouts, with the fields of trained domains mixed, and with invented tools.
"""

from . import values as v
from .domains import TRAINED, Domain
from .extract import describe, draw_slots, finish, hide, noisy, random_name
from .marks import GLUE, verb
from .prompt import compact
from .render import filler
from .schemas import Dialect, Slot, object_schema, styled
from .tools import call
from .words import Rng, english

ENDS = ("", "s", "ed", "er", "ing", "s")
ALL_FIELDS = tuple(field for domain in TRAINED.values() for field in domain.fields)


def kin(r: Rng, name: str) -> str:
    """The name, or one of its words in another form."""
    words = name.split()
    if r.random() < 0.3:
        return name
    return r.choice(words) + r.choice(ENDS)


def hinted(r: Rng, name: str, value: str) -> str:
    """A sentence with the value beside a kin word of the name."""
    k, w = kin(r, name), verb(r)
    form = r.choice((
        "{v} {k}.", "{K} {v}.", "{K} {g} {v}.", "In the {k} {v}.", "With {v} {k}.", "{W} {k} {v}.", "The {k} {w} {v}.",
        "{v} {w} as {k}.", "The {w} {k} was {v}.", "{W} {v} {k}.", "It {k} {v}.", "At {k}: {v}.", "The {k} {w}ed {v}.",
        "{K} {g} {w} {v}.", "{v} is {k}.", "We {k} {v}.", "{K}, {v}.",
    ))
    return form.format(v=value, k=k, K=k.capitalize(), w=w, W=w.capitalize(), g=r.choice(GLUE))


def bucket(value: v.Value) -> str:
    """Values of one bucket are told apart by words, of different ones by their look."""
    if "enum" in value.schema:
        return "enum" + compact(value.schema["enum"])
    kind = value.schema.get("type")
    if kind in ("integer", "number"):
        return "number"
    if kind != "string":
        return str(kind)
    return "date" if "format" in value.schema else "text"


def joined(r: Rng, slots: list[Slot], plain: bool = False, looks: dict[str, str] | None = None) -> str:
    """One sentence for all; a value whose kind stands alone may go without any label.

    `plain`: it goes on from words before it. `looks`: how the value of each name looks, where its name tells.
    """
    seen = [looks[s.name] if looks else bucket(s.value) for s in slots]
    parts = []
    for slot, kind in zip(slots, seen):
        text, k = slot.value.text, kin(r, slot.name)
        if seen.count(kind) == 1 and r.random() < 0.6:
            parts.append(r.choice(("{v}", "{g} {v}", "{w} {v}", "{v} {w}s", "{g} {w} {v}")).format(v=text, g=r.choice(GLUE), w=verb(r)))
        else:
            parts.append(r.choice(("{k} {v}", "{v} {k}", "{k} {g} {v}", "{g} {k} {v}", "{g} {v} {k}")).format(v=text, k=k, g=r.choice(GLUE)))
    joint = r.choice((" ", " ", ", ", " and "))
    text = joint.join(parts)
    return (text if plain else text[0].upper() + text[1:]) + r.choice((".", ".", "", "!"))


def loose_record(r: Rng) -> dict:
    """Invented names, told by kin words, in one sentence or several."""
    names = list(dict.fromkeys(random_name(r) for _ in range(r.randint(2, 6))))
    thing = random_name(r)
    slots = []
    for name in names:
        value = r.choice(v.ANY_KINDS)(r)
        slots.append(Slot(name, name, value, True, describe(r, name, value, thing)))
    told = hide(r, slots, 0.3) if r.random() < 0.15 else list(slots)
    r.shuffle(told)
    if r.random() < 0.45:
        text = joined(r, told)
    else:
        text = " ".join(hinted(r, s.name, s.value.text) for s in told)
    return {"domain": "invented", **finish(r, list(slots), noisy(r, text), thing, lean=True)}


def mixed_record(r: Rng) -> dict:
    """Fields of different domains together, each with its own sentence or a kin one."""
    thing = r.choice((random_name(r), r.choice(list(TRAINED))))
    fields = r.sample(ALL_FIELDS, r.randint(2, 6))
    slots = draw_slots(r, Domain(thing, (), ()), fields)
    by_name = {name: field for field in fields for name in field.names}
    told = hide(r, slots, 0.4) if r.random() < 0.2 else list(slots)
    r.shuffle(told)
    parts = []
    for slot in told:
        own = by_name[slot.name].sentences
        parts.append(r.choice(own).format(slot.value.text) if own and r.random() < 0.7 else hinted(r, slot.label, slot.value.text))
    if r.random() < 0.2:
        parts.insert(r.randint(0, len(parts)), filler(r))
    return {"domain": "mixed", **finish(r, slots, " ".join(parts), thing, lean=True)}


def loose_call(r: Rng) -> dict:
    """Invented tools; the request names the verb and hints at the arguments."""
    dialect = Dialect.draw(r)
    tools, answer, request = [], {}, ""
    chosen = r.randint(0, 2)
    described = r.random() < 0.7
    for index in range(r.randint(chosen + 1, 4)):
        do, noun = verb(r), random_name(r)
        names = list(dict.fromkeys(random_name(r) for _ in range(r.randint(1, 3))))
        slots = [Slot(n, n, r.choice(v.ANY_KINDS)(r)) for n in names]
        style = dialect.style if dialect.style in ("snake", "camel") else "snake"
        schema, arguments = object_schema(r, slots, dialect)
        tool = {"name": styled(f"{do} {noun}", style)}
        if described:
            tool["description"] = r.choice((f"{do.capitalize()} a {noun}", f"{do.capitalize()} {noun} of {english(r)}", f"{noun.capitalize()} to {do}"))
        tools.append({**tool, "parameters": schema})
        if index == chosen:
            answer = {"name": tool["name"], "arguments": arguments}
            r.shuffle(slots)
            about = r.choice((do, do, f"{do} the {noun}", f"{do} {noun}", noun))
            start = r.choice(("", "", "Please ", "Can you ", "I want to ", "Now "))
            request = f"{start or about[0].upper()}{about[not start :]} {joined(r, slots, plain=True)}"
    r.shuffle(tools)
    return call("invented tools", request, tools, answer)
