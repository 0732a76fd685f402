/**
 * The matcher held against the naive twin, state by state along a random path: every mask bit, acceptance, rollback, forks,
 * forced text, all-or-nothing bytes and the rules of EOS. One call checks one (grammar, vocabulary, path) case and returns what
 * is wrong in words, so that a find can be kept as data.
 */

import { compileGrammar, Matcher, Vocabulary } from '../../src/fsm/index.js';
import type { Grammar } from '../../src/grammar/ir.js';
import { Interpreter } from '../oracle/interpreter.js';
import { type Draw, oneOf } from '../oracle/random-grammar.js';

export interface Case {
  readonly grammar: Grammar;
  readonly tokens: readonly (Uint8Array | null)[];
  readonly eos: readonly number[];
}

export interface Outcome {
  /** (grammar, prefix) pairs compared. */
  readonly pairs: number;
  /** Token ids of the path as far as it went. */
  readonly path: readonly number[];
  readonly mismatch?: string;
}

export const show = (bytes: ArrayLike<number>): string =>
  Array.from(bytes, (b) =>
    b >= 0x20 && b < 0x7f ? String.fromCharCode(b) : `\\x${b.toString(16).padStart(2, '0')}`,
  ).join('');

/** What the twin says of a prefix: one bit per token, and whether the prefix is a member. */
export class TwinMask {
  readonly #free = new Map<string, boolean>();
  readonly #strict = new Map<string, boolean>();
  constructor(
    readonly twin: Interpreter,
    readonly prefix: readonly number[],
  ) {}

  /** true: must be allowed; false: must not; undefined: depends on what counts as a literal (see Interpreter.live). */
  verdict(more: ArrayLike<number>): boolean | undefined {
    if (!this.live(more, false)) return false;
    return this.live(more, true) ? true : undefined;
  }

  live(more: ArrayLike<number>, strict: boolean): boolean {
    const known = strict ? this.#strict : this.#free;
    const from = strict ? this.prefix.length : Number.POSITIVE_INFINITY;
    // Liveness is closed under prefixes, so a token is tried byte by byte and its prefixes are shared.
    let key = '';
    for (let n = 1; n <= more.length; n++) {
      key += String.fromCharCode(more[n - 1] ?? 0);
      let hit = known.get(key);
      if (hit === undefined) {
        hit = this.twin.live([...this.prefix, ...Array.from(more).slice(0, n)], undefined, from);
        known.set(key, hit);
      }
      if (!hit) return false;
    }
    return true;
  }
}

const bit = (mask: Uint32Array, id: number): boolean => (((mask[id >> 5] ?? 0) >>> (id & 31)) & 1) === 1;

/** Checks one state; a string says what is wrong. */
function checkState(
  matcher: Matcher,
  twin: Interpreter,
  c: Case,
  prefix: readonly number[],
  draw: Draw,
  ids: readonly number[],
): { allowed: number[]; wrong?: string } {
  const words = Math.ceil(c.tokens.length / 32);
  const mask = new Uint32Array(words + 2).fill(0xffffffff);
  matcher.fillMask(mask);
  const naive = new TwinMask(twin, prefix);
  const accepting = twin.member(prefix);
  const allowed: number[] = [];
  const at = `after '${show(prefix)}'`;
  if (matcher.isAccepting !== accepting)
    return { allowed, wrong: `${at}: isAccepting is ${matcher.isAccepting}, twin ${accepting}` };
  for (const id of ids) {
    const bytes = c.tokens[id];
    const eos = c.eos.includes(id);
    const expected =
      (eos ? accepting : bytes != null && bytes.length > 0 ? naive.verdict(bytes) : false) ?? bit(mask, id);
    if (expected) allowed.push(id);
    if (bit(mask, id) !== expected) {
      return {
        allowed,
        wrong: `${at}: token ${eos ? 'EOS' : `'${show(bytes ?? [])}'`}: mask ${bit(mask, id)}, twin ${expected}`,
      };
    }
    const accepted = matcher.accept(id);
    if (accepted !== expected)
      return { allowed, wrong: `${at}: accept('${show(bytes ?? [])}') is ${accepted}, mask ${expected}` };
    if (!accepted) continue;
    if (eos) {
      const done = new Uint32Array(words).fill(7);
      matcher.fillMask(done);
      if (!matcher.isFinished || done.some((w) => w !== 0))
        return { allowed, wrong: `${at}: EOS leaves a mask or no finish` };
      if (matcher.accept(ids[0] ?? 0)) return { allowed, wrong: `${at}: accepts after EOS` };
    }
    matcher.rollback(1);
    if (matcher.isFinished) return { allowed, wrong: `${at}: finished after rollback of '${show(bytes ?? [])}'` };
  }
  for (let id = c.tokens.length; id < mask.length * 32; id++) {
    if (bit(mask, id)) return { allowed, wrong: `${at}: spare bit ${id} is set` };
  }
  const again = new Uint32Array(mask.length);
  matcher.fillMask(again);
  if (again.some((w, i) => w !== mask[i]))
    return { allowed, wrong: `${at}: the mask changed after accepts and rollbacks` };
  if (!mask.some((w) => w !== 0)) return { allowed, wrong: `${at}: empty mask` };
  for (const bad of [-1, c.tokens.length, 1e9, 0.5])
    if (matcher.accept(bad)) return { allowed, wrong: `${at}: accept(${bad})` };
  return { allowed, ...forced(matcher, naive, prefix, c, twin), ...bytes(matcher, naive, c, draw, mask, at) };
}

/** forcedBytes leaves no choice anywhere (it may stop early); forcedTokens spell a beginning of it. */
function forced(
  matcher: Matcher,
  naive: TwinMask,
  prefix: readonly number[],
  c: Case,
  twin: Interpreter,
): { wrong?: string } {
  const at = `after '${show(prefix)}'`;
  const text = matcher.forcedBytes();
  const so: number[] = [];
  const choices = (limit: number, strict: boolean): number[] => {
    const out: number[] = [];
    for (let b = 0; b < 256 && out.length < limit; b++) if (naive.live([...so, b], strict)) out.push(b);
    return out;
  };
  for (const b of text.subarray(0, 40)) {
    if (twin.member([...prefix, ...so]))
      return { wrong: `${at}: forces '${show(text)}' though '${show(so)}' is complete` };
    const open = choices(2, true);
    if (!naive.live([...so, b], false) || open.some((x) => x !== b))
      return { wrong: `${at}: forces '${show(text)}', after '${show(so)}' the twin sees ${open}` };
    so.push(b);
  }
  let spelled: number[] = [];
  const trial = matcher.fork();
  for (const id of matcher.forcedTokens()) {
    spelled = [...spelled, ...(c.tokens[id] ?? [])];
    if (!trial.accept(id)) return { wrong: `${at}: forced token ${id} is not accepted` };
  }
  if (spelled.some((b, i) => text[i] !== b))
    return { wrong: `${at}: forced tokens spell '${show(spelled)}' of '${show(text)}'` };
  return {};
}

/** acceptBytes takes all or nothing, and forks do not touch each other. */
function bytes(
  matcher: Matcher,
  naive: TwinMask,
  c: Case,
  draw: Draw,
  mask: Uint32Array,
  at: string,
): { wrong?: string } {
  for (let k = 0; k < 6; k++) {
    const some: number[] = [];
    for (let n = draw.below(4); n >= 0; n--) some.push(...(oneOf(draw, c.tokens) ?? []));
    const fork = matcher.fork();
    const taken = fork.acceptBytes(Uint8Array.from(some));
    if (some.length > 0 && taken !== (naive.verdict(some) ?? taken))
      return { wrong: `${at}: acceptBytes('${show(some)}') is ${taken}` };
    const kept = new Uint32Array(mask.length);
    if (!taken) {
      fork.fillMask(kept);
      if (kept.some((w, i) => w !== mask[i]))
        return { wrong: `${at}: refused acceptBytes('${show(some)}') changed the mask` };
    }
    matcher.fillMask(kept);
    if (kept.some((w, i) => w !== mask[i])) return { wrong: `${at}: a fork's acceptBytes changed its parent` };
  }
  return {};
}

/**
 * Walks `steps` random tokens and checks each state on the way; `ids` are the tokens to try (default: all). At the end every
 * earlier mask must come back, one rollback at a time and all at once.
 */
export function comparePath(
  c: Case,
  draw: Draw,
  steps: number,
  given?: {
    path?: readonly number[];
    vocabulary?: Vocabulary;
    ids?: (draw: Draw, mask: Uint32Array) => readonly number[];
  },
): Outcome {
  const path: number[] = [];
  let pairs = 0;
  try {
    const twin = new Interpreter(c.grammar);
    const vocabulary = given?.vocabulary ?? Vocabulary.fromTokens([...c.tokens], { eos: [...c.eos] });
    const matcher = new Matcher(compileGrammar(c.grammar), vocabulary);
    const words = Math.ceil(c.tokens.length / 32);
    const all = c.tokens.map((_, id) => id);
    const masks: Uint32Array[] = [];
    const prefix: number[] = [];
    for (let step = 0; ; step++) {
      const mask = new Uint32Array(words);
      matcher.fillMask(mask);
      masks.push(mask);
      const { allowed, wrong } = checkState(matcher, twin, c, prefix, draw, given?.ids?.(draw, mask) ?? all);
      if (wrong !== undefined) return { pairs, path, mismatch: wrong };
      pairs++;
      const next = given?.path !== undefined ? given.path[step] : pick(draw, allowed, c);
      if (next === undefined || step >= steps) break;
      if (!matcher.accept(next))
        return { pairs, path, mismatch: `after '${show(prefix)}': token ${next} of the path is refused` };
      path.push(next);
      prefix.push(...(c.tokens[next] ?? []));
    }
    return { pairs, path, ...rewind(matcher, masks, path) };
  } catch (error) {
    const text =
      error instanceof Error ? (error.stack ?? error.message).split('\n').slice(0, 6).join('\n') : String(error);
    return { pairs, path, mismatch: `throws ${text}` };
  }
}

/** Among the allowed tokens, sometimes one that changes the structure, so that paths get anywhere. */
function pick(draw: Draw, allowed: readonly number[], c: Case): number | undefined {
  const real = allowed.filter((id) => !c.eos.includes(id));
  if (real.length === 0) return undefined;
  const structural = real.filter((id) =>
    Array.from(c.tokens[id] ?? []).some((b) => b < 0x80 && '{}[]",:'.includes(String.fromCharCode(b))),
  );
  return oneOf(draw, structural.length > 0 && draw.below(3) > 0 ? structural : real);
}

function rewind(matcher: Matcher, masks: readonly Uint32Array[], path: readonly number[]): { mismatch?: string } {
  const same = (m: Matcher, at: number): boolean => {
    const mask = new Uint32Array(masks[at]?.length ?? 0);
    m.fillMask(mask);
    return mask.every((w, i) => w === masks[at]?.[i]);
  };
  const end = path.length;
  const one = matcher.fork();
  for (let at = end - 1; at >= 0; at--) {
    one.rollback(1);
    if (!same(one, at)) return { mismatch: `after ${end - at} rollbacks of 1 the mask of position ${at} differs` };
  }
  for (const [at, id] of path.entries()) {
    if (!one.accept(id) || !same(one, at + 1)) return { mismatch: `replay after rollback differs at position ${at}` };
  }
  if (end > 1) {
    one.rollback(end - 1);
    if (!same(one, 1)) return { mismatch: `rollback(${end - 1}) differs` };
    one.rollback(1);
  } else if (end === 1) one.rollback(1);
  if (!same(one, 0)) return { mismatch: 'rollback to the start differs' };
  try {
    one.rollback(1);
    return { mismatch: 'rollback beyond the start does not throw' };
  } catch (error) {
    if (!(error instanceof RangeError)) return { mismatch: `rollback beyond the start throws ${String(error)}` };
  }
  if (!same(matcher, end)) return { mismatch: 'rollbacks of a fork changed its parent' };
  matcher.reset();
  return same(matcher, 0) ? {} : { mismatch: 'reset differs from the start' };
}
