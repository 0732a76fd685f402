"""Word material: English words, invented words and codes, and names from many locales.

Half of what the model must copy is made of words that exist nowhere else, so that
copying is learnt from position and label and never from a memorised list.
"""

import random
import re
import string
from functools import lru_cache
from pathlib import Path

from faker import Faker
from faker.providers.lorem.en_US import Provider as Lorem

LOCALES = ("en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "pl_PL", "sv_SE", "pt_BR", "tr_TR", "fi_FI")
ENGLISH = [word for word in Lorem.word_list if len(word) > 2]
# 4,500 words: the names and kindred words of relations.txt.
DICTIONARY = sorted(set(re.findall(r"(?m)(?:^[a-z]+ ; |\||(?:name|kind|part|noun):)([a-z]{3,14})\b", (Path(__file__).parent / "relations.txt").read_text())))
ONSETS = "b c d f g h j k l m n p r s t v w z br ch cr dr fl gr kr pl pr sh sk st th tr".split()
VOWELS = "a e i o u a e i o ai ea io ou ee".split()
CODAS = "    n r s t l m k d x rt st".split(" ")

Rng = random.Random


def invented(rng: Rng, syllables: int | None = None) -> str:
    """A pronounceable word of one to four syllables, in lower case."""
    count = syllables or rng.choice((1, 1, 2, 2, 2, 3))
    return "".join(rng.choice(ONSETS) + rng.choice(VOWELS) + rng.choice(CODAS) for _ in range(count))


def letters(rng: Rng, count: int, alphabet: str = string.ascii_uppercase) -> str:
    return "".join(rng.choice(alphabet) for _ in range(count))


def digits(rng: Rng, count: int) -> str:
    return letters(rng, count, string.digits)


def english(rng: Rng) -> str:
    return rng.choice(ENGLISH)


def word(rng: Rng) -> str:
    return english(rng) if rng.random() < 0.5 else invented(rng)


@lru_cache(maxsize=None)
def pool(provider: str, size: int = 1500, locale: str | None = None) -> tuple[str, ...]:
    """`size` draws of one faker provider, over all locales unless one is given; seeded."""
    # Faker draws Italian cities from a set: another order in every process.
    names = (locale,) if locale else tuple(name for name in LOCALES if (provider, name) != ("city", "it_IT"))
    out: list[str] = []
    for name in names:
        fake = Faker(name)
        fake.seed_instance(f"{provider}-{name}")
        make = getattr(fake, provider)
        out += [str(make()).replace("\n", ", ") for _ in range(size // len(names) + 1)]
    return tuple(dict.fromkeys(out))
