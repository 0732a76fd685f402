"""Records with parts, for training only: fields beside an array of rows, and keys that only their description explains."""

from . import values as v
from .domains import kind_of
from .extract import PLURALS, ask, describe, draw_slots, laid_out, noisy, random_name, sentences
from .layouts import any_table, shaped
from .loose import ALL_FIELDS
from .domains import Domain
from .prompt import compact
from .rows import table_rows
from .schemas import Dialect, Slot, object_schema, styled
from .splits import TRAINING
from .words import Rng


def record_with_rows(r: Rng) -> dict:
    """A head (an invoice, a booking) and its rows; the head's text stands before or after them."""
    domain = r.choice(TRAINING.domains)
    fields = r.sample(domain.fields, min(len(domain.fields), r.randint(4, 8)))
    slots = draw_slots(r, domain, fields)
    fields = [f for f in fields if any(s.name in f.names for s in slots)]
    cut = r.randint(2, len(slots) - 1) if len(slots) > 3 else len(slots) - 1
    invented = r.random() < 0.3
    head, columns = slots[:cut], slots[cut : cut + 4]
    kinds = [kind_of(f.kind) for f in fields[cut : cut + 4]]
    if invented:
        kinds = [r.choice(v.TRAINED_KINDS) for _ in kinds]
        for slot in columns:
            slot.name = slot.label = random_name(r)
    rows = table_rows(r, columns, kinds, r.randint(1, 4))
    top = sentences(r, domain, fields[:cut], head) if r.random() < 0.5 else laid_out(r, head, TRAINING, shaped)
    pairs = [[(s.label, s.value.text) for s in row] for row in rows]
    if r.random() < 0.55:
        body = any_table(r, pairs)
    else:
        bullet, joint, named = r.choice(("- ", "* ", "", "• ")), r.choice((", ", " / ", " | ")), r.random() < 0.6
        body = "\n".join(bullet + joint.join(f"{k}: {t}" if named else t for k, t in p) for p in pairs)
    parts = [top, body] if r.random() < 0.8 else [body, top]
    text = r.choice(("\n", "\n\n")).join(parts)
    dialect = Dialect.draw(r, True)
    order = list(range(len(columns)))
    if r.random() < 0.4:
        r.shuffle(order)
    state = r.getrandbits(32)
    items = [object_schema(Rng(state), [row[i] for i in order], dialect) for row in rows]
    schema, expected = object_schema(r, list(head), dialect)
    taken = set(schema["properties"])
    key = styled(r.choice((*PLURALS, "lines", "details", "parts", "members")).format(d=domain.name), dialect.style)
    if key in taken:
        key = styled("all rows", dialect.style)
    keys = list(schema["properties"])
    at = len(keys) if r.random() < 0.7 else r.randint(0, len(keys))
    schema["properties"] = {k: schema["properties"][k] if k in taken else {"type": "array", "items": items[0][0]} for k in [*keys[:at], key, *keys[at:]]}
    expected = {k: expected[k] if k in taken else [item for _, item in items] for k in [*keys[:at], key, *keys[at:]] if k == key or k in expected}
    if "required" in schema:
        schema["required"] = [*schema["required"], key]
    return {"domain": domain.name, "schema": schema, "messages": ask(r, noisy(r, text), domain.name, True), "expected": compact(expected)}


def described_record(r: Rng) -> dict:
    """Keys without meaning (`f1`, an invented word); the description says what is asked."""
    fields = r.sample(ALL_FIELDS, r.randint(2, 5))
    slots = draw_slots(r, Domain("form", (), ()), fields)
    by_name = {name: field for field in fields for name in field.names}
    parts = []
    for slot in slots:
        own = by_name[slot.name].sentences
        parts.append(r.choice(own).format(slot.value.text) if own and r.random() < 0.7 else f"The {slot.label} is {slot.value.text}.")
    r.shuffle(parts)
    start = r.choice(("f", "field ", "q", "col ", "x", ""))
    properties, expected = {}, {}
    asked = list(slots)
    r.shuffle(asked)
    for i, slot in enumerate(asked, 1):
        key = f"{start}{i}".replace(" ", "_") if start else random_name(r).replace(" ", "_")
        schema = dict(slot.value.schema)
        properties[key] = {**schema, "description": describe(r, slot.name, slot.value, "record")}
        expected[key] = slot.value.json
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    return {"domain": "described", "schema": schema, "messages": ask(r, noisy(r, " ".join(parts)), "record", True), "expected": compact(expected)}
