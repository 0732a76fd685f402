/** Node's permission model: what an engine may not do is told with the flag that allows it. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, it } from 'vitest';
import { build } from '../cli/command.js';

beforeAll(build, 180_000);

const entry = new URL('../../dist/index.js', import.meta.url).href;
const flag = process.allowedNodeEnvironmentFlags.has('--permission') ? '--permission' : '--experimental-permission';

/** What `createEngine` says in a process with these permissions, or the device that it runs on. */
async function told(worker: boolean, ...allowed: string[]): Promise<string> {
  const script = `import { createEngine } from ${JSON.stringify(entry)};
await createEngine({ worker: ${worker} }).then(
  async (engine) => { console.log(engine.info.device); await engine.close(); },
  (error) => console.log(error.code, error.message));`;
  const args = [flag, '--allow-fs-read=*', ...allowed, '--input-type=module', '-e', script];
  const cwd = fileURLToPath(new URL('../../', import.meta.url));
  return (await promisify(execFile)(process.execPath, args, { cwd })).stdout.trim();
}

it('threads', async () => {
  expect(await told(true, '--allow-addons')).toMatch(/^OPTION option 'worker': .*--allow-worker/);
});
it('native addons, in either thread', async () => {
  expect(await told(false)).toMatch(/^MODEL ONNX Runtime: .*--allow-addons/);
  expect(await told(true, '--allow-worker')).toMatch(/^MODEL ONNX Runtime: .*--allow-addons/);
});
it('with both, engines run', async () => {
  expect(await told(true, '--allow-addons', '--allow-worker')).toBe('cpu');
});
