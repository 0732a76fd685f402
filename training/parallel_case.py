"""Capitals cut like small letters: `Renew` into Ren + ew where `renew` is ren + ew.

BPE learns the merges of capitalised words apart from those of small ones, so a word that is a label in a text and a key of the schema
(`Square Meters` and `square_meters`) has other tokens in one than in the other, and nothing tells that they are the same. Here every merge of a
piece that begins with a small letter has a twin that begins with its capital, right behind it in rank, and other merges of capitals with
small letters are left out. (The split of words leaves no capital behind a small letter, so only the first piece of a word has a twin.)
"""

import re

import torch

LOWER = re.compile(r"[a-z][^A-Z]*\Z")
MIXED = re.compile(r"[A-Z][^A-Z]*[a-z][^A-Z]*\Z")


def capital(token: str) -> str:
    return token[0].upper() + token[1:]


def parallel(tokenizer: dict) -> dict:
    """The JSON of a BPE tokenizer with parallel merges. Tokens that stay keep their ids; new ones take those that fell free, then further ones."""
    old, merges = tokenizer["model"]["vocab"], []
    for a, b in map(_pair, tokenizer["model"]["merges"]):
        if LOWER.match(a) and LOWER.match(a + b):
            merges += [[a, b], [capital(a), b]]
        elif not MIXED.match(a + b):
            merges.append([a, b])
    made = {a + b for a, b in merges}
    gone = {a + b for a, b in map(_pair, tokenizer["model"]["merges"])} - made
    vocab = {token: i for token, i in old.items() if token not in gone}
    free = sorted(old[token] for token in gone) + list(range(len(old), len(old) + len(made)))
    for token, i in zip([a + b for a, b in merges if a + b not in vocab], free):
        vocab[token] = i
    if sorted(vocab.values()) != list(range(len(vocab))):
        raise ValueError("fewer tokens came than went: ids would have holes")
    return {**tokenizer, "model": {**tokenizer["model"], "vocab": dict(sorted(vocab.items(), key=lambda item: item[1])), "merges": merges}}


def _pair(merge: str | list[str]) -> list[str]:
    return merge.split(" ") if isinstance(merge, str) else merge


def twins(vocab: dict[str, int]) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids of tokens with a capital, and of the same with a small letter."""
    pairs = [(i, vocab[small]) for token, i in vocab.items() if "A" <= token[0] <= "Z" and (small := token[0].lower() + token[1:]) in vocab]
    return torch.tensor([i for i, _ in pairs]), torch.tensor([i for _, i in pairs])


@torch.no_grad()
def regrown(embedding: torch.Tensor, old: dict[str, int], new: dict[str, int], share: float = 0.5) -> torch.Tensor:
    """Embeddings [new, C] from those of the vocabulary before, [old, C].

    A capital's is its small letter's plus the mean difference of the pairs that were there; where it was there itself, `share` of the way to that.
    """
    out = embedding.new_zeros(len(new), embedding.shape[1])
    for token, i in new.items():
        if token in old:
            out[i] = embedding[old[token]]
    big, small = twins({token: i for token, i in new.items() if token in old})
    offset = (out[big] - out[small]).mean(0)
    big, small = twins(new)
    known = torch.tensor([token in old for token, _ in sorted(new.items(), key=lambda item: item[1])])[big]
    weight = torch.where(known, share, 1.0)[:, None]
    out[big] = (1 - weight) * out[big] + weight * (out[small] + offset)
    return out
