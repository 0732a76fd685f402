/** Names and words that the made requests are about. */
import type { Random } from '../../base/random.js';

const NOUNS =
  'order invoice ticket parcel room ship lamp garden engine recipe ticket river bridge market letter camera violin forest window kettle'.split(
    ' ',
  );
const FIELDS =
  'name title code status colour size weight price count owner city country note level kind date total label unit source target stage rank shape'.split(
    ' ',
  );
const VALUES =
  'red green blue amber small medium large north south east west open closed pending draft final oak pine steel glass wool paper'.split(
    ' ',
  );
const PEOPLE = 'Ana Brandt|Ivo Costa|Mira Lund|Tomas Reyes|Nora Quist|Sam Okoro|Lea Novak|Jon Vidal'.split('|');

export function pick<T>(random: Random, of: readonly T[]): T {
  return of[random.below(of.length)]!;
}

/** `n` different ones, in random order. */
export function several<T>(random: Random, of: readonly T[], n: number): T[] {
  const left = [...of];
  const out: T[] = [];
  while (out.length < n && left.length > 0) out.push(left.splice(random.below(left.length), 1)[0]!);
  return out;
}

export const between = (random: Random, low: number, high: number): number => low + random.below(high - low + 1);
export const noun = (random: Random): string => pick(random, NOUNS);
export const person = (random: Random): string => pick(random, PEOPLE);
export const value = (random: Random): string => pick(random, VALUES);
export const fields = (random: Random, n: number): string[] => several(random, FIELDS, n);
export const values = (random: Random, n: number): string[] => several(random, VALUES, n);
