import { TokenloomError } from '../base/errors.js';

/**
 * An error that was made elsewhere (in the thread of the model, or when a request's turn came): from here on its stack leads to who asked. Faults that are not
 * ours keep the place where they happened, where that is in this thread.
 */
export function asked(error: unknown, elsewhere = false): unknown {
  if (error instanceof TokenloomError || (elsewhere && error instanceof Error)) Error.captureStackTrace(error, asked);
  return error;
}
