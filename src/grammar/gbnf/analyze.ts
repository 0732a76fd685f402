/**
 * Facts about rules: which can derive some text, which can derive the empty text, which begin with which, and the strongly
 * connected parts of such graphs. All linear in the size of the grammar (the naive "repeat until nothing changes" is quadratic
 * on long chains of rules).
 */
import { altOf, EMPTY_MID, isNever, type Mid, type MidGrammar, type MidRule, NEVER_MID } from './mid.js';

/**
 * Least solution over AND/OR trees that refer to each other: a sequence is true when all items are, an alternative when one is, a
 * repeat when its item is or when it may be left out.
 */
function solve(rules: readonly MidRule[], leaf: boolean): boolean[] {
  // A goal per rule (goal r is rule r) and per node that can change: how many children are missing, and who waits for it.
  let size = rules.length;
  for (const rule of rules) size += nodesOf(rule.body);
  const need = new Int32Array(size);
  const parent = new Int32Array(size);
  /** References to a rule, as a list threaded through the goals. */
  const waiting = new Int32Array(rules.length).fill(-1);
  const alsoWaiting = new Int32Array(size);
  const truth: boolean[] = rules.map(() => false);
  const ready: number[] = [];
  let goals = 0;
  const add = (missing: number, above: number): number => {
    need[goals] = missing;
    parent[goals] = above;
    return goals++;
  };
  const visit = (node: Mid, above: number): void => {
    switch (node.op) {
      case 'leaf':
      case 'token':
        if (leaf) ready.push(add(0, above));
        return;
      case 'ref': {
        const id = add(1, above);
        alsoWaiting[id] = waiting[node.rule] as number;
        waiting[node.rule] = id;
        return;
      }
      case 'repeat':
        if (node.min === 0) ready.push(add(0, above));
        else visit(node.item, above);
        return;
      case 'seq': {
        const id = add(node.items.length, above);
        if (node.items.length === 0) ready.push(id);
        for (const item of node.items) visit(item, id);
        return;
      }
      case 'alt': {
        const id = add(1, above);
        for (const item of node.items) visit(item, id);
      }
    }
  };
  for (let r = 0; r < rules.length; r++) add(1, -1);
  for (let r = 0; r < rules.length; r++) visit((rules[r] as MidRule).body, r);
  for (let id = ready.pop(); id !== undefined; id = ready.pop()) {
    if (id < rules.length) {
      truth[id] = true;
      for (let at = waiting[id] as number; at >= 0; at = alsoWaiting[at] as number) ready.push(at);
      continue;
    }
    const above = parent[id] as number;
    const left = (need[above] as number) - 1;
    need[above] = left;
    if (left === 0) ready.push(above);
  }
  return truth;
}

function nodesOf(node: Mid): number {
  if (node.op === 'repeat') return 1 + nodesOf(node.item);
  let n = 1;
  if (node.op === 'seq' || node.op === 'alt') for (const item of node.items) n += nodesOf(item);
  return n;
}

/** Which rules derive some text. */
export const productive = (grammar: MidGrammar): boolean[] => solve(grammar.rules, true);
/** Which rules derive the empty text. */
export const nullableRules = (grammar: MidGrammar): boolean[] => solve(grammar.rules, false);

/** Nodes that one question may look at before its answer is remembered. */
const SMALL = 32;

/**
 * Which nodes derive the empty text. Callers ask again at every level of a tree, so answers that took long are remembered; the
 * others are not, since a map of all nodes costs more than asking twice.
 */
export class Nullables {
  readonly rule: readonly boolean[];
  private readonly known = new Map<Mid, boolean>();
  private visited = 0;

  constructor(grammar: MidGrammar) {
    this.rule = nullableRules(grammar);
  }

  readonly holds = (node: Mid): boolean => {
    this.visited++;
    switch (node.op) {
      case 'leaf':
      case 'token':
        return false;
      case 'ref':
        return this.rule[node.rule] as boolean;
      case 'repeat':
        return node.min === 0 || this.holds(node.item);
      default:
        return this.composite(node);
    }
  };

  private composite(node: Mid & { op: 'seq' | 'alt' }): boolean {
    const known = this.known.get(node);
    if (known !== undefined) return known;
    const before = this.visited;
    const value = node.op === 'seq' ? node.items.every(this.holds) : node.items.some(this.holds);
    if (this.visited - before > SMALL) this.known.set(node, value);
    return value;
  }
}

/** Lists of numbers, one after the other: those of `i` are `to[from[i]]` to `to[from[i + 1] - 1]`. */
export interface Edges {
  readonly from: Int32Array;
  readonly to: readonly number[];
}

/** One list per rule, each filled by `collect`. */
function edgesOf(rules: readonly MidRule[], collect: (body: Mid, out: number[]) => void): Edges {
  const from = new Int32Array(rules.length + 1);
  const to: number[] = [];
  for (let r = 0; r < rules.length; r++) {
    collect((rules[r] as MidRule).body, to);
    from[r + 1] = to.length;
  }
  return { from, to };
}

/** For each rule, the rules that its texts may begin with, before any character; some more than once. */
export function leftCorners(grammar: MidGrammar, nullable: readonly boolean[]): Edges {
  return edgesOf(grammar.rules, (body, out) => void corners(body, nullable, out));
}

/** Adds the rules that a node may begin with, given which rules may be empty; returns whether the node may be empty. */
export function corners(node: Mid, nullable: readonly boolean[], out: number[]): boolean {
  switch (node.op) {
    case 'ref':
      out.push(node.rule);
      return nullable[node.rule] as boolean;
    case 'repeat':
      return corners(node.item, nullable, out) || node.min === 0;
    case 'alt': {
      let empty = false;
      for (const item of node.items) if (corners(item, nullable, out)) empty = true;
      return empty;
    }
    case 'seq':
      for (const item of node.items) if (!corners(item, nullable, out)) return false;
      return true;
    default:
      return false;
  }
}

/** For each rule, all rules that it refers to, as often as it does. */
export function references(grammar: MidGrammar): Edges {
  return edgesOf(grammar.rules, refer);
}

function refer(node: Mid, out: number[]): void {
  if (node.op === 'ref') out.push(node.rule);
  else if (node.op === 'repeat') refer(node.item, out);
  else if (node.op === 'seq' || node.op === 'alt') for (const item of node.items) refer(item, out);
}

/**
 * Strongly connected components (Tarjan 1972, without recursion), each before those that lead to it: of the whole graph, or of what
 * `start` reaches. `loops` tells whether a component is a cycle.
 */
export function components(
  { from, to }: Edges,
  start?: number,
): { readonly members: readonly number[]; readonly loops: boolean }[] {
  const count = from.length - 1;
  const index = new Int32Array(count).fill(-1);
  const low = new Int32Array(count);
  const onStack = new Uint8Array(count);
  const stack: number[] = [];
  const out: { members: number[]; loops: boolean }[] = [];
  let clock = 0;
  /** The path from the root, and for each node where in `to` it goes on. */
  const path: number[] = [];
  const next = new Int32Array(count);
  const selfish = new Uint8Array(count);
  const enter = (node: number): void => {
    index[node] = low[node] = clock++;
    next[node] = from[node] as number;
    onStack[node] = 1;
    stack.push(node);
    path.push(node);
  };
  const leave = (node: number): void => {
    const up = path[path.length - 1];
    if (up !== undefined) low[up] = Math.min(low[up] as number, low[node] as number);
    if (low[node] !== index[node]) return;
    const members: number[] = [];
    for (let member = -1; member !== node; ) {
      member = stack.pop() as number;
      onStack[member] = 0;
      members.push(member);
    }
    out.push({ members, loops: members.length > 1 || selfish[node] === 1 });
  };
  for (let root = start ?? 0; root < (start === undefined ? count : start + 1); root++) {
    if (index[root] !== -1) continue;
    enter(root);
    while (path.length > 0) {
      const node = path[path.length - 1] as number;
      const at = next[node] as number;
      if (at === from[node + 1]) {
        path.pop();
        leave(node);
        continue;
      }
      next[node] = at + 1;
      const target = to[at] as number;
      if (target === node) selfish[node] = 1;
      if (index[target] === -1) enter(target);
      else if (onStack[target] === 1) low[node] = Math.min(low[node] as number, index[target] as number);
    }
  }
  return out;
}

/** The grammar without alternatives that derive nothing; undefined where nothing is left. */
export function pruned(grammar: MidGrammar): MidGrammar | undefined {
  const able = productive(grammar);
  if (!able[grammar.start]) return undefined;
  const rules = grammar.rules.map((rule) => {
    const body = cut(rule.body, able);
    return body === rule.body ? rule : { ...rule, body };
  });
  return { rules, start: grammar.start };
}

/** The node without what derives nothing; NEVER_MID where nothing is left, the node itself where all of it is. */
function cut(node: Mid, able: readonly boolean[]): Mid {
  switch (node.op) {
    case 'ref':
      return able[node.rule] ? node : NEVER_MID;
    case 'repeat': {
      const item = cut(node.item, able);
      if (item === node.item && !isNever(item)) return node;
      return isNever(item) ? (node.min === 0 ? EMPTY_MID : NEVER_MID) : { ...node, item };
    }
    case 'alt': {
      const items = cutAll(node.items, able);
      if (items === node.items) return node;
      return altOf(items.filter((item) => !isNever(item)));
    }
    case 'seq': {
      const items = cutAll(node.items, able);
      if (items === node.items) return node;
      return items.some(isNever) ? NEVER_MID : { ...node, items };
    }
    default:
      return node;
  }
}

function cutAll(items: readonly Mid[], able: readonly boolean[]): readonly Mid[] {
  let changed = false;
  const out = items.map((item) => {
    const left = cut(item, able);
    if (left !== item || isNever(left)) changed = true;
    return left;
  });
  return changed ? out : items;
}
