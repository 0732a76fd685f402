/**
 * Downloads of model repositories: only the files that are needed, resumed where they broke off, checked before they count.
 *
 * A file is complete when its size and its hash are right: the ETag is the SHA-256 of large files and git's blob hash of small
 * ones. Until then it is called `ETAG.incomplete`. Where the hub cannot be reached, what the cache has is used.
 */
import { createHash, type Hash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { ModelError } from '../base/errors.js';
import { CONFIG_FILES, chooseGraph, dataFiles } from './folder.js';
import { HubCache, type HubEnvironment, hubEnvironment, isStorageError, parseHubName } from './hub-cache.js';
import { asString, at, isObject, type JsonObject, jsonObject } from './json.js';
import type { Dtype, LoadProgress } from './types.js';

export interface DownloadOptions {
  readonly dtype?: Dtype;
  readonly onProgress?: (event: LoadProgress) => void;
  readonly signal?: AbortSignal;
  /** Told what the caller should know, for instance that the hub was not asked. */
  readonly onWarning?: (text: string) => void;
  readonly environment?: HubEnvironment;
  /** Milliseconds before the first repetition of a failed request; doubles each time (default 500). */
  readonly retryDelay?: number;
  /** Milliseconds without a byte after which a request counts as failed (default 30,000). */
  readonly idleTimeout?: number;
}

const ATTEMPTS = 5;

/** A response that will not get better by asking again. */
class Refused extends ModelError {
  override get name(): string {
    return 'ModelError';
  }
}

/**
 * Makes a model repository present in the cache and returns the folder of its snapshot. Throws ModelError (network, access,
 * integrity, nothing suitable in it), and the signal's reason when aborted; what was downloaded stays and is resumed.
 */
export async function download(source: string, options: DownloadOptions = {}): Promise<string> {
  const { repository, revision, folder } = parseHubName(source);
  const env = options.environment ?? (await hubEnvironment());
  const cache = new HubCache(env.cache, repository);
  const hub = new Hub(source, repository, env, options);
  let listing: { commit: string; files: string[] };
  try {
    if (env.offline)
      throw new ModelError(
        source,
        `a copy in the cache ${env.cache}`,
        'none, and HF_HUB_OFFLINE forbids to download it',
      );
    listing = await hub.list(revision);
  } catch (error) {
    options.signal?.throwIfAborted();
    const commit = error instanceof Refused ? undefined : await cache.commitOf(revision);
    if (commit === undefined) throw error;
    if (!env.offline)
      options.onWarning?.(`the hub cannot be reached; ${source} comes from the cache, commit ${commit}`);
    return path.join(cache.snapshot(commit), folder);
  }
  const { commit, files } = listing;
  const prefix = folder === '' ? '' : `${folder}/`;
  const inside = files.filter((f) => f.startsWith(prefix)).map((f) => f.slice(prefix.length));
  for (const name of await wantedFiles(source, inside, options.dtype ?? 'auto', (f) => hub.text(commit, prefix + f))) {
    await fetchFile(hub, cache, commit, prefix + name, options);
  }
  await cache.setRef(revision, commit);
  return path.join(cache.snapshot(commit), folder);
}

/** Configuration files and the graph with its data. `read` is asked for genai_config.json where that names the graph. */
async function wantedFiles(
  source: string,
  files: readonly string[],
  dtype: Dtype,
  read: (file: string) => Promise<string>,
): Promise<string[]> {
  const configs = files.filter((f) => CONFIG_FILES.includes(f));
  let graph: string | undefined;
  if (files.includes('genai_config.json') && !files.some((f) => f.startsWith('onnx/'))) {
    graph = asString(
      at(jsonObject(`${source}: genai_config.json`, await read('genai_config.json')), 'model', 'decoder', 'filename'),
    );
    // Also what leads out of the repository's folder is no file of it.
    if (graph !== undefined && !files.includes(graph)) {
      throw new ModelError(
        source,
        'a file of the repository as model.decoder.filename of genai_config.json',
        `'${graph}'`,
      );
    }
  }
  graph ??= chooseGraph(source, files, dtype);
  return [...configs, graph, ...dataFiles(graph, files)];
}

interface FileInfo {
  readonly etag: string;
  readonly size: number | undefined;
}

/** Requests to one repository. */
class Hub {
  constructor(
    private readonly source: string,
    private readonly repository: string,
    private readonly env: HubEnvironment,
    private readonly options: DownloadOptions,
  ) {}

  url(commit: string, file: string): string {
    const name = file.split('/').map(encodeURIComponent).join('/');
    return `${this.env.endpoint}/${this.repository}/resolve/${encodeURIComponent(commit)}/${name}`;
  }

  /** Repeats what fails by network or with a 5xx or 429, with growing pauses. */
  async retry<T>(what: string, run: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await run();
      } catch (error) {
        this.options.signal?.throwIfAborted();
        if (error instanceof Refused || isStorageError(error)) throw error;
        if (attempt >= ATTEMPTS) {
          const why = `${error instanceof Error ? causeOf(error) : String(error)}${proxyHint(this.env.endpoint)}`;
          throw new ModelError(this.source, what, why, { cause: error });
        }
        await pause((this.options.retryDelay ?? 500) * 2 ** (attempt - 1), this.options.signal);
      }
    }
  }

  async request(url: string, init: RequestInit): Promise<{ response: Response; touch: () => void; done: () => void }> {
    const headers = new Headers(init.headers);
    headers.set('user-agent', 'tokenloom');
    if (this.env.token !== undefined) headers.set('authorization', `Bearer ${this.env.token}`);
    const idle = new AbortController();
    const limit = this.options.idleTimeout ?? 30_000;
    const stop = (): void => idle.abort(new Error(`no byte for ${limit / 1000} s`));
    let timer = setTimeout(stop, limit);
    const touch = (): void => {
      clearTimeout(timer);
      timer = setTimeout(stop, limit);
    };
    // A body that nobody reads would keep its connection, and the process, until the server gives up.
    const done = (response?: Response): void => {
      clearTimeout(timer);
      if (response?.body != null && !response.bodyUsed) response.body.cancel().catch(() => {});
    };
    const signals = [idle.signal, ...(this.options.signal === undefined ? [] : [this.options.signal])];
    try {
      const response = await fetch(url, { ...init, headers, signal: AbortSignal.any(signals) });
      return { response, touch, done: () => done(response) };
    } catch (error) {
      done();
      throw error;
    }
  }

  /** Throws for a status that is an error: for good, or to be tried again. */
  check(response: Response, url: string): void {
    const { status } = response;
    if (status < 400) return;
    if (status === 401 || status === 403) {
      throw new Refused(
        this.source,
        'access (set HF_TOKEN; gated models ask for consent on their page)',
        `HTTP ${status} for ${url}`,
      );
    }
    if (status === 404)
      throw new Refused(this.source, 'a repository, revision and file that exist', `HTTP 404 for ${url}`);
    if (status < 500 && status !== 429 && status !== 408)
      throw new Refused(this.source, 'a file', `HTTP ${status} for ${url}`);
    throw new Error(`HTTP ${status} for ${url}`);
  }

  async list(revision: string): Promise<{ commit: string; files: string[] }> {
    const url = `${this.env.endpoint}/api/models/${this.repository}/revision/${encodeURIComponent(revision)}`;
    if (!URL.canParse(url)) throw new Refused(this.source, 'a URL as HF_ENDPOINT', `'${this.env.endpoint}'`);
    return this.retry('an answer of the hub', async () => {
      const body = await this.body(url);
      let value: unknown;
      try {
        value = JSON.parse(body);
      } catch (error) {
        throw new Refused(this.source, `JSON from ${url}`, body.slice(0, 80), { cause: error });
      }
      const commit = asString(at(value, 'sha'));
      const siblings = at(value, 'siblings');
      if (commit === undefined || !/^[0-9a-f]{4,64}$/.test(commit) || !Array.isArray(siblings)) {
        throw new Refused(this.source, `a list of files from ${url}`, body.slice(0, 80));
      }
      const files = siblings.filter((s): s is JsonObject => isObject(s)).map((s) => String(s.rfilename));
      const strange = files.find((f) => f.split('/').some((p) => p === '..' || p === '') || f.includes('\\'));
      if (strange !== undefined) throw new Refused(this.source, 'file names inside the repository', strange);
      return { commit, files };
    });
  }

  private async body(url: string): Promise<string> {
    const { response, done } = await this.request(url, {});
    try {
      this.check(response, url);
      return await response.text();
    } finally {
      done();
    }
  }

  text(commit: string, file: string): Promise<string> {
    return this.retry(`the file ${file}`, () => this.body(this.url(commit, file)));
  }

  /** ETag and size of a file, without its content; large files answer with a redirection that carries both. */
  async info(commit: string, file: string): Promise<FileInfo> {
    return this.retry(`the file ${file}`, async () => {
      let url = this.url(commit, file);
      for (let hop = 0; hop < 5; hop++) {
        const init = { method: 'HEAD', redirect: 'manual', headers: { 'accept-encoding': 'identity' } } as const;
        const { response, done } = await this.request(url, init);
        done();
        this.check(response, url);
        const { headers, status } = response;
        const etag = headers.get('x-linked-etag') ?? (status < 300 ? headers.get('etag') : null);
        if (etag !== null) {
          const size = Number(headers.get('x-linked-size') ?? headers.get('content-length') ?? Number.NaN);
          return {
            etag: etag.replace(/^W\//, '').replaceAll('"', ''),
            size: Number.isInteger(size) ? size : undefined,
          };
        }
        const next = headers.get('location');
        if (next === null) throw new Refused(this.source, `an ETag for ${file}`, `HTTP ${status} without one`);
        const to = new URL(next, url);
        if (to.origin !== new URL(url).origin)
          throw new Refused(this.source, `an ETag for ${file}`, 'a redirection without one');
        url = to.href;
      }
      throw new Refused(this.source, `the file ${file}`, 'too many redirections');
    });
  }

  /** Appends the rest of a file to `partial`, or starts it anew where the server does not resume. */
  async fetchInto(url: string, partial: string, onBytes: (loaded: number) => void): Promise<void> {
    const have = await stat(partial).then(
      (s) => s.size,
      () => 0,
    );
    const headers = { 'accept-encoding': 'identity', ...(have > 0 ? { range: `bytes=${have}-` } : {}) };
    const { response, touch, done } = await this.request(url, { headers });
    try {
      if (response.status === 416) {
        await rm(partial, { force: true });
        throw new Error('the partial file did not fit');
      }
      this.check(response, url);
      const range = /^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '');
      const resumed = response.status === 206 && Number(range?.[1]) === have;
      if (response.status === 206 && !resumed) {
        await rm(partial, { force: true });
        throw new Error('the server sent another range');
      }
      let loaded = resumed ? have : 0;
      const file = await open(partial, resumed ? 'a' : 'w');
      try {
        if (response.body === null) return;
        for await (const chunk of response.body) {
          touch();
          await file.write(chunk as Uint8Array);
          loaded += (chunk as Uint8Array).length;
          onBytes(loaded);
        }
      } finally {
        await file.close();
      }
    } finally {
      done();
    }
  }

  unwritable(error: Error): ModelError {
    const expected = 'a cache that can be written (HF_HOME or HF_HUB_CACHE names its folder)';
    return new ModelError(this.source, expected, error.message, { cause: error });
  }

  broken(file: string, expected: string, got: string): ModelError {
    return new Refused(this.source, `${file} with ${expected}`, `${got}; the download was thrown away`);
  }
}

async function fetchFile(
  hub: Hub,
  cache: HubCache,
  commit: string,
  name: string,
  options: DownloadOptions,
): Promise<void> {
  options.signal?.throwIfAborted();
  const info = await hub.info(commit, name);
  try {
    await store(hub, cache, commit, name, info, options);
  } catch (error) {
    if (!isStorageError(error)) throw error;
    throw hub.unwritable(error);
  }
}

async function store(
  hub: Hub,
  cache: HubCache,
  commit: string,
  name: string,
  info: FileInfo,
  options: DownloadOptions,
): Promise<void> {
  const blob = cache.blob(info.etag);
  const present = await cache.sizeOf(info.etag);
  if (present === undefined || (info.size !== undefined && present !== info.size)) {
    await mkdir(path.dirname(blob), { recursive: true });
    const release = await cache.claim(info.etag);
    const partial = release === undefined ? `${blob}.${randomUUID()}.incomplete` : `${blob}.incomplete`;
    const total = info.size === undefined ? {} : { total: info.size };
    try {
      await hub.retry(`the file ${name}`, () =>
        hub.fetchInto(hub.url(commit, name), partial, (loaded) =>
          options.onProgress?.({ phase: 'download', file: name, loaded, ...total }),
        ),
      );
      await verify(hub, name, partial, info);
      await rename(partial, blob);
    } finally {
      if (release === undefined) await rm(partial, { force: true });
      await release?.();
    }
  }
  await cache.link(commit, name, info.etag);
}

/** Checks size and hash of a finished download; throws it away where they are wrong. */
async function verify(hub: Hub, name: string, file: string, info: FileInfo): Promise<void> {
  const { size } = await stat(file);
  if (info.size !== undefined && size !== info.size) {
    await rm(file, { force: true });
    throw hub.broken(name, `${info.size} bytes`, `${size}`);
  }
  let hash: Hash;
  if (/^[0-9a-f]{64}$/.test(info.etag)) hash = createHash('sha256');
  else if (/^[0-9a-f]{40}$/.test(info.etag)) hash = createHash('sha1').update(`blob ${size}\0`);
  else return;
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  const got = hash.digest('hex');
  if (got === info.etag) return;
  await rm(file, { force: true });
  throw hub.broken(name, `hash ${info.etag}`, got);
}

function causeOf(error: Error): string {
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

/** Node asks proxies only where it is told to, and says nothing about those that it was not told of. */
function proxyHint(endpoint: string): string {
  const { env } = process;
  const names = endpoint.startsWith('https:') ? ['HTTPS_PROXY', 'https_proxy'] : ['HTTP_PROXY', 'http_proxy'];
  const name = names.find((n) => (env[n] ?? '') !== '');
  if (name === undefined || env.NODE_USE_ENV_PROXY === '1' || env.NODE_OPTIONS?.includes('use-env-proxy')) return '';
  return ` (${name} is set, but Node takes it only with NODE_USE_ENV_PROXY=1, from versions 22.21 and 24.5 on)`;
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal?.addEventListener('abort', stop, { once: true });
  });
}
