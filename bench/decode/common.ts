/** What the parts of the decode bench share: timing, the models, printing. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type LlamaFolderOptions, writeLlamaFolder } from '../../src/runtime/onnx/llama-writer.js';

/** Shape of the embedded dense model's class: 8.4 M parameters. */
export const DENSE = {
  layers: 6,
  hidden: 320,
  heads: 10,
  kvHeads: 2,
  inner: 896,
  vocab: 4096,
  contextLength: 2048,
  attention: 'gqa',
  weights: 'int8',
  seed: 1,
} as const satisfies LlamaFolderOptions;

/**
 * Two clocks: wall time, and processor time of the whole process. Machines here are shared, so ratios are of processor time (sessions run on
 * one thread); both are printed.
 */
export interface Spent {
  readonly wallMs: number;
  readonly cpuMs: number;
}

export async function timed<T>(run: () => Promise<T>): Promise<{ readonly value: T; readonly spent: Spent }> {
  const wall = performance.now();
  const cpu = process.cpuUsage();
  const value = await run();
  const { user, system } = process.cpuUsage(cpu);
  return { value, spent: { wallMs: performance.now() - wall, cpuMs: (user + system) / 1000 } };
}

export async function withFolder<T>(options: LlamaFolderOptions, use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), 'tokenloom-bench-'));
  try {
    await writeLlamaFolder(folder, options);
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export interface Line {
  readonly part: string;
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What the issue asks for, where it does. */
  readonly target?: string;
  readonly met?: boolean;
  readonly note?: string;
}

export function show(line: Line): void {
  const target = line.target === undefined ? '' : `  (target ${line.target}: ${line.met === true ? 'met' : 'missed'})`;
  const value = Number.isInteger(line.value) ? String(line.value) : line.value.toFixed(3);
  console.log(
    `${line.part.padEnd(12)} ${line.name.padEnd(58)} ${value.padStart(10)} ${line.unit}${target}${line.note === undefined ? '' : `  ${line.note}`}`,
  );
}
