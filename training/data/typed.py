"""Field names that say by their form what kind of value they hold.

`translator` and `translated by` are people, `translation date` is a day, `translation id` a code. A field
nobody has seen can be filled from that alone: these records take random words, put them into such
forms, and tell the values with a kin word or with none where only one value looks right.
"""

from . import values as v
from .domains import UNSEEN_NAMES
from .extract import describe, finish, hide, noisy, random_name
from .loose import hinted, joined
from .marks import verb
from .render import filler
from .schemas import Slot
from .words import Rng

# look; kinds of value; forms of the name, where {w} is a word; sentences, where {} is the value.
FORMS = (
    ("person", (v.name,), ("{w}er", "{w}er", "{w}or", "{w}ed by", "{w} contact", "{w}er name"), ("{W}ed by {}.", "{} {w}s it.", "{} {w}ed it.", "{} {w}ed this on our behalf.", "Thanks to {}.", "Ask {} about it.")),
    ("date", (v.date,), ("{w}ed on", "{w} date", "{w} day", "day of {w}", "{w}ed at"), ("{W}ed on {}.", "On {} it {w}ed.", "Since {}.", "By {}.")),
    ("email", (v.email,), ("{w} email", "{w}er email", "{w} mail"), ("Write to {}.", "{} for {w}s.", "Mail: {}.")),
    ("phone", (v.phone,), ("{w} phone", "{w} tel", "{w}er phone"), ("Call {}.", "Ring {} for {w}.")),
    ("url", (v.url,), ("{w} link", "{w} page", "{w} url", "{w} site"), ("See {}.", "More on {w}: {}.")),
    ("path", (v.path,), ("{w} path", "{w} script", "{w} source"), ("In {}.", "{W}ed in {}.", "See {} there.")),
    ("code", (v.code, v.hexcode, v.digit_code), ("{w} id", "{w} code", "{w} number", "{w} no", "{w} reference", "{w} key"), ("{W} {}.", "Number {}.", "Known as {}.", "Reference: {}.")),
    ("money", (v.price,), ("{w} price", "{w} cost", "{w} fee", "{w} amount", "{w} total"), ("For {}.", "It costs {}.", "{W} for {}.", "{} to {w}.")),
    ("count", (v.any_whole, v.whole(1, 12), v.whole(1, 500)), ("{w}s", "{w} count", "number of {w}s", "{w}s per day", "{w} limit", "{w} level"), ("{} {w}s.", "{W}s: {}.", "{W} {}.", "There are {} {w}s.", "{W}ed {} times.")),
    ("flag", (v.boolean,), ("is {w}", "has {w}", "{w}ed", "{w}able", "with {w}"), ("{W}: {}.", "{W}ed: {}.", "{W} is {}.")),
    ("title", (v.title, v.company, v.product), ("{w} title", "{w} name", "{w} label", "name of {w}"), ("The {w} is {}.", "Called {}.", "{} is the {w}.", "{W}: {}.")),
    ("text", (v.phrase,), ("{w} comment", "{w} note", "{w} reason", "{w} message", "{w} summary"), ("{W}: {}.", "They said: {}.", "Because: {}.")),
    ("list", (v.several(v.one_word), v.several(v.capital_word), v.several(v.name), v.several(v.code)), ("{w}s", "list of {w}s", "all {w}s", "{w}er list"), ("{W}s: {}.", "With {}.", "{} {w} it.", "All of {}.")),
    ("place", (v.city, v.capital_word), ("{w} place", "{w} city", "{w} location", "{w}ed in"), ("In {}.", "{W}s in {}.", "Near {}.")),
)


def fresh(r: Rng) -> str:
    """A word none of whose forms is a held-out name."""
    while True:
        w = verb(r)
        if UNSEEN_NAMES.isdisjoint(w + end for end in ("er", "or", "s", "ed by", "ed on", "ed")):
            return w


def typed_record(r: Rng) -> dict:
    """A record of such fields; half of the time in one sentence."""
    forms = r.sample(FORMS, r.randint(2, 6))
    if r.random() < 0.5:
        forms += [r.choice(forms) for _ in range(r.randint(1, 2))]
    thing, topic = random_name(r), fresh(r)
    slots, looks, told_by = [], {}, {}
    for look, kinds, names, sentences in forms:
        w = topic if r.random() < 0.25 else fresh(r)
        name, value = r.choice(names).format(w=w), r.choice(kinds)(r)
        if name in UNSEEN_NAMES or any(slot.name == name for slot in slots):
            continue
        slots.append(Slot(name, name, value, True, describe(r, name, value, thing)))
        looks[name] = look
        told_by[name] = r.choice(sentences).format(value.text, w=w, W=w.capitalize())
    told = hide(r, slots, 0.4) if r.random() < 0.25 else list(slots)
    r.shuffle(told)
    if r.random() < 0.4:
        text = joined(r, told, looks=looks)
    else:
        parts = [told_by[s.name] if r.random() < 0.75 else hinted(r, s.name, s.value.text) for s in told]
        if r.random() < 0.2:
            parts.insert(r.randint(0, len(parts)), filler(r))
        text = " ".join(parts)
    return {"domain": "invented", **finish(r, slots, noisy(r, text), thing, lean=True)}
