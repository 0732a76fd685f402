"""Layouts: how labelled values become text.

Each layout takes the (label, text) pairs of one record; the table layouts take several
records. `HELD_OUT_LAYOUTS` are never used in training.
"""

from typing import Callable

from .words import Rng, english, word

Pairs = list[tuple[str, str]]
Layout = Callable[[Rng, Pairs], str]


def cased(r: Rng, label: str) -> str:
    return r.choice((label, label.capitalize(), label.title(), label))


def _lines(r: Rng, pairs: Pairs) -> str:
    bullet = r.choice(("", "", "", "- ", "* ", "• "))
    colon = r.choice((": ", ": ", ": ", " : ", " - ", ":"))
    up = r.choice((str, str.capitalize, str.title, str.upper))
    return "\n".join(f"{bullet}{up(k)}{colon}{v}" for k, v in pairs)


def _equals(r: Rng, pairs: Pairs) -> str:
    quote = r.choice(("", "", '"', "'"))
    joint = r.choice((" ", "\n", "; ", "&", ", "))
    eq = r.choice(("=", "=", " = ", ":"))
    gap = r.choice(("_", "_", "-", ""))
    return joint.join(f"{k.replace(' ', gap)}{eq}{quote}{v}{quote}" for k, v in pairs)


def _inline(r: Rng, pairs: Pairs) -> str:
    up = r.choice((str, str, str.capitalize))
    colon, joint = r.choice(((": ", ", "), (": ", "; "), (" ", ", "), (": ", " | "), (" is ", ", "), (": ", ". ")))
    return joint.join(f"{up(k)}{colon}{v}" for k, v in pairs) + r.choice(("", ".", ""))


def _prose(r: Rng, pairs: Pairs) -> str:
    forms = (
        "The {k} is {v}.", "{K}: {v}.", "The {k}: {v}.", "Its {k} is {v}.", "As {k} we have {v}.", "{v} is the {k}.",
        "For the {k}, use {v}.", "Set the {k} to {v}.", "We noted {v} as the {k}.", "My {k} is {v}.", "{K} was {v}.",
    )
    return " ".join(r.choice(forms).format(k=k, K=k.capitalize(), v=v) for k, v in pairs)


def _one_sentence(r: Rng, pairs: Pairs) -> str:
    parts = [r.choice(("{k} {v}", "{k} {v}", "the {k} {v}", "{v} as {k}", "{k} of {v}")).format(k=k, v=v) for k, v in pairs]
    start = r.choice(("We have ", "There is one with ", "It came with ", "Found: ", "A new entry with ", "Here is one: "))
    return start + ", ".join(parts[:-1]) + (" and " if len(parts) > 1 else "") + parts[-1] + "."


def _pseudo_json(r: Rng, pairs: Pairs) -> str:
    return "{" + ", ".join(f'"{k}": "{v}"' for k, v in pairs) + "}"


def _header_row(r: Rng, pairs: Pairs) -> str:
    return table(r, [pairs])


def _markdown(r: Rng, pairs: Pairs) -> str:
    mark = r.choice(("**{k}:** {v}", "**{k}**: {v}", "[{k}] {v}", "### {k}\n{v}", "| {k} | {v} |"))
    return "\n".join(mark.format(k=cased(r, k), v=v) for k, v in pairs)


def _form(r: Rng, pairs: Pairs) -> str:
    dot = r.choice(("..", " ....", "__", "\t", "   "))
    return "\n".join(f"{cased(r, k)}{dot}{v}" for k, v in pairs)


def _mail(r: Rng, pairs: Pairs) -> str:
    hello = r.choice(("Hi", "Hello", "Dear team", "Good morning", "Hey"))
    bye = r.choice(("Thanks", "Best", "Regards", "Cheers", "Kind regards"))
    return f"{hello},\n\n{r.choice((_lines, _prose, _inline))(r, pairs)}\n\n{bye}"


def _chat(r: Rng, pairs: Pairs) -> str:
    ask = r.choice(("What is the {k}?", "{k}?", "And the {k}?"))
    a, b = r.choice((("A", "B"), ("Agent", "Customer"), ("Q", "A"), ("bot", "me")))
    return "\n".join(f"{a}: {ask.format(k=k)}\n{b}: {v}" for k, v in pairs)


def _tags(r: Rng, pairs: Pairs) -> str:
    joint = r.choice(("", "\n", " "))
    return joint.join(f"<{k.replace(' ', '_')}>{v}</{k.replace(' ', '_')}>" for k, v in pairs)


def _arrows(r: Rng, pairs: Pairs) -> str:
    arrow = r.choice((" -> ", " => ", " >> "))
    return r.choice(("\n", ", ")).join(f"{k}{arrow}{v}" for k, v in pairs)


def _dictation(r: Rng, pairs: Pairs) -> str:
    return " ".join(f"{r.choice(('then', 'next', 'also', 'and'))} {k}, that would be {v}," for k, v in pairs).strip(",") + "."


LAYOUTS: tuple[Layout, ...] = (
    _lines, _lines, _lines, _equals, _equals, _inline, _inline, _inline, _prose, _prose, _prose, _one_sentence,
    _one_sentence, _pseudo_json, _header_row, _markdown, _form, _mail, _chat,
)
HELD_OUT_LAYOUTS: tuple[Layout, ...] = (_tags, _arrows, _dictation)


def table(r: Rng, rows: list[Pairs]) -> str:
    """Records of the same labels as CSV-like lines, with or without a header."""
    texts = [text for row in rows for _, text in row]
    joints = [j for j in (",", ", ", ";", "\t", " - ") if not any(j.strip(" ") in text for text in texts)]
    joint = r.choice([*joints, " | "])
    lines = [joint.join(v for _, v in row) for row in rows]
    return "\n".join([joint.join(k for k, _ in rows[0]), *lines])


def filler(r: Rng) -> str:
    """A sentence that says nothing about the record."""
    if r.random() < 0.3:
        return r.choice((
            "Let me know if you need more.", "Have a nice day!", "See the notes below.", "This was sent from my phone.",
            "As discussed, here are the details.", "Sorry for the late reply.", "Please confirm.", "FYI.", "Thanks in advance!",
        ))
    body = " ".join(word(r) if r.random() < 0.2 else english(r) for _ in range(r.randint(3, 9)))
    return body.capitalize() + r.choice((".", ".", "!", "?"))
