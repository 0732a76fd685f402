/**
 * The handle of a step whose results already lie in host memory.
 */
import { OptionError } from '../base/errors.js';
import type { ExpertTrace, Sampled, SampleSpec, StepHandle } from '../decoder/model.js';
import type { DeviceSampler, LogitsPlace } from './sampling/device-sampler.js';

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

/** The handle of a step whose logits stay on the device until they are asked for. */
export class DeviceHandle implements StepHandle {
  private live = true;
  constructor(
    /** By row of the step and wanted position. */
    private readonly places: readonly (readonly LogitsPlace[])[],
    private readonly sampler: DeviceSampler,
    private readonly trace: ExpertTrace | undefined,
    readonly modelMs: number,
  ) {}

  async logits(row: number, position: number): Promise<Float32Array> {
    return this.sampler.read(this.place(row, position));
  }

  restricted(_row: number): boolean {
    return false;
  }

  async sample(specs: readonly SampleSpec[]): Promise<readonly Sampled[]> {
    return this.sampler.sample(specs, (s) => this.place(s.row, s.position));
  }

  experts(): Promise<ExpertTrace | undefined> {
    return Promise.resolve(this.trace);
  }

  release(): void {
    if (!this.live) return;
    this.live = false;
    for (const buffer of new Set(this.places.flat().map((p) => p.buffer))) this.sampler.release(buffer);
  }

  private place(row: number, position: number): LogitsPlace {
    const found = this.live ? this.places[row]?.[position] : undefined;
    if (found === undefined) {
      throw new OptionError('position', 'a wanted position of a live handle', `row ${row}, ${position}`);
    }
    return found;
  }
}
