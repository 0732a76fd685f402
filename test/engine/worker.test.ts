import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import * as errors from '../../src/base/errors.js';
import { fromPlain, toPlain } from '../../src/engine/wire.js';
import { build } from '../cli/command.js';
import { type RandomModel, randomModel } from './models.js';

/** The package as built: a worker thread starts from a file that Node can read by itself. */
type Package = typeof import('../../src/index.js');
let built: Package;
let model: RandomModel;
let engine: Awaited<ReturnType<Package['createEngine']>>;
let local: typeof engine;
beforeAll(async () => {
  await build();
  built = (await import('../../dist/index.js' as string)) as Package;
  model = await randomModel();
  engine = await built.createEngine({ model: model.folder, worker: true });
  local = await built.createEngine({ model: model.folder, worker: false });
}, 180_000);
afterAll(async () => {
  await engine.close();
  await local.close();
  await model.remove();
});

const schema = z.object({
  name: z.string().max(8),
  n: z
    .int()
    .min(0)
    .max(99)
    .transform((v) => v * 2),
});

describe('an engine in a worker thread', () => {
  it('gives what an engine in this thread gives', async () => {
    for (const o of [{}, { temperature: 1, seed: 4 }, { temperature: 0.7, seed: 9, n: 2 }]) {
      const options = { prompt: 'hello', maxTokens: 60, ...o };
      const [a, b] = [await engine.generate(schema, options), await local.generate(schema, options)];
      expect(a.text).toBe(b.text);
      expect(a.value).toEqual(b.value);
      expect(a.choices?.map((c) => c.text)).toEqual(b.choices?.map((c) => c.text));
    }
  });
  it('streams', async () => {
    const s = engine.stream(schema, { prompt: 'hello', maxTokens: 60 });
    let text = '';
    for await (const t of s.textStream) text += t;
    expect(text).toBe((await s.result).text);
  });
  it('leaves the event loop free while it works', async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    await engine.generate({ type: 'string', minLength: 300 }, { prompt: 'x', maxTokens: 400 });
    clearInterval(timer);
    expect(turns).toBeGreaterThan(20);
  });
  it('aborts', async () => {
    const controller = new AbortController();
    const s = engine.stream(
      { type: 'string', minLength: 1500 },
      { prompt: 'x', maxTokens: 1800, signal: controller.signal },
    );
    for await (const e of s) if (e.type === 'token') controller.abort();
    expect((await s.result).finishReason).toBe('abort');
    expect((await engine.generate(schema, { prompt: 'x', signal: AbortSignal.abort() })).finishReason).toBe('abort');
  });
  it('errors keep their class and their place', async () => {
    await expect(engine.generate(built.gbnf('root ::= ('), { prompt: 'x' })).rejects.toMatchObject({
      line: 1,
      language: 'GBNF',
    });
    await expect(engine.generate(built.gbnf('root ::= ('), { prompt: 'x' })).rejects.toThrow(built.GrammarError);
    await expect(engine.generate({ type: 'nope' }, { prompt: 'x' })).rejects.toThrow(built.UnsupportedSchemaError);
    await expect(engine.generate(false, { prompt: 'x' })).rejects.toThrow(built.UnsatisfiableError);
    await expect(engine.generate(null, { prompt: 'word '.repeat(5000) })).rejects.toThrow(built.LimitError);
    await expect(engine.generate(null, { prompt: 'word '.repeat(5000) })).rejects.toThrow(/a longer context$/);
    await expect(built.createEngine({ model: '/nonexistent', worker: true })).rejects.toThrow(built.ModelError);
  });
  it('the stack of an error leads to who asked', async () => {
    async function whoAsked(): Promise<unknown> {
      return await engine.generate(false, { prompt: 'x' });
    }
    const error: unknown = await whoAsked().catch((e: unknown) => e);
    expect((error as Error).stack).toMatch(/^UnsatisfiableError: [\s\S]*whoAsked/);
  });
  it('schemas and variables cross as far as they are data', async () => {
    const odd = { type: 'boolean', note: () => 1 };
    expect(typeof (await engine.generate(odd, { prompt: 'x' })).value).toBe('boolean');
    const templateVariables = { now: () => 1 };
    await expect(engine.generate(odd, { prompt: 'x', templateVariables })).rejects.toThrow(built.OptionError);
  });
  it('metrics cross', async () => {
    const m = await engine.metrics();
    expect(m.prometheus).toMatch(/tokenloom_requests_total \d+/);
  });
  it('a worker that dies fails its requests with a typed error; the next request starts another', async () => {
    const own = await built.createEngine({ model: model.folder, worker: true });
    // The thread is found by what it is sent: the engine keeps it to itself.
    const threads = new Set<Worker>();
    const post = Worker.prototype.postMessage;
    Worker.prototype.postMessage = function (this: Worker, ...args: Parameters<typeof post>) {
      threads.add(this);
      return post.apply(this, args);
    };
    try {
      const running = own.generate({ type: 'string', minLength: 1500 }, { prompt: 'x', maxTokens: 1800 });
      const outcome = expect(running).rejects.toThrow(built.ModelError);
      while (threads.size === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      // An exception that nobody catches there.
      for (const thread of threads) post.call(thread, null);
      await outcome;
      expect((await own.generate(schema, { prompt: 'x', maxTokens: 60 })).value).toMatchObject({
        name: expect.any(String),
      });
    } finally {
      Worker.prototype.postMessage = post;
      await own.close();
    }
  });
});

describe('closing an engine with a thread', () => {
  it('figures that were asked for before are given', async () => {
    const own = await built.createEngine({ model: model.folder, worker: true });
    const [m] = await Promise.all([own.metrics(), own.close()]);
    expect(m.prometheus).toContain('tokenloom_requests_total');
    await expect(own.metrics()).rejects.toThrow(built.ModelError);
  });
  it('resolves where the thread cannot be started again', async () => {
    const lost = await randomModel();
    const own = await built.createEngine({ model: lost.folder, worker: true });
    const post = Worker.prototype.postMessage;
    let thread: Worker | undefined;
    Worker.prototype.postMessage = function (this: Worker, ...args: Parameters<typeof post>) {
      thread = this;
      return post.apply(this, args);
    };
    try {
      await own.metrics();
      const ended = new Promise((resolve) => thread?.once('exit', resolve));
      post.call(thread!, null);
      await ended;
    } finally {
      Worker.prototype.postMessage = post;
    }
    await lost.remove();
    const asked = expect(own.generate(schema, { prompt: 'x' })).rejects.toThrow(built.ModelError);
    await new Promise((resolve) => setTimeout(resolve, 1));
    await own.close();
    await asked;
  });
  it('each engine makes room for its own listener, and takes it back', async () => {
    const room = (): number => process.getMaxListeners() - process.listenerCount('exit');
    const before = room();
    const own = await built.createEngine({ model: model.folder, worker: true });
    expect(room()).toBe(before);
    await own.close();
    expect(room()).toBe(before);
  });
});

describe('a process that ends while its engine works', () => {
  it.each([
    ['leaves it idle', '', 0],
    ['calls process.exit in the middle of a step', 'process.exit(3)', 3],
    ['throws', "throw new Error('mine')", 1],
    ['closes it', 'void engine.close()', 0],
  ])(
    '%s',
    async (_, act, status) => {
      const program = `
      import { createEngine } from ${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)};
      const engine = await createEngine({ model: ${JSON.stringify(model.folder)} });
      const work = () => engine.generate({ type: 'string', minLength: 400 }, { prompt: 'x', maxTokens: 600 });
      if (${JSON.stringify(act)} === '') console.log((await work()).text.length > 400);
      else {
        for (let i = 0; i < 8; i++) work().catch(() => {});
        setTimeout(() => { ${act} }, 150);
      }`;
      const run = promisify(execFile);
      const ended = await run(process.execPath, ['--input-type=module', '-e', program], { timeout: 60_000 }).then(
        (r) => ({ code: 0, signal: null, ...r }),
        (error: { code: number; signal: string | null; stdout: string }) => error,
      );
      expect(ended).toMatchObject({ code: status, signal: null, stdout: act === '' ? 'true\n' : '' });
    },
    90_000,
  );

  const program = (act: string): string => `
      import { createEngine } from ${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)};
      process.on('exit', () => console.log(Date.now()));
      const engine = await createEngine({ model: ${JSON.stringify(model.folder)} });
      const work = () => engine.generate({ type: 'string', minLength: 400 }, { prompt: 'x', maxTokens: 600 });
      const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
      ${act}`;
  const execute = (text: string) =>
    promisify(execFile)(process.execPath, ['--input-type=module', '-e', text], { timeout: 60_000 });

  it('waits for a close that it awaits, requests or none', async () => {
    const act =
      "work().catch(() => console.log('ended')); await wait(50); await engine.close(); console.log('closed');";
    const { stdout } = await execute(program(act));
    expect(stdout).toMatch(/^ended\nclosed\n\d+\n$/);
  }, 90_000);

  it('does not wait for a thread that has ended', async () => {
    // The thread's end is told by an event, which cannot come while this loop runs.
    const act =
      'void engine.close(); await wait(1); const end = Date.now() + 1500; while (Date.now() < end); process.exit(0);';
    const { stdout } = await execute(program(act));
    expect(Date.now() - Number(stdout)).toBeLessThan(8000);
  }, 90_000);

  it('loading ends with what onProgress throws', async () => {
    for (const worker of [false, true]) {
      const onProgress = () => {
        throw new Error('my fault');
      };
      await expect(built.createEngine({ model: model.folder, worker, onProgress })).rejects.toThrow('my fault');
    }
  });

  it('aborts while the model loads', async () => {
    const controller = new AbortController();
    const loading = built.createEngine({ model: model.folder, worker: true, signal: controller.signal });
    setTimeout(() => controller.abort(new Error('no more')), 60);
    await expect(loading).rejects.toThrow('no more');
    await expect(built.createEngine({ worker: true, signal: AbortSignal.abort() })).rejects.toThrow('aborted');
  });
});

describe('errors as data', () => {
  it.each([
    new errors.GrammarError('JSON', [{ message: 'm', line: 1, column: 2, offset: 1, end: 2, hint: 'h' }], 'ab'),
    new errors.UnsupportedSchemaError('/a', 'k', 'r', 'h'),
    new errors.UnsupportedSchemaError('/a', 'k', 'r'),
    new errors.LimitError('w', 2, 1),
    new errors.LimitError('w', 2, 1, '/p'),
    new errors.UnsatisfiableError('r'),
    new errors.ModelError('i', 'e', 'g'),
    new errors.OptionError('o', 'e', 'g'),
    new TypeError('other'),
  ])('%s', (error) => {
    const back = fromPlain(structuredClone(toPlain(error)));
    expect(back.message).toBe(error.message);
    expect(back.name).toBe(error.name);
    if (!(error instanceof TypeError)) expect(back.constructor).toBe(error.constructor);
  });
});
