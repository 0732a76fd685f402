/** The package in a project where ONNX Runtime is missing or has no binary that loads: masks work, engines say what is missing. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ModelError } from '../../src/base/errors.js';
import { loadFault } from '../../src/runtime/load-fault.js';
import { build } from '../cli/command.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const PACKAGES = ['@huggingface', 'ajv', 'ajv-draft-04', 'ajv-formats', 'chevrotain', 'commander'];
const ENGINE = `import { createEngine } from 'tokenloom';
for (const worker of [true, false])
  await createEngine({ worker }).catch((e) => console.log(e.constructor.name, e.code, e.input, e.got));`;
const MASKS = `import { compile, json } from 'tokenloom/core';
console.log(typeof compile(json({ type: 'integer' })));`;

let folder: string;
beforeAll(async () => {
  await build();
  folder = await mkdtemp(path.join(tmpdir(), 'tokenloom-bare-'));
  const modules = path.join(folder, 'node_modules');
  await mkdir(path.join(modules, 'tokenloom'), { recursive: true });
  await cp(path.join(root, 'dist'), path.join(modules, 'tokenloom/dist'), { recursive: true });
  await cp(path.join(root, 'package.json'), path.join(modules, 'tokenloom/package.json'));
  for (const name of PACKAGES) await symlink(path.join(root, 'node_modules', name), path.join(modules, name));
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

async function node(script: string): Promise<string> {
  await writeFile(path.join(folder, 'main.mjs'), script);
  const { stdout } = await promisify(execFile)(process.execPath, ['main.mjs'], { cwd: folder });
  return stdout;
}
const command = async (...args: string[]): Promise<unknown> =>
  promisify(execFile)(process.execPath, ['node_modules/tokenloom/dist/cli/main.js', ...args], { cwd: folder }).then(
    () => undefined,
    (error: { code: number; stderr: string }) => [error.code, error.stderr],
  );
const broken = async (): Promise<void> => {
  const at = path.join(folder, 'node_modules/onnxruntime-node');
  await mkdir(at, { recursive: true });
  await writeFile(path.join(at, 'package.json'), '{"name":"onnxruntime-node","main":"index.js"}');
  const names = ['env', 'InferenceSession', 'listSupportedBackends', 'Tensor'].map((name) => `exports.${name} = 1;`);
  await writeFile(path.join(at, 'index.js'), `process.dlopen(module, __dirname + '/package.json'); ${names.join(' ')}`);
};

describe('without ONNX Runtime', () => {
  it('masks work', async () => {
    expect(await node(MASKS)).toBe('object\n');
  });
  it('engines tell that it is missing, in either thread', async () => {
    const lines = (await node(ENGINE)).trim().split('\n');
    expect(lines).toHaveLength(2);
    for (const line of lines) expect(line).toMatch(/^ModelError MODEL ONNX Runtime Cannot find package/);
  });
  it('commands end with their code for models', async () => {
    const expected = [3, expect.stringMatching(/^tokenloom: ONNX Runtime: expected the npm package onnxruntime-node/)];
    expect(await command('generate', 'x')).toEqual(expected);
    expect(await command('devices')).toEqual(expected);
  });
  it('nor with a binary that does not load', async () => {
    await broken();
    const lines = (await node(ENGINE)).trim().split('\n');
    expect(lines).toHaveLength(2);
    for (const line of lines) expect(line).toMatch(/^ModelError MODEL ONNX Runtime /);
  });
  it('other faults stay what they are', () => {
    const other = Object.assign(new Error("Cannot find package 'ajv'"), { code: 'ERR_MODULE_NOT_FOUND' });
    other.stack = '';
    for (const error of [other, new TypeError('x'), 'text', undefined]) expect(loadFault(error)).toBe(error);
    const ours = Object.assign(new Error('libonnxruntime.so.1: no such file\nmore'), { code: 'ERR_DLOPEN_FAILED' });
    expect(loadFault(ours)).toMatchObject({ got: 'libonnxruntime.so.1: no such file', cause: ours });
    expect(loadFault(ours)).toBeInstanceOf(ModelError);
  });
  it('nor where a bundler puts an error of its own in place of the code', () => {
    const bundled = new Error(
      'Failed to load external module onnxruntime-node-43: Error: libonnxruntime.so.1: no file',
    );
    expect(loadFault(bundled)).toMatchObject({
      code: 'MODEL',
      expected: expect.stringContaining('shared libraries'),
      cause: bundled,
    });
  });
});
