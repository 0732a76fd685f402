"""Calls of written tools for training: the known ones and those of `tools_more*.txt`.

A line of a file is `name|description|arguments|request;request`, an argument `name:kind`, or `name?:kind`
where it may be left out. A request that does not mention an optional argument leaves it out: then the answer
has none, and `required` never lists it. `# area` heads the lines of one area, which may go on in another file. The
tools offered beside the right one are mostly its near neighbours (`create note` beside `delete note`), so that the
choice needs reading.
The evaluation draws from `tools.KNOWN` and tools of its own alone.
"""

import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from .domains import UNSEEN_NAMES, kind_of
from .extract import describe
from .render import filler
from .schemas import Dialect, Slot
from .tools import KNOWN, call, definition
from .words import Rng

GREETINGS = ("Hi! ", "Hello, ", "Hey, ", "OK, ", "One more thing: ", "Next: ", "Quick one: ", "So, ")
THANKS = (" Thanks!", " Thank you.", " That is all.", " Cheers.", " Right away, please.", " Thanks in advance.")


@dataclass(frozen=True)
class Argument:
    key: str
    kind: str
    optional: bool

    @property
    def field(self) -> str:
        """Its name in the braces of a request."""
        return self.key.replace(" ", "_")


@dataclass(frozen=True)
class Tool:
    name: str
    description: str
    arguments: tuple[Argument, ...]
    requests: tuple[str, ...]
    area: str

    @property
    def stems(self) -> frozenset[str]:
        """Its words, such that a plural equals its singular."""
        return frozenset(word.rstrip("s")[:5] for word in self.name.split())


def argument(text: str) -> Argument:
    key, kind = text.split(":", 1)
    return Argument(key.rstrip("?"), kind, key.endswith("?"))


def parse(text: str) -> list[Tool]:
    tools, area = [], ""
    for line in text.strip().split("\n"):
        if line.startswith("#"):
            area = line[1:].strip()
            continue
        name, description, arguments, requests = line.split("|")
        # A comma before `key:` parts arguments; others part the labels of a kind.
        tools.append(Tool(name, description, tuple(map(argument, re.split(r",(?=[^,:]+:)", arguments))), tuple(requests.split(";")), area))
    return tools


def load(*paths: Path) -> list[Tool]:
    """The tools of all files."""
    return [tool for path in paths for tool in parse(path.read_text(encoding="utf-8"))]


WRITTEN = load(*sorted(Path(__file__).parent.glob("tools_more*.txt")))
# They were written without a look at the held-out fields: what would make a name of one seen is left out, as with domains.
MORE = [tool for tool in WRITTEN if UNSEEN_NAMES.isdisjoint(a.key for a in tool.arguments)]
FIRST = [
    Tool(name, description, tuple(Argument(key, kind, False) for key, kind in arguments), tuple(requests), "")
    for name, description, arguments, requests in KNOWN
]
TOOLS = FIRST + MORE
if twice := sorted(name for name, count in Counter(tool.name for tool in TOOLS).items() if count > 1):
    raise ValueError(f"tool {', '.join(twice)} is given twice in tools.KNOWN and tools_more*.txt; rename or remove one")
VERBS = frozenset(verb for verb, count in Counter(tool.name.split()[0].rstrip("s")[:5] for tool in TOOLS).items() if count > 2)


def neighbours(tool: Tool) -> tuple[list[Tool], ...]:
    """Other tools that share a noun, the verb or the area, and all others."""
    rest = [t for t in TOOLS if t is not tool]
    return (
        [t for t in rest if t.stems & tool.stems - VERBS],
        [t for t in rest if t.stems & tool.stems & VERBS],
        [t for t in rest if t.area == tool.area],
        rest,
    )


NEAR = {tool.name: neighbours(tool) for tool in TOOLS}


def offered(r: Rng, tool: Tool) -> list[Tool]:
    """One to four tools beside the right one."""
    out: list[Tool] = []
    for _ in range(r.randint(1, 4)):
        pools = [[t for t in pool if t not in out] for pool in NEAR[tool.name]]
        pool = r.choices(pools, (0.5, 0.15, 0.15, 0.2))[0]
        out.append(r.choice(pool or pools[-1]))
    return out


def shown(r: Rng, tool: Tool, request: str, described: bool, dialect: Dialect) -> tuple[dict, dict, dict[str, str]]:
    """Definition, arguments of the answer, and the texts of the told values."""
    arguments = list(tool.arguments)
    if r.random() < 0.3:
        r.shuffle(arguments)
    slots = []
    for a in arguments:
        value = kind_of(a.kind)(r)
        slots.append(Slot(a.key, a.key, value, not a.optional or f"{{{a.field}}}" in request, describe(r, a.key, value, tool.name.split()[-1])))
    loose = {id(slot) for a, slot in zip(arguments, slots) if a.optional}
    out, expected = definition(r, tool.name, tool.description if described else "", slots, dialect, loose)
    return out, expected, {a.field: slot.value.text for a, slot in zip(arguments, slots)}


def said(r: Rng, request: str, texts: dict[str, str]) -> str:
    """The request with its values, as hastily or politely written as people do."""
    if r.random() < 0.15:
        request = request[0].lower() + request[1:]
    if r.random() < 0.12:
        request = request.rstrip(".?")
    text = request.format(**texts)
    if r.random() < 0.1:
        text = r.choice(GREETINGS) + text
    if r.random() < 0.06:
        text = f"{filler(r)} {text}"
    if r.random() < 0.12:
        text += r.choice(("", "", "." if text[-1].isalnum() else "")) + r.choice(THANKS)
    return f"{text} {filler(r)}" if r.random() < 0.12 else text


def trained_call(r: Rng) -> dict:
    """A request that one of several written tools fits."""
    chosen = r.choice(TOOLS)
    request = r.choice(chosen.requests)
    return called(r, chosen, request, offered(r, chosen))


def called(r: Rng, chosen: Tool, request: str, others: list[Tool]) -> dict:
    # An argument left out is absent from the answer, not null.
    dialect = replace(Dialect.draw(r), optional="leave")
    described = r.random() < 0.75
    first, arguments, texts = shown(r, chosen, request, described, dialect)
    tools = [first, *(shown(r, tool, "", described, dialect)[0] for tool in others)]
    answer = {"name": first["name"], "arguments": arguments}
    r.shuffle(tools)
    return call("tools", said(r, request, texts), tools, answer)
