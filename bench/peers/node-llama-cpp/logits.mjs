/**
 * Runs a GGUF in llama.cpp on given token ids, for `training/check_gguf.py`.
 *
 * Standard input: {"model": path, "prompts": [[id, ...], ...], "texts": [string, ...], "limit": tokens, "end": id}. Standard output, per prompt:
 * the logits after its every token from `from` on, a greedy continuation, and the ids its tokenizer makes of the text.
 */
import { getLlama } from 'node-llama-cpp';

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const { model: modelPath, prompts, texts, from, limit, end } = JSON.parse(Buffer.concat(chunks).toString('utf8'));
const llama = await getLlama({ gpu: false, build: 'never', skipDownload: true, progressLogs: false, logLevel: 'error', maxThreads: 1 });
const model = await llama.loadModel({ modelPath, gpuLayers: 0 });
const context = await model.createContext({ contextSize: 2048, threads: 1, flashAttention: false, experimentalKvCacheKeyType: 'F32', experimentalKvCacheValueType: 'F32' });
const sequence = context.getSequence();
const answers = [];
for (const [index, prompt] of prompts.entries()) {
  await sequence.clearHistory();
  const asked = prompt.map((id, i) => (i < from[index] ? id : [id, { generateNext: { token: true, logits: true, options: { temperature: 0 } } }]));
  const steps = await sequence.controlledEvaluate(asked);
  const logits = steps.filter((s) => s !== undefined).map((s) => Array.from({ length: s.next.logits.size }, (_, id) => s.next.logits.get(id)));
  await sequence.clearHistory();
  const greedy = [];
  for await (const token of sequence.evaluate(prompt.slice(0, from[index] + 1), { temperature: 0, yieldEogToken: true })) {
    if (token === end || greedy.push(token) >= limit) break;
  }
  answers.push({ logits, greedy, ids: model.tokenize(texts[index], true) });
}
process.stdout.write(JSON.stringify(answers), () => process.exit(0));
