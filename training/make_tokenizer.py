"""Train the byte-level BPE tokenizer on generated samples.

The split keeps every space, digit and run of JSON punctuation apart from words and
breaks words at a change of case. So a word is cut into the same tokens after a space in
the text, after a quote in the answer and inside `camelCase`: copying becomes copying of token
ids, at the price of a token for each space. A capitalised word is cut like the small one (parallel_case.py), so
that labels and keys can be told to be the same.
"""

import argparse
import json
import random
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from data.mixture import TRAINING, draw
from data.prompt import CHAT_TEMPLATE, SPECIAL, render
from parallel_case import parallel

SPLIT = r"""\p{Lu}?\p{Ll}+|\p{Lu}+(?!\p{Ll})|\p{L}|\p{N}|\s|[{}\[\]":,]+|[^\s\p{L}\p{N}{}\[\]":,]+"""


def train(vocab_size: int, samples: int, seed: int) -> Tokenizer:
    rng = random.Random(seed)
    texts = []
    for _ in range(samples):
        sample = draw(rng, TRAINING)
        texts.append(render(sample) + sample["expected"])
    plain = (part for text in texts for part in _without_special(text))
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(SPLIT), behavior="isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(plain, trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[AddedToken(token, special=True) for token in SPECIAL],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    ))
    return tokenizer


def _without_special(text: str) -> list[str]:
    for token in SPECIAL:
        text = text.replace(token, "\0")
    return [part for part in text.split("\0") if part]


def tokenizer_config() -> dict:
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": SPECIAL[1],
        "eos_token": SPECIAL[2],
        "pad_token": SPECIAL[0],
        "add_bos_token": False,
        "clean_up_tokenization_spaces": False,
        "model_max_length": 2048,
        "chat_template": CHAT_TEMPLATE,
    }


def main() -> None:
    here = Path(__file__).parent
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, default=here / "tokenizer")
    parser.add_argument("--vocab", type=int, default=4096, help="entries before the capitals of small pieces come")
    parser.add_argument("--samples", type=int, default=30000)
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    trained = json.loads(train(args.vocab, args.samples, args.seed).to_str())
    (args.out / "tokenizer.json").write_text(json.dumps(parallel(trained), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    (args.out / "tokenizer_config.json").write_text(json.dumps(tokenizer_config(), indent=2) + "\n")


if __name__ == "__main__":
    main()
