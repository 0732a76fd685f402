/**
 * Carrying a state from one recognizer's tables into another's.
 *
 * Tables only grow, so a text without end fills them: open objects and arrays with unique items remember every key and value. When they
 * are full the matcher goes on in fresh ones, with its own state and nothing else. States are structures of interned values, so each is
 * rebuilt from its parts: configs, stacks, labels, object and array states, captures, lexeme states, terms. Where both recognizers use the same
 * lexeme pool, what belongs to the pool stays as it is.
 */
import { BOTTOM, CAPTURE, DYN, END, FRAME, ITEM, LEX, NAME } from './layout.js';
import { PoolCarrier } from './pool-carrier.js';
import type { Recognizer } from './recognizer.js';

/** The same state in the tables of `to`. Both must be of the same grammar. */
export function carryState(from: Recognizer, to: Recognizer, state: number): number {
  if (from === to) return state;
  return new Carrier(from, to).state(state);
}

class Carrier {
  private readonly stacks = new Map<number, number>();
  private readonly pool: PoolCarrier;

  constructor(
    private readonly from: Recognizer,
    private readonly to: Recognizer,
  ) {
    this.pool = new PoolCarrier(from.pool, to.pool);
  }

  state(state: number): number {
    const { states } = this.from;
    const configs: number[] = [];
    for (let i = states.offsets[state]!, end = states.offsets[state + 1]!; i < end; i++)
      configs.push(this.config(states.data[i]!));
    return this.to.stateOf(configs.sort((a, b) => a - b));
  }

  private config(config: number): number {
    const { data, offsets } = this.from.configs;
    const o = offsets[config]!;
    const kind = data[o]!;
    const a = data[o + 1]!;
    const capture = data[o + 2]!;
    const stack = data[o + 3]!;
    if (kind === END || kind === BOTTOM) return this.to.configs.intern([kind, a, capture, stack], 4);
    if (kind === CAPTURE) return this.to.configs.intern([kind, this.capture(a), capture, stack], 4);
    const made = this.stack(stack);
    if (kind === NAME) this.mapNames(stack);
    const lexeme = kind === LEX || kind === NAME || kind === DYN || kind === ITEM;
    return this.to.configs.intern(
      [kind, lexeme ? this.pool.lexeme(a) : a, kind === DYN || kind === ITEM ? this.capture(capture) : capture, made],
      4,
    );
  }

  /** Names are nodes of a trie per object: tells the pool which tries are the same. */
  private mapNames(stack: number): void {
    const { stacks, labels } = this.from;
    for (let i = stacks.offsets[stack]!, end = stacks.offsets[stack + 1]!; i < end; i += 2) {
      const id = labels.data[labels.offsets[stacks.data[i]!]! + 1]!;
      this.pool.mapNames(this.from.objectStates(id).names.root, this.to.objectStates(id).names.root);
    }
  }

  /** Post-order with an explicit stack: nesting may be deep. */
  private stack(root: number): number {
    const { stacks } = this.from;
    const open = [root];
    while (open.length > 0) {
      const at = open[open.length - 1]!;
      if (this.stacks.has(at)) {
        open.pop();
        continue;
      }
      let ready = true;
      for (let i = stacks.offsets[at]!, end = stacks.offsets[at + 1]!; i < end; i += 2) {
        const parent = stacks.data[i + 1]!;
        if (parent >= 0 && !this.stacks.has(parent)) {
          open.push(parent);
          ready = false;
        }
      }
      if (!ready) continue;
      open.pop();
      const edges: [number, number][] = [];
      for (let i = stacks.offsets[at]!, end = stacks.offsets[at + 1]!; i < end; i += 2) {
        const parent = stacks.data[i + 1]!;
        edges.push([this.label(stacks.data[i]!), parent < 0 ? parent : this.stacks.get(parent)!]);
      }
      edges.sort((x, y) => x[0] - y[0] || x[1] - y[1]);
      this.stacks.set(at, this.to.stacks.intern(edges.flat(), edges.length * 2));
    }
    return this.stacks.get(root)!;
  }

  private label(label: number): number {
    const { data, offsets } = this.from.labels;
    const tuple = Array.from(data.subarray(offsets[label]!, offsets[label + 1]!));
    const id = tuple[1]!;
    if (tuple[0] === FRAME.object)
      tuple[3] = this.to
        .objectStates(id)
        .carry(this.from.objectStates(id), tuple[3]!, (node) => this.pool.literals(node));
    else if (tuple[0] === FRAME.array)
      tuple[3] = this.to
        .arrayStates(id)
        .carry(this.from.arrayStates(id), tuple[3]!, (node) => this.pool.literals(node));
    return this.to.labels.intern(tuple, tuple.length);
  }

  private capture(capture: number): number {
    return this.to.captures.carry(this.from.captures, capture);
  }
}
