/**
 * The model under test as this suite drives it: the engine's own service, with measured matchers and a model that can be steered.
 */
import { createHash } from 'node:crypto';
import { open, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Job, JobEvent, Outcome } from '../engine/job.js';
import { buildPrompt } from '../engine/prompt.js';
import { LocalService } from '../engine/service.js';
import { type Target, targetOf } from '../engine/target.js';
import { type CompiledGrammar, Matcher, type Vocabulary } from '../fsm/index.js';
import { gbnf, json } from '../grammar/constraint/index.js';
import { loadModel } from '../runtime/load.js';
import type { LoadedModel, LoadOptions } from '../runtime/types.js';
import { SteeredModel, type Steering } from './steered-model.js';
import { type MatcherAccount, newAccount, TimedMatcher } from './timed-matcher.js';
import type { BenchRequest } from './types.js';

export interface Answer {
  readonly outcome: Outcome;
  readonly account: MatcherAccount;
  readonly cpuMs: number;
}

export class Session {
  readonly loaded: LoadedModel;
  readonly model: SteeredModel;
  readonly #service: LocalService;
  #account = newAccount();

  private constructor(loaded: LoadedModel) {
    this.model = new SteeredModel(loaded.model);
    this.loaded = { ...loaded, model: this.model };
    this.#service = new LocalService(this.loaded, {}, undefined, (m) => new TimedMatcher(m, this.#account));
  }

  static async open(source: string, options: LoadOptions): Promise<Session> {
    return Session.of(await loadModel(source, options));
  }

  static of(loaded: LoadedModel): Session {
    return new Session(loaded);
  }

  get vocabulary(): Vocabulary {
    return this.loaded.vocabulary;
  }

  /** Runs one job alone (batch 1). */
  async run(job: Job, steering?: Steering, onEvent?: (event: JobEvent) => void): Promise<Answer> {
    this.#account = newAccount();
    this.model.steer(steering);
    const cpu = process.cpuUsage();
    const outcome = await this.#service.run(job, undefined, onEvent);
    const { user, system } = process.cpuUsage(cpu);
    return { outcome, account: this.#account, cpuMs: (user + system) / 1000 };
  }

  /** The constraint compiled and its first mask made: what a first request waits for. */
  prepare(target: Target): { readonly grammar: CompiledGrammar; readonly ms: number; readonly cpuMs: number } {
    const start = performance.now();
    const cpu = process.cpuUsage();
    if (target.constraint === undefined) throw new TypeError('a request without a constraint');
    const { grammar } = this.#service.compile(target.constraint);
    const matcher = new Matcher(grammar, this.vocabulary);
    matcher.fillMask(new Uint32Array((this.vocabulary.size + 31) >>> 5));
    const { user, system } = process.cpuUsage(cpu);
    return { grammar, ms: performance.now() - start, cpuMs: (user + system) / 1000 };
  }

  /** A job's prompt as the service builds it. */
  prompt({ messages, shown, tools, maxTokens = 1 }: Job): number[] {
    const { contextLength } = this.model;
    const reserve = Math.min(maxTokens, contextLength >> 2);
    const { chat, tokenizer } = this.loaded;
    return buildPrompt({ messages, schema: shown, tools, reserve }, chat, tokenizer, contextLength).tokens;
  }

  async close(): Promise<void> {
    await this.#service.close();
  }
}

/** What a request asks for, as the engine takes it. */
export function requestTarget(request: BenchRequest): Target {
  if (request.tools !== undefined) return targetOf(null, { tools: request.tools });
  if (request.grammar !== undefined) return targetOf(gbnf(request.grammar, { root: request.root }), {});
  return targetOf(json(request.schema), {});
}

/** Tells model folders apart: names, sizes, and the beginning of each file. */
export async function fingerprint(folder: string | undefined): Promise<string> {
  if (folder === undefined) return 'in memory';
  const hash = createHash('sha256');
  const files = (await readdir(folder, { recursive: true })).sort();
  for (const name of files) {
    const file = path.join(folder, name);
    const { size } = await stat(file);
    if (!(await stat(file)).isFile() || !/\.(onnx|json|onnx_data|data)$/.test(name)) continue;
    hash.update(`${name.split(path.sep).join('/')} ${size}\n`);
    const handle = await open(file);
    try {
      const buffer = Buffer.alloc(Math.min(size, 8 << 20));
      await handle.read(buffer, 0, buffer.length, 0);
      hash.update(buffer);
    } finally {
      await handle.close();
    }
  }
  return hash.digest('hex').slice(0, 16);
}
