"""More layouts and tables, for training only: the shapes that data has in files, code and notes.

`marks.py` makes patterns up; these are the ones that exist, so that a table under rules or a call with
arguments is known as what it is. None is a held-out layout: `check_held_out.py` compares.
"""

from .render import Pairs, cased, table
from .tables import wild_table
from .words import Rng, english, word


def _key(r: Rng, label: str) -> str:
    return r.choice((label.replace(" ", "_"), label.replace(" ", "_"), label.replace(" ", "-"), label.upper().replace(" ", "_")))


def _quoted(r: Rng, value: str) -> str:
    mark = r.choice(('"', "'"))
    return f"{mark}{value}{mark}" if mark not in value else value


def _yaml(r: Rng, pairs: Pairs) -> str:
    indent, keyed = r.choice(("", "  ", "    ")), r.random() < 0.6
    head = f"{word(r)}:\n" if keyed else r.choice(("", "---\n"))
    return head + "\n".join(f"{indent if keyed else ''}{_key(r, k)}: {v}" for k, v in pairs)


def _ini(r: Rng, pairs: Pairs) -> str:
    head = f"[{word(r)}]\n" if r.random() < 0.7 else f"{r.choice('#;')} {english(r)}\n"
    eq = r.choice(("=", " = "))
    return head + "\n".join(f"{_key(r, k)}{eq}{_quoted(r, v) if r.random() < 0.3 else v}" for k, v in pairs)


def _call(r: Rng, pairs: Pairs) -> str:
    eq, brackets = r.choice((("=", "()"), ("=", "()"), (": ", "()"), (":", "{}"), (" = ", "{}")))
    body = ", ".join(f"{_key(r, k)}{eq}{_quoted(r, v)}" for k, v in pairs)
    return f"{word(r).capitalize()}{r.choice(('', ' ' if brackets == '{}' else ''))}{brackets[0]}{body}{brackets[1]}"


def _insert(r: Rng, pairs: Pairs) -> str:
    return f"INSERT INTO {word(r)} ({', '.join(_key(r, k) for k, _ in pairs)}) VALUES ({', '.join(_quoted(r, v) for _, v in pairs)})"


def _log(r: Rng, pairs: Pairs) -> str:
    stamp = f"20{r.randint(10, 35)}-{r.randint(1, 12):02d}-{r.randint(1, 28):02d} {r.randint(0, 23):02d}:{r.randint(0, 59):02d}:{r.randint(0, 59):02d}"
    head = r.choice((stamp, f"[{stamp}]", f"{stamp} {r.choice(('INFO', 'WARN', 'DEBUG'))}", f"{word(r)}[{r.randint(1, 9999)}]:"))
    return f"{head} {english(r)} " + " ".join(f"{_key(r, k)}={_quoted(r, v) if ' ' in v else v}" for k, v in pairs)


def _label_above(r: Rng, pairs: Pairs) -> str:
    up = r.choice((str.upper, str.title, str.capitalize, str))
    mark = r.choice(("", ":", ""))
    return r.choice(("\n\n", "\n")).join(f"{up(k)}{mark}\n{r.choice(('', '  ')) if mark else ''}{v}" for k, v in pairs)


def _numbered(r: Rng, pairs: Pairs) -> str:
    dot, colon = r.choice((".", ")", " -")), r.choice((": ", " - ", " is ", " = "))
    return "\n".join(f"{i}{dot} {cased(r, k)}{colon}{v}" for i, (k, v) in enumerate(pairs, 1))


def _columns(r: Rng, pairs: Pairs) -> str:
    width = max(len(k) for k, _ in pairs) + r.randint(2, 4)
    fill = r.choice((" ", " ", "."))
    return "\n".join(f"{cased(r, k)}{fill * (width - len(k))}{v}" for k, v in pairs)


def _boxed(r: Rng, pairs: Pairs) -> str:
    return "\n".join(["| field | value |", "|---|---|", *(f"| {k} | {v} |" for k, v in pairs)])


def _two_lines(r: Rng, pairs: Pairs) -> str:
    joint = r.choice((" / ", ", ", " | ", " & "))
    keep = [(k, v) for k, v in pairs if joint.strip() not in v]
    if len(keep) < len(pairs):
        return _label_above(r, pairs)
    colon = r.choice((": ", " = ", "\n", " are "))
    return joint.join(k for k, _ in pairs) + colon + joint.join(v for _, v in pairs)


def _speech(r: Rng, pairs: Pairs) -> str:
    forms = (
        "so the {k}, it's {v}", "um, {v} for the {k}", "the {k} I have down as {v}", "and my {k} says {v}", "oh and {v}, that's the {k}",
        "for {k} put {v}", "{k}? {v}", "it says {v} under {k}", "you'll see {v} as the {k}", "we went with {v} for {k}", "I believe the {k} is {v}",
        "{k} is still {v}", "they told me the {k} is {v}", "the {k} came out at {v}", "now {k}, write {v}", "with {v} as its {k}",
    )
    end = r.choice((", ", ". ", " and ", "; "))
    text = end.join(r.choice(forms).format(k=k, v=v) for k, v in pairs)
    return text[0].upper() + text[1:] + r.choice(("", ".", "!"))


def _typed_fields(r: Rng, pairs: Pairs) -> str:
    mark = r.choice(("{k}: [{v}]", "{k}: <{v}>", "{k}: _{v}_", "{k} ({v})", "{k} \"{v}\"", "{k}: `{v}`", "{k}:\t{v}", "[x] {k}: {v}"))
    return "\n".join(mark.format(k=cased(r, k), v=v) for k, v in pairs)


SHAPES = (
    _yaml, _ini, _call, _insert, _log, _label_above, _numbered, _columns, _boxed, _two_lines, _speech, _speech, _typed_fields,
)


def shaped(r: Rng, pairs: Pairs) -> str:
    return r.choice(SHAPES)(r, pairs)


def any_table(r: Rng, rows: list[Pairs]) -> str:
    """Records of the same labels as a table: rules, columns, quotes, numbers of rows, turned on its side, or a shape of `tables.py`."""
    if r.random() < 0.5:
        return wild_table(r, rows)
    style = r.random()
    labels = [k for k, _ in rows[0]]
    values = [[v for _, v in row] for row in rows]
    if style < 0.35 or any("|" in v for row in values for v in row):
        return table(r, rows)
    if style < 0.55:
        gap = r.choice((" ", " ", ""))
        rule = "|" + "|".join(r.choice(("---", "---", ":--")) for _ in labels) + "|"
        lines = ["|" + "|".join(f"{gap}{v}{gap}" for v in row) + "|" for row in [labels, *values]]
        return "\n".join([lines[0], rule, *lines[1:]])
    if style < 0.7:
        wide = [max(len(row[i]) for row in [labels, *values]) + r.randint(2, 3) for i in range(len(labels))]
        up = r.choice((str, str.upper, str.title))
        lines = ["".join(v.ljust(w) for v, w in zip(row, wide)).rstrip() for row in [[up(k) for k in labels], *values]]
        return "\n".join([lines[0], *(["-" * len(lines[0])] if r.random() < 0.4 else []), *lines[1:]])
    if style < 0.8 and not any('"' in v for row in values for v in row):
        joint = r.choice((",", ";", ", "))
        return "\n".join(joint.join(f'"{v}"' for v in row) for row in [[k.replace(" ", "_") for k in labels], *values])
    if style < 0.9:
        number = r.choice(("{}. ", "{}) ", "#{} ", "{} | "))
        joint = r.choice((" | ", "\t", " / "))
        if joint == " / " and any("/" in v for row in values for v in row):
            joint = "\t"
        lines = [joint.join(row) for row in values]
        return "\n".join([joint.join(labels), *(number.format(i) + line for i, line in enumerate(lines, 1))])
    joint = r.choice((" | ", "\t", ": "))
    return "\n".join(joint.join([k, *(row[i] for row in values)]) for i, k in enumerate(labels))


