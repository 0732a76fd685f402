import { beforeAll, describe, expect, it } from 'vitest';
import { missing } from '../runtime/adapter.js';
import { build, run } from './command.js';

beforeAll(build, 180_000);

describe('devices', () => {
  it('lists every device with figures or with what it needs; standard output is whole JSON with --json', async () => {
    const r = await run('devices --json');
    expect(r.code).toBe(0);
    const found = JSON.parse(r.stdout) as {
      device: string;
      usable: boolean;
      reason?: string;
      speed?: { tokenMs: number };
    }[];
    expect(found.map((d) => d.device)).toEqual(['cpu', 'webgpu', 'cuda', 'directml', 'coreml']);
    expect(found[0]).toMatchObject({ usable: true, paged: true });
    expect(found[1]!.usable).toBe(missing === undefined);
    for (const d of found) {
      if (d.usable) expect(d.speed?.tokenMs).toBeGreaterThan(0);
      else expect(d.reason).toMatch(/^needs .* for device '/);
    }
  }, 120_000);

  it('prints a table for people, and takes one device', async () => {
    const r = await run('devices --only cpu');
    expect(r.code).toBe(0);
    expect(r.stdout.split('\n')[0]).toMatch(/^device +1 token +64 tokens +call +notes$/);
    expect(r.stdout.split('\n')[1]).toMatch(/^cpu +[\d.]+ +[\d.]+ +[\d.]+ +paged KV$/);
    expect(await run('devices --only abacus')).toMatchObject({ code: 2 });
  }, 60_000);
});
