/**
 * Facts about rules: which can derive some text, which can derive the empty text, which begin with which, and the strongly
 * connected parts of such graphs. All linear in the size of the grammar (the naive "repeat until nothing changes" is quadratic
 * on long chains of rules).
 */
import type { Mid, MidGrammar, MidRule } from './mid.js';

/** What a node needs to become true. */
interface Goals {
  /** Children that must become true first: all of them for a sequence, one for the others. */
  readonly need: number[];
  readonly parent: number[];
}

/**
 * Least solution over AND/OR trees that refer to each other: a sequence is true when all items are, an alternative when one is, a
 * repeat when its item is or when it may be left out.
 */
function solve(rules: readonly MidRule[], leaf: boolean): { rule: boolean[]; holds(node: Mid): boolean } {
  const goals: Goals = { need: [], parent: [] };
  const waiting: number[][] = rules.map(() => []);
  const truth: boolean[] = rules.map(() => false);
  const ready: number[] = [];
  const add = (need: number, parent: number): number => {
    goals.parent.push(parent);
    return goals.need.push(need) - 1;
  };
  const visit = (node: Mid, parent: number): void => {
    switch (node.op) {
      case 'leaf':
      case 'token':
        if (leaf) ready.push(add(0, parent));
        return;
      case 'ref':
        (waiting[node.rule] as number[]).push(add(1, parent));
        return;
      case 'repeat':
        if (node.min === 0) ready.push(add(0, parent));
        else visit(node.item, add(1, parent));
        return;
      case 'seq': {
        const id = add(node.items.length, parent);
        if (node.items.length === 0) ready.push(id);
        for (const item of node.items) visit(item, id);
        return;
      }
      case 'alt': {
        const id = add(1, parent);
        for (const item of node.items) visit(item, id);
      }
    }
  };
  // Goal r is rule r itself.
  for (let r = 0; r < rules.length; r++) add(1, -1);
  for (let r = 0; r < rules.length; r++) visit((rules[r] as MidRule).body, r);
  for (let id = ready.pop(); id !== undefined; id = ready.pop()) {
    if (id < rules.length) {
      truth[id] = true;
      for (const ref of waiting[id] as number[]) {
        goals.need[ref] = 0;
        ready.push(ref);
      }
      continue;
    }
    const parent = goals.parent[id] as number;
    const left = (goals.need[parent] as number) - 1;
    goals.need[parent] = left;
    if (left === 0) ready.push(parent);
  }
  // Remembered by node, since callers ask again at every level of a tree.
  const known = new Map<Mid, boolean>();
  const ask = (node: Mid): boolean => {
    switch (node.op) {
      case 'leaf':
      case 'token':
        return leaf;
      case 'ref':
        return truth[node.rule] as boolean;
      case 'repeat':
        return node.min === 0 || holds(node.item);
      case 'seq':
        return node.items.every(holds);
      case 'alt':
        return node.items.some(holds);
    }
  };
  const holds = (node: Mid): boolean => {
    if (node.op === 'leaf' || node.op === 'token' || node.op === 'ref') return ask(node);
    let value = known.get(node);
    if (value === undefined) {
      value = ask(node);
      known.set(node, value);
    }
    return value;
  };
  return { rule: truth, holds };
}

/** Which rules (and nodes) derive some text. */
export const productive = (grammar: MidGrammar): ReturnType<typeof solve> => solve(grammar.rules, true);
/** Which rules (and nodes) derive the empty text. */
export const nullables = (grammar: MidGrammar): ReturnType<typeof solve> => solve(grammar.rules, false);

/** Rules that a node may begin with, before any text; some more than once. */
export function leftCorners(node: Mid, nullable: (node: Mid) => boolean, out: number[]): void {
  switch (node.op) {
    case 'ref':
      out.push(node.rule);
      return;
    case 'repeat':
      leftCorners(node.item, nullable, out);
      return;
    case 'alt':
      for (const item of node.items) leftCorners(item, nullable, out);
      return;
    case 'seq':
      for (const item of node.items) {
        leftCorners(item, nullable, out);
        if (!nullable(item)) return;
      }
  }
}

/** All rules that a node refers to, as often as it does. */
export function references(node: Mid, out: number[]): void {
  if (node.op === 'ref') out.push(node.rule);
  else if (node.op === 'repeat') references(node.item, out);
  else if (node.op === 'seq' || node.op === 'alt') for (const item of node.items) references(item, out);
}

/**
 * Strongly connected components (Tarjan 1972, without recursion), each before those that lead to it. `loops` tells whether a
 * component is a cycle.
 */
export function components(edges: readonly (readonly number[])[]): { members: number[]; loops: boolean }[] {
  const index = new Int32Array(edges.length).fill(-1);
  const low = new Int32Array(edges.length);
  const onStack = new Uint8Array(edges.length);
  const stack: number[] = [];
  const out: { members: number[]; loops: boolean }[] = [];
  let clock = 0;
  const work: { node: number; next: number }[] = [];
  const enter = (node: number): void => {
    index[node] = low[node] = clock++;
    stack.push(node);
    onStack[node] = 1;
    work.push({ node, next: 0 });
  };
  for (let root = 0; root < edges.length; root++) {
    if (index[root] !== -1) continue;
    enter(root);
    for (let top = work[work.length - 1]; top !== undefined; top = work[work.length - 1]) {
      const { node } = top;
      const to = (edges[node] as readonly number[])[top.next++];
      if (to !== undefined) {
        if (index[to] === -1) enter(to);
        else if (onStack[to] === 1) low[node] = Math.min(low[node] as number, index[to] as number);
        continue;
      }
      work.pop();
      const up = work[work.length - 1];
      if (up !== undefined) low[up.node] = Math.min(low[up.node] as number, low[node] as number);
      if (low[node] !== index[node]) continue;
      const members: number[] = [];
      for (;;) {
        const member = stack.pop() as number;
        onStack[member] = 0;
        members.push(member);
        if (member === node) break;
      }
      out.push({ members, loops: members.length > 1 || (edges[node] as readonly number[]).includes(node) });
    }
  }
  return out;
}

/** The grammar without alternatives that derive nothing; undefined where nothing is left. */
export function pruned(grammar: MidGrammar): MidGrammar | undefined {
  const facts = productive(grammar);
  if (!facts.rule[grammar.start]) return undefined;
  if (facts.rule.every(Boolean) && grammar.rules.every((rule) => clean(rule.body))) return grammar;
  const cut = (node: Mid): Mid => {
    switch (node.op) {
      case 'alt': {
        const items = node.items.filter((item) => facts.holds(item)).map(cut);
        return items.length === 1 ? (items[0] as Mid) : { ...node, items };
      }
      case 'seq':
        return facts.holds(node) ? { ...node, items: node.items.map(cut) } : { op: 'alt', items: [] };
      case 'repeat':
        return facts.holds(node.item) ? { ...node, item: cut(node.item) } : { op: 'seq', items: [] };
      default:
        return node;
    }
  };
  const rules = grammar.rules.map((rule, r) =>
    facts.rule[r] ? { ...rule, body: cut(rule.body) } : { ...rule, body: NEVER },
  );
  return { rules, start: grammar.start };
}

const NEVER: Mid = { op: 'alt', items: [] };

function clean(node: Mid): boolean {
  if (node.op === 'alt') return node.items.length > 0 && node.items.every(clean);
  if (node.op === 'seq') return node.items.every(clean);
  return node.op !== 'repeat' || clean(node.item);
}
