/** Untrusted JSON, read field by field: what is missing or of the wrong kind is a ModelError that names the field. */
import { ModelError } from '../../base/errors.js';

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function fail(field: string, expected: string, value: unknown): never {
  throw new ModelError(`tokenizer.json: ${field}`, expected, describe(value));
}

export function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') return 'an object';
  const shown = String(value);
  return shown.length > 60 ? `${shown.slice(0, 60)}…` : shown;
}

/** The parts of a pipeline stage: itself, or the members of a `Sequence` (nested ones too), in order. */
export function stages(value: unknown): readonly JsonObject[] {
  const out: JsonObject[] = [];
  const visit = (stage: unknown, depth: number): void => {
    if (!isObject(stage) || depth > 16) return;
    if (stage.type !== 'Sequence') {
      out.push(stage);
      return;
    }
    const members = stage.normalizers ?? stage.pretokenizers ?? stage.decoders ?? stage.processors;
    if (Array.isArray(members)) for (const member of members) visit(member, depth + 1);
  };
  visit(value, 0);
  return out;
}
