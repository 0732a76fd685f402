/** Which bytes may come next in a state. */
import type { Whitespace } from '../grammar/ir.js';
import { DYN, FRAME, ITEM, LEX, NAME, PHASE, STRUCT } from './layout.js';
import type { LexemePool } from './lexeme.js';
import type { Tables } from './tables.js';
import { whitespaceGoesOn, whitespaceStep } from './whitespace.js';

/** Writes a superset of the bytes that may come next as eight 32-bit words; exact up to names that are no longer allowed. */
export function nextBytes(
  tables: Tables,
  pool: LexemePool,
  whitespace: Whitespace,
  state: number,
  out: Int32Array,
): void {
  out.fill(0);
  const { configs, states } = tables;
  for (let i = states.offsets[state]!, end = states.offsets[state + 1]!; i < end; i++) {
    const o = configs.offsets[states.data[i]!]!;
    const kind = configs.data[o]!;
    if (kind === LEX || kind === NAME || kind === DYN || kind === ITEM) {
      const first = pool.firstBytes(configs.data[o + 1]!);
      for (let w = 0; w < 8; w++) out[w]! |= first[w]!;
    } else if (kind === STRUCT) {
      const ws = configs.data[o + 1]!;
      if (whitespaceGoesOn(whitespace, ws)) addBlanks(whitespace, ws, out);
      addStructure(tables, configs.data[o + 3]!, out);
    }
  }
}

function addBlanks(whitespace: Whitespace, ws: number, out: Int32Array): void {
  if (whitespaceStep(whitespace, ws, 0x20) >= 0) set(out, 0x20);
  if (whitespaceStep(whitespace, ws, 0x0a) >= 0) set(out, 0x0a);
  if (whitespaceStep(whitespace, ws, 0x0d) >= 0) set(out, 0x0d);
  if (whitespaceStep(whitespace, ws, 0x09) >= 0) set(out, 0x09);
}

function addStructure(tables: Tables, stack: number, out: Int32Array): void {
  const { stacks, labels } = tables;
  for (let i = stacks.offsets[stack]!, end = stacks.offsets[stack + 1]!; i < end; i += 2) {
    const l = labels.offsets[stacks.data[i]!]!;
    const object = labels.data[l] === FRAME.object;
    const phase = labels.data[l + 2]!;
    if (phase === PHASE.open) set(out, object ? 0x7b : 0x5b);
    else if (phase === PHASE.colon) set(out, 0x3a);
    else if (phase === PHASE.key) out.fill(-1);
    else if (phase === PHASE.first || phase === PHASE.after) {
      set(out, object ? 0x7d : 0x5d);
      if (phase === PHASE.after) set(out, 0x2c);
      else if (object) set(out, 0x22);
    } else if (phase === PHASE.next && object) set(out, 0x22);
  }
}

function set(out: Int32Array, b: number): void {
  out[b >> 5]! |= 1 << (b & 31);
}
