/**
 * Positions of a sequence and how they are found again.
 *
 * A position is one state of the matcher's tables, so going back is a pointer and a fork shares its past. A matcher that has moved to
 * fresh tables (carry.ts) left behind what its older positions meant; a rollback beyond that point replays the tokens.
 */
import type { Binding } from './compiled.js';
import { afterToken } from './terminals.js';
import type { Vocabulary } from './vocabulary.js';

export interface Position {
  /** A state of the tables with the number `tables`. */
  readonly state: number;
  readonly tables: number;
  readonly before: Position | undefined;
  /** The token or the bytes that led here; -1 at the start. */
  readonly taken: number | Uint8Array;
  /** Accepts so far. */
  readonly count: number;
  /** Tokens counted against the budget. */
  readonly spent: number;
  readonly finished: boolean;
}

export function startOf(binding: Binding): Position {
  return {
    state: binding.recognizer.start,
    tables: binding.serial,
    before: undefined,
    taken: -1,
    count: 0,
    spent: 0,
    finished: false,
  };
}

/** The same position, with all before it, in the tables of a binding: as it is where it belongs there, else replayed from the start. */
export function inTablesOf(binding: Binding, vocabulary: Vocabulary, position: Position): Position {
  if (position.tables === binding.serial) return position;
  const { recognizer } = binding;
  const path: Position[] = [];
  for (let p: Position | undefined = position; p?.before !== undefined; p = p.before) path.push(p);
  let at = startOf(binding);
  for (let i = path.length - 1; i >= 0; i--) {
    const p = path[i]!;
    let { state } = at;
    if (typeof p.taken !== 'number') state = recognizer.stepAll(state, p.taken);
    else if (!p.finished) state = afterToken(recognizer, vocabulary, state, p.taken);
    at = { ...p, state, tables: binding.serial, before: at };
  }
  return at;
}
