/** The package inside a `node:vm` context, where test runners such as Jest put it. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, it } from 'vitest';
import { hasNodeArrays } from '../../src/engine/realm.js';
import { build } from '../cli/command.js';

beforeAll(build, 180_000);

it('engines run, in a thread of their own', async () => {
  const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url));
  const cwd = fileURLToPath(new URL('./vm-pool/', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [vitest, 'run', '--reporter=json'], { cwd });
  expect(JSON.parse(stdout)).toMatchObject({ success: true, numPassedTests: 3 });
}, 180_000);
it('outside of one, arrays are those of Node', () => {
  expect(hasNodeArrays()).toBe(true);
});
