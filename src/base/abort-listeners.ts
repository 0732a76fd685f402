/**
 * One listener a signal, however many requests it may end: a pool of requests that share a signal would have a listener each, and Node warns
 * of a leak from the eleventh on.
 */
interface Entry {
  readonly runs: Set<() => void>;
  readonly listener: () => void;
}

export class AbortListeners {
  readonly #entries = new Map<AbortSignal, Entry>();

  /** Signals that are listened to. */
  get size(): number {
    return this.#entries.size;
  }

  /** Calls `run` when the signal fires, at once where it has; the result takes it back. */
  add(signal: AbortSignal | undefined, run: () => void): () => void {
    if (signal === undefined) return () => {};
    if (signal.aborted) {
      run();
      return () => {};
    }
    let entry = this.#entries.get(signal);
    if (entry === undefined) {
      entry = this.#listen(signal);
      this.#entries.set(signal, entry);
    }
    const { runs, listener } = entry;
    // Of its own, so that the same function may be added twice.
    const once = (): void => run();
    runs.add(once);
    return () => {
      if (!runs.delete(once) || runs.size > 0) return;
      signal.removeEventListener('abort', listener);
      this.#entries.delete(signal);
    };
  }

  #listen(signal: AbortSignal): Entry {
    const runs = new Set<() => void>();
    const listener = (): void => {
      this.#entries.delete(signal);
      const all = [...runs];
      runs.clear();
      for (const run of all) run();
    };
    signal.addEventListener('abort', listener, { once: true });
    return { runs, listener };
  }
}
