/**
 * `npx tsx bench/reliability/large-vocabulary.ts [--out FOLDER] [--requests N]`: how much of a step the mask takes where the vocabulary has 100,000 tokens.
 *
 * The model is small on purpose (a larger one only hides the mask better): Llama-shaped, int8, random weights, one thread, cl100k_base by the tiktoken
 * package. Every token has a mask and nothing else helps (method 5). Twice through schemas of all keyword families and tool calls: the first time
 * each grammar has never been seen, the second time its states are known. Writes large-vocabulary.json into the folder of a run,
 * whose report shows it (`bench reliability --report-only`).
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { targetOf } from '../../src/engine/target.js';
import { json } from '../../src/grammar/constraint/index.js';
import { Judge } from '../../src/reliability/judge.js';
import { EXTRA_FILES, type LargeVocabulary } from '../../src/reliability/report/extras.js';
import { keywordRequests } from '../../src/reliability/requests/keywords.js';
import { toolRequests } from '../../src/reliability/requests/tools.js';
import { type Bench, prepareRequest, runMethod } from '../../src/reliability/run-request.js';
import { Session } from '../../src/reliability/session.js';
import { mergeTimes, ratio, type TimeCounts, timeQuantile } from '../../src/reliability/statistics.js';
import { type AnswerLine, METHODS } from '../../src/reliability/types.js';
import { loadModel } from '../../src/runtime/load.js';
import { writeLlamaFolder } from '../../src/runtime/onnx/llama-writer.js';
import type { TextTokenizer } from '../../src/runtime/types.js';
import { loadVocabulary } from '../mask/vocabulary.js';

const SHAPE = { layers: 8, hidden: 384, heads: 6, kvHeads: 2, inner: 1024 } as const;

const { values } = parseArgs({
  options: { out: { type: 'string', default: 'bench/out/reliability' }, requests: { type: 'string', default: '90' } },
});
const n = Number(values.requests);
const { vocabulary, encode } = loadVocabulary('cl100k');
const folder = await mkdtemp(path.join(tmpdir(), 'tokenloom-large-'));
try {
  await writeLlamaFolder(folder, {
    ...SHAPE,
    vocab: vocabulary.size,
    contextLength: 2048,
    attention: 'gqa',
    weights: 'int8',
    seed: 1,
  });
  const loaded = await loadModel(folder, { threads: 1 });
  const tokenizer: TextTokenizer = {
    encode: (text) => [...encode(text)],
    decode: (ids) => new TextDecoder().decode(vocabulary.decode(ids)),
    // All text is plain text to this encoder: there is nothing to guard.
    mark: (value) => value,
    unmark: (text) => text,
  };
  const session = Session.of({ ...loaded, vocabulary, tokenizer });
  session.prepare(targetOf(json(true), { showSchema: false }));
  const options = { model: 'cl100k', seed: 1, methods: METHODS, maxTokens: 1024, speed: 0 };
  const bench: Bench = { session, judge: new Judge(), repair: undefined, options };
  const requests = [...keywordRequests(Math.ceil(n * 0.8), 1), ...toolRequests(Math.floor(n * 0.2), 1)];
  const rounds: AnswerLine[][] = [[], []];
  for (const round of rounds)
    for (const request of requests) {
      const { prepared } = await prepareRequest(bench, request);
      if (prepared === undefined) continue;
      const answer = await runMethod(bench, prepared, 'constrained');
      if (answer.status !== 'ok' || answer.fits === false)
        throw new Error(`${request.id}: ${answer.error?.message ?? answer.why ?? 'does not fit'}`);
      round.push(answer);
    }
  const all = rounds.flat();
  const times: TimeCounts = new Map();
  for (const a of all) mergeTimes(times, a.maskTimes);
  const masks = all.reduce((sum, a) => sum + a.counts.masks, 0);
  const steps = all.reduce((sum, a) => sum + a.counts.passes, 0);
  const share = (of: readonly AnswerLine[]) => ratio(of.map((a) => [a.ms.mask, a.ms.total]));
  const result: LargeVocabulary = {
    vocabulary: 'cl100k_base',
    tokens: vocabulary.size,
    parameters:
      2 * vocabulary.size * SHAPE.hidden +
      SHAPE.layers * (SHAPE.hidden ** 2 * (2 + (2 * SHAPE.kvHeads) / SHAPE.heads) + 3 * SHAPE.hidden * SHAPE.inner),
    requests: requests.length,
    steps,
    stepMs: all.reduce((sum, a) => sum + a.ms.total, 0) / steps,
    maskMs: {
      mean: all.reduce((sum, a) => sum + a.ms.mask, 0) / masks,
      p50: timeQuantile(times, 0.5),
      p99: timeQuantile(times, 0.99),
    },
    share: share(rounds[1] ?? []),
    coldShare: share(rounds[0] ?? []),
  };
  mkdirSync(values.out, { recursive: true });
  writeFileSync(path.join(values.out, EXTRA_FILES.largeVocabulary), `${JSON.stringify(result, null, 1)}\n`);
  console.log(JSON.stringify(result, null, 1));
  await session.close();
} finally {
  await rm(folder, { recursive: true, force: true });
}
process.exit(0);
