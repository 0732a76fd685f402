"""Layouts in phrases people use: dictated notes, transcripts, tickets, letters, forms; for training only.

`marks.py` makes patterns of random words, so a model learns that any words may stand around label and value, but not which
words do. `phrasings.txt` holds patterns written by hand, in families of one voice: `= family`, `^` a line before the
record, `$` a line after it, each other line a pattern with `{k}` for the label and `{v}` for the value (`{a}` and `{b}` are
two speakers, `\\n` breaks the line). A record keeps to one pattern, to one family or to none. What a careful reader could not
tell apart is not made: a comma joins pairs only where no value has one, a value that ends in a sign ends its line.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .render import Layout, Pairs
from .words import Rng, invented

SPEAKERS = (
    ("A", "B"), ("Agent", "Caller"), ("Desk", "Guest"), ("Interviewer", "Respondent"), ("mod", "user"), ("Nurse", "Patient"), ("Q", "A"), ("Host", "Guest"), ("clerk", "me"), ("ME", "THEM"),
    ("Officer", "Driver"), ("Teacher", "Parent"), ("Support", "You"), ("left", "right"), ("1", "2"), ("Chair", "Member"),
)
BULLETS = ("- ", "* ", "• ", "+ ", "{}. ", "{}) ", "({}) ", "No. {}: ", "[ ] ")
ENDS = ".!?"
STOPS = frozenset(".,;:!?")
QUOTES = frozenset("\"'“”„`")
BLANK = frozenset(" \n\t")
PART = re.compile(r"(\{[kvab]\})")


@dataclass(frozen=True)
class Pattern:
    """`parts`: literal text and placeholders in turn. The rest says what surrounds the value."""

    parts: tuple[str, ...]
    text: str
    block: bool
    starts: bool
    blank_before: bool
    blank_after: bool
    ends: bool
    quoted: bool


@dataclass(frozen=True)
class Family:
    """`keys`: labels are mostly written as identifiers. `before`, `after`: lines around a record."""

    name: str
    keys: bool
    before: tuple[str, ...]
    after: tuple[str, ...]
    patterns: tuple[Pattern, ...]


def pattern(line: str) -> Pattern:
    text = line.replace("\\n", "\n").replace("\\t", "\t")
    if len(re.findall(r"\{v\}", text)) != 1 or "{k}" not in text:
        raise ValueError(f"phrasings.txt: '{line}' needs {{k}} and {{v}} once")
    left, right = text.split("{v}")
    near = set(left[-1:] + right[:1])
    return Pattern(
        parts=tuple(part for part in PART.split(text) if part), text=PART.sub("", text), block="\n" in text or "{b}" in text,
        starts=not left, blank_before=not left or left[-1] in BLANK, blank_after=not right or right[0] in BLANK,
        ends=not right or right[0] == "\n", quoted=bool(near & QUOTES),
    )


def parse(text: str) -> tuple[Family, ...]:
    """The families of `phrasings.txt`. ValueError names a pattern without a label or a value."""
    families = []
    for block in ("\n" + text.strip()).split("\n= ")[1:]:
        head, *lines = [line for line in block.split("\n") if line.strip()]
        name, _, flag = head.partition(" ; ")
        before, after = ([line[2:] for line in lines if line.startswith(mark)] for mark in ("^ ", "$ "))
        patterns = tuple(pattern(line) for line in lines if line[:2] not in ("^ ", "$ "))
        families.append(Family(name, flag == "keys", tuple(before), tuple(after), patterns))
    return tuple(families)


FAMILIES = parse((Path(__file__).parent / "phrasings.txt").read_text(encoding="utf-8"))
EVERY = tuple(p for family in FAMILIES for p in family.patterns)
PLAIN = pattern("{k}: {v}")


def fitting(patterns: tuple[Pattern, ...], pairs: Pairs) -> list[Pattern]:
    """The patterns in which the ends of every value can be seen; `PLAIN` if there is none."""
    values = [v for _, v in pairs]
    before = any(not v[:1].isalnum() for v in values)
    after = any(not v[-1:].isalnum() and v[-1:] != "%" for v in values)
    stop = any(v[-1:] in STOPS for v in values)
    quote = any(not QUOTES.isdisjoint(v) for v in values)
    return [
        p for p in patterns
        if not (before and not p.blank_before or after and not p.blank_after or stop and not p.ends or quote and p.quoted)
    ] or [PLAIN]


def joint_of(r: Rng, patterns: list[Pattern], pairs: Pairs) -> str:
    """What stands between two pairs: a sign that no value and no pattern has, or a line break."""
    if any(p.block for p in patterns):
        return "\n\n" if any(p.block and p.starts for p in patterns) else r.choice(("\n", "\n", "\n\n"))
    lines = ("\n", "\n", "\n", "\n\n")
    if any(not v[-1:].isalnum() and v[-1:] != "%" for _, v in pairs):
        return r.choice(lines)
    texts = [v for _, v in pairs] + [p.text for p in patterns]
    starts = {p.starts for p in patterns}
    near = (", ", " and ", "\t", " / ") if starts == {False} else ("\t",)
    free = [joint for joint in (*near, "; ", "; ", " | ", " - ", " — ") if not any(joint.strip() in text for text in texts)] if len(starts) == 1 else []
    prose = () if any(". " in text for text in texts) else (". ", ". ", ". ")
    return r.choice((*lines, *prose, *(r.choice(free) for _ in range(2 if free else 0))))


def label_style(r: Rng, keys: bool) -> Callable[[str], str]:
    """How the labels of one record are written."""
    gap = r.choice(("_", "_", "-", " ")) if keys else r.choice((" ",) * 14 + ("_", "-"))
    up = r.choice((str, str, str, str, str, str, str.capitalize, str.title, str.upper, str))
    quote = '"' if not keys and r.random() < 0.05 else ""
    return lambda k: quote + up(k).replace(" ", gap) + quote


def voice_style(r: Rng) -> Callable[[str], str]:
    """How the words of the patterns of one record are written."""
    style = r.random()
    return str.lower if style < 0.12 else str.upper if style < 0.16 else str


def written(r: Rng, family: Family | None, patterns: list[Pattern], pairs: Pairs) -> str:
    """The pairs in patterns drawn from `patterns`, joined alike."""
    chosen = [r.choice(patterns) for _ in pairs]
    joint = joint_of(r, chosen, pairs)
    label, voice, speakers = label_style(r, bool(family and family.keys)), voice_style(r), r.choice(SPEAKERS)
    if r.random() < 0.3:
        speakers = (invented(r), invented(r))
    fill = {"{a}": speakers[0], "{b}": speakers[1]}
    raised = r.random() < 0.75 and voice is not str.lower and not (family and family.keys)
    bullet = r.choice(BULLETS) if joint == "\n" and r.random() < 0.3 and all(p.parts[0][0].isalpha() or p.parts[0] == "{k}" for p in chosen) else ""
    sentence = joint == ". " or joint.startswith("\n") and not bullet and r.random() < 0.35
    open_end = any(not v[-1:].isalnum() and v[-1:] != "%" for _, v in pairs)
    pieces = []
    for number, (p, (k, v)) in enumerate(zip(chosen, pairs), 1):
        text = "".join(v if part == "{v}" else label(k) if part == "{k}" else fill[part] if part in fill else voice(part) for part in p.parts)
        if raised and not p.starts and (not pieces or joint[0] in ".\n"):
            text = text[0].upper() + text[1:]
        if sentence and text[-1] not in ENDS and not (p.ends and (p.block or open_end)):
            text += "."
        pieces.append(bullet.format(number) + text)
    if joint == ". ":
        joint = " "
    body = joint.join(pieces)
    return around(r, family, body, voice, sentence and "\n" not in joint) if family else body


def around(r: Rng, family: Family, body: str, voice: Callable[[str], str], prose: bool) -> str:
    """Now and then a line of the family before and after; in prose, a sentence may stand in the same line."""
    if family.before and r.random() < 0.25:
        first = r.choice(family.before)
        body = voice(first) + (" " if prose and first[-1] in ENDS else r.choice(("\n", "\n", "\n\n"))) + body
    if family.after and r.random() < 0.2:
        body += (" " if prose else "\n") + voice(r.choice(family.after))
    return body


def in_family(r: Rng, family: Family, pairs: Pairs) -> str:
    """One pattern of the family throughout, or any of its patterns for each pair."""
    patterns = fitting(family.patterns, pairs)
    return written(r, family, [r.choice(patterns)] if r.random() < 0.6 else patterns, pairs)


# The first pair of a sentence and those after it, which leave out what they share with it.
GAPPED = (
    ("the {k} is {v}", "the {k} {v}"), ("{k} was given as {v}", "{k} as {v}"), ("{v} is the {k}", "{v} the {k}"), ("they put {v} under {k}", "{v} under {k}"),
    ("we have {v} for {k}", "{v} for {k}"), ("set {k} to {v}", "{k} to {v}"), ("note {v} as {k}", "{v} as {k}"), ("the {k} reads {v}", "the {k} {v}"),
    ("for {k} take {v}", "for {k} {v}"), ("under {k} it says {v}", "under {k} {v}"), ("I would say {v} for the {k}", "{v} for the {k}"), ("the {k} was found to be {v}", "the {k} {v}"),
    ("with {v} for its {k}", "{v} for its {k}"), ("{k} comes to {v}", "{k} to {v}"), ("we know the {k} ({v})", "the {k} ({v})"), ("my {k} is {v}", "my {k} {v}"),
    ("in the field {k} enter {v}", "in {k} {v}"), ("leave {k} at {v}", "{k} at {v}"), ("please change {k} to {v}", "{k} to {v}"), ("{v} goes into {k}", "{v} into {k}"),
)
TOGETHER = ("{k} are {v}, in this order", "{k} are {v} respectively", "for {k} we have {v}, in that order", "{k}: {v}", "they gave {k} as {v}")


def gapped(r: Rng, pairs: Pairs) -> str:
    """One sentence: `the width is 4, the height 7 and the depth 9`, or all labels and after them all values."""
    values = [v for _, v in pairs]
    if len(pairs) < 2 or any(not v[:1].isalnum() or not v[-1:].isalnum() or ";" in v or " and " in v for v in values):
        return in_family(r, r.choice(FAMILIES), pairs)
    joint = "; " if any("," in v for v in values) else ", "
    last = r.choice((" and ", joint, joint + "and "))
    label = label_style(r, False)

    def listed(parts: list[str]) -> str:
        return joint.join(parts[:-1]) + last + parts[-1]

    if len(pairs) < 5 and r.random() < 0.2:
        text = r.choice(TOGETHER).replace("{k}", listed([label(k) for k, _ in pairs]), 1).replace("{v}", listed(values), 1)
    else:
        first, rest = ([part for part in PART.split(form) if part] for form in r.choice(GAPPED))
        text = listed(["".join(v if part == "{v}" else label(k) if part == "{k}" else part for part in (rest if i else first)) for i, (k, v) in enumerate(pairs)])
        if first[0] != "{v}" and r.random() < 0.75:
            text = text[0].upper() + text[1:]
    return text + r.choice((".", ".", ""))


def phrased(r: Rng, pairs: Pairs) -> str:
    """The pairs as one voice tells them, or as many voices do, or in one sentence."""
    style = r.random()
    if style < 0.68:
        return in_family(r, r.choice(FAMILIES), pairs)
    if style < 0.78:
        return gapped(r, pairs)
    return written(r, None, fitting(tuple(r.choice(EVERY) for _ in range(r.randint(2, 7))), pairs), pairs)


def of_family(family: Family) -> Layout:
    """A layout that keeps to one family, for `check_held_out.py`."""

    def layout(r: Rng, pairs: Pairs) -> str:
        return in_family(r, family, pairs)

    layout.__name__ = f"phrased ({family.name})"
    return layout


FAMILY_LAYOUTS = tuple(of_family(family) for family in FAMILIES)
