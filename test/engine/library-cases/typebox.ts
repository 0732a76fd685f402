/** Schemas of TypeBox, the old package and the new one. */
import { Type as T0 } from '@sinclair/typebox';
import { Type as T1 } from 'typebox';
import { type Cases, Str } from './common.js';

export const TYPEBOX0: Cases = {
  obj: () => T0.Object({ a: T0.String({ minLength: 1 }), b: T0.Optional(T0.Number()) }),
  un: () => T0.Union([T0.Literal('a'), T0.Null()]),
  rec: () => T0.Record(T0.String(), T0.Number()),
  recu: () => T0.Recursive((This) => T0.Object({ v: T0.Number(), c: T0.Array(This, { maxItems: 1 }) })),
  tup: () => T0.Tuple([T0.String(), T0.Number()]),
  enm: () => T0.Enum(Str),
  tl: () => T0.TemplateLiteral('a\u0024{b|c}'),
  inter: () => T0.Intersect([T0.Object({ a: T0.String() }), T0.Object({ b: T0.Number() })]),
  date: () => T0.Date(),
  big: () => T0.BigInt(),
  und: () => T0.Undefined(),
  trans: () =>
    T0.Transform(T0.String())
      .Decode((s) => s.length)
      .Encode((n) => String(n)),
  uni8: () => T0.Uint8Array(),
  rx: () => T0.RegExp(/^a$/i),
  rx2: () => T0.RegExp(/^a$/),
  fn: () => T0.Function([], T0.String()),
  sym: () => T0.Symbol(),
  any: () => T0.Object({ a: T0.Any(), b: T0.Unknown() }),
  not: () => T0.Not(T0.String()),
  part: () => T0.Partial(T0.Object({ a: T0.String() })),
  comp: () => T0.Composite([T0.Object({ a: T0.String() }), T0.Object({ b: T0.Number() })]),
  prom: () => T0.Promise(T0.String()),
  mod: () => T0.Module({ A: T0.Object({ b: T0.Ref('B') }), B: T0.String() }).Import('A'),
  void: () => T0.Void(),
  integer: () => T0.Integer({ minimum: 0, maximum: 9 }),
  unenum: () => T0.Unsafe({ type: 'string', enum: ['a'] }),
  nested: () => T0.Object({ d: T0.Object({ e: T0.Date() }) }),
  iter: () => T0.Iterator(T0.String()),
};

export const TYPEBOX1: Cases = {
  obj: () => T1.Object({ a: T1.String({ minLength: 1 }), b: T1.Optional(T1.Number()) }),
  un: () => T1.Union([T1.Literal('a'), T1.Null()]),
  rec: () => T1.Record(T1.String(), T1.Number()),
  tup: () => T1.Tuple([T1.String(), T1.Number()]),
  enm: () => T1.Enum(['a', 'b']),
  tl: () => T1.TemplateLiteral('a\u0024{b|c}'),
  inter: () => T1.Intersect([T1.Object({ a: T1.String() }), T1.Object({ b: T1.Number() })]),
  big: () => T1.BigInt(),
  und: () => T1.Undefined(),
  sym: () => T1.Symbol(),
  any: () => T1.Object({ a: T1.Any(), b: T1.Unknown() }),
  cyc: () => T1.Cyclic({ A: T1.Object({ v: T1.Number(), n: T1.Optional(T1.Ref('A')) }) }, 'A'),
  int: () => T1.Integer({ minimum: 0, maximum: 9 }),
  fn: () => T1.Function([], T1.String()),
  codec: () =>
    T1.Codec(T1.String())
      .Decode((s: string) => s.length)
      .Encode((n: number) => String(n)),
  nested: () => T1.Object({ d: T1.Object({ e: T1.BigInt() }) }),
  mod: () => T1.Module({ A: T1.Object({ b: T1.Ref('B') }), B: T1.String() }).A,
  ref: () => T1.Ref('X'),
  never: () => T1.Never(),
  refine: () => T1.Refine(T1.String(), () => true),
  partial: () => T1.Partial(T1.Object({ a: T1.String() })),
};
