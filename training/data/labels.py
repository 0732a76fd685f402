"""Classification for training: the tasks of `classify.py` and those of `classes_more*.txt`.

A block of a file is `= key | key ; thing, thing`, then `label: cue | cue` lines; `; verbatim` ends the head
where cues are code or have their own marks and stay as they are, `; alone` where words beside the cue could
contradict it (the language of a text). Labels are shown as written or in a drawn style, in any order,
at times fewer of them. The cue stands alone, or among one to three sentences of no matter to it, or two tasks are
asked of one text. The held-out cues of `classify.py` are left out; the evaluation never uses these makers.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from . import values as v
from .classify import ASKS, TASKS, THINGS
from .extract import describe
from .prompt import compact
from .render import filler
from .schemas import STYLES, Dialect, Slot, object_schema, styled
from .words import Rng

QUESTION = re.compile(
    r"(who|whose|whom|what|when|where|why|how|which|is|are|can|could|do|does|may|will|would|should|did|am I)\b"
    r"|(in|at|for|with|to|on|until|since) (which|what|whom|when)\b"
)
# Exclamations, commands and titles that open like a question: "what a mess", "do not touch it", "how to tie a scarf"
STATED = re.compile(
    r"(how|what|when|where|why|who) (to|I|we|you|he|she|they|the|two|others|a|an|luck|nonsense|bliss)\b"
    r"|how (awful|dare|good|kind|tall you)\b|do (away|hold|it|me|not|this|yourself)\b|may (contain|she)\b|can (not|be|wait)\b|will not\b"
)
BEFORE = (
    *ASKS, "Which {k} fits? ", "Pick the {k} for this {t}:\n", "Read the {t} and choose the {k}.\n\n", "{T}: ", "{T}:\n",
    "Tag the {t} with its {k}: ", "{K}? ", "Sort this {t} by {k}.\n", "Set the {k}: ",
)
AFTER = ("\n\nWhich {k} is it?", "\n\nChoose the {k}.", " What is the {k}?", "\n---\nClassify the {t} above.", "\n{K}?")
# key; kind; sentences
FACTS = (
    ("name", v.name, ("I am {}.", "My name is {}.", "This is {} speaking.", "Written by {}.")),
    ("email", v.email, ("Write to {}.", "Reach me at {}.", "My address is {}.")),
    ("order id", v.code, ("My order is {}.", "It concerns {}.", "Order {}.", "Our reference: {}.")),
    ("product", v.product, ("It is about the {}.", "Product: {}.", "I have the {}.")),
    ("phone", v.phone, ("Call me on {}.", "My number is {}.", "Phone: {}.")),
    ("city", v.city, ("Greetings from {}.", "I live in {}.", "Sent from {}.")),
    ("date", v.date, ("It was {}.", "Noted on {}.", "Since {}.")),
    ("company", v.company, ("I work for {}.", "On behalf of {}.", "{} is my employer.")),
    ("price", v.price, ("It was {}.", "I paid {}.", "The price: {}.")),
    ("time", v.time, ("It is {} now.", "Seen at {}.", "At {} by the clock.")),
    ("url", v.url, ("See {}.", "More at {}.", "The page is {}.")),
)


@dataclass(frozen=True)
class Task:
    keys: tuple[str, ...]
    things: tuple[str, ...]
    verbatim: bool
    alone: bool
    cues: dict[str, tuple[str, ...]]


def parse(text: str) -> list[Task]:
    tasks = []
    for block in text.strip().removeprefix("= ").split("\n= "):
        head, *lines = block.strip().split("\n")
        keys, things, *flags = (part.strip() for part in head.split(" ; "))
        cues = {}
        for line in lines:
            label, told = line.split(": ", 1)
            cues[label] = tuple(cue.strip() for cue in told.split(" | "))
        tasks.append(Task(tuple(keys.split(" | ")), tuple(things.split(", ")), "verbatim" in flags, "alone" in flags, cues))
    return tasks


KNOWN = [Task(keys, THINGS, False, False, {label: tuple(cues.split("|")[:-1]) for label, cues in labels.items()}) for keys, labels in TASKS.items()]
MORE = [task for path in sorted(Path(__file__).parent.glob("classes_more*.txt")) for task in parse(path.read_text(encoding="utf-8"))]
ALL = KNOWN + MORE
COMMON_KEYS = frozenset(
    "sentiment|mood|tone|polarity|attitude|emotion|feeling|urgency|priority|severity|spam|language|lang|category|topic|department|queue|intent|action|section|rating|stars".split("|")
)
COMMON = [task for task in ALL if not COMMON_KEYS.isdisjoint(task.keys)]


def enumeration(r: Rng, task: Task, label: str) -> v.Value:
    """The labels in a style; now and then only some of them."""
    labels = list(task.cues)
    r.shuffle(labels)
    if len(labels) > 2 and r.random() < 0.3:
        kept = r.sample([name for name in labels if name != label], r.randint(1, len(labels) - 2))
        labels = [name for name in labels if name == label or name in kept]
    style, draw = r.choice(STYLES), r.random()

    def show(name: str) -> str:
        if draw < 0.5:
            return name
        plain = name.replace("_", " ").replace("-", " ")
        return plain.upper().replace(" ", "_") if draw < 0.65 else styled(plain.lower(), style)

    return v.Value(show(label), "", {"type": "string", "enum": [show(name) for name in labels]})


def sentence(r: Rng, task: Task, cue: str) -> str:
    if task.verbatim:
        return cue
    text = cue if r.random() < 0.1 else cue[0].upper() + cue[1:]
    mark = r.choice("????.") if QUESTION.match(cue) and not STATED.match(cue) else r.choice("...!")
    return f'"{text}{mark}"' if r.random() < 0.06 else text + mark


def ask(r: Rng, text: str, key: str, thing: str) -> str:
    fill = {"k": key, "K": key.capitalize(), "t": thing, "T": thing.capitalize()}
    if r.random() < 0.2:
        return text + r.choice(AFTER).format(**fill)
    return r.choice(BEFORE).format(**fill) + text


def fitting(r: Rng, count: int, tasks: list[Task]) -> list[Task]:
    """One of the tasks, or one and any other that shares no name of its key and may stand beside it."""
    first = r.choice(tasks)
    if count == 1 or first.alone:
        return [first]
    return [first, r.choice([t for t in ALL if not (t.alone or set(t.keys) & set(first.keys)) and t.verbatim == first.verbatim] or KNOWN)]


def trained_classification(r: Rng, of: list[Task] = ALL) -> dict:
    """One or two enumerations whose labels the text implies, and at times facts to copy."""
    shape = r.random()
    tasks = fitting(r, 1 if shape < 0.8 else 2, of)
    others = 0 if tasks[0].alone else r.randint(1, 3) if 0.4 <= shape < 0.8 else int(r.random() < 0.3)
    slots, parts = [], []
    for task in tasks:
        label = r.choice(list(task.cues))
        key, value = r.choice(task.keys), enumeration(r, task, label)
        slots.append(Slot(key, key, value, True, describe(r, key, value, r.choice(task.things))))
        parts.append(sentence(r, task, r.choice(task.cues[label])))
    for name, kind, forms in r.sample(FACTS, others):
        if r.random() < 0.4:
            parts.append(filler(r))
            continue
        value = kind(r)
        parts.append(r.choice(forms).format(value.text))
        if r.random() < 0.5:
            slots.append(Slot(name, name, value, True, describe(r, name, value, "message")))
    key = " and ".join(slot.name for slot in slots[: len(tasks)])
    r.shuffle(parts)
    r.shuffle(slots)
    text = r.choice(("\n", "\n\n")).join(parts) if r.random() < 0.15 or tasks[0].verbatim else " ".join(parts)
    if len(parts) == 1 and text.endswith(".") and not tasks[0].verbatim and r.random() < 0.3:
        text = text[:-1]
    if len(slots) == 1 and r.random() < 0.2:
        schema, expected = slots[0].value.schema, slots[0].value.json
    else:
        schema, expected = object_schema(r, slots, Dialect.draw(r))
    content = ask(r, text, key, r.choice(tasks[0].things))
    return {"domain": "classification", "schema": schema, "messages": [{"role": "user", "content": content}], "expected": compact(expected)}
