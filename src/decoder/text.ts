/**
 * From token bytes to text that can be shown: characters that span tokens are held back until they are whole; stop strings are
 * found across tokens, and text that may turn out to be the beginning of one is held back too.
 */

/** Bytes in, whole characters out. Invalid bytes become U+FFFD, as WHATWG's decoder has it. */
export class TextStream {
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });

  push(bytes: Uint8Array): string {
    return bytes.length === 0 ? '' : this.#decoder.decode(bytes, { stream: true });
  }

  /** What remains at the end of the sequence. */
  flush(): string {
    return this.#decoder.decode();
  }
}

/** Finds the string that ends first (of those, the longest) in a stream of text, however the text is cut. */
export class StopScanner {
  readonly #stops: readonly string[];
  #held = '';

  constructor(stops: readonly string[]) {
    this.#stops = stops.filter((s) => s !== '');
  }

  /** Returns the text that is certain, whether a stop string was found, and what came after that one. */
  push(text: string): { readonly text: string; readonly stopped: boolean; readonly rest: string } {
    if (this.#stops.length === 0) return { text, stopped: false, rest: '' };
    const all = this.#held + text;
    let cut = -1;
    let end = 0;
    for (const stop of this.#stops) {
      const at = all.indexOf(stop);
      const to = at + stop.length;
      if (at < 0 || (cut >= 0 && (to > end || (to === end && at >= cut)))) continue;
      cut = at;
      end = to;
    }
    if (cut >= 0) {
      this.#held = '';
      return { text: all.slice(0, cut), stopped: true, rest: all.slice(end) };
    }
    let hold = 0;
    for (const stop of this.#stops) {
      for (let n = Math.min(stop.length - 1, all.length); n > hold; n--) {
        if (all.endsWith(stop.slice(0, n))) {
          hold = n;
          break;
        }
      }
    }
    this.#held = all.slice(all.length - hold);
    return { text: all.slice(0, all.length - hold), stopped: false, rest: '' };
  }

  /** What was held back, at the end of the sequence. */
  flush(): string {
    const held = this.#held;
    this.#held = '';
    return held;
  }
}
