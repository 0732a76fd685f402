/**
 * Typed errors: fields first, message derived. Every message says what is wrong, where, and what to do about it.
 */

/** Base of all errors that tokenloom throws on purpose. `code` is stable for programs. */
export abstract class TokenloomError extends Error {
  abstract readonly code: string;
  /** Written out in each class: minifiers rename those, and a getter is there when the stack is made. */
  abstract override get name(): string;
}

/** A place in a source text: 1-based line and column (UTF-16 units), 0-based offset. */
export interface SourcePlace {
  readonly line: number;
  readonly column: number;
  readonly offset: number;
}

/** One finding in a grammar text. */
export interface GrammarIssue extends SourcePlace {
  readonly message: string;
  /** End offset of the marked text. */
  readonly end: number;
  readonly hint?: string;
}

/** Line and column of an offset. */
export function placeOf(source: string, offset: number): SourcePlace {
  const at = Math.max(0, Math.min(offset, source.length));
  let line = 1;
  let start = 0;
  for (;;) {
    const next = source.indexOf('\n', start);
    if (next < 0 || next >= at) break;
    line++;
    start = next + 1;
  }
  return { line, column: at - start + 1, offset: at };
}

/** Text without characters that would act on a terminal: pictures (U+2400 …) stand in for controls other than line ends and tabs. */
export function printable(text: string): string {
  return text.replace(/(?![\n\t])\p{Cc}/gu, (c) =>
    c < ' ' ? String.fromCharCode(0x2400 + c.charCodeAt(0)) : '\u2421',
  );
}

/** The line of a place with a caret line below it, shortened around the place where the line is long. */
export function codeFrame(source: string, place: SourcePlace, end: number): string {
  const from = place.offset - (place.column - 1);
  const nl = source.indexOf('\n', from);
  const col = place.column - 1;
  const cut = col > 80 ? col - 60 : 0;
  const text = printable(
    source
      .slice(from + cut, Math.min(from + cut + 120, nl < 0 ? source.length : nl))
      .replace(/\r$/, '')
      .replaceAll('\t', ' '),
  );
  const width = Math.max(1, Math.min(end - place.offset, text.length - (col - cut)));
  const gutter = `${place.line} | `;
  return `${gutter}${cut > 0 ? '…' : ''}${text}\n${' '.repeat(gutter.length + (cut > 0 ? 1 : 0) + col - cut)}${'^'.repeat(width)}`;
}

/** A grammar, regular expression or JSON text that cannot be read. Holds every finding of the run, first one in the message. */
export class GrammarError extends TokenloomError {
  readonly code = 'GRAMMAR';
  override get name() {
    return 'GrammarError';
  }
  readonly line: number;
  readonly column: number;
  readonly frame: string;
  constructor(
    readonly language: 'GBNF' | 'regex' | 'JSON',
    readonly issues: readonly GrammarIssue[],
    readonly source: string,
  ) {
    const first = issues[0] ?? { message: 'unreadable', line: 1, column: 1, offset: 0, end: 0 };
    const frame = codeFrame(source, first, first.end);
    const more = issues.length > 1 ? `\n(and ${issues.length - 1} more)` : '';
    const hint = first.hint === undefined ? '' : `\nhint: ${first.hint}`;
    super(`${language}: line ${first.line}, column ${first.column}: ${first.message}\n${frame}${hint}${more}`);
    this.line = first.line;
    this.column = first.column;
    this.frame = frame;
  }
}

/** A JSON pointer as messages have it: cut in the middle where it is very long. */
const shownPointer = (pointer: string): string =>
  pointer.length <= 400 ? pointer : `${pointer.slice(0, 200)}…${pointer.slice(-150)}`;

/** A part of a schema that cannot be enforced (or is malformed), with its JSON pointer. */
export class UnsupportedSchemaError extends TokenloomError {
  readonly code = 'UNSUPPORTED_SCHEMA';
  override get name() {
    return 'UnsupportedSchemaError';
  }
  constructor(
    readonly pointer: string,
    readonly keyword: string,
    readonly reason: string,
    readonly hint?: string,
  ) {
    super(`schema at '#${shownPointer(pointer)}', keyword '${keyword}': ${reason}${hint ? `\nhint: ${hint}` : ''}`);
  }
}

/** A size or time limit was passed. */
export class LimitError extends TokenloomError {
  readonly code = 'LIMIT';
  override get name() {
    return 'LimitError';
  }
  constructor(
    readonly what: string,
    readonly given: number,
    readonly limit: number,
    readonly pointer?: string,
    readonly remedy: string = 'simplify the input or raise the limit',
  ) {
    super(
      `${what}${pointer === undefined ? '' : ` at '#${shownPointer(pointer)}'`}: ${given} is over the limit of ${limit}; ${remedy}`,
    );
  }
}

/** Nothing satisfies the constraint (at all, with this vocabulary, or within this budget). */
export class UnsatisfiableError extends TokenloomError {
  readonly code = 'UNSATISFIABLE';
  override get name() {
    return 'UnsatisfiableError';
  }
  constructor(
    readonly reason: string,
    readonly pointer?: string,
  ) {
    super(`unsatisfiable${pointer === undefined ? '' : ` at '#${shownPointer(pointer)}'`}: ${reason}`);
  }
}

/** A model, tokenizer or device that cannot be used as asked. */
export class ModelError extends TokenloomError {
  readonly code = 'MODEL';
  override get name() {
    return 'ModelError';
  }
  constructor(
    readonly input: string,
    readonly expected: string,
    readonly got: string,
    options?: { cause?: unknown },
  ) {
    super(`${input}: expected ${expected}, got ${got}`, options);
  }
}

/** An option or argument outside what the function takes. */
export class OptionError extends TokenloomError {
  readonly code = 'OPTION';
  override get name() {
    return 'OptionError';
  }
  constructor(
    readonly option: string,
    readonly expected: string,
    readonly got: string,
  ) {
    super(`option '${option}': expected ${expected}, got ${got}`);
  }
}
