import { lstat, mkdir, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ModelError } from '../../src/base/errors.js';
import { type DownloadOptions, download } from '../../src/runtime/hub.js';
import { type HubEnvironment, hubEnvironment, parseHubName } from '../../src/runtime/hub-cache.js';
import { loadModel } from '../../src/runtime/load.js';
import { llamaFiles } from '../../src/runtime/onnx/llama-writer.js';
import { COMMIT, type HubServer, startHub } from './hub-server.js';
import { BASE, withFolder } from './models.js';

const REPO = 'org/tiny.model-1';
let hub: HubServer;
let files: Map<string, string | Uint8Array>;

beforeAll(async () => {
  files = llamaFiles(BASE);
  files.set('README.md', 'not wanted');
  files.set('onnx/model_q4.onnx', 'not wanted either');
  files.set('sub/dir/config.json', '{"a":1}');
  files.set('sub/dir/model.onnx', 'a graph');
  hub = await startHub(REPO, files);
});
afterAll(() => hub.close());

/** Runs with an empty cache and without faults. */
async function fresh(run: (env: HubEnvironment, options: DownloadOptions) => Promise<void>): Promise<void> {
  for (const key of Object.keys(hub.faults)) delete hub.faults[key as keyof typeof hub.faults];
  hub.sent.clear();
  hub.ranges.length = 0;
  await withFolder((cache) => {
    const environment = { endpoint: hub.endpoint, cache, offline: false };
    return run(environment, { environment, retryDelay: 1 });
  });
}

const graphSize = (): number => files.get('onnx/model.onnx')?.length ?? 0;

describe('names and environment', () => {
  it('reads repository, folder and revision', () => {
    expect(parseHubName('hf:a/b')).toEqual({ repository: 'a/b', revision: 'main', folder: '' });
    expect(parseHubName('hf:a/b/c/d@v1/x')).toEqual({ repository: 'a/b', revision: 'v1/x', folder: 'c/d' });
    for (const bad of ['hf:', 'hf:a/..', 'hf:a/b@', 'hf:a b', 'hf:a/b/../c', 'hf:/a', 'hf:a/b@../x']) {
      expect(() => parseHubName(bad)).toThrow(ModelError);
    }
  });

  it('takes cache, endpoint and token from the environment', async () => {
    await withFolder(async (home) => {
      await writeFile(path.join(home, 'token'), 'stored\n');
      expect(await hubEnvironment({ HF_HOME: home })).toMatchObject({ cache: path.join(home, 'hub'), token: 'stored' });
      const env = { HF_HOME: home, HF_HUB_CACHE: '/c', HF_TOKEN: 't', HF_ENDPOINT: 'http://x/', HF_HUB_OFFLINE: '1' };
      expect(await hubEnvironment(env)).toEqual({ cache: '/c', token: 't', endpoint: 'http://x', offline: true });
      const empty = { HF_HOME: home, HF_HUB_CACHE: '', HF_ENDPOINT: '' };
      expect(await hubEnvironment(empty)).toEqual({ ...(await hubEnvironment({ HF_HOME: home })) });
    });
  });

  it('needs no home of the user where a folder is named, and names the variables where none is', async () => {
    const none = (): never => {
      throw new Error('uv_os_homedir returned ENOENT');
    };
    await withFolder(async (home) => {
      expect(await hubEnvironment({ HF_HOME: home }, none)).toMatchObject({ cache: path.join(home, 'hub') });
      expect(await hubEnvironment({ HF_HUB_CACHE: home }, none)).toMatchObject({ cache: home });
      await expect(hubEnvironment({}, none)).rejects.toMatchObject({
        code: 'MODEL',
        expected: expect.stringContaining('HF_HOME'),
        got: expect.stringContaining('uv_os_homedir'),
      });
    });
  });
});

describe('download', () => {
  it('fetches what is needed into the layout of the hub cache, and nothing twice', () =>
    fresh(async (env, options) => {
      const seen: string[] = [];
      const folder = await download(`hf:${REPO}`, {
        ...options,
        onProgress: (e) => seen.push(`${e.file} ${e.loaded}/${e.total}`),
      });
      const root = path.join(env.cache, 'models--org--tiny.model-1');
      expect(folder).toBe(path.join(root, 'snapshots', COMMIT));
      expect(await readFile(path.join(root, 'refs', 'main'), 'utf8')).toBe(COMMIT);
      const link = path.join(folder, 'onnx', 'model.onnx');
      expect((await lstat(link)).isSymbolicLink()).toBe(true);
      expect(await readlink(link)).toMatch(/^\.\.\/\.\.\/\.\.\/blobs\/[0-9a-f]{64}$/);
      expect(await readlink(path.join(folder, 'config.json'))).toMatch(/^\.\.\/\.\.\/blobs\/[0-9a-f]{40}$/);
      expect((await readFile(link)).equals(Buffer.from(files.get('onnx/model.onnx') as Uint8Array))).toBe(true);
      expect((await readdir(folder)).sort()).toEqual([
        'config.json',
        'genai_config.json',
        'generation_config.json',
        'onnx',
        'tokenizer.json',
        'tokenizer_config.json',
      ]);
      expect(seen).toContain(`onnx/model.onnx ${graphSize()}/${graphSize()}`);
      expect((await readdir(path.join(root, 'blobs'))).every((f) => /^[0-9a-f]+$/.test(f))).toBe(true);
      hub.sent.clear();
      await download(`hf:${REPO}`, options);
      expect([...hub.sent]).toEqual([]);
    }));

  it('loads as a model', () =>
    fresh(async (env) => {
      const before = { ...process.env };
      Object.assign(process.env, { HF_HUB_CACHE: env.cache, HF_ENDPOINT: env.endpoint });
      try {
        const loaded = await loadModel(`hf:${REPO}`, { kv: { bytes: 2 ** 22 } });
        expect(loaded.info).toMatchObject({ name: REPO, layout: 'huggingface', form: 'paged', eos: [2] });
        await loaded.model.dispose();
      } finally {
        process.env = before;
      }
    }));

  it('takes a folder of the repository and another revision', () =>
    fresh(async (env, options) => {
      const folder = await download(`hf:${REPO}/sub/dir@v1`, options);
      expect(folder.endsWith(path.join(COMMIT, 'sub', 'dir'))).toBe(true);
      expect(await readFile(path.join(folder, 'model.onnx'), 'utf8')).toBe('a graph');
      expect(await readdir(path.join(env.cache, 'models--org--tiny.model-1', 'refs'))).toEqual(['v1']);
    }));

  it('resumes where a connection broke', () =>
    fresh(async (_, options) => {
      Object.assign(hub.faults, { cutAfter: 20_000, cuts: 3 });
      await download(`hf:${REPO}`, options);
      expect(hub.ranges.length).toBeGreaterThan(0);
      expect(hub.sent.get('onnx/model.onnx')).toBe(graphSize());
    }));

  it('resumes what an earlier process left, and starts anew where the server has no ranges', () =>
    fresh(async (env, options) => {
      const folder = await download(`hf:${REPO}`, options);
      const blob = path.resolve(folder, 'onnx', await readlink(path.join(folder, 'onnx', 'model.onnx')));
      const bytes = await readFile(blob);
      for (const noRanges of [false, true]) {
        hub.faults.noRanges = noRanges;
        hub.sent.clear();
        const { rename } = await import('node:fs/promises');
        await rename(blob, `${blob}.incomplete`);
        await writeFile(`${blob}.incomplete`, bytes.subarray(0, 5000));
        await download(`hf:${REPO}`, options);
        expect(hub.sent.get('onnx/model.onnx')).toBe(graphSize() - (noRanges ? 0 : 5000));
        expect((await readFile(blob)).equals(bytes)).toBe(true);
      }
      expect(env.offline).toBe(false);
    }));

  it('throws away content whose hash is wrong, also of a partial file', () =>
    fresh(async (_, options) => {
      for (const file of ['config.json', 'onnx/model.onnx']) {
        hub.faults.corrupt = file;
        await expect(download(`hf:${REPO}`, options)).rejects.toThrow(/hash .*thrown away/);
      }
      delete hub.faults.corrupt;
      await download(`hf:${REPO}`, options);
    }));

  it('tries again after 503, gives up in the end', () =>
    fresh(async (_, options) => {
      hub.faults.unavailable = 3;
      await download(`hf:${REPO}`, options);
      hub.faults.unavailable = 100;
      await expect(download('hf:other/model', options)).rejects.toThrow(/HTTP 503/);
      hub.faults.unavailable = 0;
    }));

  it('keeps no connection for answers that nobody reads', { timeout: 20_000 }, () =>
    fresh(async (env) => {
      const other = await startHub(REPO, new Map());
      try {
        Object.assign(other.faults, { unavailable: 100, endless: true });
        const environment = { ...env, endpoint: other.endpoint };
        await expect(download(`hf:${REPO}`, { environment, retryDelay: 1 })).rejects.toThrow(/HTTP 503/);
        // An idle connection is kept for four seconds.
        await expect.poll(other.connections, { timeout: 10_000 }).toBe(0);
      } finally {
        await other.close();
      }
    }),
  );

  it('takes the graph that genai_config.json names from the repository alone', () =>
    fresh(async (env) => {
      for (const config of ['{"model":', '{"model":{"decoder":{"filename":"../../../../../outside.onnx"}}}']) {
        const other = await startHub(REPO, new Map([['genai_config.json', config]]));
        try {
          const environment = { ...env, endpoint: other.endpoint };
          await expect(download(`hf:${REPO}`, { environment, retryDelay: 1 })).rejects.toThrow(ModelError);
        } finally {
          await other.close();
        }
      }
    }));

  it('says what to do about 401 and 404, without trying again', () =>
    fresh(async (env, options) => {
      hub.faults.token = 'secret';
      await expect(download(`hf:${REPO}`, options)).rejects.toThrow(/HF_TOKEN/);
      await download(`hf:${REPO}`, { ...options, environment: { ...env, token: 'secret' } });
      delete hub.faults.token;
      await expect(download('hf:no/such', options)).rejects.toThrow(/404/);
      await expect(download(`hf:${REPO}`, { ...options, dtype: 'fp16' })).rejects.toThrow(
        /'fp16' model, got only onnx\/model/,
      );
    }));

  it('uses the cache where the hub cannot be reached or must not be asked', () =>
    fresh(async (env, options) => {
      const away = { ...env, endpoint: 'http://127.0.0.1:9' };
      await expect(download(`hf:${REPO}`, { ...options, environment: away })).rejects.toThrow(ModelError);
      const folder = await download(`hf:${REPO}`, options);
      const warnings: string[] = [];
      const told = { ...options, environment: away, onWarning: (w: string) => warnings.push(w) };
      expect(await download(`hf:${REPO}`, told)).toBe(folder);
      expect(warnings).toEqual([expect.stringMatching(/cannot be reached.*from the cache/)]);
      expect(await download(`hf:${REPO}@${COMMIT}`, { ...options, environment: { ...env, offline: true } })).toBe(
        folder,
      );
    }));

  it('serves a complete cache that cannot be written, and says which folder could not be', () =>
    fresh(async (env, options) => {
      const folder = await download(`hf:${REPO}`, options);
      const refs = path.join(folder, '../../refs');
      await rm(refs, { recursive: true });
      await writeFile(refs, 'no folder');
      expect(await download(`hf:${REPO}`, options)).toBe(folder);
      const environment = { ...env, cache: refs };
      await expect(download(`hf:${REPO}`, { ...options, environment })).rejects.toThrow(/HF_HUB_CACHE names.*ENOTDIR/);
    }));

  it('says that a proxy is not asked, what is no URL, and that a model is not in the cache', () =>
    fresh(async (env, options) => {
      const asked = (changed: Partial<HubEnvironment>) =>
        download(`hf:${REPO}`, { ...options, environment: { ...env, ...changed } });
      vi.stubEnv('HTTP_PROXY', 'http://127.0.0.1:9');
      vi.stubEnv('NODE_USE_ENV_PROXY', '');
      await expect(asked({ endpoint: 'http://127.0.0.1:9' })).rejects.toThrow(/HTTP_PROXY is set, but/);
      vi.unstubAllEnvs();
      await expect(asked({ endpoint: 'hub' })).rejects.toThrow(/URL as HF_ENDPOINT, got 'hub'/);
      await expect(asked({ offline: true })).rejects.toThrow(/copy in the cache .*HF_HUB_OFFLINE/);
    }));

  it('stops when aborted, and when the server falls silent', () =>
    fresh(async (_, options) => {
      hub.faults.silent = true;
      const stop = new AbortController();
      setTimeout(() => stop.abort(new Error('enough')), 50);
      await expect(download(`hf:${REPO}`, { ...options, signal: stop.signal })).rejects.toThrow('enough');
      await expect(download(`hf:${REPO}`, { ...options, idleTimeout: 30 })).rejects.toThrow(/no byte for 0\.03 s/);
    }));

  it('does not wait for another process that downloads the same file', () =>
    fresh(async (env, options) => {
      const folder = await download(`hf:${REPO}`, options);
      const name = await readlink(path.join(folder, 'onnx', 'model.onnx'));
      const blob = path.resolve(folder, 'onnx', name);
      await rm(blob);
      await mkdir(path.dirname(blob), { recursive: true });
      await writeFile(`${blob}.lock`, String(process.ppid));
      await download(`hf:${REPO}`, options);
      expect((await readFile(blob)).length).toBe(graphSize());
      expect(env.cache.length).toBeGreaterThan(0);
    }));
});
