/**
 * Questions to all frames of a stack. With lists of their own, not by recursion: stacks nest as deep as the text.
 */
import type { TupleTable } from '../base/tuple-table.js';

interface Frames {
  readonly stacks: TupleTable;
  readonly labels: TupleTable;
}

/** Whether some frame of a stack, down to its end, passes a test; remembered by stack. */
export class SomeFrame {
  private readonly known: (boolean | undefined)[] = [];

  /** `passes` gets the offset of a frame's label. */
  constructor(
    private readonly frames: Frames,
    private readonly passes: (label: number) => boolean,
  ) {}

  of(stack: number): boolean {
    return this.known[stack] ?? this.find(stack);
  }

  private find(stack: number): boolean {
    const { known } = this;
    const { stacks, labels } = this.frames;
    const open = [stack];
    while (open.length > 0) {
      const at = open[open.length - 1]!;
      let found = false;
      let unknown = -1;
      for (let i = stacks.offsets[at]!, end = stacks.offsets[at + 1]!; i < end && !found; i += 2) {
        const parent = stacks.data[i + 1]!;
        found = this.passes(labels.offsets[stacks.data[i]!]!) || (parent >= 0 && known[parent] === true);
        if (parent >= 0 && known[parent] === undefined) unknown = parent;
      }
      if (!found && unknown >= 0) open.push(unknown);
      else {
        known[at] = found;
        open.pop();
      }
    }
    return known[stack]!;
  }
}

/** Visits the edges of a stack and of those below it, each stack once, until `visit` says that it is enough; whether it did. */
export function someEdge(
  stacks: TupleTable,
  stack: number,
  seen: Set<number>,
  visit: (label: number, parent: number) => boolean | 'not below',
): boolean {
  if (seen.has(stack)) return false;
  seen.add(stack);
  const open = [stack];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    for (let i = stacks.offsets[at]!, end = stacks.offsets[at + 1]!; i < end; i += 2) {
      const parent = stacks.data[i + 1]!;
      const answer = visit(stacks.data[i]!, parent);
      if (answer === true) return true;
      if (answer === 'not below' || parent < 0 || seen.has(parent)) continue;
      seen.add(parent);
      open.push(parent);
    }
  }
  return false;
}
