/**
 * What a constraint costs or saves: the time of the constrained answer (the engine's defaults) against the time of decoding the same final text
 * without a constraint, at batch 1, prompt in the cache, grammar compiled.
 *
 * The unconstrained runs go through the same loop and sampler; a model that is steered (steered-model.ts) makes the next token of the text the
 * likeliest, so they write exactly this text. Three rivals: one token a pass, the engine's own drafts from the text, and the bare
 * model called in a loop with nothing around it, which no engine can undercut. Each is run in turn, several times; the
 * least processor time of each counts, since whatever else the machine does only adds to it. Template and tokenizer are the same work for
 * all and are taken out.
 */
import type { StepModel } from '../decoder/model.js';
import { resolveSampling } from '../decoder/sampling.js';
import type { Job } from '../engine/job.js';
import type { Prepared } from './run-request.js';
import type { Session } from './session.js';
import type { SpeedLine } from './types.js';

const ROUNDS = 3;

export async function measureSpeed(
  session: Session,
  { request, target, seed, coldCpuMs }: Prepared,
  maxTokens: number,
): Promise<SpeedLine> {
  const { sampling } = resolveSampling({ temperature: 0, seed }, () => seed);
  const free: Job = {
    messages: request.messages,
    shown: target.shown,
    tools: target.tools,
    maxTokens,
    count: 1,
    sampling,
    draftTokens: 0,
    tenant: request.id,
  };
  const constrained: Job = { ...free, constraint: target.constraint, draftTokens: 8 };
  const { vocabulary } = session;
  const text = (await session.run(constrained)).outcome.result.outputs[0]!.text;
  const tokens = vocabulary.encode(text);
  const prompt = session.prompt(free);
  const script = { kind: 'script', tokens, end: vocabulary.eos[0]! } as const;
  const least = {
    constrained: Infinity,
    free: Infinity,
    lookup: Infinity,
    bare: Infinity,
    prompt: Infinity,
    prefill: Infinity,
  };
  let passes = 0;
  let same = true;
  for (let i = 0; i < ROUNDS; i++) {
    const ours = await session.run(constrained);
    const plain = await session.run(free, script);
    const lookup = await session.run({ ...free, draftTokens: 8 }, script);
    const cpu = process.cpuUsage();
    session.prompt(free);
    least.prompt = Math.min(least.prompt, cpuSince(cpu));
    // One token behind a prompt that nothing has cached.
    const prefill = await session.run({ ...free, maxTokens: 1, tenant: `${request.id} ${i}` });
    least.prefill = Math.min(least.prefill, prefill.cpuMs);
    const bare = await bareDecode(session, prompt, request.id, tokens);
    passes = ours.outcome.result.usage.passes;
    for (const a of [ours, plain, lookup]) same &&= a.outcome.result.outputs[0]!.text === text;
    least.constrained = Math.min(least.constrained, ours.cpuMs);
    least.free = Math.min(least.free, plain.cpuMs);
    least.lookup = Math.min(least.lookup, lookup.cpuMs);
    least.bare = Math.min(least.bare, bare);
    session.model.steer(undefined);
  }
  return {
    type: 'speed',
    id: request.id,
    source: request.source,
    tokens: tokens.length,
    prefillMs: least.prefill - least.prompt,
    coldCompileMs: coldCpuMs,
    constrainedMs: least.constrained - least.prompt,
    constrainedPasses: passes,
    unconstrainedMs: least.free - least.prompt,
    lookupMs: least.lookup - least.prompt,
    bareMs: least.bare,
    same,
  };
}

/** {@link decodeBare}: processor milliseconds. */
async function bareDecode(
  session: Session,
  prompt: readonly number[],
  salt: string,
  answer: readonly number[],
): Promise<number> {
  const { model } = session;
  model.steer(undefined);
  const cpu = process.cpuUsage();
  await decodeBare(model, prompt, answer, salt);
  return cpuSince(cpu);
}

/** The model alone over a prompt and its answer, one token a pass with an argmax: what unconstrained decoding costs at the least. */
export async function decodeBare(
  model: StepModel,
  prompt: readonly number[],
  answer: readonly number[],
  salt = '',
): Promise<void> {
  const { sequence, cached } = model.open({ prompt, salt });
  let next: readonly number[] = prompt.slice(cached);
  for (let i = 0; i <= answer.length; i++) {
    const handle = await model.submit([{ sequence, tokens: next, logits: 1 }]);
    const logits = await handle.logits(0, 0);
    let best = 0;
    for (let t = 1; t < logits.length; t++) if (logits[t]! > logits[best]!) best = t;
    handle.release();
    next = [answer[i] ?? best];
  }
  model.close(sequence);
}

function cpuSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}
