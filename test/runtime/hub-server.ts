/** A hub on the loopback interface with the layout and the headers of the real one, and faults on demand. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Faults {
  /** Close the connection after this many bytes of a body, this many times. */
  cutAfter?: number;
  cuts?: number;
  /** Answer this many requests with 503. */
  unavailable?: number;
  /** The body of those answers never ends. */
  endless?: boolean;
  /** Flip a byte of every body of this file. */
  corrupt?: string;
  token?: string;
  /** Never answer requests for bodies. */
  silent?: boolean;
  noRanges?: boolean;
}

export interface HubServer {
  readonly endpoint: string;
  readonly faults: Faults;
  /** Bytes of bodies sent, by file. */
  readonly sent: Map<string, number>;
  readonly ranges: string[];
  /** Connections that are open. */
  connections(): Promise<number>;
  close(): Promise<void>;
}

export const COMMIT = '0123456789abcdef0123456789abcdef01234567';

export async function startHub(
  repository: string,
  files: ReadonlyMap<string, string | Uint8Array>,
): Promise<HubServer> {
  const faults: Faults = {};
  const sent = new Map<string, number>();
  const ranges: string[] = [];
  const contents = new Map([...files].map(([name, c]) => [name, Buffer.from(c as Uint8Array)]));
  const body = (req: IncomingMessage, res: ServerResponse, name: string, content: Buffer): void => {
    if (faults.silent) return;
    let data = content;
    if (faults.corrupt === name) {
      data = Buffer.from(content);
      data[data.length >> 1]! ^= 1;
    }
    const range = /bytes=(\d+)-/.exec(req.headers.range ?? '');
    const from = range !== null && !faults.noRanges ? Number(range[1]) : 0;
    if (range !== null) ranges.push(`${name} ${from}`);
    if (from >= data.length && from > 0) {
      res.writeHead(416).end();
      return;
    }
    const rest = data.subarray(from);
    const headers = { 'content-length': rest.length, 'accept-ranges': 'bytes' };
    if (from > 0)
      res.writeHead(206, { ...headers, 'content-range': `bytes ${from}-${data.length - 1}/${data.length}` });
    else res.writeHead(200, headers);
    const cut = (faults.cuts ?? 0) > 0 && rest.length > (faults.cutAfter ?? 0);
    const part = cut ? rest.subarray(0, faults.cutAfter) : rest;
    sent.set(name, (sent.get(name) ?? 0) + part.length);
    if (cut) {
      faults.cuts = (faults.cuts ?? 0) - 1;
      res.write(part, () => setTimeout(() => res.destroy(), 20));
    } else res.end(part);
  };
  const server = createServer((req, res) => {
    if ((faults.unavailable ?? 0) > 0) {
      faults.unavailable = (faults.unavailable ?? 0) - 1;
      res.writeHead(503);
      if (faults.endless) res.write(Buffer.alloc(2 ** 20));
      else res.end();
      return;
    }
    if (faults.token !== undefined && req.headers.authorization !== `Bearer ${faults.token}`) {
      res.writeHead(401).end();
      return;
    }
    const url = new URL(req.url ?? '/', 'http://localhost');
    const api = new RegExp(`^/api/models/${repository}/revision/(main|v1|${COMMIT})$`);
    if (api.test(url.pathname)) {
      const siblings = [...contents.keys()].map((rfilename) => ({ rfilename }));
      res.setHeader('content-type', 'application/json').end(JSON.stringify({ sha: COMMIT, siblings }));
      return;
    }
    const [kind, prefix] = url.pathname.startsWith('/cdn/')
      ? ['cdn', '/cdn/']
      : ['hub', `/${repository}/resolve/${COMMIT}/`];
    const name = decodeURIComponent(url.pathname.slice(prefix.length));
    const content = url.pathname.startsWith(prefix) ? contents.get(name) : undefined;
    if (content === undefined) {
      res.writeHead(404).end();
      return;
    }
    // Large files live elsewhere and have a SHA-256; small ones are answered at once, with git's hash.
    if (name.endsWith('.onnx') && kind === 'hub') {
      const sha = createHash('sha256').update(content).digest('hex');
      res
        .writeHead(302, { location: `/cdn/${name}`, 'x-linked-etag': `"${sha}"`, 'x-linked-size': content.length })
        .end();
      return;
    }
    const git = createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
    res.setHeader('etag', `"${git}"`);
    if (req.method === 'HEAD') res.writeHead(200, { 'content-length': content.length }).end();
    else body(req, res, name, content);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    faults,
    sent,
    ranges,
    connections: () => new Promise((resolve, reject) => server.getConnections((e, n) => (e ? reject(e) : resolve(n)))),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
