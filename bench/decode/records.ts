/** The held-out extraction set: schemas closed, tools left out. */
import { readFileSync } from 'node:fs';
import { type JsonConstraint, json } from '../../src/grammar/constraint/index.js';
import { closeObjects } from '../../src/grammar/library/close.js';
import type { ChatMessage } from '../../src/runtime/types.js';

export interface BenchRecord {
  readonly target: JsonConstraint;
  readonly messages: readonly ChatMessage[];
}

interface Line {
  readonly schema: object;
  readonly messages: readonly ChatMessage[];
  readonly tools?: unknown;
}

export function readRecords(): readonly BenchRecord[] {
  return readFileSync('models/eval/extraction-heldout.jsonl', 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)
    .filter((line) => line.tools === undefined)
    .map(({ schema, messages }) => ({ target: json(closeObjects(structuredClone(schema))), messages }));
}
