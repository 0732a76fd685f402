/**
 * Edges of stacks that are being joined.
 *
 * Joining n stacks two by two interns n - 1 sets that nobody asks for, which takes O(n²) time and memory where hundreds of alternatives are
 * read side by side. Here their edges are collected and interned once. Scratch: lists live until the next {@link clear}, and hold few edges twice.
 */
import type { TupleTable } from '../base/tuple-table.js';

/** Edges from which on sorting numbers beats inserting one by one. */
const FEW = 24;
/** Numbers (two an edge) from which on a stack is merged with a list of up to so many times as many, and not put behind it. */
const MERGED_FROM = 32;
const MUCH = 4;
/** Numbers of a list from which on it is sorted when it has doubled, so that the same edges again and again do not pile up. */
const MANY = 2048;
/** More than any id: ids are offsets into tables of a few hundred megabytes at most. */
const ID_SPAN = 2 ** 26;

export class EdgeLists {
  /** [label, parent, …] each, in order of arrival. */
  private readonly lists: number[][] = [];
  /** Length of each list's sorted beginning: the stack it was opened with. */
  private readonly sorted: number[] = [];
  private used = 0;
  private keys = new Float64Array(256);

  constructor(private readonly stacks: TupleTable) {}

  clear(): void {
    this.used = 0;
  }

  /** Number of a new list with the edges of a stack. */
  open(stack: number): number {
    const id = this.used++;
    const list = this.lists[id] ?? [];
    list.length = 0;
    const { data, offsets } = this.stacks;
    for (let i = offsets[stack]!, end = offsets[stack + 1]!; i < end; i++) list.push(data[i]!);
    this.lists[id] = list;
    this.sorted[id] = list.length;
    return id;
  }

  add(id: number, label: number, parent: number): void {
    const list = this.lists[id]!;
    list.push(label, parent);
    if (list.length >= MANY) this.tidy(id);
  }

  addAll(id: number, stack: number): void {
    const list = this.lists[id]!;
    const { data, offsets } = this.stacks;
    const end = offsets[stack + 1]!;
    const n = end - offsets[stack]!;
    // Large sets are mostly the same ones again.
    if (n >= MERGED_FROM && n * MUCH >= list.length) {
      this.merge(id, stack);
      return;
    }
    for (let i = offsets[stack]!; i < end; i++) list.push(data[i]!);
    if (list.length >= MANY) this.tidy(id);
  }

  private tidy(id: number): void {
    if (this.lists[id]!.length >= 2 * this.sorted[id]!) this.settle(id);
  }

  /** Adds a stack's edges, each kept once; those that are new come into `fresh` too. */
  merge(id: number, stack: number, fresh?: number[]): void {
    const list = this.settle(id);
    const { data, offsets } = this.stacks;
    const all: number[] = [];
    const n = list.length;
    let i = 0;
    for (let j = offsets[stack]!, end = offsets[stack + 1]!; j < end; j += 2) {
      const label = data[j]!;
      const parent = data[j + 1]!;
      while (i < n && (list[i]! < label || (list[i] === label && list[i + 1]! < parent)))
        all.push(list[i++]!, list[i++]!);
      if (i < n && list[i] === label && list[i + 1] === parent) continue;
      all.push(label, parent);
      fresh?.push(label, parent);
    }
    if (all.length === i) return;
    while (i < n) all.push(list[i++]!);
    this.lists[id] = all;
    this.sorted[id] = all.length;
  }

  /** A list in order, each edge once. */
  private settle(id: number): number[] {
    const list = this.lists[id]!;
    if (this.sorted[id] !== list.length) {
      if (!isAscending(list)) this.sort(list, this.sorted[id]! >> 1);
      this.sorted[id] = list.length;
    }
    return list;
  }

  /** The stack of a list's edges. */
  stack(id: number): number {
    const list = this.settle(id);
    return this.stacks.intern(list, list.length);
  }

  /** The stack of edges in any order, which it puts in theirs. */
  stackOf(list: number[]): number {
    if (!isAscending(list)) this.sort(list, 0);
    return this.stacks.intern(list, list.length);
  }

  /** Sorts the edges from the p-th and merges them with those before, each kept once. */
  private sort(list: number[], p: number): void {
    const n = list.length >> 1;
    if (n > this.keys.length) this.keys = new Float64Array(n * 2);
    const { keys } = this;
    for (let i = 0; i < n; i++) keys[i] = list[2 * i]! * ID_SPAN + list[2 * i + 1]! + 1;
    if (n - p > FEW) keys.subarray(p, n).sort();
    else
      for (let i = p + 1; i < n; i++) {
        const key = keys[i]!;
        let j = i;
        for (; j > p && keys[j - 1]! > key; j--) keys[j] = keys[j - 1]!;
        keys[j] = key;
      }
    list.length = 0;
    let last = -1;
    for (let i = 0, j = p; i < p || j < n; ) {
      const key = j >= n || (i < p && keys[i]! <= keys[j]!) ? keys[i++]! : keys[j++]!;
      if (key === last) continue;
      last = key;
      const label = Math.floor(key / ID_SPAN);
      list.push(label, key - label * ID_SPAN - 1);
    }
  }
}

/** Whether edges are in order and none comes twice. */
function isAscending(list: readonly number[]): boolean {
  for (let i = 2; i < list.length; i += 2) {
    const d = list[i]! - list[i - 2]!;
    if (d < 0 || (d === 0 && list[i + 1]! <= list[i - 1]!)) return false;
  }
  return true;
}
