"""Tables of which the schema asks a part, for training only: other columns, another order, blank cells, one row of many.

A model that saw every column asked, in a few shapes, took the value of a neighbouring column or row in 20 to 30% of cells
of wide tables. What a row leaves blank is an optional field that is absent, or null where the schema allows null.
"""

from dataclasses import replace

from . import values as v
from .domains import kind_of
from .extract import PLURALS, alike, ask, describe, draw_slots, few_kinds, noisy, random_name
from .layouts import any_table
from .prompt import compact
from .schemas import Dialect, Slot, object_schema, styled
from .splits import TRAINING
from .tables import write_table
from .words import Rng, invented

ROW_REQUESTS = (
    "Extract the row with {k} {v}:\n{t}", "{t}\n\nOnly the one whose {k} is {v}.", "Give me the {d} with {k} {v}.\n\n{t}", "From this list take {v} ({k}):\n{t}",
    "{t}\n\nReturn the {d} where {k} = {v}.", "Which {d} has the {k} {v}?\n{t}",
)
MOST_CELLS = 26
TABLE_GAPS = ("\n", "\n\n")  # After a space, a sentence would run on from the last cell.


def table_rows(r: Rng, columns: list[Slot], kinds: list[v.Kind], count: int) -> list[list[Slot]]:
    """`count` rows of new values under these columns, each column of one schema."""
    first = [replace(s, value=kind(r), told=True) for s, kind in zip(columns, kinds)]
    return [first, *([replace(s, value=alike(r, kind, s.value)) for s, kind in zip(first, kinds)] for _ in range(count - 1))]


def with_unit(r: Rng, rows: list[list[Slot]], at: int) -> None:
    """Moves the sign of a column's amounts into its label; the cells are bare numbers then."""
    texts = [row[at].value.text for row in rows]
    if rows[0][at].value.schema.get("type") not in ("integer", "number"):
        return
    unit = next((sign for sign in ("%", "EUR", "USD", "$", "€", "£") if sign in texts[0]), None)
    if unit is None or r.random() < 0.6:
        return
    label = r.choice(("{} ({})", "{} [{}]", "{} in {}", "{} {}")).format(rows[0][at].label, unit)
    for row in rows:
        row[at].label, row[at].value = label, replace(row[at].value, text=str(row[at].value.json))


def drawn_columns(r: Rng, most: int) -> tuple[str, list[Slot], list[v.Kind]]:
    """What a row is, and columns of a domain or of invented names."""
    if r.random() < 0.55:
        domain = r.choice(TRAINING.domains)
        fields = r.sample(domain.fields, min(most, len(domain.fields)))
        slots = draw_slots(r, domain, fields)
        by_name = {name: f for f in fields for name in f.names}
        return domain.name, slots, [kind_of(by_name[s.name].kind) for s in slots]
    names, thing = list(dict.fromkeys(random_name(r) for _ in range(most))), random_name(r)
    pool = few_kinds(r)
    kinds = [r.choice(pool) for _ in names]
    return thing, [Slot(n, n, kind(r), True, describe(r, n, v.same(""), thing)) for n, kind in zip(names, kinds)], kinds


def blanked(r: Rng, rows: list[list[Slot]]) -> set[int]:
    """Makes cells of some columns untold; ids of all slots of these columns."""
    loose: set[int] = set()
    for at in range(1, len(rows[0])):
        if r.random() < 0.35:
            loose |= {id(row[at]) for row in rows}
            for row in rows:
                row[at].told = r.random() > 0.35
    return loose


def table_record(r: Rng) -> dict:
    """Some columns of a table, in an order of the schema's own; all rows, the only row, or the one that is named."""
    thing, columns, kinds = drawn_columns(r, r.choice((2, 3, 4, 4, 5, 5, 6, 7, 8)))
    count = min(r.choice((1, 1, 2, 2, 3, 3, 4, 5, 6)), MOST_CELLS // len(columns) or 1)
    rows = table_rows(r, columns, kinds, count)
    for at in range(len(columns)):
        with_unit(r, rows, at)
    for row in rows:
        for slot in row:
            # A blank at the end of a cell cannot be seen.
            if isinstance(slot.value.json, str):
                slot.value = replace(slot.value, json=slot.value.json.strip(), text=slot.value.text.strip())
    loose = blanked(r, rows) if r.random() < 0.35 else set()
    labels, grid = [s.label for s in rows[0]], [[s.value.text if s.told else "" for s in row] for row in rows]
    text = write_table(r, labels, grid) if loose or r.random() < 0.8 else any_table(r, [list(zip(labels, line)) for line in grid])
    order = list(range(len(columns)))
    if r.random() < 0.75:
        r.shuffle(order)
    if len(order) > 2 and r.random() < 0.65:
        order = order[: r.randint(1, len(order) - 1)]
    dialect, state = Dialect.draw(r, True), r.getrandbits(32)
    items = [object_schema(Rng(state), [row[i] for i in order], dialect, loose) for row in rows]
    schema, expected = items[0]
    firsts = [line[0] for line in grid]
    if count > 1 and r.random() < 0.15 and not any(a != b and a in b for a in firsts for b in firsts) and len(set(firsts)) == count:
        at = r.randrange(count)
        content = r.choice(ROW_REQUESTS).format(k=columns[0].label, v=firsts[at], d=thing, t=text)
        return {"domain": "table", "schema": schema, "messages": [{"role": "user", "content": content}], "expected": compact(items[at][1])}
    if count > 1 or r.random() < 0.3:
        schema, expected = {"type": "array", "items": schema}, [item for _, item in items]
        if r.random() < 0.8:
            key = styled(r.choice(PLURALS).format(d=thing), dialect.style)
            schema, expected = {"type": "object", "properties": {key: schema}, "required": [key]}, {key: expected}
    return {"domain": "table", "schema": schema, "messages": ask(r, noisy(r, text, TABLE_GAPS), thing + "s" if count > 1 else thing, True), "expected": compact(expected)}


LINE_KINDS = (v.datetime_, v.choice("debug", "info", "warn", "error"), v.ip, v.path, v.any_whole, v.hexcode, v.one_word, v.email, v.url, v.boolean)
CELL_KINDS = (v.name, v.any_whole, v.email, v.code, v.title, v.date, v.url, v.boolean, v.city, v.time, v.datetime_, v.decimal, v.company)


def bare_rows(r: Rng) -> dict:
    """Lines without a header, as a log or an export has them: the columns are those of the schema, in its order."""
    log = r.random() < 0.5
    kinds = r.sample(LINE_KINDS if log else CELL_KINDS, r.randint(2, 6))
    names = list(dict.fromkeys(random_name(r) for _ in kinds))
    rows = table_rows(r, [Slot(n, n, v.same("")) for n in names], kinds, r.choice((1, 2, 3, 4, 5)))
    texts = [[s.value.text.strip() for s in row] for row in rows]
    joints = [j for j in ((" ", "  ", "\t", " - ") if log else ("\t", ", ", ";", " | ", ",")) if not any(j.strip(" ") in t if j.strip(" ") else " " in t for row in texts for t in row)]
    joint = r.choice(joints or ["\t"])
    start = f"{invented(r)}: " if log and len(rows) > 1 and r.random() < 0.2 else ""
    text = "\n".join(start + joint.join(row) for row in texts)
    dialect, state = Dialect.draw(r, True), r.getrandbits(32)
    items = [object_schema(Rng(state), list(row), dialect) for row in rows]
    key = styled(r.choice(PLURALS).format(d="line"), dialect.style)
    schema = {"type": "object", "properties": {key: {"type": "array", "items": items[0][0]}}, "required": [key]}
    return {"domain": "lines", "schema": schema, "messages": ask(r, text, "lines", True), "expected": compact({key: [item for _, item in items]})}
