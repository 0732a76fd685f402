/** JSON texts that stop in the middle, compared with whole values: can the text still become this value? */

/** Something whose end has not been read. */
const OPEN = Symbol('open');

interface Container {
  readonly closed: boolean;
  readonly members: Map<string, Partial> | undefined;
  readonly items: Partial[] | undefined;
}

type Partial = typeof OPEN | Container | { readonly scalar: unknown };

/** Whether a prefix of a JSON text can be continued to a text of the value (a parsed JSON value). */
export function couldBecome(prefix: string, value: unknown): boolean {
  return agrees(new Reader(prefix).value(), value);
}

function agrees(part: Partial, value: unknown): boolean {
  if (part === OPEN) return true;
  if ('scalar' in part) return Object.is(part.scalar, value) || (part.scalar === 0 && value === 0);
  if (part.items !== undefined) {
    if (!Array.isArray(value)) return false;
    if (part.closed ? value.length !== part.items.length : value.length < part.items.length) return false;
    return part.items.every((item, i) => agrees(item, value[i]));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const record = value as Record<string, unknown>;
  const members = part.members!;
  if (part.closed && Object.keys(record).length !== members.size) return false;
  for (const [key, item] of members) if (!Object.hasOwn(record, key) || !agrees(item, record[key])) return false;
  return true;
}

/**
 * A JSON text that stops in the middle, without what changes no value: blanks between lexemes, escapes that need not be, zeros at the end of
 * a fraction. Prefixes with the same plain form can become the same values.
 */
export function plainPrefix(text: string): string {
  let out = '';
  for (let at = 0; at < text.length; ) {
    const c = text[at]!;
    if (c === '"') {
      let end = at + 1;
      while (end < text.length && text[end] !== '"') end += text[end] === '\\' ? 2 : 1;
      const raw = text.slice(at + 1, end);
      // An escape that is cut off stays as it is.
      const whole = /^(?:[^\\]|\\u[0-9a-fA-F]{4}|\\[^u])*/.exec(raw)![0];
      out += JSON.stringify(JSON.parse(`"${whole}"`)).slice(0, -1) + raw.slice(whole.length);
      if (end < text.length) out += '"';
      at = end + 1;
    } else if (c === '-' || (c >= '0' && c <= '9')) {
      const number = /[-+.\deE]+/y;
      number.lastIndex = at;
      const raw = number.exec(text)![0];
      at += raw.length;
      out += /[eE]/.test(raw) ? raw : raw.replace(/(\.\d*?)0+$/, at < text.length ? '$1' : '$10').replace(/\.$/, '');
      if (at >= text.length && raw.endsWith('.')) out += '.';
    } else {
      if (!' \t\r\n'.includes(c)) out += c;
      at++;
    }
  }
  return out;
}

/** A reader of well-formed prefixes (the recognizer accepted them). */
class Reader {
  private at = 0;
  constructor(private readonly text: string) {}

  value(): Partial {
    this.blank();
    const c = this.text[this.at];
    if (c === undefined) return OPEN;
    if (c === '{') return this.object();
    if (c === '[') return this.array();
    if (c === '"') {
      const s = this.string();
      return s === undefined ? OPEN : { scalar: s };
    }
    const m = /[^,\]}\s]*/y;
    m.lastIndex = this.at;
    const word = m.exec(this.text)![0];
    this.at += word.length;
    // A number at the end of the text may go on.
    return this.at >= this.text.length ? OPEN : { scalar: JSON.parse(word) };
  }

  private blank(): void {
    while (this.at < this.text.length && ' \t\r\n'.includes(this.text[this.at]!)) this.at++;
  }

  private string(): string | undefined {
    for (let i = this.at + 1; i < this.text.length; i++) {
      if (this.text[i] === '\\') i++;
      else if (this.text[i] === '"') {
        const s = JSON.parse(this.text.slice(this.at, i + 1)) as string;
        this.at = i + 1;
        return s;
      }
    }
    this.at = this.text.length;
    return undefined;
  }

  private object(): Partial {
    const members = new Map<string, Partial>();
    this.at++;
    for (;;) {
      this.blank();
      const c = this.text[this.at];
      if (c === undefined) return { closed: false, members, items: undefined };
      if (c === '}') {
        this.at++;
        return { closed: true, members, items: undefined };
      }
      if (c === ',') {
        this.at++;
        continue;
      }
      const key = this.string();
      if (key === undefined) return { closed: false, members, items: undefined };
      this.blank();
      if (this.text[this.at] === ':') this.at++;
      members.set(key, this.value());
    }
  }

  private array(): Partial {
    const items: Partial[] = [];
    this.at++;
    for (;;) {
      this.blank();
      const c = this.text[this.at];
      if (c === undefined) return { closed: false, members: undefined, items };
      if (c === ']') {
        this.at++;
        return { closed: true, members: undefined, items };
      }
      if (c === ',') {
        this.at++;
        this.blank();
        if (this.at >= this.text.length) return { closed: false, members: undefined, items };
      }
      items.push(this.value());
    }
  }
}
