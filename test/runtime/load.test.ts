/** Loading: layouts, file choice, EOS ids, templates, external data, and one typed error per thing that can be wrong. */
import { mkdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { LimitError, ModelError, OptionError } from '../../src/base/errors.js';
import { chooseGraph, dataFiles, readFolder } from '../../src/runtime/folder.js';
import { embeddedFolder, loadModel } from '../../src/runtime/load.js';
import { externalize } from '../../src/runtime/onnx/external.js';
import { writeLlamaFolder } from '../../src/runtime/onnx/llama-writer.js';
import { decodeModel, encodeModel } from '../../src/runtime/onnx/proto.js';
import { floatTensor } from '../../src/runtime/onnx/tensor.js';
import { BASE, difference, prefill, someTokens, withFolder, withModel } from './models.js';

const kv = { bytes: 2 ** 22 };

async function edit(folder: string, file: string, change: (json: Record<string, unknown>) => void): Promise<void> {
  const name = path.join(folder, file);
  const json = JSON.parse(await readFile(name, 'utf8')) as Record<string, unknown>;
  change(json);
  await writeFile(name, JSON.stringify(json));
}

const inFolder = (run: (folder: string) => Promise<void>) => () =>
  withFolder(async (folder) => {
    await writeLlamaFolder(folder, BASE);
    await run(folder);
  });

describe('file choice', () => {
  const files = [
    'onnx/model.onnx',
    'onnx/model.onnx_data',
    'onnx/model.onnx_data_1',
    'onnx/model_q4.onnx',
    'onnx/model_q4f16.onnx',
  ];
  it('goes by dtype', () => {
    expect(chooseGraph('x', files, 'auto')).toBe('onnx/model.onnx');
    expect(chooseGraph('x', files, 'q4')).toBe('onnx/model_q4.onnx');
    expect(chooseGraph('x', files.slice(3), 'auto')).toBe('onnx/model_q4.onnx');
    expect(chooseGraph('x', ['model_int8.onnx'], 'auto')).toBe('model_int8.onnx');
    expect(() => chooseGraph('x', files, 'fp16')).toThrow(/'fp16' model, got only onnx\/model\.onnx/);
    expect(() => chooseGraph('x', ['config.json'], 'auto')).toThrow(/no \.onnx file/);
  });
  it('takes the data of that graph alone', () => {
    expect(dataFiles('onnx/model.onnx', files)).toEqual(['onnx/model.onnx_data', 'onnx/model.onnx_data_1']);
    expect(dataFiles('model.onnx', ['model.onnx.data', 'model.onnx'])).toEqual(['model.onnx.data']);
  });
});

describe('folders', () => {
  it('of the Hugging Face layout', () =>
    withModel({}, { kv }, async ({ info, tokenizer, chat, vocabulary }) => {
      expect(info).toMatchObject({ layout: 'huggingface', form: 'paged', device: 'cpu', eos: [2], bos: 1 });
      const text = chat.render([{ role: 'user', content: 'Größe {"a": 1}\n' }], { toolsJson: '[]' });
      expect(text).toBe('<|bos|><|tools|>[]<|end|><|user|>Größe {"a": 1}\n<|end|><|assistant|>');
      const ids = tokenizer.encode(text);
      expect(ids[0]).toBe(1);
      expect(tokenizer.decode(ids, { skipSpecials: false })).toBe(text);
      expect(new TextDecoder().decode(vocabulary.decode(tokenizer.encode('Größe 😀')))).toBe('Größe 😀');
    }));

  it(
    'of the onnxruntime-genai layout, with names of their own',
    inFolder(async (folder) => {
      const model = decodeModel(await readFile(path.join(folder, 'onnx/model.onnx')));
      const rename_ = (n: string): string =>
        n.replace('input_ids', 'tokens').replace('past_key_values', 'past').replace('present', 'now');
      for (const node of model.graph?.node ?? []) {
        node.input = node.input.map(rename_);
        node.output = node.output.map(rename_);
      }
      for (const i of [...(model.graph?.input ?? []), ...(model.graph?.output ?? [])]) i.name = rename_(i.name ?? '');
      await writeFile(path.join(folder, 'decoder.onnx'), encodeModel(model));
      for (const f of ['onnx', 'config.json', 'generation_config.json'])
        await rm(path.join(folder, f), { recursive: true });
      await edit(folder, 'genai_config.json', (json) => {
        const m = json.model as Record<string, Record<string, unknown>>;
        const d = m.decoder as Record<string, Record<string, string>>;
        (d as Record<string, unknown>).filename = 'decoder.onnx';
        for (const part of [d.inputs, d.outputs])
          for (const k of Object.keys(part ?? {})) part![k] = rename_(part![k] ?? '');
        m.eos_token_id = [2, 5] as never;
      });
      const loaded = await loadModel(folder, { kv });
      expect(loaded.info).toMatchObject({ layout: 'genai', form: 'paged', eos: [2, 5], contextLength: 192 });
      await prefill(loaded.model, someTokens(5));
      await loaded.model.dispose();
    }),
  );

  it(
    'ends where the template ends turns, if no file says so',
    inFolder(async (folder) => {
      for (const file of ['generation_config.json', 'genai_config.json']) await rm(path.join(folder, file));
      await edit(folder, 'config.json', (j) => {
        j.eos_token_id = 0;
      });
      const { info, model, chat } = await loadModel(folder);
      expect(chat.behindAnswer).toBe('<|end|>');
      expect(info.eos).toEqual([0, 2]);
      expect(info.warnings.join()).toContain('the template ends turns by <|end|>');
      await model.dispose();
    }),
  );

  it(
    'collects EOS ids from generation_config, else config, else the token name',
    inFolder(async (folder) => {
      await edit(folder, 'generation_config.json', (j) => {
        j.eos_token_id = [2, 6];
      });
      expect((await readFolder(folder)).eos).toEqual([2, 6]);
      await rm(path.join(folder, 'generation_config.json'));
      await rm(path.join(folder, 'genai_config.json'));
      expect((await readFolder(folder)).eos).toEqual([2]);
      await edit(folder, 'config.json', (j) => {
        j.eos_token_id = undefined;
        j.tokenloom = { whitespace: 'compact' };
      });
      const read = await readFolder(folder);
      expect([read.eos, read.whitespace]).toEqual([[2], 'compact']);
      await edit(folder, 'tokenizer_config.json', (j) => {
        j.eos_token = undefined;
      });
      await expect(readFolder(folder)).rejects.toThrow(/eos_token_id in generation_config/);
    }),
  );

  it(
    'take templates from chat_template.jinja, lists of templates, or none',
    inFolder(async (folder) => {
      await writeFile(path.join(folder, 'chat_template.jinja'), '{{ messages[0].content }}!{{ enable_thinking }}');
      let loaded = await loadModel(folder, { kv });
      expect(loaded.chat.render([{ role: 'user', content: 'a' }], { variables: { enable_thinking: 1 } })).toBe('a!1');
      await loaded.model.dispose();
      await rm(path.join(folder, 'chat_template.jinja'));
      await edit(folder, 'tokenizer_config.json', (j) => {
        j.chat_template = [
          { name: 'default', template: 'plain' },
          { name: 'tool_use', template: 'tools {{ raise_exception("no ' + 'way") }}' },
        ];
      });
      loaded = await loadModel(folder, { kv });
      expect(loaded.chat.render([{ role: 'user', content: 'a' }])).toBe('plain');
      expect(() => loaded.chat.render([], { tools: [] })).toThrow(
        /chat template that takes these messages, got .*no way/,
      );
      await loaded.model.dispose();
      await edit(folder, 'tokenizer_config.json', (j) => {
        j.chat_template = undefined;
      });
      loaded = await loadModel(folder, { kv });
      expect(loaded.chat.hasTemplate).toBe(false);
      expect(loaded.chat.render([{ role: 'user', content: 'a' }])).toBe('a\n');
      await loaded.model.dispose();
    }),
  );

  it(
    'with external data, plainly and as links into a blob folder',
    inFolder(async (folder) => {
      const file = path.join(folder, 'onnx/model.onnx');
      const whole = await loadModel(folder, { kv });
      const expected = (await prefill(whole.model, someTokens(20))).logits[0]!;
      await whole.model.dispose();
      const model = decodeModel(await readFile(file));
      await writeFile(`${file}_data`, externalize(model, 'model.onnx_data'));
      await writeFile(file, encodeModel(model));
      const blobs = path.join(folder, 'blobs');
      for (const linked of [false, true]) {
        if (linked) {
          await mkdir(blobs);
          for (const name of ['model.onnx', 'model.onnx_data']) {
            await rename(path.join(folder, 'onnx', name), path.join(blobs, name.length.toString(16)));
            await symlink(path.join('..', 'blobs', name.length.toString(16)), path.join(folder, 'onnx', name));
          }
        }
        for (const form of ['paged', 'contiguous'] as const) {
          const loaded = await loadModel(folder, { kv: { ...kv, form } });
          expect(loaded.info.form).toBe(form);
          expect(difference((await prefill(loaded.model, someTokens(20))).logits[0]!, expected)).toBeLessThan(1e-4);
          await loaded.model.dispose();
        }
      }
    }),
  );

  it('come with the package; nothing stands in for one that is not there', async () => {
    for (const name of ['embedded', 'embedded-moe'] as const)
      expect(await embeddedFolder(name)).toMatch(new RegExp(`models/${name}$`));
    await expect(embeddedFolder('embedded', '/nonexistent')).rejects.toThrow(/leave 'tokenloom' external/);
  });
});

it('options of no meaning are OptionErrors, before a model is looked for', async () => {
  const kv: unknown[] = [
    ...[0, -1, 1.5, Number.NaN, '8'].map((blocks) => ({ blocks })),
    ...[0, Number.NaN, '8'].map((bytes) => ({ bytes })),
    { form: 'x' },
    { dtype: 'f16' },
    { swap: { memory: Number.NaN } },
    { swap: { file: -1 } },
  ];
  for (const options of [...kv.map((part) => ({ kv: part })), { device: 'tpu' }]) {
    await expect(loadModel('no such folder', options as never), JSON.stringify(options)).rejects.toThrow(OptionError);
  }
  await withModel({}, {}, async ({ info }) => {
    await expect(loadModel(info.folder!, { kv: { blocks: 1e12 } })).rejects.toThrow(LimitError);
  });
});

describe('what is wrong is named', () => {
  const fails = (change: (folder: string) => Promise<unknown>, pattern: RegExp) =>
    inFolder(async (folder) => {
      await change(folder);
      const error = await loadModel(folder, { kv }).then(
        () => undefined,
        (e: unknown) => e,
      );
      expect(error).toBeInstanceOf(ModelError);
      expect((error as Error).message).toMatch(pattern);
    });
  const put = (file: string, text: string) => (folder: string) => writeFile(path.join(folder, file), text);

  it('no folder', async () => {
    await expect(loadModel('/no/such/folder')).rejects.toThrow(/a model folder, got nothing there/);
  });
  it(
    'no configuration',
    fails(async (f) => {
      await rm(path.join(f, 'config.json'));
      await rm(path.join(f, 'genai_config.json'));
    }, /config\.json or genai_config\.json/),
  );
  it(
    'no tokenizer',
    fails((f) => rm(path.join(f, 'tokenizer.json')), /tokenizer\.json: .*nothing there/),
  );
  it(
    'no graph',
    fails((f) => rm(path.join(f, 'onnx/model.onnx')), /an ONNX model .* no \.onnx file/),
  );
  it('broken JSON', fails(put('config.json', '{"a": '), /config\.json: expected JSON/));
  it('JSON of another type', fails(put('generation_config.json', '[1]'), /a JSON object, got an array/));
  it('a tokenizer of no known type', fails(put('tokenizer.json', '{"model":{"type":"?"}}'), /tokenizer\.json/));
  it('a template that does not parse', fails(put('chat_template.jinja', '{% if %}'), /a chat template that parses/));
  it('an empty graph', fails(put('onnx/model.onnx', ''), /model\.onnx: .*empty file/));
  it(
    'a pointer file of git LFS',
    fails(put('onnx/model.onnx', 'version https://git-lfs\noid sha256:00\n'), /model\.onnx: expected/),
  );
  it(
    'a cut graph',
    fails((f) => truncate(path.join(f, 'onnx/model.onnx'), 30_000), /model\.onnx: expected .* at byte/),
  );
  it(
    'a graph that is no decoder',
    fails(async (f) => {
      const file = path.join(f, 'onnx/model.onnx');
      const model = decodeModel(await readFile(file));
      for (const o of model.graph?.output ?? []) if (o.name === 'logits') o.name = 'scores';
      await writeFile(file, encodeModel(model));
    }, /input_ids and logits/),
  );
  it(
    'operators that do not exist',
    fails(async (f) => {
      const file = path.join(f, 'onnx/model.onnx');
      const model = decodeModel(await readFile(file));
      for (const n of model.graph?.node ?? []) if (n.opType === 'Sigmoid') n.opType = 'Sigmoidal';
      await writeFile(file, encodeModel(model));
    }, /ONNX Runtime can run on 'cpu'.*Sigmoidal/s),
  );
  it(
    'fewer logits than tokens',
    fails(async (f) => {
      await writeLlamaFolder(path.join(f, 'small'), { ...BASE, vocab: 300 });
      await rename(path.join(f, 'small/onnx/model.onnx'), path.join(f, 'onnx/model.onnx'));
    }, /logits for the tokenizer's 384 tokens, got 300/),
  );
  it(
    'a graph named outside the folder',
    fails(async (f) => {
      await rm(path.join(f, 'config.json'));
      await edit(f, 'genai_config.json', (j) => {
        (j.model as Record<string, Record<string, unknown>>).decoder!.filename = '../x.onnx';
      });
    }, /a file inside the folder/),
  );

  it(
    'a device that is not there',
    inFolder(async (folder) => {
      await expect(loadModel(folder, { device: 'cuda' })).rejects.toThrow(/CUDA and cuDNN libraries.*device 'cuda'/);
    }),
  );

  it(
    'paged form asked for and impossible',
    inFolder(async (folder) => {
      const file = path.join(folder, 'onnx/model.onnx');
      const model = decodeModel(await readFile(file));
      model.graph?.initializer.push(floatTensor('bias', [1, 1, 1, 1], new Float32Array(1)));
      for (const n of model.graph?.node ?? []) if (n.opType === 'GroupQueryAttention') n.input.push('', 'bias');
      await writeFile(file, encodeModel(model));
      await expect(loadModel(folder, { kv: { ...kv, form: 'paged' } })).rejects.toThrow(/attention_bias/);
      const loaded = await loadModel(folder, { kv });
      expect(loaded.info.form).toBe('contiguous');
      expect(loaded.info.warnings).toEqual([expect.stringMatching(/cannot be rewritten .*attention_bias/)]);
      await loaded.model.dispose();
    }),
  );

  it(
    'nothing, when it was aborted',
    inFolder(async (folder) => {
      await expect(loadModel(folder, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
    }),
  );
});
