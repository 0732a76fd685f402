/** Marks of tags as the pieces that a model writes: text, and control tokens, which stand for no text and are one token each. */
export interface MarkPart {
  readonly text: string;
  readonly isToken: boolean;
}

/** The longest name goes first where several begin at one place. */
export function markParts(mark: string, controls: ReadonlySet<string>): readonly MarkPart[] {
  const names = [...controls].filter((name) => name !== '' && mark.includes(name)).sort((a, b) => b.length - a.length);
  const parts: MarkPart[] = [];
  let from = 0;
  for (let at = 0; at < mark.length && names.length > 0; ) {
    const name = names.find((n) => mark.startsWith(n, at));
    if (name === undefined) at++;
    else {
      if (at > from) parts.push({ text: mark.slice(from, at), isToken: false });
      parts.push({ text: name, isToken: true });
      from = at += name.length;
    }
  }
  if (from < mark.length) parts.push({ text: mark.slice(from), isToken: false });
  return parts;
}

/** Whether a control token begins within the first `length` units of a mark. */
export function beginsWithToken(mark: string, length: number, controls: ReadonlySet<string>): boolean {
  let at = 0;
  for (const part of markParts(mark, controls)) {
    if (at >= length) return false;
    if (part.isToken) return true;
    at += part.text.length;
  }
  return false;
}
