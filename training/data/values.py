"""Kinds of values: what stands in the JSON, how a text may write it, and its schema.

A kind is a function of a random generator that returns a `Value`. `json` is the
expected value, `text` the way it is written. Kinds whose text differs from their JSON
(dates, prices, booleans) are the ones the model must convert and not only copy.
"""

import datetime
import string
from dataclasses import dataclass
from typing import Any, Callable

from .words import Rng, digits, english, invented, letters, pool, word

MONTHS = "January February March April May June July August September October November December".split()
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()


@dataclass(frozen=True)
class Value:
    json: Any
    text: str
    schema: dict


STRING = {"type": "string"}
INTEGER = {"type": "integer"}
NUMBER = {"type": "number"}
BOOLEAN = {"type": "boolean"}


Kind = Callable[[Rng], Value]


def number(value: float) -> int | float:
    """A number as JSON.stringify would write it: no trailing `.0`."""
    return int(value) if float(value).is_integer() else value


def same(text: str, schema: dict = STRING) -> Value:
    return Value(text, text, schema)


def first_name(r: Rng) -> Value:
    if r.random() < 0.25:
        return same(invented(r).capitalize())
    return same(r.choice(pool("first_name")))


def last_name(r: Rng) -> Value:
    if r.random() < 0.3:
        return same(invented(r).capitalize())
    return same(r.choice(pool("last_name")))


def name(r: Rng) -> Value:
    parts = [first_name(r).text, last_name(r).text]
    if r.random() < 0.08:
        parts.insert(1, letters(r, 1) + ".")
    if r.random() < 0.05:
        parts.append(last_name(r).text)
    if r.random() < 0.04:
        parts.insert(0, r.choice(("Dr.", "Prof.")))
    return same(" ".join(parts))


def company(r: Rng) -> Value:
    if r.random() < 0.5:
        return same(r.choice(pool("company")))
    tail = r.choice(("Inc", "Ltd", "GmbH", "Labs", "Group", "Systems", "Foods", "Motors", "Works", "& Sons", "Logistics", "Bank"))
    return same(f"{word(r).capitalize()} {tail}")


def city(r: Rng) -> Value:
    return same(invented(r).capitalize() if r.random() < 0.25 else r.choice(pool("city")))


def country(r: Rng) -> Value:
    return same(r.choice(pool("country", 300, "en_US")))


def street(r: Rng) -> Value:
    if r.random() < 0.5:
        kind = r.choice(("Street", "Road", "Avenue", "Lane", "Way", "Square", "Drive"))
        return same(f"{r.randint(1, 400)} {word(r).capitalize()} {kind}")
    return same(r.choice(pool("street_address")))


def email(r: Rng) -> Value:
    left = r.choice((
        lambda: f"{word(r)}.{word(r)}",
        lambda: word(r),
        lambda: f"{word(r)}{r.randint(1, 99)}",
        lambda: f"{letters(r, 1).lower()}{word(r)}",
        lambda: f"{word(r)}_{word(r)}",
        lambda: r.choice(pool("first_name", 1500, "en_US")).lower(),
    ))()
    host = r.choice(("example.com", "example.org", "example.net", "mail.test", f"{word(r)}.com", f"{word(r)}.io", f"{word(r)}-{word(r)}.org"))
    return same(f"{left}@{host}")


def phone(r: Rng) -> Value:
    return same(r.choice((
        lambda: f"+{r.randint(1, 99)} {digits(r, 3)} {digits(r, 3)} {digits(r, 4)}",
        lambda: f"({digits(r, 3)}) {digits(r, 3)}-{digits(r, 4)}",
        lambda: f"{digits(r, 3)}-{digits(r, 3)}-{digits(r, 4)}",
        lambda: f"+{r.randint(1, 99)}{digits(r, 9)}",
        lambda: f"0{digits(r, 3)} {digits(r, 6)}",
        lambda: f"555-{digits(r, 4)}",
    ))())


def url(r: Rng) -> Value:
    path = "/".join(word(r) for _ in range(r.randint(0, 2)))
    return same(f"https://{r.choice(('www.', '', 'docs.', 'app.'))}{word(r)}.{r.choice(('com', 'org', 'io', 'dev', 'net'))}/{path}")


def path(r: Rng) -> Value:
    return same("/".join([r.choice(("src", "lib", "/var/log", "app", "/etc", "tests"))] + [word(r) for _ in range(r.randint(1, 2))]) + r.choice((".ts", ".py", ".log", ".go", ".json", ".txt")))


def ip(r: Rng) -> Value:
    return same(".".join(str(r.randint(0, 255)) for _ in range(4)))


def uuid(r: Rng) -> Value:
    return same("-".join(letters(r, n, "0123456789abcdef") for n in (8, 4, 4, 4, 12)))


def hexcode(r: Rng) -> Value:
    return same(letters(r, r.choice((6, 7, 8, 12)), "0123456789abcdef"))


def code(r: Rng) -> Value:
    return same(r.choice((
        lambda: f"{letters(r, r.randint(2, 3))}-{digits(r, r.randint(3, 6))}",
        lambda: f"{letters(r, 2)}{digits(r, r.randint(2, 5))}",
        lambda: f"#{digits(r, r.randint(3, 6))}",
        lambda: f"{letters(r, 3)}-20{digits(r, 2)}-{digits(r, 4)}",
        lambda: letters(r, r.randint(5, 9), "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"),
        lambda: f"{digits(r, 2)}{letters(r, 1)}",
        lambda: f"{word(r).upper()}-{r.randint(1, 99)}",
    ))())


def digit_code(r: Rng) -> Value:
    return same(digits(r, r.randint(4, 10)))


def one_word(r: Rng) -> Value:
    return same(word(r))


def capital_word(r: Rng) -> Value:
    return same(word(r).capitalize())


def title(r: Rng) -> Value:
    parts = [word(r) for _ in range(r.randint(2, 4))]
    return same(" ".join(p.capitalize() for p in parts) if r.random() < 0.6 else " ".join(parts).capitalize())


def phrase(r: Rng) -> Value:
    return same(" ".join(word(r) if r.random() < 0.4 else english(r) for _ in range(r.randint(3, 7))))


def job(r: Rng) -> Value:
    return same(r.choice(pool("job", 800, "en_US")))


def product(r: Rng) -> Value:
    things = "lamp chair keyboard mug backpack headphones jacket router blender tent notebook monitor drill kettle scooter camera desk bottle charger watch".split()
    return same(r.choice((
        lambda: f"{word(r).capitalize()} {r.choice(things)}",
        lambda: f"{r.choice(things).capitalize()} {letters(r, 1)}{r.randint(1, 999)}",
        lambda: f"{r.choice(('blue', 'wooden', 'steel', 'mini', 'smart', 'folding'))} {r.choice(things)}",
        lambda: f"{word(r).capitalize()} {word(r).capitalize()} {r.randint(2, 20)}",
    ))())


def color(r: Rng) -> Value:
    return same(r.choice("red blue green black white yellow purple orange grey brown pink silver navy teal beige".split()))


def currency(r: Rng) -> Value:
    return same(r.choice("USD EUR GBP CHF JPY SEK PLN CAD AUD BRL".split()))


def whole(low: int, high: int) -> Callable[[Rng], Value]:
    def make(r: Rng) -> Value:
        value = r.randint(low, high)
        text = f"{value:,}" if value > 9999 and r.random() < 0.2 else str(value)
        return Value(value, text, INTEGER)

    return make


def any_whole(r: Rng) -> Value:
    return whole(0, r.choice((9, 99, 99, 999, 99999)))(r)


def decimal(r: Rng) -> Value:
    value = round(r.uniform(0, r.choice((1, 10, 100, 1000))), r.choice((1, 1, 2)))
    return Value(number(value), str(number(value)), NUMBER)


def price(r: Rng) -> Value:
    value = round(r.uniform(1, r.choice((20, 100, 1000, 5000))), 2) if r.random() < 0.7 else float(r.randint(1, 900))
    plain = str(number(value)) if r.random() < 0.6 else f"{value:.2f}"
    if value >= 1000 and r.random() < 0.3:
        plain = f"{value:,.2f}"
    text = r.choice((plain, "$" + plain, "€" + plain, plain + " EUR", plain + " USD", "£" + plain, "$" + plain))
    return Value(number(value), text, NUMBER)


def percent(r: Rng) -> Value:
    value = r.randint(0, 100)
    return Value(value, f"{value}%", r.choice((INTEGER, NUMBER)))


def rating(r: Rng) -> Value:
    value = r.randint(1, 5)
    return Value(value, r.choice((str(value), f"{value}/5", f"{value} stars", str(value))), INTEGER)


def boolean(r: Rng) -> Value:
    value = r.random() < 0.5
    text = r.choice((("yes", "no"), ("true", "false"), ("Yes", "No"), ("on", "off"), ("y", "n"), ("enabled", "disabled"), ("true", "false")))
    return Value(value, text[0 if value else 1], BOOLEAN)


def date(r: Rng) -> Value:
    day = datetime.date(r.randint(1950, 2035), r.randint(1, 12), r.randint(1, 28))
    iso, month = day.isoformat(), MONTHS[day.month - 1]
    schema = {"type": "string", "format": "date"}
    if r.random() < 0.6:
        return Value(iso, iso, schema if r.random() < 0.6 else STRING)
    if r.random() < 0.3:
        text = f"{month} {day.day}, {day.year}"
        return same(text)
    text = r.choice((f"{month} {day.day}, {day.year}", f"{day.day} {month} {day.year}", f"{month[:3]} {day.day}, {day.year}"))
    return Value(iso, text, schema)


def time(r: Rng) -> Value:
    return same(f"{r.randint(0, 23):02d}:{r.choice((0, 15, 30, 45, r.randint(0, 59))):02d}")


def datetime_(r: Rng) -> Value:
    text = f"20{r.randint(10, 35)}-{r.randint(1, 12):02d}-{r.randint(1, 28):02d}T{r.randint(0, 23):02d}:{r.randint(0, 59):02d}:{r.randint(0, 59):02d}Z"
    return same(text, {"type": "string", "format": "date-time"} if r.random() < 0.6 else STRING)


def weekday(r: Rng) -> Value:
    return same(r.choice(DAYS))


def choice(*labels: str) -> Callable[[Rng], Value]:
    """An enumeration; the text writes the label, now and then in another case."""

    def make(r: Rng) -> Value:
        label = r.choice(labels)
        text = label.replace("_", " ").replace("-", " ") if r.random() < 0.4 else label
        return Value(label, text.capitalize() if r.random() < 0.15 else text, {"type": "string", "enum": list(labels)})

    return make


def such_as(*texts: str) -> Callable[[Rng], Value]:
    """A string the schema does not list; mostly one of these, else any word."""

    def make(r: Rng) -> Value:
        return same(r.choice(texts) if r.random() < 0.8 else word(r))

    return make


def random_choice(r: Rng) -> Value:
    labels = list(dict.fromkeys(word(r) for _ in range(r.randint(2, 6))))
    if r.random() < 0.2:
        labels = [label.upper() for label in labels]
    label = r.choice(labels)
    return Value(label, label, {"type": "string", "enum": labels})


def several(kind: Callable[[Rng], Value], low: int = 1, high: int = 4) -> Callable[[Rng], Value]:
    """A list of one kind, written with commas, with 'and', or with semicolons."""

    def make(r: Rng) -> Value:
        items = [kind(r) for _ in range(r.randint(low, high))]
        texts = [item.text for item in items]
        style = r.random()
        if style < 0.3 and len(texts) > 1:
            text = ", ".join(texts[:-1]) + " and " + texts[-1]
        else:
            text = (", " if style < 0.75 else "; " if style < 0.85 else " / ").join(texts)
        return Value([item.json for item in items], text, {"type": "array", "items": items[0].schema})

    return make


ANY_KINDS = (
    one_word, one_word, capital_word, title, title, phrase, code, code, hexcode, digit_code, name, name, email, city,
    any_whole, any_whole, any_whole, decimal, decimal, price, boolean, date, time, datetime_, url, phone, company,
    random_choice, random_choice, several(one_word), several(capital_word), several(code), several(any_whole), uuid, ip,
    path, percent, street,
)


def scramble(r: Rng) -> Value:
    """Letters, digits and signs in any order: nothing to go by but the text."""
    signs = string.ascii_letters + string.digits + "!#$%&'()*+,-./:;<=>?@[]^_`{|}~"
    return same(letters(r, r.randint(2, 9), signs))


TRAINED_KINDS = (*ANY_KINDS, scramble, date, uuid, several(name), several(title))
