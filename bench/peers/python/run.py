"""One native engine over token sequences: reads cases, prints one JSON line a schema.

Input: --vocab FILE {tokens: [base64 or null], eos, pattern, specials}, --cases FILE (JSON lines of {id, schema, tests: [{valid, tokens}]}).
Output per schema: {id, compileUs, us: [microseconds of mask + accept per token], wrong: int} or {id, error}.
The mask's bit for the token is checked against what the engine accepts, as the TypeScript side does for its own.
"""

import argparse
import base64
import importlib.metadata
import json
import signal
import sys
import time


class Timeout(Exception):
    pass


def on_alarm(_signum, _frame):
    raise Timeout()


def load_vocab(path):
    with open(path) as f:
        v = json.load(f)
    v["tokens"] = [None if t is None else base64.b64decode(t) for t in v["tokens"]]
    return v


class LLGuidance:
    def __init__(self, vocab):
        import llguidance
        import llguidance.numpy
        import llguidance.tiktoken
        import tiktoken

        ranks = {t: i for i, t in enumerate(vocab["tokens"]) if t is not None}
        enc = tiktoken.Encoding(
            name="bench", pat_str=vocab["pattern"], mergeable_ranks=ranks, special_tokens=vocab["specials"]
        )
        self.llg = llguidance
        self.version = llguidance.get_version()
        self.tokenizer = llguidance.tiktoken.lltokenizer_from_encoding(enc)
        self.mask = llguidance.numpy.allocate_token_bitmask(1, self.tokenizer.vocab_size)
        self.row = self.mask[0]
        self.fill = llguidance.numpy.fill_next_token_bitmask

    def compile(self, schema):
        grammar = self.llg.LLMatcher.grammar_from_json_schema(json.dumps(schema))
        matcher = self.llg.LLMatcher(self.tokenizer, grammar, log_level=0)
        if matcher.is_error():
            raise ValueError(matcher.get_error())
        self.fill(matcher, self.mask, 0)
        if matcher.is_error():
            raise ValueError(matcher.get_error())
        return matcher

    def start(self, compiled):
        m = compiled.deep_copy()
        m.reset()
        return m

    def step(self, m, token):
        self.fill(m, self.mask, 0)
        allowed = (int(self.row[token >> 5]) >> (token & 31)) & 1
        return allowed == 1 and m.consume_token(token)

    def accepting(self, m):
        return m.is_accepting()


class XGrammar:
    def __init__(self, vocab):
        import xgrammar

        self.xgr = xgrammar
        self.version = importlib.metadata.version("xgrammar")
        tokens = [b"" if t is None else t for t in vocab["tokens"]]
        self.info = xgrammar.TokenizerInfo(
            tokens, vocab_type=xgrammar.VocabType.RAW, vocab_size=len(tokens), stop_token_ids=[vocab["eos"]]
        )
        self.compiler = xgrammar.GrammarCompiler(self.info, max_threads=1, cache_enabled=False)
        self.mask = xgrammar.allocate_token_bitmask(1, len(tokens))
        self.row = self.mask.numpy()[0]

    def compile(self, schema):
        compiled = self.compiler.compile_json_schema(json.dumps(schema), any_whitespace=True, strict_mode=False)
        matcher = self.xgr.GrammarMatcher(compiled)
        matcher.fill_next_token_bitmask(self.mask)
        return compiled

    def start(self, compiled):
        return self.xgr.GrammarMatcher(compiled)

    def step(self, m, token):
        # No mask where nothing needs one: the row is then as it was, so it is set to all first.
        if not m.fill_next_token_bitmask(self.mask):
            return m.accept_token(token)
        allowed = (int(self.row[token >> 5]) >> (token & 31)) & 1
        return allowed == 1 and m.accept_token(token)

    def accepting(self, m):
        if m.is_terminated():
            return True
        m.fill_next_token_bitmask(self.mask)
        eos = self.info.stop_token_ids[0]
        return (int(self.row[eos >> 5]) >> (eos & 31)) & 1 == 1


class OutlinesCore:
    def __init__(self, vocab):
        import outlines_core

        self.oc = outlines_core
        self.version = importlib.metadata.version("outlines_core")
        by_bytes = {}
        for i, t in enumerate(vocab["tokens"]):
            if t:
                by_bytes.setdefault(t, []).append(i)
        self.eos = vocab["eos"]
        self.vocabulary = outlines_core.Vocabulary(self.eos, by_bytes)
        import numpy

        self.row = numpy.zeros((len(vocab["tokens"]) + 31) // 32, dtype=numpy.int32)

    def compile(self, schema):
        regex = self.oc.json_schema.build_regex_from_schema(json.dumps(schema))
        index = self.oc.Index(regex, self.vocabulary)
        self.fill(self.oc.Guide(index))
        return index

    def fill(self, guide):
        guide.write_mask_into(self.row.ctypes.data, self.row.size, self.row.itemsize)

    def start(self, compiled):
        return self.oc.Guide(compiled)

    def step(self, m, token):
        self.fill(m)
        if (int(self.row[token >> 5]) >> (token & 31)) & 1 == 0:
            return False
        m.advance(token, return_tokens=False)
        return True

    def accepting(self, m):
        return m.is_finished() or self.eos in m.get_tokens()


ENGINES = {"llguidance": LLGuidance, "xgrammar": XGrammar, "outlines-core": OutlinesCore}


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--engine", required=True, choices=sorted(ENGINES))
    p.add_argument("--vocab", required=True)
    p.add_argument("--cases", required=True)
    p.add_argument("--seconds", type=int, default=30)
    args = p.parse_args()
    began = time.perf_counter()
    engine = ENGINES[args.engine](load_vocab(args.vocab))
    setup = (time.perf_counter() - began) * 1e3
    print(json.dumps({"engine": args.engine, "version": engine.version, "setupMs": round(setup, 1)}), flush=True)
    signal.signal(signal.SIGALRM, on_alarm)
    wall = time.perf_counter_ns
    cpu = time.process_time_ns
    with open(args.cases) as cases:
        for line in cases:
            case = json.loads(line)
            out = {"id": case["id"]}
            signal.alarm(args.seconds)
            try:
                # As ours are timed: the lesser of wall and processor time (bench/mask/stats.ts).
                c0 = cpu()
                t0 = wall()
                compiled = engine.compile(case["schema"])
                out["compileUs"] = min(wall() - t0, cpu() - c0) / 1e3
                us = []
                wrong = 0
                for test in case["tests"]:
                    m = engine.start(compiled)
                    ok = True
                    for token in test["tokens"]:
                        c0 = cpu()
                        t0 = wall()
                        ok = engine.step(m, token)
                        spent = wall() - t0
                        us.append(round((spent if spent < 10_000 else min(spent, cpu() - c0)) / 1e3, 2))
                        if not ok:
                            break
                    if (ok and engine.accepting(m)) != test["valid"]:
                        wrong += 1
                out["us"] = us
                out["wrong"] = wrong
            except Timeout:
                out = {"id": case["id"], "error": f"over {args.seconds} s"}
            except Exception as e:  # the engine's own refusal, whatever its type
                out = {"id": case["id"], "error": str(e)[:120] or type(e).__name__}
            finally:
                signal.alarm(0)
            print(json.dumps(out), flush=True)


if __name__ == "__main__":
    sys.exit(main())
