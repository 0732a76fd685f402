/** Types of what a stream shows of a value that is still being written. */

/**
 * What may be there of a value so far: texts as far as they are written (of an enum too), members and items that have begun, numbers and literals once they
 * are whole. What is not known stays `unknown`.
 */
export type PartialValue<J> = unknown extends J
  ? unknown
  : J extends string
    ? string
    : J extends number | boolean | null
      ? J
      : J extends readonly (infer I)[]
        ? PartialValue<I>[]
        : J extends Date | bigint | undefined | ((...args: never) => unknown)
          ? unknown
          : J extends object
            ? { [K in keyof J]?: PartialValue<J[K]> }
            : unknown;

/** An item of an array, whole. */
export type ItemOf<J> = unknown extends J ? unknown : J extends readonly (infer I)[] ? I : never;
