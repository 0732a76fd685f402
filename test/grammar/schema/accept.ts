/** Acceptance of JSON values by a schema, through the real matcher with a vocabulary of single bytes. */
import { compileGrammar, Matcher, Vocabulary } from '../../../src/fsm/index.js';
import { type SchemaOptions, schemaToGrammar } from '../../../src/grammar/schema/index.js';

const bytes: (Uint8Array | null)[] = Array.from({ length: 256 }, (_, b) => Uint8Array.of(b));
const vocabulary = Vocabulary.fromTokens([...bytes, null], { eos: [256] });
const encoder = new TextEncoder();

/** A predicate on JSON texts. */
export function textAcceptor(schema: unknown, options: SchemaOptions = {}): (text: string) => boolean {
  const matcher = new Matcher(compileGrammar(schemaToGrammar(schema, options).grammar), vocabulary);
  return (text) => {
    matcher.reset();
    return matcher.acceptBytes(encoder.encode(text)) && matcher.isAccepting;
  };
}

/** A predicate on JSON values, spelled compactly. */
export function acceptor(schema: unknown, options: SchemaOptions = {}): (value: unknown) => boolean {
  const accepts = textAcceptor(schema, options);
  return (value) => accepts(JSON.stringify(value));
}
