/**
 * A deliberately plain JSON Schema validator: the specification read aloud, one value at a time, annotations included. The draft is the
 * root's `$schema` (2020-12 without one). One resource only, so that dynamic references lead where plain ones do; no formats. The twin of
 * the schema front end, which never looks at a value.
 */
type Schema = boolean | { readonly [key: string]: unknown };

interface Outcome {
  readonly valid: boolean;
  readonly props: ReadonlySet<string>;
  readonly items: ReadonlySet<number>;
}

/** Exact in decimal: both scaled to integers. */
function isMultiple(v: number, step: number): boolean {
  const scaled = (x: number): bigint => BigInt(Math.round(x * 1e6));
  return Math.abs(v) < 1e9 ? scaled(v) % scaled(step) === 0n : Number.isInteger(v / step);
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

/** The rank of the draft of a document: 4, 6, 7, 2019 or 2020. */
function draftOf(root: Schema): number {
  const m = /draft(?:-0|\/)(\d+)/.exec(typeof root === 'object' ? String(root.$schema ?? '') : '');
  return m === null ? 2020 : Number(m[1]);
}

function anchored(at: unknown, name: string): unknown {
  if (typeof at !== 'object' || at === null) return undefined;
  const { $anchor, $dynamicAnchor } = at as Record<string, unknown>;
  if ($anchor === name || $dynamicAnchor === name) return at;
  for (const sub of Object.values(at)) {
    const found = anchored(sub, name);
    if (found !== undefined) return found;
  }
  return undefined;
}

function pointer(root: Schema, ref: string): Schema {
  if (/^#[a-z]/.test(ref)) return anchored(root, ref.slice(1)) as Schema;
  let at: unknown = root;
  for (const step of ref.slice(1).split('/').slice(1)) at = (at as Record<string, unknown>)[step];
  return at as Schema;
}

function check(schema: Schema, v: unknown, root: Schema): Outcome {
  if (typeof schema === 'boolean') return schema ? { ...FAIL, valid: true } : FAIL;
  const s = schema as Record<string, never> & Record<string, unknown>;
  const draft = draftOf(root);
  if (draft <= 7 && s.$ref !== undefined) return check(pointer(root, s.$ref as string), v, root);
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
    const exclusive = (key: string, plain: string): number | undefined =>
      (s[key] as unknown) === true ? num(plain) : (s[key] as unknown) === false ? undefined : num(key);
    const above = exclusive('exclusiveMinimum', 'minimum');
    const below = exclusive('exclusiveMaximum', 'maximum');
    if (above !== undefined) need(v > above);
    if (below !== undefined) need(v < below);
    if (s.multipleOf !== undefined) need(isMultiple(v, num('multipleOf') as number));
  }
  if (typeof v === 'string') {
    const length = [...v].length;
    need(length >= (num('minLength') ?? 0) && length <= (num('maxLength') ?? length));
    if (s.pattern !== undefined) need(new RegExp(s.pattern as string, 'u').test(v));
  }
  if (Array.isArray(v)) {
    need(v.length >= (num('minItems') ?? 0) && v.length <= (num('maxItems') ?? v.length));
    const older = draft < 2020 && Array.isArray(s.items);
    const prefix = older ? (s.items as unknown as Schema[]) : draft < 2020 ? [] : list('prefixItems');
    const rest = (older ? s.additionalItems : s.items) as Schema | undefined;
    v.forEach((x, i) => {
      const sub = i < prefix.length ? prefix[i] : rest;
      if (sub === undefined) return;
      need(check(sub, x, root).valid);
      items.add(i);
    });
    if (s.contains !== undefined && draft > 4) {
      const hits = v
        .map((x, i) => (check(s.contains as unknown as Schema, x, root).valid ? i : -1))
        .filter((i) => i >= 0);
      if (draft >= 2020) for (const i of hits) items.add(i);
      const bound = (key: string): number | undefined => (draft >= 2019 ? num(key) : undefined);
      need(hits.length >= (bound('minContains') ?? 1) && hits.length <= (bound('maxContains') ?? hits.length));
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
  if (isObject(v)) {
    for (const [when, then] of Object.entries(
      (s.dependencies as Record<string, Schema | string[]> | undefined) ?? {},
    )) {
      if (!Object.hasOwn(v, when)) continue;
      if (Array.isArray(then)) need(then.every((k) => Object.hasOwn(v, k)));
      else need(take(check(then as Schema, v, root)));
    }
  }
  for (const key of ['$ref', '$dynamicRef', '$recursiveRef']) {
    if (s[key] !== undefined) need(take(check(pointer(root, s[key] as unknown as string), v, root)));
  }
  for (const sub of list('allOf')) need(take(check(sub, v, root)));
  if (s.anyOf !== undefined) need(list('anyOf').filter((sub) => take(check(sub, v, root))).length > 0);
  if (s.oneOf !== undefined) need(list('oneOf').filter((sub) => take(check(sub, v, root))).length === 1);
  if (s.not !== undefined) need(!check(s.not as unknown as Schema, v, root).valid);
  if (s.if !== undefined && draft >= 7) {
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
