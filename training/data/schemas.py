"""Schemas in the shapes people write them: plain, zod, pydantic, TypeBox, by hand.

A `Slot` is one leaf of the record: its key, its value and whether the text tells it.
`object_schema` puts slots (and groups of slots) into an object schema and gives the
expected object, whose keys follow the order of the schema.
"""

from dataclasses import dataclass, replace
from typing import Any

from .values import Value
from .words import Rng

STYLES = ("snake", "snake", "snake", "camel", "camel", "camel", "kebab", "title", "lower", "pascal")


def styled(name: str, style: str) -> str:
    """A field name of one or more words in a naming style."""
    words = name.replace("-", " ").split()
    if style == "camel":
        return words[0] + "".join(w.capitalize() for w in words[1:])
    if style == "pascal":
        return "".join(w.capitalize() for w in words)
    if style == "title":
        return " ".join(w.capitalize() for w in words)
    return {"snake": "_", "kebab": "-", "lower": " "}[style].join(words)


@dataclass
class Slot:
    name: str
    label: str
    value: Value
    told: bool = True
    description: str = ""


@dataclass
class Group:
    name: str
    slots: list[Slot]


@dataclass(frozen=True)
class Dialect:
    """How one author writes schemas; drawn once per sample."""

    style: str
    optional: str
    zod: bool
    described: float
    required: str
    type_first: bool
    formats: bool

    @staticmethod
    def draw(r: Rng, lean: bool = False) -> "Dialect":
        """`lean` says less about each field, so that a sample of as many tokens holds more answer."""
        if lean and r.random() < 0.5:
            return replace(Dialect.draw(r), described=0, required=r.choice(("last", "none")))
        return Dialect(
            style=r.choice(STYLES),
            optional=r.choice(("leave", "leave", "type", "anyOf")),
            zod=r.random() < 0.3,
            described=r.choice((0, 0, 0, 0, 0.4, 1)),
            required=r.choice(("last", "last", "last", "last", "before", "none")),
            type_first=r.random() < 0.9,
            formats=r.random() < 0.6,
        )


def leaf(r: Rng, slot: Slot, d: Dialect, nullable: bool) -> dict:
    schema = dict(slot.value.schema)
    text = slot.value.json if isinstance(slot.value.json, str) else ""
    if d.formats and schema == {"type": "string"}:
        if "@" in text and " " not in text:
            schema["format"] = "email"
        elif text.startswith("https://"):
            schema["format"] = "uri"
    if d.zod and schema.get("type") == "integer":
        schema |= {"minimum": -9007199254740991, "maximum": 9007199254740991}
    if schema.get("type") == "integer" and not d.zod and r.random() < 0.08:
        schema["minimum"] = 0
    if schema == {"type": "string"} and r.random() < 0.03:
        schema["minLength"] = 1
    if "enum" in schema and not d.zod and r.random() < 0.15:
        schema.pop("type")
    if nullable and d.optional == "type" and "enum" not in schema and "type" in schema:
        schema["type"] = [schema["type"], "null"]
    elif nullable:
        schema = {"anyOf": [schema, {"type": "null"}]}
    if slot.description and r.random() < d.described:
        schema = {**schema, "description": slot.description} if r.random() < 0.8 else {"description": slot.description, **schema}
    return schema


def wrap(properties: dict, required: list[str], d: Dialect) -> dict:
    out: dict[str, Any] = {"type": "object"} if d.type_first else {}
    if required and d.required == "before":
        out["required"] = required
    out["properties"] = properties
    if not d.type_first:
        out["type"] = "object"
    if required and d.required == "last":
        out["required"] = required
    if d.zod:
        out["additionalProperties"] = False
    return out


def object_schema(r: Rng, parts: list[Slot | Group], d: Dialect, loose: set[int] | None = None) -> tuple[dict, dict]:
    """Schema and expected object. `loose` holds the ids of slots that may be absent."""
    loose = loose or set()
    properties, expected, required = {}, {}, []
    for part in parts:
        key = styled(part.name, d.style)
        if isinstance(part, Group):
            properties[key], expected[key] = object_schema(r, part.slots, d, loose)
            required.append(key)
            continue
        free = id(part) in loose or not part.told
        nullable = free and d.optional != "leave"
        properties[key] = leaf(r, part, d, nullable)
        if not free or nullable:
            required.append(key)
        if part.told:
            expected[key] = part.value.json
        elif nullable:
            expected[key] = None
    return wrap(properties, required, d), expected
