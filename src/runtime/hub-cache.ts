/**
 * The hub's cache on disk, as every tool of that ecosystem has it, so that models are downloaded once for all of them:
 *
 *     models--org--name/blobs/ETAG            content
 *     models--org--name/snapshots/COMMIT/...  links to blobs, under the repository's own paths
 *     models--org--name/refs/REVISION         the commit that a branch or tag meant last
 */
import { copyFile, lstat, mkdir, readFile, readlink, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { ModelError } from '../base/errors.js';
import { type Release, takeLock } from './hub-lock.js';

export interface HubName {
  /** `org/name`. */
  readonly repository: string;
  readonly revision: string;
  /** Folder inside the repository that holds the model; '' for its root. */
  readonly folder: string;
}

export interface HubEnvironment {
  readonly endpoint: string;
  readonly cache: string;
  readonly token?: string;
  readonly offline: boolean;
}

/** Reads `hf:org/name[/folder][@revision]`; throws ModelError where it is none. */
export function parseHubName(source: string): HubName {
  const match = /^hf:([\w.-]+(?:\/[\w.-]+)?)((?:\/[\w.-]+)*)(?:@([\w./-]+))?$/.exec(source);
  const [, repository = '', folder = '', revision = 'main'] = match ?? [];
  const parts = [...repository.split('/'), ...folder.split('/'), ...revision.split('/')];
  if (match === null || parts.some((p) => p === '..' || p === '.')) {
    throw new ModelError(source, 'hf:organisation/name, with /folder and @revision as needed', `'${source}'`);
  }
  return { repository, revision, folder: folder.slice(1) };
}

/**
 * Where the cache lies and how to reach the hub, from HF_HOME, HF_HUB_CACHE, HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE.
 * @throws ModelError (rejection) where none of them says where and the user has no home
 */
export async function hubEnvironment(
  env: NodeJS.ProcessEnv = process.env,
  userHome: () => string = homedir,
): Promise<HubEnvironment> {
  const home = hubHome(env, userHome);
  const stored = typeof home === 'string' ? await readFile(path.join(home, 'token'), 'utf8').catch(() => '') : '';
  const token = env.HF_TOKEN || stored.trim();
  return {
    endpoint: (env.HF_ENDPOINT || 'https://huggingface.co').replace(/\/+$/, ''),
    cache: env.HF_HUB_CACHE || path.join(known(home), 'hub'),
    offline: ['1', 'true', 'yes', 'on'].includes((env.HF_HUB_OFFLINE ?? '').toLowerCase()),
    ...(token === '' ? {} : { token }),
  };
}

/** The folder of the hub's tools, or why there is none: users of containers and cloud functions may have no home. An empty variable is an unset one. */
function hubHome(env: NodeJS.ProcessEnv, userHome: () => string): string | { readonly why: unknown } {
  if (env.HF_HOME) return env.HF_HOME;
  try {
    return path.join(env.XDG_CACHE_HOME || path.join(userHome(), '.cache'), 'huggingface');
  } catch (why) {
    return { why };
  }
}

function known(home: string | { readonly why: unknown }): string {
  if (typeof home === 'string') return home;
  const { why: cause } = home;
  const got = cause instanceof Error ? cause.message : String(cause);
  throw new ModelError(
    "the hub's cache",
    'a folder for it (set HF_HOME or HF_HUB_CACHE)',
    `a user without home: ${got}`,
    {
      cause,
    },
  );
}

/** One repository's folder in the cache. */
export class HubCache {
  readonly root: string;
  constructor(cache: string, repository: string) {
    this.root = path.join(cache, `models--${repository.replaceAll('/', '--')}`);
  }

  /** Path of a blob; throws ModelError for an ETag that is no plain name. */
  blob(etag: string): string {
    if (!/^[\w-]{1,128}$/.test(etag)) throw new ModelError(this.root, 'an ETag of letters and digits', `'${etag}'`);
    return path.join(this.root, 'blobs', etag);
  }

  snapshot(commit: string): string {
    return path.join(this.root, 'snapshots', commit);
  }

  /** The commit that a revision meant when it was last asked for; the revision itself where it is a commit in the cache. */
  async commitOf(revision: string): Promise<string | undefined> {
    const text = await readFile(path.join(this.root, 'refs', revision), 'utf8').catch(() => undefined);
    const commit = text?.trim();
    if (commit !== undefined && /^[0-9a-f]{4,64}$/.test(commit)) return commit;
    if (!/^[0-9a-f]{40}$/.test(revision)) return undefined;
    return (await exists(this.snapshot(revision))) ? revision : undefined;
  }

  /** Notes what a revision means now. A cache that is complete serves where it is read-only too: then nothing is noted. */
  async setRef(revision: string, commit: string): Promise<void> {
    if (revision === commit || (await this.commitOf(revision)) === commit) return;
    const file = path.join(this.root, 'refs', revision);
    try {
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(`${file}.${process.pid}`, commit);
      await rename(`${file}.${process.pid}`, file);
    } catch (error) {
      if (!isStorageError(error)) throw error;
    }
  }

  /** Makes a snapshot's file lead to a blob: a relative link, or a copy where links are not allowed. */
  async link(commit: string, name: string, etag: string): Promise<void> {
    const file = path.join(this.snapshot(commit), name);
    const target = path.relative(path.dirname(file), this.blob(etag));
    const old = await lstat(file).catch(() => undefined);
    if (old?.isSymbolicLink() && (await readlink(file)) === target) return;
    await mkdir(path.dirname(file), { recursive: true });
    if (old !== undefined) await rm(file, { force: true });
    try {
      await symlink(target, file);
    } catch {
      await copyFile(this.blob(etag), file);
    }
  }

  /** Size of a finished blob, or undefined. */
  async sizeOf(etag: string): Promise<number | undefined> {
    return stat(this.blob(etag)).then(
      (s) => s.size,
      () => undefined,
    );
  }

  /**
   * The right to write the shared partial file of a blob, so that a later run can resume it. Undefined while another that may be
   * alive has it: download to a file of one's own then.
   */
  claim(etag: string): Promise<Release | undefined> {
    return takeLock(`${this.blob(etag)}.lock`);
  }
}

/** Whether the cache's disk is what failed, as opposed to the network: asking again does not help. */
export function isStorageError(error: unknown): error is Error {
  return error instanceof Error && 'syscall' in error && 'code' in error && STORAGE.has(String(error.code));
}

const STORAGE: ReadonlySet<string> = new Set([
  'EACCES',
  'EPERM',
  'EROFS',
  'ENOSPC',
  'EDQUOT',
  'EFBIG',
  'ENOTDIR',
  'EISDIR',
  'EEXIST',
]);

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
