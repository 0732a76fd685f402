/** One listener a signal, whatever number of requests share it. */
import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { AbortListeners } from '../../src/base/abort-listeners.js';

describe('AbortListeners', () => {
  it('a hundred requests have one listener; each runs once, those taken back never', () => {
    const listeners = new AbortListeners();
    const controller = new AbortController();
    const ran: number[] = [];
    const backs = Array.from({ length: 100 }, (_, i) => listeners.add(controller.signal, () => ran.push(i)));
    expect(getEventListeners(controller.signal, 'abort').length).toBe(1);
    backs[7]?.();
    backs[7]?.();
    controller.abort();
    expect(ran.length).toBe(99);
    expect(ran).not.toContain(7);
    expect(listeners.size).toBe(0);
  });
  it('listens no longer than it must', () => {
    const listeners = new AbortListeners();
    const { signal } = new AbortController();
    const run = (): void => {};
    const backs = [listeners.add(signal, run), listeners.add(signal, run)];
    backs[0]?.();
    expect(getEventListeners(signal, 'abort').length).toBe(1);
    backs[1]?.();
    expect(getEventListeners(signal, 'abort').length).toBe(0);
    expect(listeners.size).toBe(0);
  });
  it('runs at once where the signal has fired, and takes none', () => {
    const listeners = new AbortListeners();
    let ran = 0;
    listeners.add(AbortSignal.abort(), () => ran++)();
    listeners.add(undefined, () => ran++)();
    expect(ran).toBe(1);
  });
});
