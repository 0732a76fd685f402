/**
 * The value of a JSON text that is still being written.
 *
 * The naive way closes the open brackets and parses from the start for each token: quadratic, and wrong inside strings, escapes and
 * numbers. This reads each character once and keeps the open containers on a stack. {@link PartialJson.value} copies only
 * the open containers, so a snapshot stays as it was when more text arrives.
 *
 * What a snapshot shows: finished members; strings as far as they are written (a half escape or half surrogate pair is left out);
 * a number only once something follows it (`1` may become `12`), unless the text has ended; literals when whole; no key without a
 * value. Nesting has no limit but memory. The text is that of a constrained generation: what is not JSON stops the reading and
 * leaves the last value.
 */
type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

interface Open {
  readonly items?: Json[];
  readonly members?: Map<string, Json>;
  key: string | undefined;
}

const Mode = {
  Value: 0,
  /** Inside a string; the text so far is in `#text`. */
  String: 1,
  /** A number or literal; the text so far is in `#text`. */
  Word: 2,
  /** After a value: comma or end of the container. */
  After: 3,
  /** Before a key or the end of the object. */
  Key: 4,
  Colon: 5,
  Done: 6,
  Broken: 7,
} as const;
type Mode = (typeof Mode)[keyof typeof Mode];

export class PartialJson {
  readonly #stack: Open[] = [];
  #mode: Mode = Mode.Value;
  #text = '';
  #escape = '';
  #isKey = false;
  #root: Json | undefined;
  #hasRoot = false;
  /** What snapshots have shown so far: containers begun, scalars put, characters of strings. */
  #shown = 0;

  /** Reads more text. */
  push(text: string): void {
    for (let i = 0; i < text.length && this.#mode !== Mode.Broken; ) {
      if (this.#mode === Mode.String) {
        i = this.#readString(text, i);
        continue;
      }
      const c = text[i]!;
      if (this.#mode === Mode.Word) {
        if (/[-+.\w]/.test(c)) {
          this.#text += c;
          i++;
          continue;
        }
        this.#endWord();
        continue;
      }
      i++;
      if (c === ' ' || c === '\n' || c === '\t' || c === '\r') continue;
      this.#step(c);
    }
  }

  /** The text has ended: a number at the top level is whole. */
  end(): void {
    if (this.#mode === Mode.Word) this.#endWord();
  }

  /** Whether a whole value was read. */
  get isComplete(): boolean {
    return this.#mode === Mode.Done;
  }

  /** The items of an array that is the value, as far as they are whole. They change no more; the list grows. */
  get items(): readonly unknown[] {
    const outermost = this.#stack[0];
    if (outermost !== undefined) return outermost.items ?? [];
    return Array.isArray(this.#root) ? this.#root : [];
  }

  /** Another number whenever a snapshot is another one, known without making it. */
  get version(): number {
    return this.#shown + (this.#mode === Mode.String && !this.#isKey ? this.#shownString().length : 0);
  }

  /** A snapshot; undefined while there is nothing to show. */
  get value(): unknown {
    if (this.#stack.length === 0) {
      if (this.#hasRoot) return this.#root;
      return this.#mode === Mode.String ? this.#shownString() : undefined;
    }
    let inner: Json | undefined;
    let has = false;
    if (this.#mode === Mode.String && !this.#isKey) {
      inner = this.#shownString();
      has = true;
    }
    for (let i = this.#stack.length - 1; i >= 0; i--) {
      const open = this.#stack[i]!;
      if (open.items !== undefined) {
        const copy = open.items.slice();
        if (has) copy.push(inner as Json);
        inner = copy;
      } else {
        const copy = toObject(open.members as Map<string, Json>);
        if (has && open.key !== undefined) define(copy, open.key, inner as Json);
        inner = copy;
      }
      has = true;
    }
    return inner;
  }

  #step(c: string): void {
    const top = this.#stack[this.#stack.length - 1];
    switch (this.#mode) {
      case Mode.Value:
        if (c === ']' && top?.items?.length === 0) this.#close();
        else this.#begin(c);
        return;
      case Mode.Key:
        if (c === '}') this.#close();
        else if (c === '"') this.#beginString(true);
        else this.#mode = Mode.Broken;
        return;
      case Mode.Colon:
        this.#mode = c === ':' ? Mode.Value : Mode.Broken;
        return;
      case Mode.After:
        if (c === ',') this.#mode = top?.members === undefined ? Mode.Value : Mode.Key;
        else if ((c === ']' && top?.items !== undefined) || (c === '}' && top?.members !== undefined)) this.#close();
        else this.#mode = Mode.Broken;
        return;
      default:
        this.#mode = Mode.Broken;
    }
  }

  #begin(c: string): void {
    if (c === '"') this.#beginString(false);
    else if (c === '{') {
      this.#shown++;
      this.#stack.push({ members: new Map(), key: undefined });
      this.#mode = Mode.Key;
    } else if (c === '[') {
      this.#shown++;
      this.#stack.push({ items: [], key: undefined });
      this.#mode = Mode.Value;
    } else if (/[-\dtfn]/.test(c)) {
      this.#text = c;
      this.#mode = Mode.Word;
    } else this.#mode = Mode.Broken;
  }

  #beginString(isKey: boolean): void {
    this.#text = '';
    this.#escape = '';
    this.#isKey = isKey;
    if (!isKey) this.#shown++;
    this.#mode = Mode.String;
  }

  /** Reads string content from `from`; returns where to go on. */
  #readString(text: string, from: number): number {
    let i = from;
    while (i < text.length) {
      const c = text[i]!;
      if (this.#escape !== '') {
        this.#escape += c;
        i++;
        const simple = this.#escape.length === 2 && c !== 'u';
        if (simple || this.#escape.length === 6) {
          try {
            this.#text += JSON.parse(`"${this.#escape}"`) as string;
          } catch {
            this.#mode = Mode.Broken;
            return text.length;
          }
          this.#escape = '';
        }
      } else if (c === '\\') {
        this.#escape = c;
        i++;
      } else if (c === '"') {
        if (this.#isKey) {
          const top = this.#stack[this.#stack.length - 1];
          if (top !== undefined) top.key = this.#text;
          this.#mode = Mode.Colon;
        } else {
          this.#shown += this.#text.length;
          this.#put(this.#text);
        }
        return i + 1;
      } else {
        let end = i + 1;
        while (end < text.length && text[end] !== '"' && text[end] !== '\\') end++;
        this.#text += text.slice(i, end);
        i = end;
      }
    }
    return i;
  }

  #shownString(): string {
    const last = this.#text.charCodeAt(this.#text.length - 1);
    return last >= 0xd800 && last <= 0xdbff ? this.#text.slice(0, -1) : this.#text;
  }

  #endWord(): void {
    try {
      this.#put(JSON.parse(this.#text) as Json);
      this.#shown++;
    } catch {
      this.#mode = Mode.Broken;
    }
  }

  #put(value: Json): void {
    const top = this.#stack[this.#stack.length - 1];
    if (top === undefined) {
      this.#root = value;
      this.#hasRoot = true;
      this.#mode = Mode.Done;
      return;
    }
    if (top.items !== undefined) top.items.push(value);
    else if (top.key !== undefined) {
      top.members?.set(top.key, value);
      top.key = undefined;
    }
    this.#mode = Mode.After;
  }

  #close(): void {
    const top = this.#stack.pop();
    if (top === undefined) return;
    this.#put(top.items ?? toObject(top.members as Map<string, Json>));
  }
}

/** One-shot form: the value of a JSON text that may be cut anywhere. */
export function parsePartialJson(text: string): unknown {
  const parser = new PartialJson();
  parser.push(text);
  return parser.value;
}

function toObject(members: Map<string, Json>): { [key: string]: Json } {
  const out: { [key: string]: Json } = {};
  for (const [key, value] of members) define(out, key, value);
  return out;
}

/** `__proto__` is a key like any other, as in JSON.parse. */
function define(object: { [key: string]: Json }, key: string, value: Json): void {
  if (key === '__proto__')
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  else object[key] = value;
}
