"""Layouts made up on the spot: which marks and words stand around label and value is drawn
per record, so that a model has to find the pattern in the record and cannot know it.

A model that saw 19 fixed layouts and few others had 15 to 20% of values wrong in those and 70 to 80% in
the held-out ones. None of those is made here: no arrow, no tag in angle brackets.
"""

from . import fresh
from .domains import UNSEEN_NAMES
from .layouts import any_table, shaped
from .phrasings import phrased
from .tools import HELD_OUT_TOOLS
from .words import Rng, english, invented

GLUE = "to from for with by at in on as of and under near about after before until via per against over".split()
UNSEEN_WORDS = frozenset(" ".join([*UNSEEN_NAMES, *(line.split("|")[0] for line in (HELD_OUT_TOOLS + fresh.TOOLS).strip().split("\n"))]).split())
SIGNS = "!#$%&'()*+,-./:;<=>?@[]^_`{|}~"
ARROWS = ("->", "=>", ">>")
BRACKETS = (("[", "]"), ("{", "}"), ("(", ")"), ("[[", "]]"), ("{{", "}}"), ("|", "|"), ("%", "%"), ("{%", "%}"), ("*", "*"), ("::", "::"), ("@", ";"))


def verb(r: Rng) -> str:
    """A word that no held-out field or tool is named by."""
    while True:
        text = english(r) if r.random() < 0.6 else invented(r)
        if text not in UNSEEN_WORDS:
            return text


def words(r: Rng) -> str:
    return " ".join(r.choice((verb(r), r.choice(GLUE), "is", "it", "the", "we")) for _ in range(r.randint(1, 4)))


def mark(r: Rng) -> str:
    """One to three signs, mostly with spaces or a line break beside them."""
    while True:
        text = "".join(r.choice(SIGNS) for _ in range(r.choice((1, 1, 1, 2, 2, 3))))
        if not any(arrow in text for arrow in ARROWS):
            break
    return r.choice(("", "", " ")) + text + r.choice(("", " ", " ", " ", "\n"))


def wrapped(r: Rng, pairs: list[tuple[str, str]]) -> str:
    """Any marks and words around label and value, one pattern for the whole record."""
    gap, up = r.choice((" ", " ", "_", "-")), r.choice((str, str, str.capitalize, str.title, str.upper))
    joint, close, shape = r.choice((" ", "\n", "\n", ", ", "; ", "\n\n", ". ")), "", r.random()
    before, after = [""], ""
    if shape < 0.25:
        before = [r.choice(("", "", "* ", "[", "(", "{", "@", "#", "/", "% ", "+ ", "the ", words(r) + " "))]
        middle = r.choice((": ", "=", " | ", "~", "::", " := ", "\t", "]", ") ", "}: ", " / ", ", ", "\n  ", f" {words(r)} "))
        after = r.choice(("", "", "", ".", ";", " |", ")", "]"))
    elif shape < 0.55:
        before, middle = [r.choice(("", mark(r)))], r.choice((mark(r), " ", "\n"))
        after = r.choice(("", "", "", mark(r).rstrip()))
    elif shape < 0.72:
        start, middle = r.choice(BRACKETS)
        before, joint = [start], r.choice(("", " ", "\n"))
        close = r.choice((start + "/{}" + middle, start + "end {}" + middle, middle + "{}" + start, start + middle, start + "/" + middle))
    else:
        before = [words(r) + " " for _ in range(r.randint(1, 4))]
        middle = r.choice((" ", ", ", ": ", " (")) + words(r) + " "
        after = r.choice(("", "", ",", ".", ";", " " + words(r)))
        joint = r.choice((" ", " ", "\n"))
    out = []
    for label, value in pairs:
        key = up(label).replace(" ", gap)
        out.append(f"{r.choice(before)}{key}{middle}{value}{after}{close.replace('{}', key)}")
    return joint.join(out)


def any_pattern(r: Rng, pairs: list[tuple[str, str]]) -> str:
    """A pattern of its own, phrases people use, a layout of files, code and notes, now and then a table of one line."""
    style = r.random()
    if style < 0.4:
        return wrapped(r, pairs)
    return phrased(r, pairs) if style < 0.68 else shaped(r, pairs) if style < 0.9 else any_table(r, [pairs])


def row_pattern(r: Rng, pairs: list[tuple[str, str]]) -> str:
    """For records that follow each other in one layout."""
    return wrapped(r, pairs) if r.random() < 0.6 else phrased(r, pairs)
