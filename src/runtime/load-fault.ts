/**
 * What it means when ONNX Runtime itself cannot be loaded. It is a package with native binaries, so it may be missing (pruned, left out of a bundle or an
 * image), be there without its binary, or have one that this system cannot load (musl in place of glibc, another architecture) or this process may not.
 */
import { ModelError } from '../base/errors.js';

const PACKAGE = 'onnxruntime-node';
/** By Node's permission model, or `--no-addons`. */
const FORBIDDEN = 'ERR_DLOPEN_DISABLED';
const CODES: ReadonlySet<unknown> = new Set([
  'ERR_MODULE_NOT_FOUND',
  'MODULE_NOT_FOUND',
  'ERR_DLOPEN_FAILED',
  FORBIDDEN,
]);

/** The error of an import, typed where it is ONNX Runtime's, else as it is. */
export function loadFault(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { message, stack = '' } = error;
  const code = 'code' in error ? error.code : undefined;
  // Bundlers' own loaders (Turbopack) put an error without a code in place of Node's, which names the package.
  const meant = CODES.has(code)
    ? message.includes('onnxruntime') || stack.includes(PACKAGE)
    : message.includes(PACKAGE);
  if (!meant) return error;
  if (code === FORBIDDEN) {
    const remedy = 'a process that may load native addons (start Node with --allow-addons, without --no-addons)';
    return new ModelError('ONNX Runtime', remedy, message.split('\n')[0]!, { cause: error });
  }
  const libc = process.platform === 'linux' ? ', which needs glibc (Alpine has musl)' : '';
  const bundled = `; in a bundle: leave '${PACKAGE}' external and ship all of its folder, shared libraries too`;
  const expected = `the npm package ${PACKAGE} with its binary for ${process.platform} ${process.arch}${libc}${bundled}`;
  return new ModelError('ONNX Runtime', expected, message.split('\n')[0]!, { cause: error });
}

/**
 * Runs an import of what needs ONNX Runtime, which is loaded first, by itself: where a CommonJS package that throws is imported from several modules of one graph,
 * Node 20 ends the process with an unhandled rejection, whoever handles that of the graph. @throws ModelError (rejection) where it cannot be loaded
 */
export async function withRuntime<T>(load: () => Promise<T>): Promise<T> {
  try {
    await import('onnxruntime-node');
    return await load();
  } catch (error) {
    throw loadFault(error);
  }
}
