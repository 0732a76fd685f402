/**
 * The handle of a step whose results already lie in host memory.
 */
import { OptionError } from '../base/errors.js';
import type { ExpertTrace, Sampled, SampleSpec, StepHandle } from '../decoder/model.js';

export interface HostRow {
  /** One array per wanted position. */
  readonly logits: readonly Float32Array[];
  readonly restricted: boolean;
}

export class HostHandle implements StepHandle {
  private rows: readonly HostRow[];
  constructor(
    rows: readonly HostRow[],
    private readonly trace: ExpertTrace | undefined,
    readonly modelMs: number,
  ) {
    this.rows = rows;
  }

  logits(row: number, position: number): Promise<Float32Array> {
    const found = this.rows[row]?.logits[position];
    if (found !== undefined) return Promise.resolve(found);
    return Promise.reject(new OptionError('position', 'a wanted position of a live handle', `row ${row}, ${position}`));
  }

  restricted(row: number): boolean {
    return this.rows[row]?.restricted ?? false;
  }

  sample(_specs: readonly SampleSpec[]): Promise<readonly Sampled[]> {
    return Promise.reject(
      new OptionError('sample', 'a model that samples (StepModel.samples)', 'one that returns logits'),
    );
  }

  experts(): Promise<ExpertTrace | undefined> {
    return Promise.resolve(this.trace);
  }

  release(): void {
    this.rows = [];
  }
}
