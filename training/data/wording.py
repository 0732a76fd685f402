"""How people put things, for training only: numbers as words, yes and no without saying them, and requests around a text."""

from dataclasses import replace

from .schemas import Slot
from .words import Rng

NUMBERS = "zero one two three four five six seven eight nine ten eleven twelve".split()
REQUESTS = (
    "Extract the {d} from this text.\n\n{t}", "{t}\n\nReturn the {d} as JSON.", "Text: {t}", "Input:\n{t}", "Here is a {d}:\n\n{t}", "Text:\n\"\"\"\n{t}\n\"\"\"",
    "Read this and give me the {d}.\n\n{t}", "```\n{t}\n```", "Please pull the details out of the following {d}:\n{t}", "Structured data, please: {t}",
    "I got this {d}: {t}", "From the text below, fill in the form.\n\n{t}", "{t}\n\nWhat are the details?", "Fill in: {t}", "Convert: {t}", "Document:\n\n{t}\n\nEnd of document.",
    "New {d} came in. {t}", "{d}: {t}", "Can you turn this into structured data?\n{t}", "The {d} says: {t}", "Analyze the {d} and extract its fields:\n{t}", "> {t}",
)


def request(r: Rng, text: str, thing: str) -> str:
    return r.choice(REQUESTS).format(d=thing, t=text)


def spelled(r: Rng, slots: list[Slot], rate: float = 0.1) -> None:
    """Write some small whole numbers as words."""
    for slot in slots:
        value = slot.value
        if value.schema.get("type") == "integer" and value.text == str(value.json) and value.json < len(NUMBERS) and r.random() < rate:
            slot.value = replace(value, text=NUMBERS[value.json])


def implied(r: Rng, label: str, truth: bool) -> str:
    """A sentence from which a boolean follows."""
    words = label.split()
    bare = " ".join(words[1:]) if words[0] in ("is", "has", "was", "are", "with") and len(words) > 1 else label
    yes = ("It is {}.", "Yes, {}.", "{}.", "Definitely {}.", "This one is {}.", "{}: yes.", "{}, of course.")
    no = ("It is not {}.", "No {}.", "Not {}.", "Never {}.", "It isn't {}.", "{}: no.", "Without {}.", "{}? No.")
    text = r.choice(yes if truth else no).format(bare)
    return text[0].upper() + text[1:]
