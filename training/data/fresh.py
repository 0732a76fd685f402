"""The fresh held-out split: layouts, tools and cues that nothing was tuned on (its domains: `domains_fresh.txt`).

The older held-out split was looked at while training data was written, so its figure flatters. This one was
written without a look at any model's answers to it. Whoever writes training data leaves this file and
`domains_fresh.txt` closed, and looks at no answer to its records: `training/README.md`, Held out.
"""

from .words import Rng

Pairs = list[tuple[str, str]]

TOOLS = """
book haircut|Book a hairdresser's appointment|salon:company,stylist:first,slot:time|Book me a haircut with {stylist} at {salon}, {slot}.;Haircut at {salon} at {slot}, with {stylist} please
water plants|Water a part of the garden|bed:word,liters:small|Water the {bed} with {liters} liters.;Give {bed} {liters} liters of water
rent bicycle|Rent a bicycle|dock:street,helmets:small|Rent me a bicycle at {dock} with {helmets} helmets.;Bike at {dock}, {helmets} helmets
lower blinds|Lower the blinds of a window|window:word,closed percent:percent|Lower the blinds of the {window} to {closed_percent}.;Blinds at the {window} down to {closed_percent}!
print document|Print a document|document:path,copies:small|Print {copies} copies of {document}.;Send {document} to the printer, {copies} copies
"""

# One cue of each class.
CUES = {
    "positive": "exceeded all my expectations", "negative": "a complete waste of money", "neutral": "it comes in a plain cardboard box",
    "billing": "there is a fee on my statement that I do not know", "technical": "the video freezes after ten seconds",
    "shipping": "the driver left my box in the rain", "account": "I want to choose another username",
    "spam": "lose ten kilos in a week with this one trick", "ham": "the kids have football at four on Thursday",
    "buy": "I will take three of these", "return": "it does not fit, so where do I drop it off again", "question": "which sizes do you have",
    "complaint": "I expected far better from your company", "praise": "your team was a real help",
    "high": "the whole office cannot work until this is solved", "medium": "some time in the next days would be good", "low": "this icon could be a bit bigger one day",
    "english": "my brother plays the guitar", "german": "mein Bruder spielt Gitarre", "french": "mon frère joue de la guitare", "spanish": "mi hermano toca la guitarra",
}


def _flags(r: Rng, pairs: Pairs) -> str:
    gap, joint, equals = r.choice(("-", "-", "_")), r.choice((" ", " ", " \\\n  ")), r.choice((" ", " ", "="))
    start = r.choice(("", "add ", "./register ", "$ save "))
    shown = [(k.replace(" ", gap), f'"{v}"' if " " in v else v) for k, v in pairs]
    return start + joint.join(f"--{k}{equals}{v}" for k, v in shown)


def _value_first(r: Rng, pairs: Pairs) -> str:
    return r.choice((", ", "; ", "\n")).join(f"{v} ({k})" for k, v in pairs)


def _reported(r: Rng, pairs: Pairs) -> str:
    forms = ("I asked for the {k} and was told {v}", "they gave {v} for the {k}", "the {k}, so I hear, is {v}", "somebody said {v} when I asked about the {k}")
    text = "; ".join(r.choice(forms).format(k=k, v=v) for k, v in pairs)
    return text[0].upper() + text[1:] + "."


LAYOUTS = (_flags, _value_first, _reported)
# How each shows in a text where `label` labels `value`: no layout of training may match (`check_held_out.py`).
SHAPES = (
    r"--label[ =]\"?value", r"value \(label\)", r"asked for the label and was told value|they gave value for the label|the label, so i hear, is value|said value when i asked about the label",
)
