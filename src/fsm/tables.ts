/**
 * The recognizer's interned values: labels, stacks, configs, states and captured texts; layouts in docs/tables.md.
 *
 * A stack is a sorted set of (label, parent stack) edges, a state a sorted set of configs; equal sets are equal integers.
 */
import { TupleTable } from '../base/tuple-table.js';
import { Captures } from './captures.js';
import { BOTTOM, CAPTURE, END, TOKEN } from './layout.js';

const ACCEPTS = 1;
const REACHED_BOTTOM = 2;
const WANTS_TOKEN = 4;

export class Tables {
  readonly labels = new TupleTable(64);
  readonly stacks = new TupleTable(64);
  readonly configs = new TupleTable(128);
  readonly states = new TupleTable(128);
  readonly captures = new Captures();
  private readonly flags: number[] = [];
  private readonly label5 = [0, 0, 0, 0, 0];
  private readonly edge = [0, 0];

  get bytes(): number {
    return (
      this.labels.bytes +
      this.stacks.bytes +
      this.configs.bytes +
      this.states.bytes +
      this.captures.bytes +
      this.flags.length * 8
    );
  }

  // ---- states -------------------------------------------------------------------------------------------------------

  /** Whether the text may end in this state. */
  accepts(state: number): boolean {
    return (this.flags[state]! & ACCEPTS) !== 0;
  }

  /** Whether the walk reached the cut of a truncated stack (see bottomless.ts). */
  reachedBottom(state: number): boolean {
    return (this.flags[state]! & REACHED_BOTTOM) !== 0;
  }

  /** Whether some config waits for a token terminal. */
  wantsToken(state: number): boolean {
    return (this.flags[state]! & WANTS_TOKEN) !== 0;
  }

  /** The state of a set of configs (ascending config ids). */
  stateOf(configIds: readonly number[]): number {
    const before = this.states.count;
    const id = this.states.intern(configIds, configIds.length);
    if (id === before) {
      let flags = 0;
      for (const c of configIds) {
        const kind = this.configs.data[this.configs.offsets[c]!]!;
        if (kind === END) flags |= ACCEPTS;
        else if (kind === BOTTOM) flags |= REACHED_BOTTOM;
        else if (kind === TOKEN) flags |= WANTS_TOKEN;
      }
      this.flags[id] = flags;
    }
    return id;
  }

  /** The captured text of a state (an id of {@link captures}), or -1. */
  captureOf(state: number): number {
    const { configs, states } = this;
    for (let i = states.offsets[state]!, end = states.offsets[state + 1]!; i < end; i++) {
      const o = configs.offsets[states.data[i]!]!;
      if (configs.data[o] === CAPTURE) return configs.data[o + 1]!;
    }
    return -1;
  }

  // ---- labels and stacks --------------------------------------------------------------------------------------------

  /** Label of an object or array frame. */
  label(frame: number, expr: number, phase: number, dyn: number, last: number): number {
    const t = this.label5;
    t[0] = frame;
    t[1] = expr;
    t[2] = phase;
    t[3] = dyn;
    t[4] = last;
    return this.labels.intern(t, 5);
  }

  /** The stack whose only edge is (label, parent). */
  push(label: number, parent: number): number {
    const t = this.edge;
    t[0] = label;
    t[1] = parent;
    return this.stacks.intern(t, 2);
  }
}
