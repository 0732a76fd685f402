/** Slow twins: all texts up to a length of a GBNF file and of an IR, by rounds until nothing new comes. */
import type { GbnfFile, GbnfNode } from '../../../src/grammar/gbnf/ast.js';
import type { Expr, Grammar } from '../../../src/grammar/ir.js';
import { TermStore } from '../../../src/regular/terms.js';

type Texts = ReadonlySet<string>;

function concat(a: Texts, b: Texts, max: number): Set<string> {
  const out = new Set<string>();
  for (const x of a) for (const y of b) if (x.length + y.length <= max) out.add(x + y);
  return out;
}

function repeated(item: Texts, min: number, count: number, max: number): Set<string> {
  const out = new Set<string>();
  let power: Set<string> = new Set(['']);
  for (let n = 0; n <= count; n++) {
    if (n >= min) for (const x of power) out.add(x);
    if (n > min + max && !item.has('')) break;
    const next = concat(power, item, max);
    if (n >= min && [...next].every((x) => out.has(x))) break;
    power = next;
    if (power.size === 0) break;
  }
  return out;
}

/** Texts of at most `max` characters over `alphabet` that a file describes (no token terminals). */
export function textsOfFile(file: GbnfFile, alphabet: string, max: number): Set<string> {
  const rules = new Map(file.rules.map((r) => [r.name, r]));
  const known = new Map<string, Set<string>>(file.rules.map((r) => [r.name, new Set<string>()]));
  const evaluate = (node: GbnfNode): Set<string> => {
    switch (node.k) {
      case 'literal':
        return new Set(node.text.length <= max ? [node.text] : []);
      case 'any':
        return new Set([...alphabet]);
      case 'class': {
        const inside = (c: number): boolean => {
          for (let i = 0; i < node.pairs.length; i += 2)
            if (c >= (node.pairs[i] as number) && c <= (node.pairs[i + 1] as number)) return true;
          return false;
        };
        return new Set([...alphabet].filter((c) => inside(c.charCodeAt(0)) !== node.negate));
      }
      case 'ref':
        return known.get(node.name) as Set<string>;
      case 'seq':
        return node.items.reduce((acc, item) => concat(acc, evaluate(item), max), new Set(['']));
      case 'alt':
        return new Set(node.items.flatMap((item) => [...evaluate(item)]));
      case 'repeat':
        return repeated(evaluate(node.item), node.min, node.max, max);
      case 'token':
        throw new Error('no tokens here');
    }
  };
  for (let changed = true; changed; ) {
    changed = false;
    for (const [name, rule] of rules) {
      const old = known.get(name) as Set<string>;
      const now = evaluate(rule.body);
      for (const x of now) {
        if (!old.has(x)) {
          old.add(x);
          changed = true;
        }
      }
    }
  }
  return known.get(file.root) as Set<string>;
}

/** The same for an IR without JSON nodes and tokens. */
export function textsOfGrammar(grammar: Grammar, alphabet: string, max: number): Set<string> {
  const store = new TermStore();
  const all: string[] = [''];
  for (let i = 0; i < all.length; i++) {
    const x = all[i] as string;
    if (x.length < max) for (const c of alphabet) all.push(x + c);
  }
  const known: Set<string>[] = grammar.exprs.map(() => new Set<string>());
  const evaluate = (expr: Expr): Set<string> => {
    switch (expr.op) {
      case 'empty':
        return new Set(['']);
      case 'text': {
        const term = store.intern(expr.re);
        return new Set(all.filter((x) => store.matches(term, x)));
      }
      case 'seq':
        return expr.items.reduce((acc, id) => concat(acc, known[id] as Set<string>, max), new Set(['']));
      case 'alt':
        return new Set(expr.items.flatMap((id) => [...(known[id] as Set<string>)]));
      case 'repeat':
        return repeated(known[expr.item] as Set<string>, expr.min, expr.max, max);
      case 'rule':
        return known[expr.body] as Set<string>;
      case 'never':
        return new Set();
      default:
        throw new Error(`no ${expr.op} here`);
    }
  };
  const leaves = new Set<number>();
  for (let changed = true; changed; ) {
    changed = false;
    grammar.exprs.forEach((expr, id) => {
      if (leaves.has(id)) return;
      if (expr.op === 'text') leaves.add(id);
      const old = known[id] as Set<string>;
      for (const x of evaluate(expr)) {
        if (!old.has(x)) {
          old.add(x);
          changed = true;
        }
      }
    });
  }
  return known[grammar.start] as Set<string>;
}
