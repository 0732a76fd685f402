"""Tool choice: several tools are offered, the request fits one of them."""

from . import fresh, values as v
from .domains import kind_of
from .extract import random_name
from .prompt import compact
from .render import LAYOUTS, filler
from .schemas import Dialect, Slot, object_schema, styled
from .splits import FRESH, HELD_OUT_SPLIT, TRAINING, Split
from .words import Rng, english

TOOLS = """
get weather|Current weather of a city|city:city|What is the weather in {city}?;Weather in {city} please;How warm is it in {city}?
send email|Send an email|to:email,subject:phrase|Send an email to {to} about {subject}.;Mail {to}: {subject}
create event|Add an event to the calendar|title:title,date:date,time:time|Put {title} in my calendar on {date} at {time}.;Schedule {title} for {date}, {time}.
search products|Search the shop|query:product,max price:price|Find me a {query} for at most {max_price}.;Search for {query} under {max_price}
set timer|Start a timer|minutes:small|Set a timer for {minutes} minutes.;Wake me in {minutes} minutes
convert currency|Convert an amount of money|amount:int,from:currency,to:currency|Convert {amount} {from} to {to}.;How much is {amount} {from} in {to}?
track order|Where an order is|order id:code|Where is my order {order_id}?;Track {order_id}
book flight|Book a flight|origin:city,destination:city,date:date|Book a flight from {origin} to {destination} on {date}.;Fly me from {origin} to {destination}, {date}
play music|Play a song|artist:name,song:title|Play {song} by {artist}.;I want to hear {song} from {artist}
turn on light|Switch a light on|room:word|Turn on the light in the {room}.;Lights on in the {room}!
translate text|Translate a text|text:phrase,language:country|Translate "{text}" for {language}.;Say "{text}" in the language of {language}
add contact|Save a contact|name:name,phone:phone|Save {name} with number {phone}.;New contact: {name}, {phone}
create ticket|Open a support ticket|title:phrase,priority:priority|Open a ticket: {title}, priority {priority}.;File a {priority} ticket about {title}
get stock price|Price of a share|symbol:code|What does {symbol} trade at?;Stock price of {symbol}
restart service|Restart a service|service:word,host:ip|Restart {service} on {host}.;Please bounce {service} at {host}
"""
HELD_OUT_TOOLS = """
reserve table|Reserve a table in a restaurant|restaurant:company,guests:small,time:time|Reserve a table for {guests} at {restaurant}, {time}.;Table at {restaurant} for {guests} people at {time}
order taxi|Order a taxi|pickup:street,destination:city|Get me a taxi from {pickup} to {destination}.;Taxi at {pickup}, going to {destination}
renew license|Renew a license|license:code,years:small|Renew {license} for {years} years.;Extend license {license}, {years} years
mute user|Mute a user|user:word,hours:small|Mute {user} for {hours} hours.;Silence {user}, {hours} hours
"""


def parsed(block: str) -> list[tuple[str, str, list[tuple[str, str]], list[str]]]:
    tools = []
    for line in block.strip().split("\n"):
        name, description, arguments, asks = line.split("|")
        tools.append((name, description, [tuple(a.split(":")) for a in arguments.split(",")], asks.split(";")))
    return tools


KNOWN = parsed(TOOLS)
UNSEEN = {HELD_OUT_SPLIT: parsed(HELD_OUT_TOOLS), FRESH: parsed(fresh.TOOLS)}


def definition(r: Rng, name: str, description: str, slots: list[Slot], dialect: Dialect, loose: set[int] | None = None) -> tuple[dict, dict]:
    schema, expected = object_schema(r, slots, dialect, loose)
    tool = {"name": styled(name, dialect.style if dialect.style in ("snake", "camel") else "snake")}
    if description:
        tool["description"] = description
    return {**tool, "parameters": schema}, expected


def known_call(r: Rng, split: Split = TRAINING) -> dict:
    chosen = r.choice(UNSEEN.get(split, KNOWN))
    others = r.sample([t for t in KNOWN if t is not chosen], r.randint(1, 3))
    dialect = Dialect.draw(r)
    texts: dict[str, str] = {}
    tools, answer = [], {}
    described = r.random() < 0.8
    for tool in [chosen, *others]:
        slots = [Slot(key, key, kind_of(kind)(r)) for key, kind in tool[2]]
        shown, expected = definition(r, tool[0], tool[1] if described else "", slots, dialect)
        tools.append(shown)
        if tool is chosen:
            texts = {s.name.replace(" ", "_"): s.value.text for s in slots}
            answer = {"name": shown["name"], "arguments": expected}
    request = r.choice(chosen[3]).format(**texts)
    r.shuffle(tools)
    return call("tools", request if r.random() < 0.8 else f"{request} {filler(r)}", tools, answer)


def invented_call(r: Rng, split: Split = TRAINING) -> dict:
    """Tools with invented names; the request says the name in words and the arguments in a layout."""
    dialect = Dialect.draw(r)
    verbs = ("create", "get", "update", "delete", "send", "find", "list", "open", "start", "check", "add", "move")
    tools, answer, request = [], {}, ""
    chosen = r.randint(0, 2)
    for index in range(r.randint(chosen + 1, 4)):
        verb, noun = r.choice(verbs), random_name(r, split)
        names = list(dict.fromkeys(random_name(r, split) for _ in range(r.randint(1, 3))))
        slots = [Slot(n, n, r.choice(v.ANY_KINDS)(r)) for n in names]
        shown, expected = definition(r, f"{verb} {noun}", r.choice(("", f"{verb.capitalize()} a {noun}", f"{verb.capitalize()} the {noun} by {english(r)}")), slots, dialect)
        tools.append(shown)
        if index == chosen:
            answer = {"name": shown["name"], "arguments": expected}
            opening = r.choice(("Please {v} the {n}", "{V} {n}", "Can you {v} a {n}", "I need you to {v} the {n}", "{V} the {n} for me"))
            body = r.choice(LAYOUTS)(r, [(s.label, s.value.text) for s in slots])
            request = opening.format(v=verb, V=verb.capitalize(), n=noun) + r.choice((": ", " with ", ". ", "\n")) + body
    r.shuffle(tools)
    return call("invented tools", request, tools, answer)


def call(domain: str, request: str, tools: list[dict], answer: dict) -> dict:
    """A tools sample; its schema is the union the engine makes of the tools."""
    branches = [
        {"type": "object", "properties": {"name": {"const": t["name"]}, "arguments": t["parameters"]}, "required": ["name", "arguments"], "additionalProperties": False}
        for t in tools
    ]
    return {"domain": domain, "schema": {"anyOf": branches}, "tools": tools, "messages": [{"role": "user", "content": request}], "expected": compact(answer)}
