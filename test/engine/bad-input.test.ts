import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import {
  GrammarError,
  LimitError,
  ModelError,
  OptionError,
  UnsatisfiableError,
  UnsupportedSchemaError,
} from '../../src/base/errors.js';
import { ValueError } from '../../src/base/value-error.js';
import { choice, gbnf, json } from '../../src/core.js';
import { createEngine } from '../../src/engine/create.js';
import { randomModel, sharedEngine } from './models.js';
import { base, person, prompt } from './requests.js';

const shared = sharedEngine();

describe('the prompt and the context', () => {
  it('a schema that does not fit is shortened, then left out, with a warning; only the own prompt raises an error', async () => {
    const small = await randomModel({ contextLength: 192 });
    const tight = await small.engine();
    try {
      const described = { ...person, description: 'words '.repeat(200) };
      const a = await tight.generate(described, { prompt: 'hi', maxTokens: 60 });
      expect(a.warnings.join()).toMatch(/shortened/);
      const wide = {
        type: 'object',
        properties: Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`property_${i}`, { type: 'boolean' }])),
        additionalProperties: false,
      };
      const b = await tight.generate(wide, { prompt: 'hi', maxTokens: 60 });
      expect(b.warnings.join()).toMatch(/left out/);
      await expect(tight.generate(person, { prompt: 'much too long '.repeat(300) })).rejects.toThrow(LimitError);
      await expect(tight.generate({ type: 'string', minLength: 500 }, { prompt: 'hi' })).rejects.toThrow(
        UnsatisfiableError,
      );
    } finally {
      await tight.close();
      await small.remove();
    }
  });
  it('bad options are OptionErrors', async () => {
    const bad: [unknown, unknown][] = [
      [person, {}],
      [person, { prompt, messages: [] }],
      [person, { messages: [] }],
      [person, { messages: [{ role: 'user' }] }],
      [person, { prompt, maxTokens: 0 }],
      [person, { prompt, temperature: -1 }],
      [person, { prompt, n: 0 }],
      [person, { prompt, n: 3, bestOf: 2 }],
      [person, { prompt, preset: 'nope' }],
      [person, { prompt, reasoning: 'x' }],
      [person, { prompt, reasoning: {} }],
      [person, { prompt, reasoning: { end: '</t>', budget: Number.NaN } }],
      [person, { prompt, reasoning: { end: '</t>', budget: -5 } }],
      [person, { prompt, speculation: { maxTokens: -1 } }],
      [person, { prompt, speculation: 3 }],
      [person, { prompt, priority: '5' }],
      [person, { prompt, tenant: 5 }],
      [person, { prompt, signal: 5 }],
      [null, { prompt, stop: 'x' }],
      [null, { prompt, stop: [1] }],
      [person, { prompt, reasoning: true }],
      [person, { prompt, signal: {} }],
      [person, { prompt, priority: Number.NaN }],
      [person, { prompt, system: 5 }],
      [person, { prompt, templateVariables: 5 }],
      [person, { prompt, showSchema: 'no' }],
      [person, { prompt, validate: 0 }],
      [person, { prompt, logitBias: { 99999999: 1 } }],
      [undefined, { prompt }],
      [42, { prompt }],
      [person, undefined],
    ];
    for (const [target, options] of bad)
      await expect(shared.engine.generate(target, options as never), JSON.stringify(options)).rejects.toThrow(
        OptionError,
      );
  });
});

describe('bad input gets its typed error with the place', () => {
  it('broken JSON: line and column', async () => {
    const e = await shared.engine.generate('{"type":\n "string",,}', base).catch((x: unknown) => x);
    expect(e).toBeInstanceOf(GrammarError);
    expect(e).toMatchObject({ line: 2 });
  });
  it('broken GBNF: line and column', async () => {
    const e = await shared.engine.generate(gbnf('root ::= "a"\nb ::= ('), base).catch((x: unknown) => x);
    expect(e).toBeInstanceOf(GrammarError);
    expect(e).toMatchObject({ line: 2 });
  });
  it('an unsatisfiable schema', async () => {
    await expect(shared.engine.generate({ type: 'string', minLength: 3, maxLength: 2 }, base)).rejects.toThrow(
      UnsatisfiableError,
    );
    await expect(shared.engine.generate(false, base)).rejects.toThrow(UnsatisfiableError);
    await expect(shared.engine.generate(choice([]), base)).rejects.toThrow(UnsatisfiableError);
  });
  it('a malformed schema: its pointer', async () => {
    const e = await shared.engine.generate({ properties: { a: { type: 'nope' } } }, base).catch((x: unknown) => x);
    expect(e).toBeInstanceOf(UnsupportedSchemaError);
    expect(e).toMatchObject({ pointer: '/properties/a/type' });
  });
  it('a refinement that fails: what it says, and the value', async () => {
    const e = await shared.engine
      .generate(
        z
          .string()
          .max(3)
          .refine(() => false, 'never good'),
        base,
      )
      .catch((x: unknown) => x);
    expect(e).toBeInstanceOf(ValueError);
    expect(e).toMatchObject({ issues: ['never good'], value: expect.any(String) });
  });
  it('a missing, empty or corrupt model folder', async () => {
    await expect(createEngine({ model: '/nonexistent/model' })).rejects.toThrow(ModelError);
    const folder = await mkdtemp(path.join(tmpdir(), 'tokenloom-bad-'));
    try {
      await expect(createEngine({ model: folder })).rejects.toThrow(ModelError);
      await mkdir(path.join(folder, 'onnx'));
      for (const name of ['config.json', 'tokenizer.json', 'onnx/model.onnx'])
        await writeFile(path.join(folder, name), 'garbage');
      await expect(createEngine({ model: folder })).rejects.toThrow(ModelError);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
  it('a name that is no folder: what it may have been meant to be', async () => {
    const load = (name: string) => createEngine({ model: name, worker: false });
    await expect(load('org/some-model')).rejects.toThrow(/'hf:org\/some-model'/);
    await expect(load('embeded')).rejects.toThrow(/'embedded'/);
    await (await load(pathToFileURL(shared.model.folder).href)).close();
  });
  it('options of the engine that are not known or of another kind', async () => {
    const bad: readonly unknown[] = [
      null,
      'embedded',
      { modle: 'x' },
      { model: 5 },
      { model: '' },
      { worker: 'yes' },
      { threads: -1 },
      { exact: 'x' },
      { onProgress: 5 },
      { signal: 5 },
      { kv: 5 },
      { kv: { block: 5 } },
      { scheduler: { maxrows: 1 } },
      { dtype: 'fp8' },
    ];
    for (const options of bad)
      await expect(createEngine(options as never), JSON.stringify(options)).rejects.toThrow(OptionError);
    await expect(createEngine({ modle: 'x' } as never)).rejects.toThrow(/'modle'.*'model'/);
  });
  it('a draft model of another vocabulary', async () => {
    await expect(createEngine({ model: shared.model.folder, draftModel: 'embedded' })).rejects.toThrow(ModelError);
  });
  it('bounds of the scheduler that nothing can keep, before a model is looked for', async () => {
    for (const scheduler of [{ batch: 0 }, { batch: '4' as 'all' }, { maxStepMs: 0 }, { maxStepMs: '5' as never }]) {
      await expect(createEngine({ model: 'no such model', worker: false, scheduler })).rejects.toThrow(OptionError);
    }
  });
  it('a closed engine', async () => {
    const other = await shared.model.engine();
    await other.close();
    await other.close();
    await expect(other.generate(person, base)).rejects.toThrow(ModelError);
  });
  it('json options travel with the constraint', async () => {
    const r = await shared.engine.generate(json(person, { whitespace: 'compact' }), base);
    // No whitespace outside strings.
    expect(r.text.replace(/"(?:[^"\\]|\\.)*"/g, '')).not.toMatch(/\s/);
  });
});
