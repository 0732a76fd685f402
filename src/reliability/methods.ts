/** The eight ways to get JSON out of a model, as this suite runs them: what each may do, in words for the report and in settings for the engine. */
import type { MethodName } from './types.js';

export interface Method {
  readonly name: MethodName;
  readonly number: number;
  readonly title: string;
  /** What it does and what it may cost, for the report. */
  readonly about: string;
  /** Whether the constraint guides the model. */
  readonly constrained: boolean;
  /** Whether it makes sense for texts of a grammar that are not JSON. */
  readonly forGrammars: boolean;
}

export const METHOD_LIST: readonly Method[] = [
  {
    name: 'prompt',
    number: 1,
    title: 'prompt only',
    about: 'The schema is in the prompt; one greedy answer, parsed as it is.',
    constrained: false,
    forGrammars: true,
  },
  {
    name: 'retry',
    number: 2,
    title: 'parse and retry',
    about:
      'Where the answer of 1 does not parse or does not fit, up to three more at temperature 0.7 with other seeds; the first that fits counts. Tokens and time are of all attempts. It is told by the validator when to stop, which is more than parsing.',
    constrained: false,
    forGrammars: true,
  },
  {
    name: 'repair',
    number: 3,
    title: 'JSON repair',
    about: 'The answer of 1, freed of prose and code fences and mended by jsonrepair. No second call of the model.',
    constrained: false,
    forGrammars: false,
  },
  {
    name: 'json-mode',
    number: 4,
    title: 'JSON mode',
    about:
      'Constrained to JSON of any shape; the schema is only in the prompt. Run on this engine, so it is never cut off in the middle, which JSON modes elsewhere are.',
    constrained: true,
    forGrammars: false,
  },
  {
    name: 'constrained',
    number: 5,
    title: 'constrained',
    about: 'A mask of the schema before every token, and nothing else: no forced tokens, no guesses.',
    constrained: true,
    forGrammars: true,
  },
  {
    name: 'fast',
    number: 6,
    title: 'constrained, fast',
    about:
      "The engine's defaults: forced tokens, the model's own choice tried before a mask is made, guesses verified together.",
    constrained: true,
    forGrammars: true,
  },
  {
    name: 'tight',
    number: 7,
    title: 'tight budget',
    about:
      'As 6, with a token limit of the shortest value plus two. The value must be complete and valid all the same; its fields are rarely right.',
    constrained: true,
    forGrammars: true,
  },
  {
    name: 'adversarial',
    number: 8,
    title: 'random logits',
    about:
      'As 6, with seeded random numbers in place of the logits: the worst model there can be. No model is run, so its times are of the constraint alone.',
    constrained: true,
    forGrammars: true,
  },
];

export function methodOf(name: MethodName): Method {
  const found = METHOD_LIST.find((m) => m.name === name);
  if (found === undefined) throw new TypeError(`no method '${name}'`);
  return found;
}

/** Which methods a request gets, in the order in which they run. */
export function methodsFor(
  request: { readonly grammar?: string; readonly compared?: boolean },
  wanted: readonly MethodName[],
): readonly MethodName[] {
  return METHOD_LIST.filter(
    (m) =>
      wanted.includes(m.name) &&
      (request.grammar === undefined || m.forGrammars) &&
      (m.number >= 5 || request.compared === true),
  ).map((m) => m.name);
}
