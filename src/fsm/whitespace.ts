/** Whitespace between the parts of JSON objects and arrays, as a tiny automaton per policy. State 0: nothing read yet. */
import type { Whitespace } from '../grammar/ir.js';

const BLANKS = 64;

/** Whether a byte is whitespace (RFC 8259, section 2). */
export function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** Next state on a byte, or -1 where the byte is no whitespace that may stand here. */
export function whitespaceStep(policy: Whitespace, state: number, byte: number): number {
  if (policy === 'compact') return -1;
  if (policy === 'flexible') return isBlank(byte) ? 0 : -1;
  // bounded: 0 nothing, 1 one space (no more), 2 + n after a newline and n blanks.
  if (state === 0) return byte === 0x20 ? 1 : byte === 0x0a ? 2 : -1;
  if (state >= 2 && state < 2 + BLANKS) return byte === 0x20 || byte === 0x09 ? state + 1 : -1;
  return -1;
}

/** Whether any whitespace byte may come in this state. */
export function whitespaceGoesOn(policy: Whitespace, state: number): boolean {
  if (policy === 'compact') return false;
  if (policy === 'flexible') return true;
  return state === 0 || (state >= 2 && state < 2 + BLANKS);
}
