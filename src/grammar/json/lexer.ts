/** Tokens of JSON. Strings and numbers that are almost right get a token of their own, so that the message can say what is wrong. */
import { createToken, type IToken, Lexer } from 'chevrotain';

const wanted = { line_breaks: false } as const;
const Space = createToken({ name: 'Space', pattern: /[ \t\n\r]+/, group: Lexer.SKIPPED, line_breaks: true });
export const OpenObject = createToken({ name: 'OpenObject', pattern: '{', label: "'{'" });
export const CloseObject = createToken({ name: 'CloseObject', pattern: '}', label: "'}'" });
export const OpenArray = createToken({ name: 'OpenArray', pattern: '[', label: "'['" });
export const CloseArray = createToken({ name: 'CloseArray', pattern: ']', label: "']'" });
export const Comma = createToken({ name: 'Comma', pattern: ',', label: "','" });
export const Colon = createToken({ name: 'Colon', pattern: ':', label: "':'" });
export const Text = createToken({
  name: 'Text',
  // biome-ignore lint/suspicious/noControlCharactersInRegex: JSON strings exclude control characters
  pattern: /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/,
  label: 'a string',
  ...wanted,
});
export const Num = createToken({
  name: 'Num',
  pattern: /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])/,
  label: 'a number',
  ...wanted,
});
export const True = createToken({ name: 'True', pattern: /true\b/, label: 'true' });
export const False = createToken({ name: 'False', pattern: /false\b/, label: 'false' });
export const Null = createToken({ name: 'Null', pattern: /null\b/, label: 'null' });
/** Whatever else, word by word. */
const Wrong = createToken({ name: 'Wrong', pattern: /"(?:[^"\\\n\r]|\\.)*"?|[\w.+-]+|[^\s]/u, ...wanted });

export const jsonTokens = [
  Space,
  OpenObject,
  CloseObject,
  OpenArray,
  CloseArray,
  Comma,
  Colon,
  Text,
  Num,
  True,
  False,
  Null,
  Wrong,
];

const lexer = new Lexer(jsonTokens, { positionTracking: 'onlyOffset', skipValidations: true });

export type Report = (offset: number, end: number, message: string, hint?: string) => void;

function explain(image: string): readonly [string, string?] {
  if (image.startsWith('"')) {
    if (!image.endsWith('"') || image.length === 1)
      return ['string without an end', 'a string ends with " on the same line'];
    // biome-ignore lint/suspicious/noControlCharactersInRegex: JSON strings exclude control characters
    if (/[\u0000-\u001f]/.test(image))
      return ['control character in a string', 'write it as an escape, such as \\n or \\u0000'];
    return ['unknown escape in a string', 'the escapes are \\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX'];
  }
  if (image === "'") return ['JSON strings are written with double quotes'];
  if (image === '/') return ['JSON has no comments'];
  if (/^[-+.\d]/.test(image))
    return [`'${image}' is not a JSON number`, 'no leading zeros or plus sign, digits on both sides of the point'];
  return [`unexpected ${JSON.stringify(image)}`];
}

/** The tokens of a text; faults are reported and left out. `shift` is added to reported offsets. */
export function tokenize(source: string, shift: number, report: Report): IToken[] {
  const { tokens, errors } = lexer.tokenize(source);
  for (const e of errors) report(e.offset + shift, e.offset + shift + e.length, 'unexpected character');
  const wrong = tokens.filter((t) => t.tokenType === Wrong);
  for (const t of wrong) {
    const [message, hint] = explain(t.image);
    report(t.startOffset + shift, t.startOffset + shift + t.image.length, message, hint);
  }
  return wrong.length === 0 ? tokens : tokens.filter((t) => t.tokenType !== Wrong);
}
