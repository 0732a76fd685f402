/**
 * Bytes that cross between host and device, counted where sessions run: what goes in as feeds in host memory, what comes back as
 * outputs. One object is shared by all sessions of a model. Weights are not counted, they cross once.
 */
export class Traffic {
  toDevice = 0;
  fromDevice = 0;
  runs = 0;

  /** The counters now, as a value. */
  now(): { readonly toDevice: number; readonly fromDevice: number; readonly runs: number } {
    return { toDevice: this.toDevice, fromDevice: this.fromDevice, runs: this.runs };
  }
}
