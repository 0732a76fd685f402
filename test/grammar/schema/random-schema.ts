/** Random schemas over a small universe of names, strings and numbers, where constraints meet often. */
import type { Random } from '../../../src/base/random.js';

const NAMES = ['a', 'b', 'ab', 'x1'];
const STRINGS = ['', 'a', 'b', 'ab', 'aab', '1', 'x1'];
const NUMBERS = [-2, -1, 0, 0.5, 1, 1.5, 2, 3, 10];
const PATTERNS = ['^a', 'b$', '^[ab]*$', '1', '^.$', '^x'];
const TYPES = ['null', 'boolean', 'number', 'integer', 'string', 'array', 'object'];

/** Values that the schemas below tell apart. */
export const UNIVERSE: readonly unknown[] = (() => {
  const scalars: unknown[] = [null, true, false, ...NUMBERS, ...STRINGS];
  const out: unknown[] = [...scalars, [], {}];
  for (const x of [1, 'a', null, true, 0.5]) out.push([x], { a: x }, { b: x }, { x1: x }, { ab: x });
  out.push(
    [1, 1],
    [1, 2],
    [1, 'a'],
    ['a', 'b'],
    ['a', 'a', 1],
    [1, 2, 3],
    [[], []],
    [[1], [1]],
    [{ a: 1 }],
    [null, null],
  );
  out.push(
    { a: 1, b: 1 },
    { a: 1, b: 'a' },
    { a: 'a', b: 1 },
    { a: 1, x1: 2 },
    { a: 1, b: 2, ab: 3 },
    { b: 'a', ab: 'b' },
  );
  out.push(
    { a: { a: 1 } },
    { a: { b: 'a' } },
    { a: [] },
    { a: [1, 2] },
    { b: { a: 1, b: 2 } },
    { zz: 1 },
    { zz: 'a', a: 1 },
  );
  return out;
})();

export interface SchemaFlavour {
  /** Allow uniqueItems (whose complement has no shape). */
  readonly unique: boolean;
  /** Allow unevaluated*. */
  readonly unevaluated: boolean;
  /** Allow references to `#/$defs/d0` to `d2`; see {@link randomDocument}. */
  readonly references?: boolean;
}

/** A random schema with three definitions that refer to each other, mostly through properties and items. */
export function randomDocument(random: Random, depth: number, flavour: SchemaFlavour): unknown {
  const make = (): unknown => randomSchema(random, depth, { ...flavour, references: true });
  const root = make();
  return { ...(typeof root === 'object' ? root : {}), $defs: { d0: make(), d1: make(), d2: make() } };
}

export function randomSchema(random: Random, depth: number, flavour: SchemaFlavour): unknown {
  const pick = <T>(list: readonly T[]): T => list[random.below(list.length)]!;
  const chance = (p: number): boolean => random.float() < p;
  const sub = (): unknown => randomSchema(random, depth - 1, flavour);
  const some = <T>(n: number, make: () => T): T[] => Array.from({ length: 1 + random.below(n) }, make);
  if (flavour.references === true && chance(depth <= 0 ? 0.4 : 0.06)) return { $ref: `#/$defs/d${random.below(3)}` };
  if (depth <= 0 && chance(0.3)) return chance(0.85);
  const out: Record<string, unknown> = {};
  if (chance(0.5)) out.type = chance(0.7) ? pick(TYPES) : [...new Set(some(3, () => pick(TYPES)))];
  if (chance(0.08)) out.enum = some(4, () => pick(UNIVERSE));
  if (chance(0.06)) out.const = pick(UNIVERSE);
  if (chance(0.15)) out.minimum = pick(NUMBERS);
  if (chance(0.1)) out.exclusiveMaximum = pick(NUMBERS);
  if (chance(0.08)) out.multipleOf = pick([0.5, 1, 2, 3]);
  if (chance(0.15)) out.minLength = random.below(3);
  if (chance(0.1)) out.maxLength = random.below(3);
  if (chance(0.15)) out.pattern = pick(PATTERNS);
  if (chance(0.15)) out.required = [...new Set(some(2, () => pick(NAMES)))];
  if (chance(0.08)) out.minProperties = random.below(3);
  if (chance(0.08)) out.maxProperties = random.below(3);
  if (chance(0.08)) out.dependentRequired = { [pick(NAMES)]: [pick(NAMES)] };
  if (chance(0.1)) out.minItems = random.below(3);
  if (chance(0.1)) out.maxItems = random.below(3);
  if (flavour.unique && chance(0.1)) out.uniqueItems = true;
  if (depth > 0) {
    if (chance(0.35)) out.properties = Object.fromEntries(some(3, () => [pick(NAMES), sub()]));
    if (chance(0.15)) out.patternProperties = Object.fromEntries(some(2, () => [pick(PATTERNS), sub()]));
    if (chance(0.2)) out.additionalProperties = sub();
    if (chance(0.07)) out.propertyNames = sub();
    if (chance(0.07)) out.dependentSchemas = { [pick(NAMES)]: sub() };
    if (chance(0.15)) out.items = sub();
    if (chance(0.1)) out.prefixItems = some(2, sub);
    if (chance(0.1)) out.contains = sub();
    if (chance(0.05)) out.minContains = random.below(3);
    if (chance(0.05)) out.maxContains = random.below(3);
    if (chance(0.15)) out.allOf = some(2, sub);
    if (chance(0.15)) out.anyOf = some(3, sub);
    if (chance(0.15)) out.oneOf = some(3, sub);
    if (chance(0.12)) out.not = sub();
    if (chance(0.12)) {
      out.if = sub();
      if (chance(0.7)) out.then = sub();
      if (chance(0.7)) out.else = sub();
    }
    if (flavour.unevaluated && chance(0.12)) out.unevaluatedProperties = chance(0.6) ? false : sub();
    if (flavour.unevaluated && chance(0.1)) out.unevaluatedItems = chance(0.6) ? false : sub();
  }
  return out;
}
