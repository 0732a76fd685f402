/**
 * How the command ends. Every failure is a message that says what, where and what to do; never a stack trace.
 *
 *     0    ok (a value closed early by its budget too)
 *     1    no match, lint errors, or a value that does not pass its schema library's own checks
 *     2    usage, or input that cannot be read or compiled
 *     3    model, device or network
 *     4    unconstrained output was cut by its length
 *     130  interrupted
 */
import { CommanderError } from 'commander';
import { ModelError, printable, TokenloomError } from '../base/errors.js';
import { ValueError } from '../base/value-error.js';

export const EXIT = { ok: 0, mismatch: 1, usage: 2, model: 3, cut: 4, interrupted: 130 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** A failure with its exit code, for what has no typed error of its own. */
export class CliError extends Error {
  constructor(
    message: string,
    readonly exit: ExitCode = EXIT.usage,
  ) {
    super(message);
  }
}

/** The exit code of an error. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CliError) return error.exit;
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof ValueError) return EXIT.mismatch;
  if (error instanceof ModelError) return EXIT.model;
  if (error instanceof TokenloomError) return EXIT.usage;
  if (error instanceof DOMException && error.name === 'AbortError') return EXIT.interrupted;
  return isFileError(error) ? EXIT.usage : EXIT.model;
}

/** What to print for an error. Text of files and servers may be quoted in it, so control characters are shown as pictures. */
export function messageOf(error: unknown): string {
  return printable(plainMessage(error));
}

function plainMessage(error: unknown): string {
  if (isFileError(error)) {
    const what =
      error.code === 'ENOENT'
        ? 'no such file'
        : error.code === 'EISDIR'
          ? 'is a folder'
          : error.code === 'EACCES'
            ? 'not readable'
            : error.message;
    return error.path === undefined ? error.message : `${error.path}: ${what}`;
  }
  return error instanceof Error ? error.message : String(error);
}

function isFileError(error: unknown): error is Error & { readonly code: string; readonly path?: string } {
  return error instanceof Error && 'syscall' in error && 'code' in error && typeof error.code === 'string';
}
