"""Where the samples of a split come from, and what they must not say.

A maker takes a `Split` and draws domains, layouts, tools and cues of it. `TRAINING` is the default
everywhere: it refuses to invent a name that any held-out domain has. `SEEN` and `HELD_OUT` keep to the domains and
the refusals they were first drawn with, so that their records stay the same, byte for byte, while training data grows.
"""

from dataclasses import dataclass

from . import fresh
from .domains import FRESH_DOMAINS, HELD_OUT, HELD_OUT_NAMES, SEEN_DOMAINS, TRAINED, UNSEEN_NAMES, Domain
from .render import HELD_OUT_LAYOUTS, Layout


@dataclass(frozen=True, eq=False)
class Split:
    """`layouts`: of its own, for half of the records in a layout. `refused`: names and words of names never invented."""

    domains: tuple[Domain, ...]
    layouts: tuple[Layout, ...]
    refused: frozenset[str]

    @property
    def held_out(self) -> bool:
        return bool(self.layouts)


# What people ask for most days (persons, orders, events, ...) is drawn five times as often as the many domains that are there for breadth.
OFTEN = 5
TRAINING = Split((*TRAINED.values(), *(OFTEN - 1) * tuple(TRAINED[name] for name in SEEN_DOMAINS if name in TRAINED)), (), UNSEEN_NAMES)
SEEN = Split(tuple(SEEN_DOMAINS.values()), (), HELD_OUT_NAMES)
HELD_OUT_SPLIT = Split(tuple(HELD_OUT.values()), HELD_OUT_LAYOUTS, HELD_OUT_NAMES)
FRESH = Split(tuple(FRESH_DOMAINS.values()), fresh.LAYOUTS, UNSEEN_NAMES)
