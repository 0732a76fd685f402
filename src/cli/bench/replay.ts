/** Prints `bench replay`: a table of tokens, one row each, and whether the text is the recorded one. */
import { type Replay, type ReplayStep, replay } from '../../reliability/replay.js';
import type { MethodName } from '../../reliability/types.js';
import { EXIT, type ExitCode } from '../exit.js';

export interface ReplayFlags {
  readonly id: string;
  readonly method?: MethodName;
  readonly model?: string;
  readonly json?: boolean;
}

export async function showReplay(file: string, flags: ReplayFlags): Promise<ExitCode> {
  const found = await replay({ file, id: flags.id, method: flags.method, model: flags.model });
  const { recorded, answer } = found;
  const same = recorded === undefined || recorded.status !== 'ok' ? undefined : recorded.text === answer?.text;
  if (flags.json === true) {
    for (const step of found.steps) process.stdout.write(`${JSON.stringify(plain(step, found))}\n`);
    process.stdout.write(
      `${JSON.stringify({ id: flags.id, method: found.method, same, answer, refused: found.refused })}\n`,
    );
  } else process.stdout.write(table(found, same));
  if (found.refused !== undefined) return EXIT.mismatch;
  return answer?.status === 'ok' && answer.fits !== false && same !== false ? EXIT.ok : EXIT.mismatch;
}

function table(found: Replay, same: boolean | undefined): string {
  const { request, method, steps, answer, refused, recorded } = found;
  const lines = [`${request.id}, method ${method}`, ...request.messages.map((m) => `  ${m.role}: ${m.content}`)];
  if (refused !== undefined) return `${[...lines, `refused: ${refused.name}: ${refused.message}`].join('\n')}\n`;
  let attempt = 0;
  steps.forEach((step, i) => {
    if (step.attempt !== attempt) {
      attempt = step.attempt;
      lines.push(
        '',
        attempt > 1
          ? `attempt ${attempt}`
          : '   # token                how      allowed  wanted most, then allowed most',
      );
    }
    lines.push(row(step, i, found));
  });
  lines.push('', `text: ${answer?.text ?? ''}`);
  if (answer?.error !== undefined) lines.push(`${answer.error.name}: ${answer.error.message}`);
  lines.push(
    `fits: ${answer?.fits === null ? 'not judged' : answer?.fits === true ? 'yes' : `no (${answer?.why ?? ''})`}`,
  );
  if (same !== undefined)
    lines.push(same ? 'the same text as recorded' : `another text than recorded: ${recorded?.text ?? ''}`);
  return `${lines.join('\n')}\n`;
}

function row(step: ReplayStep, at: number, found: Replay): string {
  const how = step.forced ? 'forced' : step.drafted ? 'guessed' : 'sampled';
  const allowed = step.forced ? '1' : step.allowed === undefined ? '' : String(step.allowed);
  const best = (list: readonly { readonly token: number; readonly logprob: number }[] | undefined): string =>
    (list ?? [])
      .slice(0, 4)
      .map((t) => `${show(found.texts.get(t.token) ?? '')} ${percent(t.logprob)}`)
      .join('  ');
  const before = best(step.top?.before);
  const after = best(step.top?.after);
  const wanted = before === '' ? '' : before === after ? before : `${before}  |  ${after}`;
  return `${String(at).padStart(4)} ${show(step.text).padEnd(20)} ${how.padEnd(8)} ${allowed.padStart(7)}  ${wanted}`.trimEnd();
}

function plain(step: ReplayStep, found: Replay): unknown {
  const named = (list: readonly { readonly token: number; readonly logprob: number }[] | undefined) =>
    list?.map((t) => ({ ...t, text: found.texts.get(t.token) }));
  return step.top === undefined
    ? step
    : { ...step, top: { before: named(step.top.before), after: named(step.top.after) } };
}

/** A token's text as JSON spells it, so that blanks and line breaks can be seen. */
function show(text: string): string {
  return JSON.stringify(text);
}

function percent(logprob: number): string {
  return `${(100 * Math.exp(logprob)).toFixed(0)}%`;
}
