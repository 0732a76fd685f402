/**
 * Files that lie beside the code of this package. Bundlers read `new URL('…', import.meta.url)` as a file to carry: webpack ends its build at a folder, and copies a
 * module without what it imports. So the two parts meet in a call, which they leave alone. Bundles of CommonJS have no `import.meta.url` at all.
 */
import { fileURLToPath } from 'node:url';

/** Path of a file by its place relative to the module at `from` (its `import.meta.url`); undefined where that module lies in no file. */
export function ownFile(relative: string, from: string | undefined): string | undefined {
  return from?.startsWith('file:') ? fileURLToPath(new URL(relative, from)) : undefined;
}
