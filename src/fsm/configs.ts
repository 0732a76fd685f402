/** Walks over the configs of a state and the frames below them, for those who read states from outside the recognizer. */
import { BOTTOM, CAPTURE, DEAD, DYN, END, FRAME, ITEM, LEX } from './layout.js';
import type { Recognizer } from './recognizer.js';
import { someEdge } from './stack-search.js';

/** Whether a config reads a lexeme of which more than one text may be known: a plain one, a dynamic key or a unique item. */
export const isLexeme = (kind: number): boolean => kind === LEX || kind === DYN || kind === ITEM;

/**
 * The state of those configs that `takes` leaves, with the text of the items in progress; DEAD where it takes all. It is asked with
 * the config's offset in the table; the end and a cut stack's bottom read nothing and are left out.
 * (mask.ts has its own such loop: with this one masks took 4% longer.)
 */
export function othersOf(recognizer: Recognizer, state: number, takes: (offset: number) => boolean): number {
  const { configs, states } = recognizer;
  const others: number[] = [];
  let captured = -1;
  const from = states.offsets[state]!;
  const to = states.offsets[state + 1]!;
  for (let i = from; i < to; i++) {
    const config = states.data[i]!;
    const o = configs.offsets[config]!;
    const kind = configs.data[o]!;
    if (kind === CAPTURE) captured = config;
    else if (kind !== END && kind !== BOTTOM && !takes(o)) others.push(config);
  }
  if (others.length === 0) return DEAD;
  if (captured >= 0) {
    others.push(captured);
    others.sort((a, b) => a - b);
  }
  return others.length === to - from ? state : recognizer.stateOf(others);
}

/** Visits the frames of arrays with unique items in all stacks of a state, each stack once: offsets of their labels. */
export function eachUniqueFrame(recognizer: Recognizer, state: number, visit: (label: number) => void): void {
  const { configs, states, stacks, labels, grammar } = recognizer;
  const seen = new Set<number>();
  const visitLabel = (label: number): boolean => {
    const l = labels.offsets[label]!;
    if (labels.data[l] === FRAME.array) {
      const expr = grammar.exprs[labels.data[l + 1]!]!;
      if (expr.op === 'array' && expr.unique) visit(l);
    }
    return false;
  };
  for (let i = states.offsets[state]!, end = states.offsets[state + 1]!; i < end; i++) {
    const o = configs.offsets[states.data[i]!]!;
    const kind = configs.data[o]!;
    if (kind !== END && kind !== BOTTOM && kind !== CAPTURE) someEdge(stacks, configs.data[o + 3]!, seen, visitLabel);
  }
}
