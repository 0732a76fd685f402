/** One schema against the engine: does it compile, and which instances does it take? */
import { compile, json, Matcher, TokenloomError, Vocabulary } from '../../src/core.js';
import type { CompiledGrammar } from '../../src/fsm/index.js';
import type { SchemaOptions } from '../../src/grammar/schema/index.js';

const utf8 = new TextEncoder();

/** Single bytes and an end: enough to feed texts. */
export const byteVocabulary = (): Vocabulary =>
  Vocabulary.fromTokens([...Array.from({ length: 256 }, (_, b) => Uint8Array.of(b)), null], { eos: [256] });

export type Compiled =
  | { readonly kind: 'ok'; readonly grammar: CompiledGrammar; readonly ms: number }
  /** A typed error: unsupported, limit, unsatisfiable, malformed. */
  | { readonly kind: 'refused'; readonly code: string; readonly message: string; readonly ms: number }
  /** Anything else that was thrown. */
  | { readonly kind: 'crash'; readonly message: string; readonly ms: number };

export function tryCompile(schema: unknown, options: SchemaOptions): Compiled {
  const from = performance.now();
  try {
    const grammar = compile(json(schema as object, options));
    return { kind: 'ok', grammar, ms: performance.now() - from };
  } catch (error) {
    const ms = performance.now() - from;
    const message = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    if (error instanceof TokenloomError) return { kind: 'refused', code: error.code, message, ms };
    const stack = error instanceof Error ? (error.stack ?? '').split('\n').slice(1, 3).join(' <') : '';
    return { kind: 'crash', message: `${message} ${stack}`, ms };
  }
}

/** Whether the grammar takes the text, to its end. */
export function takes(grammar: CompiledGrammar, vocabulary: Vocabulary, text: string): boolean {
  const matcher = new Matcher(grammar, vocabulary);
  return matcher.acceptBytes(utf8.encode(text)) && matcher.isAccepting;
}
