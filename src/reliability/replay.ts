/**
 * One answer of a run once more, with what was allowed at each token. The file holds the request itself, so only the model is needed; the text is compared
 * with the one that was recorded.
 */

import { OptionError } from '../base/errors.js';
import { decodeUtf8 } from '../base/utf8.js';
import type { TokenInfo } from '../decoder/request.js';
import { readJournal } from './journal.js';
import { Judge } from './judge.js';
import { loadRepair } from './repair.js';
import { type Bench, prepareRequest, runMethod } from './run-request.js';
import { Session } from './session.js';
import type { AnswerLine, BenchRequest, MethodName, RequestLine, RunLine } from './types.js';

export interface ReplayOptions {
  readonly file: string;
  readonly id: string;
  readonly method?: MethodName | undefined;
  /** In place of the run's model. */
  readonly model?: string | undefined;
}

export interface ReplayStep extends TokenInfo {
  readonly text: string;
  /** Attempt, from 1 (retries). */
  readonly attempt: number;
}

export interface Replay {
  readonly request: BenchRequest;
  readonly method: MethodName;
  readonly recorded: AnswerLine | undefined;
  readonly refused: RequestLine['refused'] | undefined;
  readonly answer: AnswerLine | undefined;
  readonly steps: readonly ReplayStep[];
  /** Texts of the ids that steps mention. */
  readonly texts: ReadonlyMap<number, string>;
}

/** @throws OptionError for ids and methods that the file does not have */
export async function replay(options: ReplayOptions): Promise<Replay> {
  const { run, request, answers } = await find(options.file, options.id);
  const method = options.method ?? answers.find(failed)?.method ?? answers.at(0)?.method ?? 'fast';
  const recorded = answers.find((a) => a.method === method);
  if (options.method !== undefined && answers.length > 0 && recorded === undefined) {
    const known = answers.map((a) => a.method).join(', ');
    throw new OptionError('method', `one that the request had: ${known}`, options.method);
  }
  const session = await Session.open(options.model ?? run.options.model, { threads: 1 });
  try {
    const bench: Bench = { session, judge: new Judge(), repair: await loadRepair(), options: run.options };
    const { line, prepared } = await prepareRequest(bench, request);
    const steps: ReplayStep[] = [];
    const texts = new Map<number, string>();
    if (prepared === undefined)
      return { request, method, recorded, refused: line.refused, answer: undefined, steps, texts };
    let attempt = 0;
    const name = (id: number): void => {
      texts.set(id, decodeUtf8(session.vocabulary.tokenBytes(id)));
    };
    const answer = await runMethod(bench, prepared, method, undefined, (job) => {
      attempt++;
      const at = attempt;
      return {
        job: { ...job, trace: true },
        onEvent: (event) => {
          event.tokens.forEach((token, i) => {
            steps.push({ ...token, text: event.texts[i] ?? '', attempt: at });
            for (const list of [token.top?.before, token.top?.after]) for (const t of list ?? []) name(t.token);
          });
        },
      };
    });
    return { request, method, recorded, refused: undefined, answer, steps, texts };
  } finally {
    await session.close();
  }
}

async function find(
  file: string,
  id: string,
): Promise<{ run: RunLine; request: BenchRequest; answers: readonly AnswerLine[] }> {
  let run: RunLine | undefined;
  let request: BenchRequest | undefined;
  const answers: AnswerLine[] = [];
  const near: string[] = [];
  const first: string[] = [];
  for await (const line of readJournal(file)) {
    if (line.type === 'run') run = line;
    else if (line.type === 'request') {
      if (first.length < 3) first.push(line.request.id);
      if (line.request.id === id) request = line.request;
      else if (near.length < 3 && line.request.id.includes(id)) near.push(line.request.id);
    } else if (line.type === 'answer' && line.id === id) answers.push(line);
  }
  if (run === undefined) throw new OptionError('file', 'the run.jsonl of a run', file);
  if (request === undefined) {
    const some = near.length > 0 ? near : first;
    throw new OptionError('id', `an id of the run${some.length > 0 ? `, such as ${some.join(', ')}` : ''}`, id);
  }
  return { run, request, answers };
}

function failed(a: AnswerLine): boolean {
  return a.status !== 'ok' || a.fits === false || a.deadEnds > 0;
}
