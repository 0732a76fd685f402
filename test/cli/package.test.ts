/** What the built package holds. */
import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, expect, it } from 'vitest';
import { build } from './command.js';

beforeAll(build, 180_000);

it('source maps have their sources, which are not in the package', () => {
  const maps = readdirSync('dist', { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.map'));
  expect(maps.length).toBeGreaterThan(100);
  for (const file of maps) {
    const map = JSON.parse(readFileSync(`dist/${file}`, 'utf8')) as { sources: string[]; sourcesContent?: string[] };
    expect(map.sourcesContent?.length, file).toBe(map.sources.length);
  }
});
