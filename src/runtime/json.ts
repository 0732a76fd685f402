/**
 * Reading configuration files: JSON of unknown shape, narrowed by small accessors.
 */
import { readFile } from 'node:fs/promises';
import { ModelError } from '../base/errors.js';

export type JsonObject = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isMissing = (error: unknown): boolean =>
  isObject(error) && (error.code === 'ENOENT' || error.code === 'ENOTDIR' || error.code === 'EISDIR');

/** The text of a file, or undefined where there is none. Throws ModelError where it cannot be read. */
export async function readText(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw new ModelError(file, 'a readable file', error instanceof Error ? error.message : String(error), {
      cause: error,
    });
  }
}

/** A JSON object from a file, or undefined where there is none. Throws ModelError with the parser's place where it is corrupt. */
export async function readJson(file: string): Promise<JsonObject | undefined> {
  const text = await readText(file);
  if (text === undefined) return undefined;
  return jsonObject(file, text);
}

/** The JSON object that a text holds. Throws ModelError with the parser's place where it is corrupt. */
export function jsonObject(source: string, text: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ModelError(source, 'JSON', error instanceof Error ? error.message : 'something else', { cause: error });
  }
  if (!isObject(value)) throw new ModelError(source, 'a JSON object', Array.isArray(value) ? 'an array' : typeof value);
  return value;
}

/** Follows keys into nested objects. */
export function at(value: unknown, ...keys: readonly string[]): unknown {
  let here = value;
  for (const k of keys) {
    if (!isObject(here)) return undefined;
    here = here[k];
  }
  return here;
}

export const asString = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** A non-negative whole number. */
export const asCount = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : undefined;

/** One id or a list of them; anything else is none. */
export function asIds(value: unknown): number[] {
  return (Array.isArray(value) ? value : [value]).filter((v): v is number => asCount(v) !== undefined);
}
