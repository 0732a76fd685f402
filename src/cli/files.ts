/** Reading files and standard input: bounded, UTF-8 or an error that says at which byte it is not, without byte order mark. */
import { isUtf8 } from 'node:buffer';
import { open, writeFile } from 'node:fs/promises';
import { CliError } from './exit.js';

/** Most bytes that are read of a grammar, schema or prompt. */
const MAX_BYTES = 64 << 20;
const CHUNK = 1 << 16;

/** A file's text, or standard input for `-`. @throws CliError where it is too large or no UTF-8; file errors as they come */
export async function readText(file: string): Promise<string> {
  const name = file === '-' ? 'standard input' : file;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of readChunks(file)) {
    size += chunk.length;
    if (size > MAX_BYTES) throw new CliError(`${name}: larger than ${MAX_BYTES >> 20} MiB`);
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  if (!isUtf8(bytes)) throw new CliError(`${name}: not UTF-8 text (byte ${firstInvalid(bytes)})`);
  const text = bytes.toString('utf8');
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

/** The bytes of a file, or of standard input for `-`, in pieces; a reader that stops early leaves the rest unread. */
export async function* readChunks(file: string): AsyncGenerator<Uint8Array> {
  if (file === '-') {
    for await (const chunk of process.stdin)
      yield typeof chunk === 'string' ? Buffer.from(chunk) : (chunk as Uint8Array);
    return;
  }
  const handle = await open(file);
  try {
    if ((await handle.stat()).isDirectory()) throw new CliError(`${file}: is a folder`);
    for (;;) {
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(CHUNK), 0, CHUNK, null);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

/** Writes a file; what goes wrong names it. */
export async function writeText(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text);
  } catch (error) {
    throw unwritable(file, error);
  }
}

/** The error of a file that could not be written. */
export function unwritable(file: string, error: unknown): CliError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const why =
    code === 'ENOENT' || code === 'ENOTDIR'
      ? 'no such folder'
      : code === 'EISDIR'
        ? 'is a folder'
        : code === 'EACCES' || code === 'EROFS'
          ? 'no permission'
          : error instanceof Error
            ? error.message
            : String(error);
  return new CliError(`${file}: cannot be written: ${why}`);
}

/** Offset of the first byte that begins no UTF-8 sequence. */
function firstInvalid(bytes: Uint8Array): number {
  for (let at = 0; at < bytes.length; ) {
    const lead = bytes[at] as number;
    const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (!isUtf8(bytes.subarray(at, at + length))) return at;
    at += length;
  }
  return bytes.length;
}
