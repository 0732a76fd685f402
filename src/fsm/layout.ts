/** Tags of the recognizer's tuples, the format that its phases and its readers share; see docs/tables.md. */

/** No state, no config: nothing can follow. */
export const DEAD = -1;

/** Config kinds. A config is [kind, a, capture, stack]. */
export const LEX = 0;
export const STRUCT = 1;
export const TOKEN = 2;
export const END = 3;
export const BOTTOM = 4;
export const NAME = 5;
export const DYN = 6;
/** A scalar item of an array with unique items. */
export const ITEM = 7;
/** Not a reading but the text since the outermost unique array began, while objects or arrays must be compared. */
export const CAPTURE = 8;

/** Frame labels: [kind, …]. */
export const FRAME = { end: 0, bottom: 1, seq: 2, repeat: 3, object: 4, array: 5 } as const;

/** Phases of object and array labels. */
export const PHASE = { open: 0, first: 1, next: 2, key: 3, colon: 4, value: 5, after: 6 } as const;

/**
 * In the label of an array with unique items, in place of the byte of the capture where the item in progress begins: its text is forgotten and
 * taken to differ from all others (budgets).
 */
export const UNLIKE_ITEM = -1;
