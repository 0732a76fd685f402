/**
 * Regular languages as GBNF nodes. Union, concatenation and repeats map to themselves; intersections, complements and automata
 * become right-linear rules, one per state of the minimal-ish automaton of derivatives, up to a limit.
 *
 * In `string` mode the language is over the content of a JSON string: characters that JSON must escape are written as
 * escapes, all others raw.
 */
import type { Regex } from '../../regular/regex.js';
import { TermStore } from '../../regular/terms.js';
import { isAnyString, nullable, withoutEmpty } from '../regex/build.js';
import { complement, contains, intersect, type Ranges, subtract, union } from '../regex/ranges.js';
import type { GbnfNode } from './ast.js';
import { alt, anyChar, charClass, empty, isEmpty, literal, notClass, ref, repeat, seq, type Writer } from './writer.js';

/** Most states of an automaton that becomes rules. */
const MAX_STATES = 400;

export type TextMode = 'text' | 'string';

const RAW = 'characters are accepted raw where JSON allows it, and escaped only where it needs that';
const SURROGATES: Ranges = [0xd800, 0xdfff];
const MUST_ESCAPE: Ranges = [0, 0x1f, 0x22, 0x22, 0x5c, 0x5c];
const SHORT: readonly (readonly [number, string])[] = [
  [0x22, '"'],
  [0x5c, '\\'],
  [8, 'b'],
  [0xc, 'f'],
  [0xa, 'n'],
  [0xd, 'r'],
  [9, 't'],
];

/** Node of a language, or undefined where nothing of it can be said (an empty set of characters). */
export function regexNode(re: Regex, mode: TextMode, writer: Writer): GbnfNode | undefined {
  switch (re.t) {
    case 'never':
      return undefined;
    case 'empty':
      return empty;
    case 'set':
      return setNode(re.ranges, mode, writer);
    case 'lit':
      if (mode === 'string') writer.lose(RAW, 'spelling');
      return literalNode(re.text, mode);
    case 'lits':
      if (mode === 'string') writer.lose(RAW, 'spelling');
      return alt(re.texts.map((text) => literalNode(text, mode)));
    case 'cat': {
      const parts = re.items.map((item) => regexNode(item, mode, writer));
      return parts.includes(undefined) ? undefined : seq(...(parts as GbnfNode[]));
    }
    case 'alt': {
      const parts = re.items.map((item) => regexNode(item, mode, writer)).filter((part) => part !== undefined);
      return parts.length === 0 ? undefined : alt(parts);
    }
    case 'rep': {
      if (mode === 'string' && (re.min > 1 || (re.max > 1 && re.max !== Number.POSITIVE_INFINITY))) {
        writer.lose('a character written as two \\u escapes counts as two', 'spelling');
      }
      // llama.cpp takes a repeat of what may be empty for left recursion.
      const min = nullable(re.item) ? 0 : re.min;
      const item = regexNode(withoutEmpty(re.item), mode, writer);
      if (item === undefined) return min === 0 ? empty : undefined;
      return isEmpty(item) ? empty : writer.counted(item, min, re.max);
    }
    default:
      return automaton(re, mode, writer);
  }
}

function literalNode(text: string, mode: TextMode): GbnfNode {
  return literal(mode === 'text' ? text : JSON.stringify(text).slice(1, -1));
}

function setNode(ranges: Ranges, mode: TextMode, writer: Writer): GbnfNode | undefined {
  const every = ranges.length === 2 && ranges[0] === 0 && ranges[1] === 0x10ffff;
  if (mode === 'text') {
    if (every) return anyChar;
    const scalars = subtract(ranges, SURROGATES);
    return scalars.length === 0 ? undefined : shortClass(scalars);
  }
  if (every) {
    return writer.once('json-char', 'char', () =>
      alt([
        notClass([0x22, 0x22, 0x5c, 0x5c, 0, 0x1f]),
        seq(literal('\\'), alt([charClass(chars('"\\/bfnrt')), seq(literal('u'), repeat(HEX, 4, 4))])),
      ]),
    );
  }
  writer.lose(RAW, 'spelling');
  const parts: GbnfNode[] = [];
  const raw = subtract(ranges, union(MUST_ESCAPE, SURROGATES));
  if (raw.length > 0) {
    const other = subtract(complement(ranges), union(MUST_ESCAPE, SURROGATES));
    parts.push(other.length < raw.length ? notClass(union(other, MUST_ESCAPE)) : charClass(raw));
  }
  const short = SHORT.filter(([cp]) => contains(ranges, cp)).map(([, c]) => c);
  const codes = subtract(intersect(ranges, [0, 0x1f]), [8, 0xa, 0xc, 0xd]);
  const long: GbnfNode[] = [];
  for (const tens of [0, 1]) {
    const low = intersect(codes, [tens * 16, tens * 16 + 15]).map((cp) => cp - tens * 16);
    if (low.length > 0) long.push(seq(literal(`u00${tens}`), charClass(hexDigits(low))));
  }
  if (short.length > 0 || long.length > 0) {
    const kinds = short.length === 0 ? long : [charClass(chars(short.join(''))), ...long];
    parts.push(seq(literal('\\'), alt(kinds)));
  }
  const lone = intersect(ranges, SURROGATES);
  if (lone.length > 0) parts.push(seq(literal('\\u'), charClass(chars('dD')), charClass(chars('89a-fA-F')), HEX, HEX));
  return parts.length === 0 ? undefined : alt(parts);
}

/** Negated where that is shorter to read. */
function shortClass(ranges: Ranges): GbnfNode {
  const other = subtract(complement(ranges), SURROGATES);
  if (other.length === 0) return anyChar;
  return other.length < ranges.length && other.length <= 8 ? notClass(other) : charClass(ranges);
}

const HEX: GbnfNode = charClass([0x30, 0x39, 0x61, 0x66, 0x41, 0x46]);

/** Pairs of a list of characters, `a-f` being a range. */
function chars(text: string): number[] {
  const out: number[] = [];
  const all = [...text];
  for (let i = 0; i < all.length; i++) {
    const lo = (all[i] as string).codePointAt(0) as number;
    if (all[i + 1] === '-' && all[i + 2] !== undefined) {
      out.push(lo, (all[i + 2] as string).codePointAt(0) as number);
      i += 2;
    } else out.push(lo, lo);
  }
  return out;
}

/** Pairs of hexadecimal digits, in both cases, for ranges of 0 to 15. */
function hexDigits(ranges: Ranges): number[] {
  const out: number[] = [];
  for (let i = 0; i < ranges.length; i += 2) {
    const lo = ranges[i] as number;
    const hi = ranges[i + 1] as number;
    if (lo <= 9) out.push(0x30 + lo, 0x30 + Math.min(9, hi));
    if (hi > 9) out.push(0x57 + Math.max(10, lo), 0x57 + hi, 0x37 + Math.max(10, lo), 0x37 + hi);
  }
  return out;
}

/** Right-linear rules of the automaton of derivatives. */
function automaton(re: Regex, mode: TextMode, writer: Writer): GbnfNode | undefined {
  const store = new TermStore();
  // Surrogates have no UTF-8 form: states that only they leave must not come to be.
  const scalars: Regex = {
    t: 'rep',
    item: { t: 'set', ranges: complement(SURROGATES) },
    min: 0,
    max: Number.POSITIVE_INFINITY,
  };
  const start = store.intern(mode === 'text' ? { t: 'and', items: [re, scalars] } : re);
  if (store.isEmpty(start)) return undefined;
  const order = [start];
  const seen = new Set(order);
  for (let i = 0; i < order.length; i++) {
    const edges = store.liveEdges(order[i] as number);
    for (let e = 2; e < edges.length; e += 3) {
      const to = edges[e] as number;
      if (seen.has(to)) continue;
      seen.add(to);
      order.push(to);
    }
    if (order.length > MAX_STATES) return approximate(re, mode, writer);
  }
  const classOf = merged(store, order);
  const names = new Map<number, string>();
  const rule = (cls: number): string => {
    let name = names.get(cls);
    if (name === undefined) {
      name = writer.name(`${writer.where}-s`);
      names.set(cls, name);
    }
    return name;
  };
  const first = new Map<number, number>();
  for (const t of order) if (!first.has(classOf.get(t) as number)) first.set(classOf.get(t) as number, t);
  const top = rule(classOf.get(start) as number);
  for (const [cls, t] of first) {
    const edges = store.liveEdges(t);
    // The last state of a text needs no rule: nothing follows.
    if (edges.length === 0 && t !== start) continue;
    const byTarget = new Map<number, { final: boolean; ranges: number[] }>();
    for (let e = 0; e < edges.length; e += 3) {
      const to = edges[e + 2] as number;
      const target = classOf.get(to) as number;
      const entry = byTarget.get(target) ?? { final: store.liveEdges(to).length === 0, ranges: [] };
      entry.ranges.push(edges[e] as number, edges[e + 1] as number);
      byTarget.set(target, entry);
    }
    const parts: GbnfNode[] = [];
    for (const [target, { final, ranges }] of byTarget) {
      const node = setNode(union(ranges), mode, writer);
      if (node !== undefined) parts.push(final ? node : seq(node, ref(rule(target))));
    }
    if (store.nullable(t)) parts.push(empty);
    writer.add(rule(cls), alt(parts));
  }
  return ref(top);
}

/** Classes of states that accept the same (Moore 1956): refined until nothing splits. */
function merged(store: TermStore, states: readonly number[]): Map<number, number> {
  let classOf = new Map(states.map((t) => [t, store.nullable(t) ? 1 : 0]));
  for (let count = 0; ; ) {
    const keys = new Map<string, number>();
    const next = new Map<number, number>();
    for (const t of states) {
      // Neighbouring ranges with one target class count as one range.
      const parts: number[] = [classOf.get(t) as number];
      const edges = store.liveEdges(t);
      for (let e = 0; e < edges.length; e += 3) {
        const target = classOf.get(edges[e + 2] as number) as number;
        const n = parts.length;
        if (n > 3 && parts[n - 1] === target && parts[n - 2] === (edges[e] as number) - 1)
          parts[n - 2] = edges[e + 1] as number;
        else parts.push(edges[e] as number, edges[e + 1] as number, target);
      }
      const key = parts.join(',');
      const cls = keys.get(key) ?? keys.size;
      keys.set(key, cls);
      next.set(t, cls);
    }
    classOf = next;
    if (keys.size === count) return classOf;
    count = keys.size;
  }
}

/** A larger language that can be said, where the automaton is too large. */
function approximate(re: Regex, mode: TextMode, writer: Writer): GbnfNode | undefined {
  if (re.t === 'and') {
    const plain = re.items.filter((item) => item.t !== 'not' && item.t !== 'and' && !isAnyString(item));
    const best = plain.find((item) => item.t !== 'rep') ?? plain[0];
    if (best !== undefined) {
      writer.lose(`an intersection needs more than ${MAX_STATES} states; only one of its parts is kept`);
      return regexNode(best, mode, writer);
    }
  }
  writer.lose(`a regular language needs more than ${MAX_STATES} states; any text is accepted`);
  return regexNode(
    { t: 'rep', item: { t: 'set', ranges: [0, 0x10ffff] }, min: 0, max: Number.POSITIVE_INFINITY },
    mode,
    writer,
  );
}
