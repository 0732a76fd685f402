"""Which samples in which shares; the curriculum only shortens records at the start."""

from . import splits
from .calls import trained_call
from .classify import classification, mentioned_label
from .extract import domain_record, many_records, one_value, random_record, values_in_order, values_only
from .labels import COMMON, KNOWN, trained_classification
from .lookups import lookup_record
from .loose import loose_call, loose_record, mixed_record
from .marks import any_pattern, row_pattern
from .nested import described_record, record_with_rows
from .related import related_call, related_record
from .renamed import renamed_call, renamed_record, renamed_records
from .rows import bare_rows, table_record
from .splits import Split
from .tools import invented_call, known_call
from .typed import typed_record
from .words import Rng

SEEN = (
    (0.36, lambda r: domain_record(r, splits.SEEN)),
    (0.20, lambda r: random_record(r, split=splits.SEEN)),
    (0.07, lambda r: values_only(r, splits.SEEN)),
    (0.02, lambda r: values_in_order(r, splits.SEEN)),
    (0.10, lambda r: many_records(r, splits.SEEN)),
    (0.05, lambda r: one_value(r, splits.SEEN)),
    (0.07, lambda r: classification(r, splits.SEEN)),
    (0.03, lambda r: mentioned_label(r, splits.SEEN)),
    (0.05, lambda r: known_call(r, splits.SEEN)),
    (0.05, lambda r: invented_call(r, splits.SEEN)),
)
# Training sees more ways to say things than the evaluation asks for, and half of it plain ones: with a tenth of plain labels and rows these stayed weak.
TRAINING = (
    (0.11, lambda r: domain_record(r, most=9, extra=any_pattern)),
    (0.09, domain_record),
    (0.06, lambda r: renamed_record(r, any_pattern)),
    (0.06, renamed_record),
    (0.035, mixed_record),
    (0.05, lambda r: random_record(r, 10, extra=any_pattern)),
    (0.07, random_record),
    (0.105, lookup_record),
    (0.025, loose_record),
    (0.025, typed_record),
    (0.05, related_record),
    (0.01, described_record),
    (0.025, values_only),
    (0.03, values_in_order),
    (0.12, lambda r: many_records(r, extra=row_pattern)),
    (0.11, many_records),
    (0.03, lambda r: renamed_records(r, row_pattern)),
    (0.03, renamed_records),
    (0.025, record_with_rows),
    (0.05, table_record),
    (0.015, bare_rows),
    (0.015, one_value),
    (0.045, trained_classification),
    (0.005, mentioned_label),
    (0.04, trained_call),
    (0.07, renamed_call),
    (0.015, invented_call),
    (0.01, loose_call),
    (0.015, related_call),
)
EASY = (
    (0.55, lambda r: random_record(r, 3)),
    (0.25, lambda r: domain_record(r, most=3)),
    (0.10, one_value),
    (0.10, values_only),
)
# To know a label by its cues takes many more meetings than to copy: 4.5% of 530 M tokens, ten meetings a cue, left it at chance.
LABELS = (
    (0.33, lambda r: trained_classification(r, COMMON)),
    (0.12, lambda r: trained_classification(r, KNOWN)),
    (0.12, trained_classification),
    (0.08, classification),
    (0.35, lambda r: draw(r, TRAINING)),
)


def held_out(split: Split):
    """The shares of both held-out splits."""
    return (
        (0.55, lambda r: domain_record(r, split)),
        (0.13, lambda r: random_record(r, split=split)),
        (0.14, lambda r: many_records(r, split)),
        (0.08, lambda r: classification(r, split)),
        (0.10, lambda r: known_call(r, split)),
    )


HELD, FRESH = held_out(splits.HELD_OUT_SPLIT), held_out(splits.FRESH)


def draw(r: Rng, shares) -> dict:
    """One sample of a mixture, by its shares."""
    makers = [make for _, make in shares]
    return r.choices(makers, [share for share, _ in shares])[0](r)
