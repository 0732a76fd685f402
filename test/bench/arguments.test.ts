/** `--help` of a benchmark is the comment at its top: each option that it reads stands there. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { headOf } from '../../bench/arguments.js';

const FILES = ['micro', 'mask', 'model', 'conformance', 'decode'];

describe('help of benchmarks', () => {
  it.each(FILES)('%s', (name) => {
    const source = readFileSync(`bench/${name}/main.ts`, 'utf8');
    const read = /readArguments\(import\.meta\.url, \{([\s\S]*?)\}\);/.exec(source)?.[1] ?? '';
    const options = [...read.matchAll(/'?([a-z][a-z-]+)'?: (?:\{|text)/g)].map((m) => m[1] as string);
    expect(options.length).toBeGreaterThan(1);
    const head = headOf(source);
    // `--parts` of bench:decode is another spelling of `--part`.
    expect(options.filter((o) => !head.includes(`--${o}`) && !(name === 'decode' && o === 'parts'))).toEqual([]);
  });
});
