/**
 * unevaluatedProperties and unevaluatedItems: the split by what the in-place applicators evaluate.
 *
 * Which keys and items are "evaluated" depends on which branches of anyOf, oneOf, if and dependentSchemas an instance satisfies.
 * We list alternatives (condition, evaluated set), where the condition implies that the set was evaluated. More
 * evaluated never constrains more, so the union over alternatives of "condition and the rest satisfies the unevaluated schema" is
 * exact without demanding that the other branches fail. Branches that evaluate nothing new cause no split.
 */
import { UnsupportedSchemaError } from '../../base/errors.js';
import { FALSE, type Formula, TRUE } from './formula.js';
import type { KeySet } from './keys.js';
import { isObject, type Location } from './load.js';
import { EVERYTHING } from './normal.js';
import type { Normaliser } from './normalise.js';
import type { JsonValue } from './options.js';
import { ANY_ARRAY, ANY_OBJECT, keyMap } from './shapes.js';
import { branches, formulaOf, present, schemaDependencies, subschema } from './subschemas.js';
import { type Keywords, keywordsOf, RANK } from './vocabulary.js';

interface Evaluated {
  /** All properties. */
  readonly allProps: boolean;
  readonly names: ReadonlySet<string>;
  readonly rules: ReadonlySet<KeySet>;
  readonly allItems: boolean;
  /** Leading items. */
  readonly items: number;
  /** Items that satisfy one of these. */
  readonly matching: readonly Formula[];
}

interface Alternative {
  readonly condition: Formula;
  readonly evaluated: Evaluated;
}

const NONE: Evaluated = {
  allProps: false,
  names: new Set(),
  rules: new Set(),
  allItems: false,
  items: 0,
  matching: [],
};

function join(a: Evaluated, b: Evaluated): Evaluated {
  if (a === NONE) return b;
  if (b === NONE) return a;
  return {
    allProps: a.allProps || b.allProps,
    names: new Set([...a.names, ...b.names]),
    rules: new Set([...a.rules, ...b.rules]),
    allItems: a.allItems || b.allItems,
    items: Math.max(a.items, b.items),
    matching: [...new Set([...a.matching, ...b.matching])],
  };
}

/** Whether `b` evaluates all that `a` does. */
function covers(b: Evaluated, a: Evaluated): boolean {
  if (!b.allProps) {
    if (a.allProps) return false;
    for (const x of a.names) if (!b.names.has(x)) return false;
    for (const x of a.rules) if (!b.rules.has(x)) return false;
  }
  if (b.allItems) return true;
  return !a.allItems && a.items <= b.items && a.matching.every((f) => b.matching.includes(f));
}

/** The formula that a location's unevaluated* keywords stand for. */
export function unevaluated(n: Normaliser, at: Location, k: Keywords): Formula {
  const { formulas } = n.context;
  const props =
    k.unevaluatedProperties === undefined ? TRUE : subschema(n, at, k.unevaluatedProperties, 'unevaluatedProperties');
  const items = k.unevaluatedItems === undefined ? TRUE : subschema(n, at, k.unevaluatedItems, 'unevaluatedItems');
  if (props === TRUE && items === TRUE) return TRUE;
  const alternatives = alternativesOf(n, at, k, true, []);
  return formulas.some(alternatives.map((a) => n.and(a.condition, remainder(n, a.evaluated, props, items))));
}

function remainder(n: Normaliser, e: Evaluated, props: Formula, items: Formula): Formula {
  const { formulas } = n.context;
  const objects =
    props === TRUE || e.allProps
      ? EVERYTHING.objects
      : [
          {
            ...ANY_OBJECT,
            maps: [
              keyMap(
                new Map([...e.names].map((x) => [x, TRUE])),
                [...e.rules].map((keys) => ({ keys, value: TRUE })),
                props,
              ),
            ],
          },
        ];
  const rest = e.matching.length === 0 ? items : formulas.some([items, ...e.matching]);
  const arrays =
    rest === TRUE || e.allItems
      ? EVERYTHING.arrays
      : [{ ...ANY_ARRAY, prefix: new Array<Formula>(e.items).fill(TRUE), rest }];
  if (objects === EVERYTHING.objects && arrays === EVERYTHING.arrays) return TRUE;
  return formulas.normal({ ...EVERYTHING, objects, arrays });
}

/** What the keywords of one location evaluate by themselves. */
function ownEvaluated(n: Normaliser, at: Location, k: Keywords, root: boolean): Evaluated {
  const names = new Set<string>();
  const rules = new Set<KeySet>();
  if (isObject(k.properties)) for (const name of Object.keys(k.properties)) names.add(name);
  if (isObject(k.patternProperties)) {
    for (const source of Object.keys(k.patternProperties)) {
      const re = n.context.pattern(at, 'patternProperties', source);
      if (re !== undefined) rules.add(n.context.keys.pattern(source, re));
    }
  }
  const rank = RANK[at.resource.draft];
  let count = 0;
  let all = !root && k.unevaluatedItems !== undefined;
  if (Array.isArray(k.prefixItems)) count = k.prefixItems.length;
  if (Array.isArray(k.items)) {
    count = k.items.length;
    all ||= k.additionalItems !== undefined;
  } else all ||= k.items !== undefined;
  const matching = rank >= 4 && k.contains !== undefined ? [subschema(n, at, k.contains, 'contains')] : [];
  const allProps = k.additionalProperties !== undefined || (!root && k.unevaluatedProperties !== undefined);
  if (names.size + rules.size + count + matching.length === 0 && !all && !allProps) return NONE;
  return { allProps, names, rules, allItems: all, items: count, matching };
}

function alternativesOf(
  n: Normaliser,
  at: Location,
  k: Keywords,
  root: boolean,
  trail: readonly Location[],
): readonly Alternative[] {
  const { context } = n;
  if (trail.some((x) => x.schema === at.schema && x.scope === at.scope)) {
    throw new UnsupportedSchemaError(at.pointer, '$ref', 'references itself without progress: no value is described');
  }
  const path = [...trail, at];
  context.limit('nesting of applicators', path.length, context.settings.limits.depth);
  let out: readonly Alternative[] = [{ condition: TRUE, evaluated: ownEvaluated(n, at, k, root) }];

  const times = (list: readonly Alternative[]): void => {
    if (list.every((x) => out.every((o) => covers(o.evaluated, x.evaluated))) && list.some((x) => x.condition === TRUE))
      return;
    context.tick(out.length * list.length);
    context.limit('alternatives of unevaluated', out.length * list.length, context.settings.limits.alternatives);
    const next: Alternative[] = [];
    for (const a of out) {
      for (const b of list) {
        const condition = n.and(a.condition, b.condition);
        if (condition !== FALSE) next.push({ condition, evaluated: join(a.evaluated, b.evaluated) });
      }
    }
    out = next;
  };
  const of = (to: Location): readonly Alternative[] => {
    if (typeof to.schema === 'boolean') return [{ condition: TRUE, evaluated: NONE }];
    return alternativesOf(n, to, keywordsOf(n, to), false, path);
  };
  const below = (schema: JsonValue | undefined, step: string): readonly Alternative[] => {
    if (!isObject(schema)) return [{ condition: TRUE, evaluated: NONE }];
    return of(context.loader.child(at, schema, step));
  };
  /** Alternatives of a branch that may or may not hold: those of the branch, under the condition that it holds. */
  const under = (f: Formula, list: readonly Alternative[]): readonly Alternative[] =>
    list.map((a) => ({ condition: n.and(f, a.condition), evaluated: a.evaluated }));
  const idle = (list: readonly Alternative[]): boolean => list.every((a) => a.evaluated === NONE);

  if (typeof k.$ref === 'string') times(of(context.loader.resolve(at, k.$ref, '$ref')));
  if (typeof k.$dynamicRef === 'string') times(of(context.loader.resolveDynamic(at, k.$dynamicRef)));
  if (typeof k.$recursiveRef === 'string' && at.resource.draft === '2019-09') {
    times(of(context.loader.resolveRecursive(at, k.$recursiveRef)));
  }
  if (Array.isArray(k.allOf)) {
    for (const [i, s] of k.allOf.entries()) times(below(s as JsonValue, `/allOf/${i}`));
  }
  if (Array.isArray(k.anyOf)) {
    const formulas = branches(n, at, k, 'anyOf');
    const lists = k.anyOf.map((s: JsonValue, i: number) => under(formulas[i]!, below(s, `/anyOf/${i}`)));
    const active = lists.filter((l: readonly Alternative[]) => !idle(l));
    context.limit('branches of unevaluated', active.length, context.settings.limits.splits);
    // Any subset may hold; that at least one does is asserted elsewhere.
    for (const list of active) times([{ condition: TRUE, evaluated: NONE }, ...list]);
  }
  if (Array.isArray(k.oneOf)) {
    const formulas = branches(n, at, k, 'oneOf');
    const lists = k.oneOf.map((s: JsonValue, i: number) => under(formulas[i]!, below(s, `/oneOf/${i}`)));
    // Exactly one holds, as asserted elsewhere.
    if (!lists.every(idle)) times(lists.flat());
  }
  if (k.if !== undefined) {
    const test = subschema(n, at, k.if, 'if');
    const whenTrue: Alternative[] = [];
    const ifs = under(test, below(k.if, '/if'));
    const thens = k.then === undefined ? [{ condition: TRUE, evaluated: NONE }] : below(k.then, '/then');
    for (const a of ifs) {
      for (const b of thens)
        whenTrue.push({ condition: n.and(a.condition, b.condition), evaluated: join(a.evaluated, b.evaluated) });
    }
    const otherwise = k.else === undefined ? [{ condition: TRUE, evaluated: NONE }] : below(k.else, '/else');
    const list = [...whenTrue, ...under(n.not(test), otherwise)];
    if (!idle(list)) times(list);
  }
  for (const { key, schema, keyword } of schemaDependencies(k)) {
    const list = below(schema, `/${keyword}/${key}`);
    if (!idle(list)) {
      const holds = n.and(
        present(n, key),
        isObject(schema) ? formulaOf(n, context.loader.child(at, schema, `/${keyword}/${key}`)) : TRUE,
      );
      times([{ condition: TRUE, evaluated: NONE }, ...under(holds, list)]);
    }
  }
  return out;
}
