/**
 * The same language without left recursion and without repeats of items that may be empty.
 *
 * The textbook way (Paull) substitutes rules into each other and can grow exponentially. Here a strongly connected part S of
 * the left-corner graph is seen as a finite automaton: every derivation of A in S begins with some text `head` of a production
 * B -> head tail that leaves S, and climbs from B to A by productions D -> C tail. So
 *
 *     A          = head tail [B:A] | …        for every such production of every B in S
 *     [B:A]      = (empty, if B is A) | tail [D:A] | …   for every production D -> B tail
 *
 * which is right recursive and has |S| squared rules at most; where S is one rule, [A:A] is a plain repeat. Rules that may be
 * empty hide left corners (`a ::= b? a "x"`), so inside the construction every rule appears as its part without the
 * empty text, written `A+`; the empty text is added back outside.
 */
import { LimitError } from '../../base/errors.js';
import type { Span } from '../ir.js';
import { components, leftCorners, nullables } from './analyze.js';
import { altOf, EMPTY_MID, isNever, type Mid, type MidGrammar, type MidRule, NEVER_MID, seqOf } from './mid.js';

/** Most rules that the construction may add. */
const MAX_RULES = 200_000;
/** Most items copied while the empty text is taken out of sequences and productions. */
const MAX_TAILS = 1_000_000;

/** A production in the form "begins with this, goes on with these". */
interface Head {
  /** A rule of the same part, or text. */
  readonly first: { readonly rule: number } | { readonly node: Mid };
  readonly tail: readonly Mid[];
}

export function withoutLeftRecursion(grammar: MidGrammar): MidGrammar {
  return new Rewriter(grammar).run();
}

class Rewriter {
  private readonly nullable: ReturnType<typeof nullables>;
  /** Number of the left-recursive part of a rule, or -1. */
  private readonly part: Int32Array;
  private readonly parts: number[][] = [];
  private readonly rules: (MidRule | undefined)[] = [];
  private readonly numbers = new Map<string, number>();
  private readonly queue: (() => void)[] = [];
  private tails = 0;
  private readonly heads = new Map<number, readonly Head[]>();
  private readonly climbs = new Map<number, ReadonlyMap<number, { readonly to: number; readonly tail: Mid }[]>>();

  constructor(private readonly grammar: MidGrammar) {
    this.nullable = nullables(grammar);
    this.part = new Int32Array(grammar.rules.length).fill(-1);
    const edges = grammar.rules.map((rule) => {
      const out: number[] = [];
      leftCorners(rule.body, this.nullable.holds, out);
      return out;
    });
    for (const { members, loops } of components(edges)) {
      if (!loops) continue;
      for (const member of members) this.part[member] = this.parts.length;
      this.parts.push(members);
    }
  }

  run(): MidGrammar {
    if (this.parts.length === 0 && !this.grammar.rules.some((rule) => this.repeatsNothing(rule.body)))
      return this.grammar;
    const start = this.full(this.grammar.start);
    for (let next = this.queue.pop(); next !== undefined; next = this.queue.pop()) next();
    return { rules: this.rules as MidRule[], start };
  }

  /** Whether a repeat of something that may be empty is inside. */
  private repeatsNothing(node: Mid): boolean {
    if (node.op === 'seq' || node.op === 'alt') return node.items.some((item) => this.repeatsNothing(item));
    return node.op === 'repeat' && (this.nullable.holds(node.item) || this.repeatsNothing(node.item));
  }

  // ---- rules of the result, by kind, made on demand

  private rule(key: string, name: string, span: Span | undefined, body: () => Mid): number {
    const known = this.numbers.get(key);
    if (known !== undefined) return known;
    const n = this.rules.push(undefined) - 1;
    if (n > MAX_RULES + this.grammar.rules.length) {
      throw new LimitError('rules made while removing left recursion', n, MAX_RULES + this.grammar.rules.length);
    }
    this.numbers.set(key, n);
    this.queue.push(() => {
      const made = body();
      this.rules[n] = span === undefined ? { name, body: made } : { name, body: made, span };
    });
    return n;
  }

  /** The rule with all its texts. */
  private full(r: number): number {
    const { name, body, span } = this.grammar.rules[r] as MidRule;
    return this.rule(`${r}`, name, span, () => {
      if (this.part[r] === -1) return this.normal(body);
      if (this.nullable.rule[r] === true)
        return { op: 'alt', items: [{ op: 'ref', rule: this.nonEmpty(r) }, EMPTY_MID] };
      return this.climbing(r);
    });
  }

  /** The rule without the empty text. */
  private nonEmpty(r: number): number {
    if (this.nullable.rule[r] !== true) return this.full(r);
    const { name, body, span } = this.grammar.rules[r] as MidRule;
    const make = (): Mid => (this.part[r] === -1 ? this.without(body) : this.climbing(r));
    return this.rule(`${r}+`, `${name}+`, span, make);
  }

  // ---- nodes

  /** The node with the references of the result and without repeats of what may be empty. */
  private normal(node: Mid): Mid {
    switch (node.op) {
      case 'ref':
        return { ...node, rule: this.full(node.rule) };
      case 'repeat': {
        if (!this.nullable.holds(node.item)) return { ...node, item: this.normal(node.item) };
        const item = this.without(node.item);
        return isNever(item) ? EMPTY_MID : { ...node, item, min: 0 };
      }
      case 'seq':
      case 'alt':
        return { ...node, items: node.items.map((item) => this.normal(item)) };
      default:
        return node;
    }
  }

  private spend(items: number): void {
    this.tails += items;
    if (this.tails > MAX_TAILS) {
      throw new LimitError('items copied while removing left recursion and empty repeats', this.tails, MAX_TAILS);
    }
  }

  /** The node without the empty text. */
  private without(node: Mid): Mid {
    if (!this.nullable.holds(node)) return this.normal(node);
    switch (node.op) {
      case 'ref':
        return { ...node, rule: this.nonEmpty(node.rule) };
      case 'repeat': {
        const first = this.without(node.item);
        if (isNever(first)) return NEVER_MID;
        const { min: _, ...rest } = node;
        return node.max === 1 ? first : { ...rest, item: first, min: 1 };
      }
      case 'alt':
        return altOf(node.items.map((item) => this.without(item)).filter((item) => !isNever(item)));
      case 'seq':
        return this.withoutSeq(node.items, 0, node.items.length);
      default:
        return node;
    }
  }

  /** Items from..to, all of which may be empty, without the empty text; halves keep it at n log n. */
  private withoutSeq(items: readonly Mid[], from: number, to: number): Mid {
    if (from === to) return NEVER_MID;
    if (to - from === 1) return this.without(items[from] as Mid);
    const mid = (from + to) >> 1;
    const left = this.withoutSeq(items, from, mid);
    const right = this.withoutSeq(items, mid, to);
    this.spend(to - mid);
    const rest = items.slice(mid, to).map((item) => this.normal(item));
    return altOf([...(isNever(left) ? [] : [seqOf([left, ...rest])]), ...(isNever(right) ? [] : [right])]);
  }

  // ---- left-recursive parts

  private touchesPart(node: Mid, part: number): boolean {
    const corners: number[] = [];
    leftCorners(node, this.nullable.holds, corners);
    return corners.some((r) => this.part[r] === part);
  }

  /** Productions of a rule of `part`, without the empty text. */
  private headsOf(r: number): readonly Head[] {
    let known = this.heads.get(r);
    if (known === undefined) {
      known = this.headsOfNode((this.grammar.rules[r] as MidRule).body, this.part[r] as number);
      this.heads.set(r, known);
    }
    return known;
  }

  private headsOfNode(node: Mid, part: number): Head[] {
    if (node.op === 'ref' && this.part[node.rule] === part) return [{ first: { rule: node.rule }, tail: [] }];
    if (!this.touchesPart(node, part)) {
      const rest = this.without(node);
      return isNever(rest) ? [] : [{ first: { node: rest }, tail: [] }];
    }
    switch (node.op) {
      case 'alt':
        return node.items.flatMap((item) => this.headsOfNode(item, part));
      case 'repeat': {
        const more: Mid = { op: 'repeat', item: node.item, min: Math.max(0, node.min - 1), max: node.max - 1 };
        const tail = node.max === 1 ? [] : [more];
        return this.headsOfNode(node.item, part).map((head) => ({ first: head.first, tail: [...head.tail, ...tail] }));
      }
      case 'seq': {
        const out: Head[] = [];
        for (let i = 0; i < node.items.length; i++) {
          const item = node.items[i] as Mid;
          const rest = node.items.slice(i + 1);
          this.spend(rest.length);
          for (const head of this.headsOfNode(item, part))
            out.push({ first: head.first, tail: [...head.tail, ...rest] });
          if (!this.nullable.holds(item)) break;
        }
        return out;
      }
      default:
        return [];
    }
  }

  /** For every rule B of a part: the productions D -> B tail. */
  private climbsOf(part: number): ReadonlyMap<number, { readonly to: number; readonly tail: Mid }[]> {
    let known = this.climbs.get(part);
    if (known === undefined) {
      const out = new Map<number, { to: number; tail: Mid }[]>();
      for (const to of this.parts[part] as number[]) {
        for (const { first, tail } of this.headsOf(to)) {
          if (!('rule' in first)) continue;
          const list = out.get(first.rule) ?? [];
          list.push({ to, tail: seqOf(tail) });
          out.set(first.rule, list);
        }
      }
      known = out;
      this.climbs.set(part, known);
    }
    return known;
  }

  /** Rules of the part from which `target` is reached by climbing. */
  private below(target: number, part: number): ReadonlySet<number> {
    const climbs = this.climbsOf(part);
    const back = new Map<number, number[]>();
    for (const [from, list] of climbs) {
      for (const { to } of list) {
        const froms = back.get(to) ?? [];
        froms.push(from);
        back.set(to, froms);
      }
    }
    const seen = new Set([target]);
    const queue = [target];
    for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
      for (const from of back.get(at) ?? []) {
        if (seen.has(from)) continue;
        seen.add(from);
        queue.push(from);
      }
    }
    return seen;
  }

  private climbing(target: number): Mid {
    const part = this.part[target] as number;
    const items: Mid[] = [];
    for (const from of this.below(target, part)) {
      for (const { first, tail } of this.headsOf(from)) {
        if (!('node' in first)) continue;
        items.push(seqOf([first.node, ...tail.map((item) => this.normal(item)), this.path(from, target)]));
      }
    }
    return altOf(items);
  }

  /** [from:target] as a node: a repeat where the part is one rule, else a rule. */
  private path(from: number, target: number): Mid {
    const part = this.part[target] as number;
    if ((this.parts[part] as number[]).length === 1) {
      const tails = (this.climbsOf(part).get(from) ?? [])
        .map(({ tail }) => this.without(tail))
        .filter((t) => !isNever(t));
      return tails.length === 0
        ? EMPTY_MID
        : { op: 'repeat', item: altOf(tails), min: 0, max: Number.POSITIVE_INFINITY };
    }
    const nameOf = (r: number): string => (this.grammar.rules[r] as MidRule).name;
    const span = (this.grammar.rules[from] as MidRule).span;
    const rule = this.rule(`${from}:${target}`, `${nameOf(from)}:${nameOf(target)}`, span, () =>
      this.pathBody(from, target),
    );
    return { op: 'ref', rule };
  }

  private pathBody(from: number, target: number): Mid {
    const part = this.part[target] as number;
    const climbs = this.climbsOf(part);
    const useful = this.below(target, part);
    // Climbs whose tail may be empty make further rules reachable without text.
    const reached = new Set([from]);
    const queue = [from];
    const items: Mid[] = [];
    for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
      for (const { to, tail } of climbs.get(at) ?? []) {
        if (!useful.has(to)) continue;
        const text = this.without(tail);
        if (!isNever(text)) items.push(seqOf([text, this.path(to, target)]));
        if (this.nullable.holds(tail) && !reached.has(to)) {
          reached.add(to);
          queue.push(to);
        }
      }
    }
    if (reached.has(target)) items.push(EMPTY_MID);
    return altOf(items);
  }
}
