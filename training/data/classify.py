"""Classification samples: an enumeration whose label the text only implies.

Sentences are composed from openings, cues of the label and endings. The last cue of each label and those of
the fresh split are never trained on: they show how far a cue's kin carries.
"""

from . import fresh
from .extract import describe, random_name
from .prompt import compact
from .render import filler
from .schemas import Dialect, Slot, object_schema
from .splits import FRESH, HELD_OUT_SPLIT, TRAINING, Split
from .values import Value, code, email, name, product
from .words import Rng

TASKS = {
    ("sentiment", "mood", "tone"): {
        "positive": "I love it|works great|excellent quality|very happy with it|would buy again|fantastic service|really nice|super fast and friendly|best purchase ever|highly recommended|amazing|wonderful experience|perfect fit|so good",
        "negative": "I hate it|it broke after a day|terrible quality|very disappointed|want my money back|awful service|really bad|slow and rude|worst purchase ever|do not buy|useless|horrible experience|does not work|so bad",
        "neutral": "it is okay|it arrived on Tuesday|it does what it says|nothing special|average quality|I have one question|it is a standard model|fine for the price|neither good nor bad|as described",
    },
    ("category", "department", "topic", "queue"): {
        "billing": "I was charged twice|the invoice is wrong|I need a refund|my card was declined|please send the receipt|the price on my bill is too high|cancel my subscription payment|where is my refund",
        "technical": "the app crashes|I get an error message|the page does not load|the screen stays black|the update failed|it will not connect|the button does nothing|the server is down|login gives error 500",
        "shipping": "my parcel has not arrived|the package is late|the tracking number does not work|delivered to the wrong address|when will it ship|the courier lost my box|the box was damaged in transit",
        "account": "I forgot my password|please change my email address|I cannot log in|delete my account|how do I reset my password|update my profile|my account is locked",
    },
    ("spam", "is spam"): {
        "spam": "you won a free prize|click here to claim|cheap pills online|earn money fast from home|limited offer act now|congratulations winner|free gift card inside",
        "ham": "see you at the meeting tomorrow|here are the notes you asked for|can we move lunch to noon|thanks for your help yesterday|the report is attached|call me when you are home",
    },
    ("intent", "action", "request type"): {
        "buy": "I want to order|please put two in my cart|I would like to purchase it|can I buy this",
        "return": "I want to send it back|please take it back|how do I return this|I would like to return it",
        "question": "does it come in blue|how long is the battery life|what are the dimensions|is it waterproof",
        "complaint": "this is unacceptable|I am very unhappy with you|nobody answers my calls|I have waited for weeks",
        "praise": "thank you so much|great job|you are the best|keep up the good work",
    },
    ("priority", "urgency"): {
        "high": "everything is down|this is urgent|we lose money every minute|please fix it right now|production is broken|all users are affected",
        "medium": "please look at it this week|some users see it|it is annoying but there is a way around|it happens now and then",
        "low": "no hurry|just a small typo|whenever you have time|a minor cosmetic thing|nice to have",
    },
    ("language", "lang"): {
        "english": "where is the train station|the weather is nice today|please bring me the book|I will come tomorrow",
        "german": "wo ist der Bahnhof|das Wetter ist heute gut|bitte bring mir das Buch|ich komme morgen",
        "french": "où est la gare|il fait beau aujourd'hui|apporte-moi le livre s'il te plaît|je viens demain",
        "spanish": "dónde está la estación|hoy hace buen tiempo|tráeme el libro por favor|vengo mañana",
    },
}
ASKS = ("Classify this {t}: ", "Classify: ", "Classify this {t}:\n", "What is the {k}? ", "Label this {t}: ", "", "Triage this {t}:\n", "Decide the {k} of this {t}: ")
THINGS = ("ticket", "message", "review", "text", "comment", "mail", "request")


def cues_of(split: Split, label: str, cues: list[str]) -> list[str]:
    """The cues of a label that the split may use."""
    if split is FRESH:
        return [fresh.CUES[label]]
    return cues[-1:] if split is HELD_OUT_SPLIT else cues[:-1]


def classification(r: Rng, split: Split = TRAINING) -> dict:
    keys = r.choice(list(TASKS))
    labels = TASKS[keys]
    label = r.choice(list(labels))
    cue = r.choice(cues_of(split, label, labels[label].split("|")))
    names = list(labels)
    r.shuffle(names)
    upper = r.random() < 0.12
    show = (lambda s: s.upper()) if upper else (lambda s: s)
    enum = Value(show(label), "", {"type": "string", "enum": [show(n) for n in names]})
    key = r.choice(keys)
    text = cue.capitalize() + r.choice((".", ".", "!", ""))
    extra = []
    if r.random() < 0.35:
        kind, named, form = r.choice(((name, "name", "I am {}."), (email, "email", "Write to {}."), (code, "order id", "My order is {}."), (product, "product", "It is about the {}.")))
        value = kind(r)
        extra.append(Slot(named, named, value, True, ""))
        text = r.choice((f"{text} {form.format(value.text)}", f"{form.format(value.text)} {text}"))
    if r.random() < 0.2:
        text += " " + filler(r)
    slots = [Slot(key, key, enum, True, describe(r, key, enum, "message")), *extra]
    r.shuffle(slots)
    content = r.choice(ASKS).format(t=r.choice(THINGS), k=key) + text
    if not extra and r.random() < 0.2:
        schema, expected = enum.schema, enum.json
    else:
        schema, expected = object_schema(r, slots, Dialect.draw(r))
    return {"domain": "classification", "schema": schema, "messages": [{"role": "user", "content": content}], "expected": compact(expected)}


def mentioned_label(r: Rng, split: Split = TRAINING) -> dict:
    """An enumeration of invented labels, one of which the text names."""
    labels = list(dict.fromkeys(random_name(r, split) for _ in range(r.randint(2, 6))))
    label = r.choice(labels)
    key = random_name(r, split)
    before, after = filler(r), filler(r)
    text = f"{before} {r.choice(('It is {}.', 'We chose {}.', 'Clearly {}.', 'This is about {}.', '{}!')).format(label)} {after}"
    enum = Value(label, label, {"type": "string", "enum": labels})
    schema, expected = object_schema(r, [Slot(key, key, enum)], Dialect.draw(r))
    content = r.choice(ASKS).format(t=r.choice(THINGS), k=key) + text
    return {"domain": "classification", "schema": schema, "messages": [{"role": "user", "content": content}], "expected": compact(expected)}
