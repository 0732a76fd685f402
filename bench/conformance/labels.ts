/**
 * Labels of MaskBench that are wrong by the specification, arbitrated one by one: at most ten. A label listed here is not counted
 * either way; everything else is.
 */
export interface Arbitrated {
  readonly id: string;
  /** Index of the instance among the schema's tests. */
  readonly test: number;
  readonly reason: string;
}

export const ARBITRATED: readonly Arbitrated[] = [
  {
    id: 'Github_easy---o24544',
    test: 3,
    reason:
      'labelled invalid for a property beside the declared ones, but the object is open (no additionalProperties)',
  },
];
