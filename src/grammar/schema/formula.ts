/**
 * Formulas: boolean combinations of schema locations, hash-consed.
 *
 * A formula is an integer; equal combinations are equal integers, so that memo tables over formulas end recursion: the finitely
 * many locations of a document have finitely many combinations. Building is purely syntactic and cheap; what a formula
 * admits is the business of normalise.ts.
 */
import { LimitError } from '../../base/errors.js';
import type { Location } from './load.js';
import type { Normal } from './normal.js';
import type { JsonValue } from './options.js';

export type Formula = number;

/** Every value. */
export const TRUE: Formula = 0;
/** No value. */
export const FALSE: Formula = 1;

export type Node =
  | { readonly kind: 'true' }
  | { readonly kind: 'false' }
  | { readonly kind: 'schema'; readonly at: Location }
  | { readonly kind: 'and' | 'or'; readonly items: readonly Formula[] }
  | { readonly kind: 'not'; readonly item: Formula }
  /** Exactly one of the items. */
  | { readonly kind: 'one'; readonly items: readonly Formula[]; readonly pointer: string }
  | { readonly kind: 'const'; readonly value: JsonValue }
  | { readonly kind: 'normal'; readonly normal: Normal };

/** Canonical text of a JSON value: equal values (1 and 1.0, any order of keys) have equal texts. */
export function canonical(value: JsonValue): string {
  const out: string[] = [];
  writeCanonical(value, out);
  return out.join('');
}

/** One list for all levels: texts joined level by level would be quadratic in the nesting. */
function writeCanonical(value: JsonValue, out: string[]): void {
  if (Array.isArray(value)) {
    out.push('[');
    value.forEach((v: JsonValue, i) => {
      if (i > 0) out.push(',');
      writeCanonical(v, out);
    });
    out.push(']');
  } else if (typeof value === 'object' && value !== null) {
    const o = value as { readonly [key: string]: JsonValue };
    out.push('{');
    for (const [i, k] of Object.keys(o).sort().entries()) {
      out.push(`${i > 0 ? ',' : ''}${JSON.stringify(k)}:`);
      writeCanonical(o[k]!, out);
    }
    out.push('}');
  } else out.push(JSON.stringify(value === 0 ? 0 : value));
}

export class Formulas {
  private readonly nodes: Node[] = [{ kind: 'true' }, { kind: 'false' }];
  private readonly byKey = new Map<string, Formula>();
  /** Results of and, by pairs: shapes ask the same ones again and again. */
  private readonly pairs = new Map<number, Formula>();
  private readonly nots: (Formula | undefined)[] = [FALSE, TRUE];
  /** By scope, then by schema object. */
  private readonly atoms: Map<object, Formula>[] = [];

  constructor(private readonly limit: number) {}

  get count(): number {
    return this.nodes.length;
  }

  node(f: Formula): Node {
    return this.nodes[f]!;
  }

  private add(node: Node): Formula {
    if (this.nodes.length >= this.limit) {
      throw new LimitError(
        'formulas',
        this.nodes.length + 1,
        this.limit,
        node.kind === 'schema' ? node.at.pointer : undefined,
      );
    }
    return this.nodes.push(node) - 1;
  }

  known(schema: object, scope: number): Formula | undefined {
    return this.atoms[scope]?.get(schema);
  }

  remember(schema: object, scope: number, f: Formula): void {
    let map = this.atoms[scope];
    if (map === undefined) {
      map = new Map();
      this.atoms[scope] = map;
    }
    map.set(schema, f);
  }

  schema(at: Location): Formula {
    const f = this.add({ kind: 'schema', at });
    this.remember(at.schema as object, at.scope, f);
    return f;
  }

  const(value: JsonValue): Formula {
    const key = `=${canonical(value)}`;
    let f = this.byKey.get(key);
    if (f === undefined) {
      f = this.add({ kind: 'const', value });
      this.byKey.set(key, f);
    }
    return f;
  }

  normal(normal: Normal): Formula {
    return this.add({ kind: 'normal', normal });
  }

  one(items: readonly Formula[], pointer: string): Formula {
    if (items.length === 1) return items[0]!;
    return this.add({ kind: 'one', items, pointer });
  }

  not(f: Formula): Formula {
    let n = this.nots[f];
    if (n === undefined) {
      n = this.add({ kind: 'not', item: f });
      this.nots[f] = n;
      this.nots[n] = f;
    }
    return n;
  }

  and(a: Formula, b: Formula): Formula {
    if (a === TRUE || a === b) return b;
    if (b === TRUE) return a;
    if (a === FALSE || b === FALSE) return FALSE;
    const key = a * 0x4000000 + b;
    let f = this.pairs.get(key);
    if (f === undefined) {
      f = this.junction('and', [a, b]);
      this.pairs.set(key, f);
    }
    return f;
  }

  or(a: Formula, b: Formula): Formula {
    if (a === FALSE || a === b) return b;
    if (b === FALSE) return a;
    if (a === TRUE || b === TRUE) return TRUE;
    return this.junction('or', [a, b]);
  }

  all(items: readonly Formula[]): Formula {
    return items.length === 1 ? items[0]! : this.junction('and', items);
  }

  some(items: readonly Formula[]): Formula {
    return items.length === 1 ? items[0]! : this.junction('or', items);
  }

  private junction(kind: 'and' | 'or', items: readonly Formula[]): Formula {
    const unit = kind === 'and' ? TRUE : FALSE;
    const zero = kind === 'and' ? FALSE : TRUE;
    const flat: Formula[] = [];
    for (const f of items) {
      if (f === unit) continue;
      if (f === zero) return zero;
      const node = this.nodes[f]!;
      if (node.kind === kind) flat.push(...node.items);
      else flat.push(f);
    }
    // Order of first appearance is kept for the node: it decides the order of properties.
    const unique = [...new Set(flat)];
    if (unique.length === 0) return unit;
    if (unique.length === 1) return unique[0]!;
    for (const f of unique) {
      const n = this.nots[f];
      if (n !== undefined && unique.includes(n)) return zero;
    }
    const key = `${kind === 'and' ? '&' : '|'}${[...unique].sort((x, y) => x - y).join()}`;
    let f = this.byKey.get(key);
    if (f === undefined) {
      f = this.add({ kind, items: unique });
      this.byKey.set(key, f);
    }
    return f;
  }
}
