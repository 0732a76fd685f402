/**
 * One engine over the requests of bench/reliability/peers.ts, in a process of its own: `node engine.mjs NAME MODEL` reads a JSON array of
 * {id, schema, prompt (token ids), maxTokens} from standard input and prints a JSON line for each: {id, text, tokens, ms, cut} or {id, refused}.
 * Greedy, one thread, a new grammar for each request; the time is from the schema to the last token, prefill included.
 */
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const [name, model] = process.argv.slice(2);
const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const requests = JSON.parse(Buffer.concat(chunks).toString('utf8'));

const versionOf = (pkg) => {
  const folder = join(dirname(fileURLToPath(import.meta.url)), 'node_modules', pkg);
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version;
};

async function llamaCpp() {
  const { getLlama, LlamaCompletion } = await import('node-llama-cpp');
  const llama = await getLlama({ gpu: false, build: 'never', skipDownload: true, progressLogs: false, logLevel: 'disabled', maxThreads: 1 });
  const loaded = await llama.loadModel({ modelPath: model });
  const context = await loaded.createContext({ contextSize: 2048, threads: 1 });
  return {
    version: `by node-llama-cpp ${versionOf('node-llama-cpp')}`,
    async run({ schema, prompt, maxTokens }) {
      const sequence = context.getSequence();
      const completion = new LlamaCompletion({ contextSequence: sequence });
      try {
        const grammar = await llama.createGrammarForJsonSchema(schema);
        let tokens = 0;
        const { response, metadata } = await completion.generateCompletionWithMeta(prompt, {
          grammar,
          maxTokens,
          temperature: 0,
          onToken: (chunk) => {
            tokens += chunk.length;
          },
        });
        return { text: response, tokens, cut: metadata.stopReason === 'maxTokens' };
      } finally {
        await sequence.clearHistory();
        completion.dispose();
        sequence.dispose();
      }
    },
  };
}

async function transformers() {
  const { AutoModelForCausalLM, AutoTokenizer, env, Tensor } = await import('@huggingface/transformers');
  const { StructuredOutputProcessor } = await import('@huggingface/transformers-structured-output');
  env.allowRemoteModels = false;
  env.localModelPath = dirname(resolve(model));
  const id = resolve(model).split(/[\\/]/).at(-1);
  const tokenizer = await AutoTokenizer.from_pretrained(id);
  const loaded = await AutoModelForCausalLM.from_pretrained(id, {
    dtype: 'fp32',
    device: 'cpu',
    session_options: { intraOpNumThreads: 1, interOpNumThreads: 1 },
  });
  const ids = (values) => new Tensor('int64', BigInt64Array.from(values, BigInt), [1, values.length]);
  return {
    version: `${versionOf('@huggingface/transformers')}, structured-output ${versionOf('@huggingface/transformers-structured-output')}`,
    async run({ schema, prompt, maxTokens }) {
      const processor = new StructuredOutputProcessor(tokenizer, { type: 'json_schema', json_schema: schema });
      const output = await loaded.generate({
        input_ids: ids(prompt),
        attention_mask: ids(prompt.map(() => 1)),
        max_new_tokens: maxTokens,
        do_sample: false,
        logits_processor: processor,
      });
      const made = Array.from(output.data, Number).slice(prompt.length);
      const ended = made.length < maxTokens || made.at(-1) === tokenizer.eos_token_id || made.at(-1) === 2;
      return { text: tokenizer.decode(made, { skip_special_tokens: true }), tokens: made.length, cut: !ended };
    },
  };
}

const engine = await { 'llama.cpp': llamaCpp, 'transformers.js': transformers }[name]();
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
say({ version: engine.version });
// Once without a clock: what an engine makes once belongs to no request.
await engine.run(requests[0]).catch(() => {});
for (const request of requests) {
  const from = performance.now();
  const cpu = process.cpuUsage();
  try {
    const answer = await engine.run(request);
    const { user, system } = process.cpuUsage(cpu);
    say({ id: request.id, ...answer, ms: performance.now() - from, cpuMs: (user + system) / 1000 });
  } catch (error) {
    say({ id: request.id, refused: String(error?.message ?? error).slice(0, 200) });
  }
}
process.exit(0);
