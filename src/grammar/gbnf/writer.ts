/** Collects GBNF rules while other languages are lowered to it: node constructors, rule names, what was lost. */
import type { Span } from '../ir.js';
import type { GbnfNode, GbnfRule } from './ast.js';

/** Something that the grammar cannot say. */
export interface Loss {
  /** Rule in which it happened. */
  readonly rule: string;
  readonly what: string;
  /** `values`: other values are accepted than before. `spelling`: the same values, in fewer or more spellings. */
  readonly kind: 'values' | 'spelling';
}

const NOWHERE: Span = { start: 0, end: 0 };
/** Largest repeat count that llama.cpp surely takes (it refuses from 2,000 on, nested ones multiplied). */
const MAX_COUNT = 1_000;

export const literal = (text: string): GbnfNode => ({ k: 'literal', text, span: NOWHERE });
export const charClass = (pairs: readonly number[]): GbnfNode => {
  if (pairs.length === 2 && pairs[0] === pairs[1]) return literal(String.fromCodePoint(pairs[0] as number));
  return { k: 'class', pairs, negate: false, span: NOWHERE };
};
export const notClass = (pairs: readonly number[]): GbnfNode => ({ k: 'class', pairs, negate: true, span: NOWHERE });
export const anyChar: GbnfNode = { k: 'any', span: NOWHERE };
export const ref = (name: string): GbnfNode => ({ k: 'ref', name, span: NOWHERE });
export const empty: GbnfNode = { k: 'seq', items: [], span: NOWHERE };

export function isEmpty(node: GbnfNode): boolean {
  return (node.k === 'seq' && node.items.length === 0) || (node.k === 'literal' && node.text === '');
}

export function seq(...parts: readonly GbnfNode[]): GbnfNode {
  const items: GbnfNode[] = [];
  for (const part of parts) {
    if (isEmpty(part)) continue;
    for (const item of part.k === 'seq' ? part.items : [part]) {
      const last = items[items.length - 1];
      if (last?.k === 'literal' && item.k === 'literal') items[items.length - 1] = literal(last.text + item.text);
      else items.push(item);
    }
  }
  return items.length === 1 ? (items[0] as GbnfNode) : { k: 'seq', items, span: NOWHERE };
}

export function alt(parts: readonly GbnfNode[]): GbnfNode {
  const items = parts.flatMap((part) => (part.k === 'alt' ? part.items : [part]));
  const kept = items.filter((item, i) => !isEmpty(item) || items.findIndex(isEmpty) === i);
  return kept.length === 1 ? (kept[0] as GbnfNode) : { k: 'alt', items: kept, span: NOWHERE };
}

export function optional(node: GbnfNode): GbnfNode {
  return repeat(node, 0, 1);
}

export function repeat(item: GbnfNode, min: number, max: number): GbnfNode {
  if (max === 0 || isEmpty(item)) return empty;
  return min === 1 && max === 1 ? item : { k: 'repeat', item, min, max, span: NOWHERE };
}

export class Writer {
  readonly rules: GbnfRule[] = [];
  readonly losses: Loss[] = [];
  private readonly names = new Set<string>();
  private readonly shared = new Map<string, string>();
  /** Name of the rule being lowered, for losses. */
  where = 'root';

  /** A fresh name that llama.cpp takes, close to the wish. */
  name(wish: string): string {
    const base = wish.replace(/[^A-Za-z0-9-]+/g, '-').replace(/^-+|-+$/g, '') || 'rule';
    let name = base;
    for (let n = 2; this.names.has(name); n++) name = `${base}-${n}`;
    this.names.add(name);
    return name;
  }

  /** Adds a rule under a name from {@link name}. */
  add(name: string, body: GbnfNode): GbnfNode {
    this.rules.push({ name, nameSpan: NOWHERE, body, span: NOWHERE });
    return ref(name);
  }

  /** The rule kept under `key`, made once. */
  once(key: string, wish: string, make: () => GbnfNode): GbnfNode {
    const known = this.shared.get(key);
    if (known !== undefined) return ref(known);
    const name = this.name(wish);
    this.shared.set(key, name);
    return this.add(name, make());
  }

  lose(what: string, kind: Loss['kind'] = 'values'): void {
    if (!this.losses.some((loss) => loss.what === what && loss.rule === this.where)) {
      this.losses.push({ rule: this.where, what, kind });
    }
  }

  /**
   * A repeat that llama.cpp takes: counts above {@link MAX_COUNT} are given up (and reported), and a counted repeat inside a
   * counted repeat gets a rule of its own, since nested counts are multiplied there.
   */
  counted(item: GbnfNode, min: number, max: number): GbnfNode {
    let low = min;
    let high = max;
    if (low > MAX_COUNT) {
      this.lose(`a count of at least ${min} becomes at least ${MAX_COUNT}`);
      low = MAX_COUNT;
    }
    if (high > MAX_COUNT && high !== Number.POSITIVE_INFINITY) {
      this.lose(`a count of at most ${max} becomes unbounded`);
      high = Number.POSITIVE_INFINITY;
    }
    const many = low > 1 || (high > 1 && high !== Number.POSITIVE_INFINITY);
    if (many && holdsCount(item)) return repeat(this.add(this.name(`${this.where}-item`), item), low, high);
    return repeat(item, low, high);
  }
}

function holdsCount(node: GbnfNode): boolean {
  if (node.k === 'repeat') return node.min > 1 || node.max !== Number.POSITIVE_INFINITY || holdsCount(node.item);
  return (node.k === 'seq' || node.k === 'alt') && node.items.some(holdsCount);
}
