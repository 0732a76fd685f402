/**
 * Objects and arrays of the IR as GBNF rules.
 *
 * The recognizer runs them with state; GBNF has none, so state becomes rules. Without counts to keep, an object is a chain:
 * each property is there (after a comma) or not, linear in the properties. With counts, implications or witnesses the
 * states (next property, count so far, what was seen, what is owed) become rules, up to a limit; past it the constraint is
 * dropped and reported. What no count of rules can say (keys differ, items differ, any order) is reported always.
 */
import type { ArrayExpr, DynamicKeys, ExprId, ItemVariant, ObjectExpr, Whitespace } from '../ir.js';
import type { GbnfNode } from './ast.js';
import { regexNode } from './from-regex.js';
import { alt, charClass, empty, literal, optional, ref, repeat, seq, type Writer } from './writer.js';

/** Most rules that one object or array becomes. */
const MAX_STATES = 600;

/** Lowers an expression; undefined where nothing of it can be said. */
export type Lower = (id: ExprId) => GbnfNode | undefined;

export function whitespaceNode(policy: Whitespace, writer: Writer): GbnfNode {
  if (policy === 'compact') return empty;
  const blank = charClass([0x20, 0x20, 9, 9]);
  return writer.once('whitespace', 'ws', () =>
    policy === 'flexible'
      ? repeat(charClass([0x20, 0x20, 9, 10, 13, 13]), 0, Number.POSITIVE_INFINITY)
      : optional(alt([literal(' '), seq(literal('\n'), repeat(blank, 0, 64))])),
  );
}

interface Parts {
  readonly comma: GbnfNode;
  readonly writer: Writer;
}

// ---- objects

export function objectNode(expr: ObjectExpr, lower: Lower, ws: GbnfNode, writer: Writer): GbnfNode | undefined {
  if (expr.properties.length > 0)
    writer.lose('names are accepted in their usual spelling only, without needless escapes', 'spelling');
  const pairs: (GbnfNode | undefined)[] = expr.properties.map((p) => {
    const value = lower(p.value);
    return value === undefined ? undefined : seq(literal(JSON.stringify(p.name)), ws, literal(':'), ws, value);
  });
  if (expr.properties.some((p, i) => p.required && pairs[i] === undefined)) return undefined;
  const dynamic = expr.dynamic.flatMap((d): { node: GbnfNode; from: DynamicKeys }[] => {
    const key = regexNode(d.keys, 'string', writer);
    const value = lower(d.value);
    if (key === undefined || value === undefined) return [];
    return [{ node: seq(literal('"'), key, literal('"'), ws, literal(':'), ws, value), from: d }];
  });
  const n = pairs.length;
  if (expr.order === 'any' && n + dynamic.length > 1) writer.lose('properties come in one fixed order');
  if (dynamic.length > 0 && expr.maxProperties > 1) writer.lose('additional keys may repeat');
  const required = expr.properties.filter((p) => p.required).length;
  const countsMatter =
    expr.minProperties > required || expr.maxProperties < (dynamic.length > 0 ? Number.POSITIVE_INFINITY : n);
  const parts: Parts = { comma: seq(ws, literal(','), ws), writer };
  const stateful = countsMatter || expr.implications.length > 0 || expr.witnesses > 0;
  let body: GbnfNode | undefined;
  if (stateful) {
    body = countedObject(expr, pairs, dynamic, parts);
    if (body === undefined) writer.lose('counts of properties or dependencies between them are not kept');
  }
  body ??= plainObject(expr, pairs, alt(dynamic.map((d) => d.node)), dynamic.length > 0, parts);
  return body === undefined ? undefined : seq(literal('{'), ws, body, ws, literal('}'));
}

/** Properties in order, each optional or not, then any number of additional ones. */
function plainObject(
  expr: ObjectExpr,
  pairs: readonly (GbnfNode | undefined)[],
  extra: GbnfNode,
  open: boolean,
  { comma, writer }: Parts,
): GbnfNode {
  const n = pairs.length;
  const more = open ? repeat(seq(comma, extra), 0, Number.POSITIVE_INFINITY) : empty;
  const later = (i: number): GbnfNode => {
    const pair = pairs[i];
    if (pair === undefined) return empty;
    return expr.properties[i]?.required === true ? seq(comma, pair) : optional(seq(comma, pair));
  };
  /** All from i on, with a comma before each. */
  const tailFrom = (i: number): GbnfNode => {
    const items: GbnfNode[] = [];
    for (let j = i; j < n; j++) items.push(later(j));
    return seq(...items, more);
  };
  const firstRequired = expr.properties.findIndex((p) => p.required);
  const lead = firstRequired < 0 ? n : firstRequired;
  if (lead === 0 && n > 0) return seq(pairs[0] as GbnfNode, tailFrom(1));
  // Tails are used once per property that may be the first: as rules, each by the next, they stay linear.
  const name = writer.where;
  const tails: GbnfNode[] = [];
  tails[lead] = lead === n && !open ? empty : writer.add(writer.name(`${name}-rest`), tailFrom(lead));
  for (let i = lead - 1; i >= 1; i--) {
    tails[i] = writer.add(writer.name(`${name}-rest`), seq(later(i), tails[i + 1] as GbnfNode));
  }
  const starts: GbnfNode[] = [];
  for (let i = 0; i < lead; i++) {
    const pair = pairs[i];
    if (pair !== undefined) starts.push(seq(pair, tails[i + 1] as GbnfNode));
  }
  if (lead < n) starts.push(seq(pairs[lead] as GbnfNode, tailFrom(lead + 1)));
  else {
    if (open) starts.push(seq(extra, more));
    starts.push(empty);
  }
  return alt(starts);
}

/** The object as an automaton; undefined where it has too many states. */
function countedObject(
  expr: ObjectExpr,
  pairs: readonly (GbnfNode | undefined)[],
  dynamic: readonly { node: GbnfNode; from: DynamicKeys }[],
  { comma, writer }: Parts,
): GbnfNode | undefined {
  const n = pairs.length;
  const { minProperties: min, maxProperties: max, implications, witnesses } = expr;
  const cap = Math.max(1, max === Number.POSITIVE_INFINITY ? min : max);
  const relevant = [...new Set(implications.flatMap((m) => [m.if, ...m.then]))];
  if (relevant.length > 16 || witnesses > 8 || cap > 200) return undefined;
  const names = new Map<string, string>();
  const queue: { key: string; i: number; count: number; seen: number; owed: number }[] = [];
  const state = (i: number, count: number, seen: number, owed: number): GbnfNode => {
    const clamped = Math.min(count, max === Number.POSITIVE_INFINITY ? cap : max);
    const key = `${i},${clamped},${seen},${owed}`;
    let name = names.get(key);
    if (name === undefined) {
      name = writer.name(`${writer.where}-p`);
      names.set(key, name);
      queue.push({ key, i, count: clamped, seen, owed });
    }
    return ref(name);
  };
  const bit = (p: number): number => (relevant.includes(p) ? 1 << relevant.indexOf(p) : 0);
  const done = (count: number, seen: number, owed: number): boolean =>
    count >= min &&
    owed === 0 &&
    implications.every((m) => (seen & bit(m.if)) === 0 || m.then.every((t) => (seen & bit(t)) !== 0));
  const bodies = new Map<string, GbnfNode[]>();
  const start = state(0, 0, 0, (1 << witnesses) - 1);
  for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
    if (names.size > MAX_STATES) return undefined;
    const { i, count, seen, owed } = at;
    const before = count > 0 ? comma : empty;
    const items: GbnfNode[] = [];
    const room = count < max;
    const pair = pairs[i];
    if (i < n) {
      if (pair !== undefined && room) items.push(seq(before, pair, state(i + 1, count + 1, seen | bit(i), owed)));
      if (expr.properties[i]?.required !== true) items.push(state(i + 1, count, seen, owed));
    } else {
      if (room) {
        for (const { node, from } of dynamic) {
          const left = from.witness === undefined ? owed : owed & ~(1 << from.witness);
          items.push(seq(before, node, state(n, count + 1, seen, left)));
        }
      }
      if (done(count, seen, owed)) items.push(empty);
    }
    bodies.set(at.key, items);
  }
  return addStates(names, bodies, start, writer);
}

/** Adds the rules of an automaton without those that cannot end; undefined where the start cannot. */
function addStates(
  names: ReadonlyMap<string, string>,
  bodies: ReadonlyMap<string, readonly GbnfNode[]>,
  start: GbnfNode,
  writer: Writer,
): GbnfNode | undefined {
  const ours = new Set(names.values());
  const targetOf = (node: GbnfNode): string | undefined => {
    const last = node.k === 'seq' ? node.items[node.items.length - 1] : node;
    return last?.k === 'ref' && ours.has(last.name) ? last.name : undefined;
  };
  const live = new Set<string>();
  for (let before = -1; before !== live.size; ) {
    before = live.size;
    for (const [key, items] of bodies) {
      const name = names.get(key) as string;
      if (!live.has(name) && items.some((item) => targetOf(item) === undefined || live.has(targetOf(item) as string)))
        live.add(name);
    }
  }
  if (start.k !== 'ref' || !live.has(start.name)) return undefined;
  for (const [key, items] of bodies) {
    const name = names.get(key) as string;
    if (!live.has(name)) continue;
    const kept = items.filter((item) => targetOf(item) === undefined || live.has(targetOf(item) as string));
    writer.add(name, alt(kept));
  }
  return start;
}

// ---- arrays

export function arrayNode(expr: ArrayExpr, lower: Lower, ws: GbnfNode, writer: Writer): GbnfNode | undefined {
  if (expr.unique && expr.maxItems > 1) writer.lose('equal items are accepted');
  const comma = seq(ws, literal(','), ws);
  const parts: Parts = { comma, writer };
  let body = expr.counters.length > 0 ? countedArray(expr, lower, parts) : undefined;
  if (body === undefined) {
    if (expr.counters.length > 0) writer.lose('counts of items of a kind (contains) are not kept');
    body = plainArray(expr, lower, parts);
  }
  return body === undefined ? undefined : seq(literal('['), ws, body, ws, literal(']'));
}

function variantsNode(variants: readonly ItemVariant[], lower: Lower): GbnfNode | undefined {
  const nodes = [...new Set(variants.map((v) => v.value))].map(lower).filter((node) => node !== undefined);
  return nodes.length === 0 ? undefined : alt(nodes);
}

function plainArray(expr: ArrayExpr, lower: Lower, { comma, writer }: Parts): GbnfNode | undefined {
  const { minItems: min, maxItems: max } = expr;
  const all: GbnfNode[] = [];
  for (const variants of expr.prefix.slice(0, max)) {
    const node = variantsNode(variants, lower);
    if (node === undefined) break;
    all.push(node);
  }
  const cut = all.length < Math.min(expr.prefix.length, max);
  const rest = cut ? undefined : variantsNode(expr.rest, lower);
  const p = all.length;
  if (min > p && (rest === undefined || max <= p)) return undefined;
  let tail: GbnfNode = empty;
  if (rest !== undefined && max > p) {
    if (p === 0) {
      const more = writer.counted(seq(comma, rest), Math.max(0, min - 1), max - 1);
      return min === 0 ? optional(seq(rest, more)) : seq(rest, more);
    }
    tail = writer.counted(seq(comma, rest), Math.max(0, min - p), max - p);
  }
  // From the back: item i and what follows it, optional from minItems on. Rules keep the nesting flat.
  for (let i = p - 1; i >= 0; i--) {
    const node = seq(i > 0 ? comma : empty, all[i] as GbnfNode, tail);
    tail = i >= min ? optional(node) : node;
    if (i > 0 && i % 8 === 0) tail = writer.add(writer.name(`${writer.where}-items`), tail);
  }
  return tail;
}

/** The array as an automaton over (index, counters); undefined where it has too many states. */
function countedArray(expr: ArrayExpr, lower: Lower, { comma, writer }: Parts): GbnfNode | undefined {
  const { minItems: min, maxItems: max, counters, prefix, rest } = expr;
  const cap = Math.max(1, prefix.length, max === Number.POSITIVE_INFINITY ? min : max);
  if (cap > 200 || counters.length > 8) return undefined;
  const caps = counters.map((c) => (c.max === Number.POSITIVE_INFINITY ? c.min : c.max + 1));
  const names = new Map<string, string>();
  const queue: { key: string; index: number; counts: readonly number[] }[] = [];
  const state = (index: number, counts: readonly number[]): GbnfNode => {
    const at = Math.min(index, cap);
    const key = `${at};${counts}`;
    let name = names.get(key);
    if (name === undefined) {
      name = writer.name(`${writer.where}-i`);
      names.set(key, name);
      queue.push({ key, index: at, counts });
    }
    return ref(name);
  };
  const values = new Map<ExprId, GbnfNode | undefined>();
  const sayable = (id: ExprId): GbnfNode | undefined => {
    if (!values.has(id)) values.set(id, lower(id));
    return values.get(id);
  };
  const bodies = new Map<string, GbnfNode[]>();
  const start = state(
    0,
    counters.map(() => 0),
  );
  for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
    if (names.size > MAX_STATES) return undefined;
    const { index, counts } = at;
    const items: GbnfNode[] = [];
    // A clamped index stands for itself and all later ones, which is exact: cap is past the prefix, and max is a cap.
    if (index < max) {
      for (const variant of prefix[index] ?? rest) {
        const node = sayable(variant.value);
        if (node === undefined) continue;
        const next = counts.map((c, k) => ((variant.counts >>> k) & 1 ? Math.min(c + 1, caps[k] as number) : c));
        if (next.some((c, k) => c > (counters[k]?.max as number))) continue;
        items.push(seq(index > 0 ? comma : empty, node, state(index + 1, next)));
      }
    }
    if (index >= min && counts.every((c, k) => c >= (counters[k]?.min as number))) items.push(empty);
    bodies.set(at.key, items);
  }
  return addStates(names, bodies, start, writer);
}
