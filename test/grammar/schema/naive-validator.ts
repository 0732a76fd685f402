/**
 * A deliberately plain JSON Schema 2020-12 validator: the specification read aloud, one value at a time, annotations included. No
 * references across documents, no formats. The twin of the schema front end, which never looks at a value.
 */
type Schema = boolean | { readonly [key: string]: unknown };

interface Outcome {
  readonly valid: boolean;
  readonly props: ReadonlySet<string>;
  readonly items: ReadonlySet<number>;
}

const isObject = (v: unknown): v is Record<string, unknown> => typeof v === 'object' && v !== null && !Array.isArray(v);

export function equalJson(a: unknown, b: unknown): boolean {
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((x, i) => equalJson(x, b[i]));
  if (isObject(a)) {
    if (!isObject(b)) return false;
    const keys = Object.keys(a);
    return keys.length === Object.keys(b).length && keys.every((k) => Object.hasOwn(b, k) && equalJson(a[k], b[k]));
  }
  return a === b;
}

function typeMatches(type: unknown, v: unknown): boolean {
  switch (type) {
    case 'null':
      return v === null;
    case 'array':
      return Array.isArray(v);
    case 'object':
      return isObject(v);
    case 'integer':
      return Number.isInteger(v);
    default:
      return typeof v === type;
  }
}

const FAIL: Outcome = { valid: false, props: new Set(), items: new Set() };

export function validate(schema: unknown, value: unknown): boolean {
  return check(schema as Schema, value, schema as Schema).valid;
}

function pointer(root: Schema, ref: string): Schema {
  let at: unknown = root;
  for (const step of ref.slice(1).split('/').slice(1)) at = (at as Record<string, unknown>)[step];
  return at as Schema;
}

function check(schema: Schema, v: unknown, root: Schema): Outcome {
  if (typeof schema === 'boolean') return schema ? { ...FAIL, valid: true } : FAIL;
  const s = schema as Record<string, never> & Record<string, unknown>;
  const props = new Set<string>();
  const items = new Set<number>();
  let ok = true;
  const need = (x: boolean): void => {
    ok &&= x;
  };
  const take = (o: Outcome): boolean => {
    if (o.valid) {
      for (const p of o.props) props.add(p);
      for (const i of o.items) items.add(i);
    }
    return o.valid;
  };
  const list = (key: string): Schema[] => (s[key] as Schema[] | undefined) ?? [];
  const num = (key: string): number | undefined => s[key] as number | undefined;

  if (s.type !== undefined) need([s.type].flat().some((t) => typeMatches(t, v)));
  if (s.enum !== undefined) need((s.enum as unknown[]).some((x) => equalJson(x, v)));
  if (Object.hasOwn(s, 'const')) need(equalJson(s.const, v));
  if (typeof v === 'number') {
    need(!(v < (num('minimum') ?? v)) && !(v > (num('maximum') ?? v)));
    if (s.exclusiveMinimum !== undefined) need(v > (num('exclusiveMinimum') as number));
    if (s.exclusiveMaximum !== undefined) need(v < (num('exclusiveMaximum') as number));
    if (s.multipleOf !== undefined) need(Number.isInteger(v / (num('multipleOf') as number)));
  }
  if (typeof v === 'string') {
    const length = [...v].length;
    need(length >= (num('minLength') ?? 0) && length <= (num('maxLength') ?? length));
    if (s.pattern !== undefined) need(new RegExp(s.pattern as string, 'u').test(v));
  }
  if (Array.isArray(v)) {
    need(v.length >= (num('minItems') ?? 0) && v.length <= (num('maxItems') ?? v.length));
    const prefix = list('prefixItems');
    v.forEach((x, i) => {
      const sub = i < prefix.length ? prefix[i] : (s.items as Schema | undefined);
      if (sub === undefined) return;
      need(check(sub, x, root).valid);
      items.add(i);
    });
    if (s.contains !== undefined) {
      const hits = v
        .map((x, i) => (check(s.contains as unknown as Schema, x, root).valid ? i : -1))
        .filter((i) => i >= 0);
      for (const i of hits) items.add(i);
      need(hits.length >= (num('minContains') ?? 1) && hits.length <= (num('maxContains') ?? hits.length));
    }
    if (s.uniqueItems === true) need(!v.some((x, i) => v.some((y, k) => k < i && equalJson(x, y))));
  }
  if (isObject(v)) {
    const keys = Object.keys(v);
    need(keys.length >= (num('minProperties') ?? 0) && keys.length <= (num('maxProperties') ?? keys.length));
    for (const r of (s.required as string[] | undefined) ?? []) need(Object.hasOwn(v, r));
    for (const [when, then] of Object.entries((s.dependentRequired as Record<string, string[]> | undefined) ?? {})) {
      if (Object.hasOwn(v, when)) need(then.every((k) => Object.hasOwn(v, k)));
    }
    const named = (s.properties as Record<string, Schema> | undefined) ?? {};
    const patterns = Object.entries((s.patternProperties as Record<string, Schema> | undefined) ?? {});
    for (const k of keys) {
      let covered = false;
      const apply = (sub: Schema): void => {
        covered = true;
        need(check(sub, v[k], root).valid);
        props.add(k);
      };
      if (Object.hasOwn(named, k)) apply(named[k] as Schema);
      for (const [p, sub] of patterns) if (new RegExp(p, 'u').test(k)) apply(sub);
      if (!covered && s.additionalProperties !== undefined) apply(s.additionalProperties as Schema);
      if (s.propertyNames !== undefined) need(check(s.propertyNames as Schema, k, root).valid);
    }
    for (const [when, sub] of Object.entries((s.dependentSchemas as Record<string, Schema> | undefined) ?? {})) {
      if (Object.hasOwn(v, when)) need(take(check(sub, v, root)));
    }
  }
  if (s.$ref !== undefined) need(take(check(pointer(root, s.$ref as string), v, root)));
  for (const sub of list('allOf')) need(take(check(sub, v, root)));
  if (s.anyOf !== undefined) need(list('anyOf').filter((sub) => take(check(sub, v, root))).length > 0);
  if (s.oneOf !== undefined) need(list('oneOf').filter((sub) => take(check(sub, v, root))).length === 1);
  if (s.not !== undefined) need(!check(s.not as unknown as Schema, v, root).valid);
  if (s.if !== undefined) {
    const branch = take(check(s.if as Schema, v, root)) ? s.then : s.else;
    if (branch !== undefined) need(take(check(branch as Schema, v, root)));
  }
  if (Array.isArray(v) && s.unevaluatedItems !== undefined) {
    v.forEach((x, i) => {
      if (items.has(i)) return;
      need(check(s.unevaluatedItems as unknown as Schema, x, root).valid);
      items.add(i);
    });
  }
  if (isObject(v) && s.unevaluatedProperties !== undefined) {
    for (const k of Object.keys(v)) {
      if (props.has(k)) continue;
      need(check(s.unevaluatedProperties as Schema, v[k], root).valid);
      props.add(k);
    }
  }
  return ok ? { valid: true, props, items } : FAIL;
}
