"""Shapes of tables as files, pages and terminals have them, for training only.

A shape writes labels and rows of cells; an empty cell is one the record does not tell. Each names the signs a cell may not
have (`without`), so that the cells stay apart, and says whether it can leave a cell blank. HTML cells are left open, as
the standard allows: closed tags around a value are a held-out layout.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from .render import Pairs
from .words import Rng, english, word

Cells = list[str]
Grid = list[Cells]
BLANKS = ("", "", "", "-", "-", "n/a", "N/A", "—", "NULL", "--", "(blank)")
NUMBER = re.compile(r"[$€£]?[\d.,]+%?")


def _widths(grid: Grid, least: int = 0) -> list[int]:
    return [max(least, *(len(row[i]) for row in grid)) for i in range(len(grid[0]))]


def _padded(r: Rng, grid: Grid) -> Grid:
    """All cells of a column as wide as the widest; columns of numbers may stand to the right."""
    right = r.random() < 0.6
    wide = _widths(grid)
    sides = [right and all(NUMBER.fullmatch(row[i]) for row in grid[1:]) for i in range(len(wide))]
    return [[cell.rjust(w) if side else cell.ljust(w) for cell, w, side in zip(row, wide, sides)] for row in grid]


def _again(r: Rng, lines: list[str], head: int = 1) -> list[str]:
    """The header once more after some rows, as at the top of a new page."""
    if len(lines) < head + 2 or r.random() > 0.12:
        return lines
    at = r.randint(head + 1, len(lines) - 1)
    return [*lines[:at], *([""] if r.random() < 0.5 else []), *lines[:head], *lines[at:]]


def _delimited(joint: str) -> Callable[[Rng, Cells, Grid], str]:
    def shape(r: Rng, labels: Cells, rows: Grid) -> str:
        return "\n".join(_again(r, [joint.join(row) for row in [labels, *rows]]))

    shape.__name__ = f"_delimited{json.dumps(joint)}"
    return shape


def _csv(r: Rng, labels: Cells, rows: Grid) -> str:
    """Quotes only where a cell needs them, or around every cell, or around every one that is no number."""
    joint, style = r.choice((",", ",", ";")), r.random()

    def cell(text: str) -> str:
        return f'"{text}"' if joint in text or style < 0.2 or style < 0.35 and not NUMBER.fullmatch(text) else text

    return "\n".join(_again(r, [joint.join(map(cell, row)) for row in [labels, *rows]]))


def _pipes(r: Rng, labels: Cells, rows: Grid) -> str:
    grid = _padded(r, [labels, *rows]) if r.random() < 0.5 else [labels, *rows]
    lines = ["| " + " | ".join(row) + " |" for row in grid]
    style = r.random()
    if style < 0.5:
        rule = ["|" + "|".join("-" * (w + 2) for w in _widths(grid, 1)) + "|"]
    elif style < 0.75:
        rule = ["|" + "+".join("-" * (w + 2) for w in _widths(grid, 1)) + "|"]
    else:
        rule = []
    return "\n".join([lines[0], *rule, *lines[1:]])


def _boxes(r: Rng, labels: Cells, rows: Grid) -> str:
    grid = _padded(r, [labels, *rows])
    rule = "+" + "+".join("-" * (len(cell) + 2) for cell in grid[0]) + "+"
    lines = ["| " + " | ".join(row) + " |" for row in grid]
    return "\n".join([rule, lines[0], rule, *lines[1:], rule])


def _terminal(r: Rng, labels: Cells, rows: Grid) -> str:
    """As a database shell prints it."""
    grid = _padded(r, [labels, *rows])
    rule = "+".join("-" * (len(cell) + 2) for cell in grid[0])
    lines = [(" " + " | ".join(row)).rstrip() for row in grid]
    tail = [f"({len(rows)} row{'s' if len(rows) > 1 else ''})"] if r.random() < 0.5 else []
    return "\n".join([lines[0], rule, *lines[1:], *tail])


def _fixed(r: Rng, labels: Cells, rows: Grid) -> str:
    """Columns of equal width two or more spaces apart, perhaps under rules."""
    gap = " " * r.randint(2, 4)
    grid = _padded(r, [labels, *rows])
    lines = [gap.join(row).rstrip() for row in grid]
    rule = gap.join(r.choice(("-", "=")) * len(cell) for cell in grid[0]) if r.random() < 0.5 else "-" * max(map(len, lines))
    style = r.random()
    if style < 0.3:
        return "\n".join([lines[0], rule, *lines[1:]])
    return "\n".join([rule, lines[0], rule, *lines[1:], rule] if style < 0.4 else _again(r, lines))


def _ragged(r: Rng, labels: Cells, rows: Grid) -> str:
    """Columns that were aligned once: two to five spaces, as many as it happens."""
    return "\n".join("".join(cell + " " * r.randint(2, 5) for cell in row).rstrip() for row in [labels, *rows])


def _html(r: Rng, labels: Cells, rows: Grid) -> str:
    gap = r.choice(("", "", "\n", " "))
    head = "<tr>" + gap + gap.join(f"<th>{cell}" for cell in labels)
    return "\n".join(["<table>", head, *("<tr>" + gap + gap.join(f"<td>{cell}" for cell in row) for row in rows), "</table>"])


def _latex(r: Rng, labels: Cells, rows: Grid) -> str:
    rule = ["\\hline"] if r.random() < 0.6 else []
    lines = [" & ".join(row) + r" \\" for row in [labels, *rows]]
    body = [*rule, lines[0], *rule, *lines[1:], *rule]
    return "\n".join([f"\\begin{{tabular}}{{{r.choice('lcr') * len(labels)}}}", *body, "\\end{tabular}"] if r.random() < 0.5 else body)


def _wiki(r: Rng, labels: Cells, rows: Grid) -> str:
    if r.random() < 0.5:
        return "\n".join(["{| class=\"wikitable\"", "! " + " !! ".join(labels), *("|-\n| " + " || ".join(row) for row in rows), "|}"])
    return "\n".join(["||" + "||".join(labels) + "||", *("|" + "|".join(row) + "|" for row in rows)])


def _arrays(r: Rng, labels: Cells, rows: Grid) -> str:
    lines = [json.dumps(row, ensure_ascii=False) for row in [labels, *rows]]
    return "[" + ",\n ".join(lines) + "]" if r.random() < 0.5 else "\n".join(lines)


def _objects(r: Rng, labels: Cells, rows: Grid) -> str:
    lines = [json.dumps({k: v for k, v in zip(labels, row) if v}, ensure_ascii=False) for row in rows]
    return "[" + ", ".join(lines) + "]" if r.random() < 0.4 else "\n".join(lines)


def _attributes(r: Rng, labels: Cells, rows: Grid) -> str:
    name = word(r)
    return "\n".join(f"<{name} " + " ".join(f'{_key(k)}="{v}"' for k, v in zip(labels, row) if v) + " />" for row in rows)


def _inserts(r: Rng, labels: Cells, rows: Grid) -> str:
    values = ["(" + ", ".join(f"'{v}'" if v else "NULL" for v in row) + ")" for row in rows]
    return f"INSERT INTO {word(r)} ({', '.join(map(_key, labels))}) VALUES\n" + ",\n".join(values) + ";"


def _blocks(r: Rng, labels: Cells, rows: Grid) -> str:
    """Some lines for each record under its number; what a record lacks is left out."""
    head = r.choice(("Record {}", "#{}", "Entry {}:", "{}.", "[{}]", "--- {} ---", "{})", "Row {}", "* {}", "== {} =="))
    joint, colon = r.choice(("\n", "\n", "\n  ", "; ", " | ")), r.choice((": ", ": ", " = ", " - ", ":\t"))
    if joint == " | " and any("|" in v for row in rows for v in row) or joint == "; " and any(";" in v for row in rows for v in row):
        joint = "\n"
    first = "\n" if joint[0] == "\n" else " "
    apart = "\n\n" if joint[0] == "\n" and r.random() < 0.5 else "\n"
    return apart.join(head.format(i) + (joint if first == "\n" else " ") + joint.join(f"{k}{colon}{v}" for k, v in zip(labels, row) if v) for i, row in enumerate(rows, 1))


def _turned(r: Rng, labels: Cells, rows: Grid) -> str:
    """A label before each line, a column for each record, perhaps numbered ones."""
    grid = [[k, *(row[i] for row in rows)] for i, k in enumerate(labels)]
    if r.random() < 0.4:
        name = r.choice(("{}", "#{}", "Record {}", "no. {}"))
        grid.insert(0, [r.choice(("", "field", "")), *(name.format(i) for i in range(1, len(rows) + 1))])
    style = r.random()
    if style < 0.35:
        return "\n".join("\t".join(row) for row in grid)
    if style < 0.65:
        return "\n".join("| " + " | ".join(row) + " |" for row in grid)
    return "\n".join("  ".join(row).rstrip() for row in _padded(r, grid))


def _stacked(r: Rng, labels: Cells, rows: Grid) -> str:
    """Each cell in a line of its own, row by row, as a copy from a page has it."""
    return r.choice(("\n\n", "\n\n", "\n---\n")).join("\n".join(row) for row in [labels, *rows])


def _key(label: str) -> str:
    return label.replace(" ", "_")


@dataclass(frozen=True)
class Shape:
    """`without`: what no cell may have. `blank`: whether a cell may be blank. `titled`: a line may stand before it. `keyed`: labels are identifiers."""

    write: Callable[[Rng, Cells, Grid], str]
    share: float
    without: tuple[str, ...] = ()
    blank: bool = True
    titled: bool = True
    keyed: bool = False


SHAPES = (
    Shape(_delimited("\t"), 2, ("\t",)),
    Shape(_delimited(" | "), 1, ("|",)),
    Shape(_delimited("|"), 1, ("|",)),
    Shape(_delimited(" ; "), 0.5, (";",)),
    Shape(_csv, 3, ('"',)),
    Shape(_pipes, 2, ("|",)),
    Shape(_boxes, 1, ("|",)),
    Shape(_terminal, 1, ("|",)),
    Shape(_fixed, 3, ("  ",), blank=False),
    Shape(_ragged, 1.5, ("  ",), blank=False),
    Shape(_html, 1.5, ("<", ">", "&"), titled=False),
    Shape(_latex, 1, ("&", "\\")),
    Shape(_wiki, 1, ("|", "!!")),
    Shape(_arrays, 0.8, ('"', "\\"), titled=False),
    Shape(_objects, 0.7, ('"', "\\"), titled=False),
    Shape(_attributes, 0.7, ('"', "<", ">", "&"), titled=False, keyed=True),
    Shape(_inserts, 0.7, ("'",), titled=False, keyed=True),
    Shape(_blocks, 2),
    Shape(_turned, 1.5, ("|", "\t", "  "), blank=False),
    Shape(_stacked, 0.5, blank=False),
)


def header(r: Rng, labels: Cells) -> Cells:
    """The labels as one file writes them; now and then one has a mark of a footnote."""
    style = r.random()
    up = str if style < 0.4 else str.upper if style < 0.58 else str.title if style < 0.75 else str.capitalize if style < 0.85 else _key
    out = [up(k) for k in labels]
    if r.random() < 0.08:
        at = r.randrange(len(out))
        out[at] += r.choice((" *", " (1)", " [a]", "*"))
    return out


def titled(r: Rng, text: str, count: int) -> str:
    """A line before the table, now and then one after it."""
    if r.random() < 0.22:
        about = " ".join(english(r) for _ in range(r.randint(1, 3)))
        text = r.choice((f"{about.capitalize()}\n", f"{about.upper()}\n\n", f"# {about}\n", f"Table: {about}\n\n", f"Export of {about}\n", "Sheet1\n", f"## {about.title()}\n\n", f"See table ({about}).\n")) + text
    if r.random() < 0.1:
        text += "\n" + r.choice((f"({count} lines)", "end of export", "* see notes", "(own list)", "--", f"Total lines: {count}"))
    return text


def write_table(r: Rng, labels: Cells, rows: Grid) -> str:
    """A table in any shape that keeps its cells apart. An empty cell is written as a blank one or by a sign for it."""
    texts = [cell for row in rows for cell in row]
    empty = "" in texts
    fit = [s for s in SHAPES if not any(sign in text for sign in s.without for text in texts)]
    shape = r.choices(fit, [s.share for s in fit])[0]
    labels = [_key(k) for k in labels] if shape.keyed else header(r, labels)
    if empty:
        blank = r.choice(BLANKS if shape.blank else [b for b in BLANKS if b])
        rows = [[cell or blank for cell in row] for row in rows]
    if shape.titled and shape.write is not _blocks and r.random() < 0.15:
        number = r.choice(("#", "No.", "Nr", "line", ""))
        if (number or shape.blank) and number.lower().strip(".") not in map(str.lower, labels):
            labels, rows = [number, *labels], [[str(i), *row] for i, row in enumerate(rows, 1)]
    text = shape.write(r, labels, rows)
    return titled(r, text, len(rows)) if shape.titled else text


def wild_table(r: Rng, rows: list[Pairs]) -> str:
    """Records of the same labels as such a table."""
    return write_table(r, [k for k, _ in rows[0]], [[v for _, v in row] for row in rows])
