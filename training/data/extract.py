"""Extraction samples: a record, a text that tells it, a schema that asks for it."""

from . import values as v
from . import wording
from .domains import Domain, Field, kind_of
from .layouts import any_table
from .prompt import compact
from .render import LAYOUTS, Layout, cased, filler, table
from .schemas import Dialect, Group, Slot, object_schema, styled
from .splits import TRAINING, Split
from .words import DICTIONARY, ENGLISH, Rng, invented

INSTRUCTIONS = (
    "Extract: ", "Extract: ", "Extract: ", "Extract the {d}: ", "Extract the {d}:\n", "Parse this {d}: ", "Get the data from this text: ",
    "Extract the fields.\n\n", "Read the text and fill in the fields:\n", "Parse: ", "Extract the {d} from the text below.\n\n",
    "Turn this into JSON:\n", "Data entry for a {d}:\n", "What {d} is described here? ", "", "", "", "",
)
ENDINGS = ("\n\nExtract the {d}.", "\n\nExtract the {d} as JSON.", "\nExtract the data.", "\n---\nFill in the form.", " Please extract the {d}.")
SYSTEMS = ("You are a helpful assistant.", "You extract data.", "Be exact.", "You are a careful clerk; copy values as they are written.", "Today is a good day. Answer briefly.")
GROUPS = ("details", "info", "data", "contact", "meta", "properties", "profile", "summary")
DESCRIBED = ("The {n}", "the {n} of the {d}", "{n}", "{N} as written", "{N} of the {d}, if any", "The {d}'s {n}")
PLURALS = ("items", "entries", "records", "rows", "list", "results", "{d} list", "{d}s", "{d}s")


def random_name(r: Rng, split: Split = TRAINING) -> str:
    """A field name of one to three words that the split does not refuse."""
    while True:
        style = r.random()
        real = DICTIONARY if split is TRAINING and r.random() < 0.6 else ENGLISH
        parts = [invented(r) if style < 0.35 else r.choice(real) for _ in range(r.choice((1, 1, 1, 2, 2, 3)))]
        name = " ".join(parts)
        if name not in split.refused and not any(part in split.refused for part in parts):
            return name


def ask(r: Rng, text: str, thing: str, varied: bool = False) -> list[dict]:
    """User message (and now and then a system message) around a text; more ways to ask where `varied` (training)."""
    if varied and r.random() < 0.4:
        content = wording.request(r, text, thing)
    elif r.random() < 0.85:
        content = r.choice(INSTRUCTIONS).format(d=thing) + text
    else:
        content = text + r.choice(ENDINGS).format(d=thing)
    messages = [{"role": "user", "content": content}]
    if r.random() < 0.06:
        messages.insert(0, {"role": "system", "content": r.choice(SYSTEMS)})
    return messages


def noisy(r: Rng, text: str, gaps: tuple[str, ...] = (" ", "\n", "\n\n")) -> str:
    """Now and then a sentence before or after that belongs to nothing."""
    if r.random() < 0.2:
        text = filler(r) + r.choice(gaps) + text
    if r.random() < 0.2:
        text += r.choice(gaps) + filler(r)
    return text


def describe(r: Rng, name: str, value: v.Value, thing: str) -> str:
    if value.schema.get("format") == "date" and r.random() < 0.5:
        return "{N} in ISO format (YYYY-MM-DD)".format(N=name.capitalize())
    return r.choice(DESCRIBED).format(n=name, N=name.capitalize(), d=thing)


def draw_slots(r: Rng, domain: Domain, fields: list[Field]) -> list[Slot]:
    """One record. Keys and labels are distinct, and no key is another field's label."""
    taken: set[str] = set()
    slots = []
    for field in fields:
        free = [n for n in field.names if n not in taken]
        if not free:
            continue
        name = free[0] if r.random() < 0.5 else r.choice(free)
        label = name if r.random() < 0.6 else r.choice(free)
        taken |= set(field.names)
        value = kind_of(field.kind)(r)
        slots.append(Slot(name, label, value, True, describe(r, name, value, domain.name)))
    return slots


def sentences(r: Rng, domain: Domain, fields: list[Field], slots: list[Slot], varied: bool = False) -> str:
    """A domain sentence for several fields, then one sentence for each that is left; booleans may only follow where `varied`."""
    texts = {field.names[0].replace(" ", "_"): slot.value.text for field, slot in zip(fields, slots)}
    keys = {key: slot for key, slot in zip(texts, slots)}
    fitting = [s for s in domain.sentences if all(part.split("}")[0] in texts for part in s.split("{")[1:])]
    parts, used = [], set()
    if fitting:
        chosen = r.choice(fitting)
        parts.append(chosen.format(**texts))
        used = {part.split("}")[0] for part in chosen.split("{")[1:]}
    rest = []
    for field, (key, slot) in zip(fields, keys.items()):
        if key in used:
            continue
        if varied and isinstance(slot.value.json, bool) and r.random() < 0.35:
            rest.append(wording.implied(r, slot.label, slot.value.json))
        elif field.sentences and r.random() < 0.75:
            rest.append(r.choice(field.sentences).format(slot.value.text))
        else:
            rest.append(r.choice(("The {} is {}.", "{}: {}.", "{} is {}.")).format(cased(r, slot.label), slot.value.text))
    r.shuffle(rest)
    if r.random() < 0.2:
        rest.insert(r.randint(0, len(rest)), filler(r))
    return " ".join(parts + rest)


def grouped(r: Rng, slots: list[Slot], rate: float, split: Split = TRAINING) -> list:
    """Move a run of slots into a nested object at `rate`."""
    if len(slots) < 3 or r.random() > rate:
        return list(slots)
    start = r.randint(0, len(slots) - 2)
    end = min(len(slots), start + r.randint(2, 3))
    names = {slot.name for slot in slots}
    name = r.choice([n for n in GROUPS if n not in names]) if r.random() < 0.6 else random_name(r, split)
    if name in names:
        return list(slots)
    return [*slots[:start], Group(name, slots[start:end]), *slots[end:]]


def finish(r: Rng, slots: list[Slot], text: str, thing: str, nested: float = 0.2, lean: bool = False, split: Split = TRAINING) -> dict:
    """Schema, messages and expected answer for one record and its text."""
    dialect = Dialect.draw(r, lean)
    asked = list(slots)
    if r.random() < 0.5:
        r.shuffle(asked)
    loose = {id(slot) for slot in asked if r.random() < 0.12}
    schema, expected = object_schema(r, grouped(r, asked, nested, split), dialect, loose)
    if dialect.zod:
        schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
    return {"schema": schema, "messages": ask(r, text, thing, lean), "expected": compact(expected)}


def hide(r: Rng, slots: list[Slot], rate: float) -> list[Slot]:
    """Make some slots untold (asked by the schema, absent from the text)."""
    told = [slot for slot in slots if slot.told]
    for slot in told[1:]:
        if r.random() < rate:
            slot.told = False
    return [slot for slot in slots if slot.told]


def domain_record(r: Rng, split: Split = TRAINING, most: int = 7, extra: Layout | None = None) -> dict:
    """One record of a domain, as sentences or in a layout."""
    domain = r.choice(split.domains)
    fields = r.sample(domain.fields, r.randint(2, min(most, len(domain.fields))))
    if r.random() < 0.5 and domain.sentences:
        wanted = {p.split("}")[0] for p in r.choice(domain.sentences).split("{")[1:]}
        keep = [f for f in domain.fields if f.names[0].replace(" ", "_") in wanted]
        fields = keep + [f for f in fields if f not in keep][: r.randint(0, 3)]
    slots = draw_slots(r, domain, fields)
    fields = [f for f in fields if any(s.name in f.names for s in slots)][: len(slots)]
    if extra:
        wording.spelled(r, slots)
    told = hide(r, slots, 0.5) if r.random() < 0.25 else slots
    pairs_of = [(f, s) for f, s in zip(fields, slots) if s.told]
    if r.random() < 0.55:
        text = sentences(r, domain, [f for f, _ in pairs_of], [s for _, s in pairs_of], extra is not None)
    else:
        text = laid_out(r, told, split, extra)
    asked = slots if r.random() < 0.6 or len(slots) < 3 else sorted(r.sample(slots, len(slots) - r.randint(1, len(slots) // 2)), key=slots.index)
    return {"domain": domain.name, **finish(r, asked, noisy(r, text), domain.name, lean=extra is not None, split=split)}


def laid_out(r: Rng, slots: list[Slot], split: Split, extra: Layout | None = None) -> str:
    """The slots in a layout of the split; mostly in `extra` where there is one."""
    pairs = [(slot.label, slot.value.text) for slot in slots]
    if r.random() < 0.5:
        r.shuffle(pairs)
    if extra and r.random() < 0.6:
        return extra(r, pairs)
    layouts = split.layouts if split.held_out and r.random() < 0.5 else LAYOUTS
    return r.choice(layouts)(r, pairs)


def few_kinds(r: Rng) -> tuple[v.Kind, ...]:
    """All kinds of values, or one or two of them, so that only the labels tell the values apart."""
    return v.TRAINED_KINDS if r.random() < 0.75 else tuple(r.sample(v.TRAINED_KINDS, r.randint(1, 2)))


def random_record(r: Rng, most: int = 8, split: Split = TRAINING, extra: Layout | None = None) -> dict:
    """Invented field names and values: only the label in the text tells where a value goes."""
    names = list(dict.fromkeys(random_name(r, split) for _ in range(r.randint(1, most))))
    thing = random_name(r, split)
    slots = []
    kinds = few_kinds(r) if extra else v.ANY_KINDS
    for name in names:
        value = r.choice(kinds)(r)
        slots.append(Slot(name, name, value, True, describe(r, name, value, thing)))
    told = hide(r, slots, 0.4) if r.random() < 0.15 else slots
    text = laid_out(r, told, split, extra)
    asked = list(slots)
    if len(slots) > 2 and r.random() < 0.3:
        asked = r.sample(slots, r.randint(1, len(slots) - 1))
    return {"domain": "invented", **finish(r, asked, noisy(r, text), thing, lean=extra is not None, split=split)}


def values_only(r: Rng, split: Split = TRAINING) -> dict:
    """Values without labels, told apart by kind: 'John Smith, 42, john@example.com'."""
    kinds = [
        (("name", "full name", "person", "customer"), v.name), (("age", "age in years"), v.whole(1, 99)),
        (("email", "email address", "mail"), v.email), (("phone", "phone number", "mobile"), v.phone),
        (("city", "town"), v.city), (("website", "url"), v.url), (("price", "total", "amount"), v.price),
        (("date", "birth date", "day"), v.date), (("company", "employer"), v.company), (("code", "order id", "id"), v.code),
        (("street", "address"), v.street), (("job", "job title"), v.job), (("active", "married", "paid"), v.boolean),
    ]
    chosen = r.sample(kinds[:3], r.randint(2, 3)) if r.random() < 0.3 else r.sample(kinds, r.randint(2, 5))
    slots = []
    for names, kind in chosen:
        value = kind(r)
        name = r.choice(names)
        slots.append(Slot(name, name, value, True, describe(r, name, value, "person")))
    joint = r.choice((", ", ", ", ", ", "; ", " | ", "\n", " / ", " - "))
    return {"domain": "person", **finish(r, slots, joint.join(s.value.text for s in slots), r.choice(("person", "record", "contact", "customer")), 0.08, split=split)}


def values_in_order(r: Rng, split: Split = TRAINING) -> dict:
    """Invented names, no labels: values of different types, in the order of the schema."""
    kinds = r.sample((v.name, v.any_whole, v.email, v.code, v.title, v.date, v.url, v.boolean, v.phrase, v.city, v.time), r.randint(2, 5))
    names = list(dict.fromkeys(random_name(r, split) for _ in kinds))
    slots = [Slot(name, name, kind(r)) for name, kind in zip(names, kinds)]
    joint = r.choice((", ", "; ", " | ", "\n", " - ", "\t"))
    schema, expected = object_schema(r, list(slots), Dialect.draw(r))
    return {"domain": "invented", "schema": schema, "messages": ask(r, joint.join(s.value.text for s in slots), random_name(r, split)), "expected": compact(expected)}


def alike(r: Rng, kind: v.Kind, first: v.Value) -> v.Value:
    """A further value of a column: the items of an array have one schema, so a day the first row leaves as it is written is not converted in the next."""
    for _ in range(20):
        value = kind(r)
        if value.schema == first.schema:
            return value
        if "enum" in first.schema:
            break
    label = r.choice(first.schema["enum"]) if "enum" in first.schema else None
    return v.Value(label, label, first.schema) if label else first


def many_records(r: Rng, split: Split = TRAINING, extra: Layout | None = None) -> dict:
    """An array of objects from a table, a list or sentences; more columns and rows with `extra` (training)."""
    domain = r.choice(split.domains)
    invented_names = not split.held_out and r.random() < 0.35
    fields = r.sample(domain.fields, r.randint(2, 5 if extra else 4))
    base = draw_slots(r, domain, fields)
    fields = [f for f in fields if any(s.name in f.names for s in base)]
    kinds = [kind_of(f.kind) for f in fields]
    if invented_names:
        for slot in base:
            slot.name = slot.label = random_name(r, split)
        kinds = [r.choice(v.TRAINED_KINDS if extra else v.ANY_KINDS) for _ in fields]
    thing = random_name(r, split) if invented_names else domain.name
    rows = [
        [Slot(s.name, s.label, kind(r), True, s.description) for s, kind in zip(base, kinds)]
        for _ in range(r.choice((2, 2, 3, 3, 4, 5)) if extra else r.randint(1, 4))
    ]
    for row in rows[1:]:
        for slot, first, kind in zip(row, rows[0], kinds):
            if "enum" in first.value.schema:
                label = r.choice(first.value.schema["enum"])
                slot.value = v.Value(label, label, first.value.schema)
            elif extra and slot.value.schema != first.value.schema:
                slot.value = alike(r, kind, first.value)
    style = r.random()
    pairs = [[(s.label, s.value.text) for s in row] for row in rows]
    if style < 0.4:
        text = (any_table if extra else table)(r, pairs)
    elif style < 0.6 and not invented_names:
        text = " ".join(sentences(r, domain, fields, row) for row in rows)
    else:
        layout, state = r.choice(split.layouts if split.held_out and r.random() < 0.5 else LAYOUTS), r.getrandbits(32)
        layout = extra if extra and r.random() < 0.5 else layout
        text = r.choice(("\n\n", "\n", "\n---\n")).join(layout(Rng(state), p) for p in pairs)
    dialect = Dialect.draw(r, extra is not None)
    order = list(range(len(base)))
    r.shuffle(order)
    item_state = r.getrandbits(32)
    items = [object_schema(Rng(item_state), [row[i] for i in order], dialect) for row in rows]
    array = {"type": "array", "items": items[0][0]}
    expected: object = [item for _, item in items]
    if r.random() < 0.8:
        key = styled(r.choice(PLURALS).format(d=thing), dialect.style)
        array = {"type": "object", "properties": {key: array}, "required": [key]}
        expected = {key: expected}
    return {"domain": "invented" if invented_names else domain.name, "schema": array, "messages": ask(r, noisy(r, text), thing + "s", extra is not None), "expected": compact(expected)}


def one_value(r: Rng, split: Split = TRAINING) -> dict:
    """A scalar or a list at the root of the schema, or one field."""
    value = r.choice(v.ANY_KINDS)(r)
    name = random_name(r, split) if r.random() < 0.5 else r.choice([f for d in split.domains for f in d.fields]).names[0]
    other = [(random_name(r, split), r.choice(v.ANY_KINDS)(r).text) for _ in range(r.randint(0, 2))]
    pairs = [*other, (name, value.text)]
    r.shuffle(pairs)
    text = r.choice(LAYOUTS)(r, pairs)
    ask_for = r.choice(("Extract the {}: ", "What is the {}? ", "Give the {}: ", "Find the {} in this text:\n"))
    content = ask_for.format(name) + text
    return {"domain": "one value", "schema": value.schema, "messages": [{"role": "user", "content": content}], "expected": compact(value.json)}
