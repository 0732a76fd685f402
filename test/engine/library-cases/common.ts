/** Schemas by name, made when they are asked for. */
export type Cases = Readonly<Record<string, () => unknown>>;

/** As TypeScript compiles enums: a numeric one maps its values back to its names. */
export const Num = { A: 0, B: 1, 0: 'A', 1: 'B' } as const;
export const Str = { X: 'x', Y: 'y' } as const;
