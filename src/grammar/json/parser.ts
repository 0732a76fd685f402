/** The JSON grammar over the tokens of lexer.ts; builds the tree as it goes and reports duplicate keys. */
import { EmbeddedActionsParser, EOF, type IToken, tokenLabel } from 'chevrotain';
import * as T from './lexer.js';

/** Offsets are half-open UTF-16 ranges in the source. */
export type JsonNode =
  | {
      readonly kind: 'scalar';
      readonly value: null | boolean | number | string;
      readonly start: number;
      readonly end: number;
    }
  | { readonly kind: 'array'; readonly items: readonly JsonNode[]; readonly start: number; readonly end: number }
  | { readonly kind: 'object'; readonly members: readonly JsonMember[]; readonly start: number; readonly end: number };

export interface JsonMember {
  readonly key: string;
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly value: JsonNode;
}

const endOf = (t: IToken): number => t.startOffset + t.image.length;
const NOTHING: JsonNode = { kind: 'scalar', value: null, start: 0, end: 0 };

class JsonParser extends EmbeddedActionsParser {
  private shift = 0;
  private report: T.Report = () => {};

  constructor() {
    super(T.jsonTokens, { recoveryEnabled: false, skipValidations: true, maxLookahead: 1 });
    this.performSelfAnalysis();
  }

  begin(tokens: IToken[], shift: number, report: T.Report): void {
    this.shift = shift;
    this.report = report;
    this.input = tokens;
  }

  end(): void {
    this.input = [];
    this.report = () => {};
  }

  private scalar(t: IToken, value: null | boolean | number | string): JsonNode {
    return { kind: 'scalar', value, start: t.startOffset + this.shift, end: endOf(t) + this.shift };
  }

  readonly value: () => JsonNode = this.RULE('value', () =>
    this.OR<JsonNode>([
      { ALT: () => this.SUBRULE(this.object) },
      { ALT: () => this.SUBRULE(this.array) },
      {
        ALT: () => {
          const t = this.CONSUME(T.Text);
          return this.scalar(t, this.RECORDING_PHASE ? '' : (JSON.parse(t.image) as string));
        },
      },
      {
        ALT: () => {
          const t = this.CONSUME(T.Num);
          return this.scalar(t, Number(t.image));
        },
      },
      { ALT: () => this.scalar(this.CONSUME(T.True), true) },
      { ALT: () => this.scalar(this.CONSUME(T.False), false) },
      { ALT: () => this.scalar(this.CONSUME(T.Null), null) },
    ]),
  );

  readonly member: () => JsonMember = this.RULE('member', () => {
    const t = this.CONSUME(T.Text);
    this.CONSUME(T.Colon);
    const value = this.SUBRULE(this.value);
    const key = this.RECORDING_PHASE ? '' : (JSON.parse(t.image) as string);
    return { key, keyStart: t.startOffset + this.shift, keyEnd: endOf(t) + this.shift, value };
  });

  readonly object: () => JsonNode = this.RULE('object', (): JsonNode => {
    const open = this.CONSUME(T.OpenObject);
    const members: JsonMember[] = [];
    this.OPTION(() => {
      members.push(this.SUBRULE(this.member));
      this.MANY(() => {
        this.CONSUME(T.Comma);
        members.push(this.SUBRULE2(this.member));
      });
    });
    const close = this.CONSUME(T.CloseObject);
    this.ACTION(() => {
      const seen = new Set<string>();
      for (const m of members) {
        if (seen.has(m.key))
          this.report(m.keyStart, m.keyEnd, `duplicate key ${JSON.stringify(m.key)}`, 'keys of an object are unique');
        seen.add(m.key);
      }
    });
    return { kind: 'object', members, start: open.startOffset + this.shift, end: endOf(close) + this.shift };
  });

  readonly array: () => JsonNode = this.RULE('array', (): JsonNode => {
    const open = this.CONSUME(T.OpenArray);
    const items: JsonNode[] = [];
    this.OPTION(() => {
      items.push(this.SUBRULE(this.value));
      this.MANY(() => {
        this.CONSUME(T.Comma);
        items.push(this.SUBRULE2(this.value));
      });
    });
    const close = this.CONSUME(T.CloseArray);
    return { kind: 'array', items, start: open.startOffset + this.shift, end: endOf(close) + this.shift };
  });
}

/** One parser for the process: it holds nothing between calls, and its construction costs milliseconds. */
const parser = new JsonParser();

/** Parses checked tokens; undefined where a fault was reported. `end` is the length of the source. */
export function parseTokens(tokens: IToken[], shift: number, end: number, report: T.Report): JsonNode | undefined {
  parser.begin(tokens, shift, report);
  try {
    const node = parser.value();
    const error = parser.errors[0];
    if (error === undefined) return node ?? NOTHING;
    const { token } = error;
    if (token.tokenType === EOF) {
      report(end, end, 'the text ends too early', 'a bracket or a value is missing');
    } else {
      const context = error.context.ruleStack.at(-1) ?? 'value';
      const hint =
        token.tokenType === T.CloseObject || token.tokenType === T.CloseArray
          ? 'is there a comma too many before it?'
          : undefined;
      const where =
        context === 'member' ? 'in a property' : context === 'value' ? 'where a value should be' : `in an ${context}`;
      const at = token.startOffset + shift;
      report(at, at + token.image.length, `unexpected ${tokenLabel(token.tokenType)} ${where}`, hint);
    }
    return undefined;
  } finally {
    parser.end();
  }
}
