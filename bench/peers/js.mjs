/**
 * One JavaScript engine over token sequences, as python/run.py does for the native ones: same input files, same output lines.
 * Run in a process of its own: `node js.mjs ENGINE VOCAB CASES`.
 */
import { createReadStream, readFileSync } from 'node:fs';
import { createRequire, register } from 'node:module';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const [engineName, vocabFile, casesFile] = process.argv.slice(2);
const vocab = JSON.parse(readFileSync(vocabFile, 'utf8'));
const bytes = vocab.tokens.map((t) => (t === null ? new Uint8Array(0) : new Uint8Array(Buffer.from(t, 'base64'))));

async function webXgrammar() {
  // Its WASM loader is written for CommonJS and looks for these as globals.
  globalThis.require = createRequire(import.meta.url);
  globalThis.__filename = fileURLToPath(import.meta.resolve('@mlc-ai/web-xgrammar'));
  globalThis.__dirname = dirname(globalThis.__filename);
  await import('@mlc-ai/web-xgrammar');
  const xgr = globalThis.xgrammar;
  // It takes tokens as text: the byte-level alphabet of GPT-2 spells any bytes.
  const table = byteLevel();
  const spelled = bytes.map((b) => Array.from(b, (x) => table[x]).join(''));
  const info = await xgr.TokenizerInfo.createTokenizerInfo(spelled, 'byte_level', false, spelled.length, [vocab.eos]);
  const compiler = await xgr.GrammarCompiler.createGrammarCompiler(info, false);
  return {
    version: '0.1.27',
    async compile(schema) {
      const compiled = await compiler.compileJSONSchema(JSON.stringify(schema), true, 2, [',', ':'], false);
      const m = await xgr.GrammarMatcher.createGrammarMatcher(compiled);
      await m.getNextTokenBitmask();
      m.dispose();
      return compiled;
    },
    start: (compiled) => xgr.GrammarMatcher.createGrammarMatcher(compiled),
    async step(m, token) {
      const mask = await m.getNextTokenBitmask();
      return ((mask[token >> 5] >>> (token & 31)) & 1) === 1 && m.acceptToken(token);
    },
    async accepting(m) {
      if (m.isTerminated()) return true;
      const mask = await m.getNextTokenBitmask();
      return ((mask[vocab.eos >> 5] >>> (vocab.eos & 31)) & 1) === 1;
    },
    end: (m) => m.dispose(),
    drop: (compiled) => compiled.dispose(),
  };
}

function byteLevel() {
  const out = [];
  let n = 0;
  for (let b = 0; b < 256; b++) {
    const plain = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
    out[b] = String.fromCodePoint(plain ? b : 256 + n++);
  }
  return out;
}

/** Its constraint engine is inside a logits processor; the processor's base classes are all that it takes of transformers.js. */
async function huggingFace() {
  const stub = `export class LogitsProcessor {} export class LogitsProcessorList { constructor() { this.processors = []; } push(p) { this.processors.push(p); } }`;
  const loader = `export const resolve = (spec, context, next) => spec === '@huggingface/transformers'
    ? { url: 'data:text/javascript,' + ${JSON.stringify(encodeURIComponent(stub))}, shortCircuit: true } : next(spec, context);`;
  register(`data:text/javascript,${encodeURIComponent(loader)}`);
  const { StructuredOutputProcessor } = await import('@huggingface/transformers-structured-output');
  const specials = vocab.tokens.flatMap((t, id) => (t === null ? [id] : []));
  const tokenizer = { tokens: bytes, eos_token_id: vocab.eos, special_token_ids: specials };
  StructuredOutputProcessor.warmup(tokenizer);
  const mask = new Uint32Array(Math.ceil(bytes.length / 32));
  const start = (schema) =>
    new StructuredOutputProcessor(tokenizer, { type: 'json_schema', json_schema: schema }).processors[0].state.constraint;
  return {
    version: '4.3.0',
    async compile(schema) {
      start(schema).fillMask(mask);
      return schema;
    },
    start,
    step(m, token) {
      m.fillMask(mask);
      if (((mask[token >> 5] >>> (token & 31)) & 1) === 0) return false;
      m.commit(token);
      return true;
    },
    accepting(m) {
      m.fillMask(mask);
      return ((mask[vocab.eos >> 5] >>> (vocab.eos & 31)) & 1) === 1;
    },
    end() {},
    drop() {},
  };
}

const engines = { 'web-xgrammar': webXgrammar, 'hf-structured-output': huggingFace };
const make = engines[engineName];
if (make === undefined) throw new Error(`unknown engine ${engineName}`);
const began = performance.now();
const engine = await make();
const say = (x) => process.stdout.write(`${JSON.stringify(x)}\n`);
say({ engine: engineName, version: engine.version, setupMs: Math.round(performance.now() - began) });
/** As ours are timed: the lesser of wall and processor time, microseconds (bench/mask/stats.ts). */
let cpu = process.cpuUsage();
let wall = 0;
const start = () => {
  cpu = process.cpuUsage();
  wall = performance.now();
};
const stop = () => {
  const us = (performance.now() - wall) * 1000;
  if (us < 10) return us;
  const { user, system } = process.cpuUsage(cpu);
  return Math.min(us, user + system);
};
for await (const line of createInterface({ input: createReadStream(casesFile) })) {
  const c = JSON.parse(line);
  try {
    start();
    const compiled = await engine.compile(c.schema);
    const compileUs = stop();
    const us = [];
    let wrong = 0;
    for (const test of c.tests) {
      const m = await engine.start(compiled);
      let ok = true;
      for (const token of test.tokens) {
        start();
        ok = await engine.step(m, token);
        us.push(Math.round(stop() * 100) / 100);
        if (!ok) break;
      }
      if ((ok && (await engine.accepting(m))) !== test.valid) wrong++;
      engine.end(m);
    }
    engine.drop(compiled);
    say({ id: c.id, compileUs, us, wrong });
  } catch (error) {
    say({ id: c.id, error: String(error?.message ?? error).slice(0, 120) });
  }
}
