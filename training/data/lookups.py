"""Records in which nothing but the label tells which value is meant: the values are of one or two kinds, the names words of a
dictionary or of no language, and some names share words, so that all of a label must be read.
"""

from . import values as v
from .extract import describe, finish, hide, laid_out, noisy, random_name
from .layouts import any_table
from .marks import any_pattern
from .schemas import Slot
from .splits import TRAINING
from .words import DICTIONARY, Rng, word


def any_word(r: Rng) -> v.Value:
    """A word in any case: what is copied keeps it."""
    return v.same(r.choice((str, str, str.capitalize, str.upper))(word(r)))


KINDS = (any_word, any_word, v.phrase, v.title, v.name, v.any_whole, v.any_whole, v.code, v.digit_code, v.city, v.date, v.price, v.time, v.decimal)


def crossed(r: Rng) -> list[str]:
    """`door width, door height, wall width, ...`"""
    firsts, lasts = ([random_name(r) if r.random() < 0.3 else r.choice(DICTIONARY) for _ in range(r.randint(2, 3))] for _ in range(2))
    names = [f"{a} {b}" for a in firsts for b in lasts if not {a, b, f"{a} {b}"} & TRAINING.refused]
    return r.sample(names, r.randint(min(3, len(names)), len(names)))


def lookup_record(r: Rng) -> dict:
    names = (r.random() < 0.25 and crossed(r)) or [random_name(r) for _ in range(r.randint(2, 9))]
    kinds, thing = r.sample(KINDS, r.choice((1, 1, 1, 2))), random_name(r)
    slots = []
    for name in dict.fromkeys(names):
        value = r.choice(kinds)(r)
        slots.append(Slot(name, name, value, True, describe(r, name, value, thing)))
    told = hide(r, slots, 0.4) if r.random() < 0.1 else slots
    if r.random() < 0.2:
        text = any_table(r, [[(slot.label, slot.value.text) for slot in r.sample(told, len(told))]])
    else:
        text = laid_out(r, told, TRAINING, any_pattern if r.random() < 0.7 else None)
    asked = r.sample(slots, r.randint(1, len(slots))) if r.random() < 0.3 else list(slots)
    return {"domain": "invented", **finish(r, asked, noisy(r, text), thing, lean=True)}
