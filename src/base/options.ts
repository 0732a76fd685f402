/** What all checks of callers' options share. */
import { OptionError } from './errors.js';
import { nearest } from './nearest.js';

/** An option that nobody reads is a misspelling (undefined is none). @throws OptionError with the name that was likely meant, or all names */
export function checkNames(options: object, names: readonly string[], place = ''): void {
  const name = Object.entries(options).find(([key, value]) => value !== undefined && !names.includes(key))?.[0];
  if (name === undefined) return;
  const meant = nearest(name, names);
  throw new OptionError(
    place + name,
    meant === undefined ? names.join(' | ') : `'${meant}'`,
    'an option that is not known',
  );
}

/** A value as an error shows it: at most 80 characters, or its type where JSON cannot hold it. */
export function brief(value: unknown): string {
  try {
    return JSON.stringify(value)?.slice(0, 80) ?? typeof value;
  } catch {
    return typeof value;
  }
}
