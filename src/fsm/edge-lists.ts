/**
 * Edges of stacks that are being joined.
 *
 * Joining n stacks two by two interns n - 1 sets that nobody asks for, which takes O(n²) time and memory where hundreds of alternatives are
 * read side by side. Here their edges are collected and interned once. Scratch: lists live until the next {@link clear}.
 */
import type { TupleTable } from '../base/tuple-table.js';

/** Edges from which on sorting numbers beats inserting one by one. */
const FEW = 24;
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
    const list = this.lists[id];
    if (list === undefined) this.lists.push([]);
    else list.length = 0;
    this.addAll(id, stack);
    this.sorted[id] = this.lists[id]!.length;
    return id;
  }

  add(id: number, label: number, parent: number): void {
    this.lists[id]!.push(label, parent);
  }

  addAll(id: number, stack: number): void {
    const list = this.lists[id]!;
    const { data, offsets } = this.stacks;
    for (let i = offsets[stack]!, end = offsets[stack + 1]!; i < end; i++) list.push(data[i]!);
  }

  /** The stack of a list's edges. */
  stack(id: number): number {
    return this.stackOf(this.lists[id]!, this.sorted[id]!);
  }

  /** The stack of edges in any order (after the first `sorted` numbers), which it puts in theirs. */
  stackOf(list: number[], sorted = 0): number {
    if (!isAscending(list)) this.sort(list, sorted >> 1);
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
