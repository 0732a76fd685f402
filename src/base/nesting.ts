/**
 * Bounds on the values that callers give. Rendering, cloning, keys of caches and validators walk them by recursion, the platform's own `JSON.stringify` and
 * `structuredClone` too, and end in a bare RangeError some 2,000 levels down, or never where parts are shared again and again (`{allOf: [s, s]}` 40 times over).
 * So values are measured once, without recursion and each shared part once, before anything walks them.
 */
import { LimitError, OptionError } from './errors.js';

/** Deepest nesting of arrays and objects. */
export const MAX_NESTING = 1_000;
/** Most values, those that are shared counted at each place. */
export const MAX_VALUES = 4_000_000;

interface Measure {
  readonly height: number;
  readonly values: number;
}

const NOTHING: Measure = { height: 0, values: 1 };

interface Open {
  readonly value: object;
  readonly parts: readonly unknown[];
  next: number;
  height: number;
  values: number;
}

/** `what`: the option as errors name it. @throws LimitError for what is too deep or large written out, OptionError for what contains itself */
export function checkNesting(value: unknown, what: string): void {
  const { height, values } = measured(value, what);
  if (height > MAX_NESTING)
    throw new LimitError(`nesting of ${what}`, height, MAX_NESTING, undefined, 'make it flatter ($ref for recursion)');
  if (values > MAX_VALUES)
    throw new LimitError(`values in ${what}`, values, MAX_VALUES, undefined, 'share parts of it by $ref');
}

function measured(value: unknown, what: string): Measure {
  if (typeof value !== 'object' || value === null) return NOTHING;
  /** Undefined: still open. */
  const known = new Map<object, Measure | undefined>();
  const stack: Open[] = [];
  const enter = (object: object): void => {
    known.set(object, undefined);
    stack.push({ value: object, parts: Object.values(object), next: 0, height: 0, values: 1 });
  };
  enter(value);
  for (;;) {
    const top = stack.at(-1)!;
    const part = top.parts[top.next];
    if (top.next < top.parts.length) {
      if (typeof part === 'object' && part !== null) {
        const before = known.get(part);
        if (before === undefined) {
          if (known.has(part)) throw new OptionError(what, 'what JSON can hold', 'a value that contains itself');
          enter(part);
          continue;
        }
        top.height = Math.max(top.height, before.height);
        top.values += before.values;
      } else top.values++;
      top.next++;
      continue;
    }
    const done: Measure = { height: top.height + 1, values: top.values };
    known.set(top.value, done);
    stack.pop();
    if (stack.length === 0) return done;
  }
}
