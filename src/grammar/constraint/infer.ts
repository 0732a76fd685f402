/**
 * The TypeScript type of the values that a schema describes: the declared output type of schema libraries (Standard Schema's
 * `types.output`, TypeBox's `static`), else read off a JSON Schema literal. What is not understood is `unknown`, never `any`. Types only.
 */

/** The result type for anything that `json` takes. */
export type Infer<S> = S extends { readonly '~standard': { readonly types?: infer T | undefined } }
  ? NonNullable<T> extends { readonly output: infer O }
    ? O
    : unknown
  : S extends { readonly static: infer T }
    ? T
    : S extends string
      ? unknown
      : FromSchema<S>;

/** The type of the JSON itself, before what a schema library makes of it (Standard Schema's `types.input`). */
export type InferInput<S> = S extends { readonly '~standard': { readonly types?: infer T | undefined } }
  ? NonNullable<T> extends { readonly input: infer I }
    ? I
    : unknown
  : Infer<S>;

/** The type of a JSON Schema written as a literal. */
export type FromSchema<S> = S extends true
  ? unknown
  : S extends false
    ? never
    : S extends { readonly const: infer C }
      ? Plain<C>
      : S extends { readonly enum: readonly (infer E)[] }
        ? Plain<E>
        : S extends { readonly anyOf: readonly (infer B)[] }
          ? Each<B>
          : S extends { readonly oneOf: readonly (infer B)[] }
            ? Each<B>
            : S extends { readonly allOf: readonly [infer A, ...infer R] }
              ? FromSchema<A> & (R extends readonly [] ? unknown : FromSchema<{ readonly allOf: R }>)
              : S extends { readonly type: readonly (infer T)[] }
                ? T extends string
                  ? ByType<T, S>
                  : unknown
                : S extends { readonly type: infer T }
                  ? ByType<T, S>
                  : S extends { readonly properties: object }
                    ? Members<S>
                    : unknown;

type Each<B> = B extends unknown ? FromSchema<B> : never;

type ByType<T, S> = T extends 'string'
  ? string
  : T extends 'number' | 'integer'
    ? number
    : T extends 'boolean'
      ? boolean
      : T extends 'null'
        ? null
        : T extends 'array'
          ? Items<S>
          : T extends 'object'
            ? Members<S>
            : unknown;

type Items<S> = S extends { readonly prefixItems: infer P extends readonly unknown[] }
  ? Tuple<P, S>
  : S extends { readonly items: infer I }
    ? FromSchema<I>[]
    : unknown[];

type Tuple<P extends readonly unknown[], S> = S extends { readonly minItems: number }
  ? S extends { readonly items: false }
    ? { -readonly [K in keyof P]: FromSchema<P[K]> }
    : unknown[]
  : unknown[];

type Members<S> = S extends { readonly properties: infer P extends object }
  ? Simplify<
      { -readonly [K in keyof P as K extends RequiredKeys<S> ? K : never]: FromSchema<P[K]> } & {
        -readonly [K in keyof P as K extends RequiredKeys<S> ? never : K]?: FromSchema<P[K]>;
      }
    >
  : S extends { readonly additionalProperties: infer A }
    ? A extends false
      ? Record<string, never>
      : Record<string, FromSchema<A>>
    : Record<string, unknown>;

type RequiredKeys<S> = S extends { readonly required: readonly (infer R)[] } ? R : never;

/** Read-only literals to the values that JSON.parse gives. */
type Plain<C> = C extends readonly unknown[]
  ? { -readonly [K in keyof C]: Plain<C[K]> }
  : C extends object
    ? { -readonly [K in keyof C]: Plain<C[K]> }
    : C;

type Simplify<T> = { [K in keyof T]: T[K] };
