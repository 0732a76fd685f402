/** How a model writes calls of tools, as texts around names and arguments. */

/** Where a form has an id of a call. No text of a template has it. */
export const ID_SLOT = '\ufdd4';

/** Texts around the calls of a turn; ids in them are {@link ID_SLOT}. Plain data. */
export interface CallForm {
  /** The start of `begin` that text does not contain: once it is written a call follows. */
  readonly trigger: string;
  /** Up to the name of the first call. */
  readonly begin: string;
  /** From a name to its arguments. */
  readonly middle: string;
  /** How arguments are written where they are not one JSON object. */
  readonly parameters?: ParameterForm;
  /** How the object of the arguments is written where it is not JSON; never beside `parameters`. */
  readonly notation?: Notation;
  /** From the arguments of a call to the next name; absent where a turn has one call. */
  readonly between?: string;
  /** Behind the last arguments. */
  readonly end: string;
  /** Calls stand behind text, or in place of it. */
  readonly place: 'behind' | 'alone';
  /** What begins an answer that is no call, where something does and calls stand alone. */
  readonly lead?: string;
  /** What ids look like: nine letters and digits, or a number. */
  readonly id: 'letters' | 'number';
}

/** What tells how an argument is written. */
export const ARGUMENT_KINDS = ['string', 'number', 'boolean', 'null', 'object', 'array'] as const;
export type ArgumentKind = (typeof ARGUMENT_KINDS)[number];

/** Stands for all parameters without an entry of their own: no element's name has a line break. */
export const OTHER_PARAMETERS = '\n';

/** Kinds that parameters take, by name; those without an entry what {@link OTHER_PARAMETERS} do, else any. Plain data. */
export type ParameterKinds = Readonly<Record<string, readonly ArgumentKind[]>>;

/** Arguments as elements, one for each parameter: its name, and strings as they are, other values as JSON. */
export interface ParameterForm {
  /** Before a name. */
  readonly open: string;
  /** From a name to its value. */
  readonly colons: Readonly<Record<ArgumentKind, string>>;
  /** Behind a value. */
  readonly close: string;
  /** The part of `close` that no string has. */
  readonly mark: string;
  /** Between two parameters. */
  readonly between: string;
  /** How constants are written; they are read as JSON has them too. */
  readonly words: Readonly<Record<(typeof WORDS)[number], string>>;
}

/**
 * Objects as some families write them: `{city:<q>Paris<q>,at:[1,{x:true}]}`. Names are bare at every depth, up to the first colon; strings stand as they
 * are between two marks; all else is as in compact JSON. Plain data.
 */
export interface Notation {
  /** Before a string. */
  readonly open: string;
  /** Behind a string; no string has it. */
  readonly close: string;
  /** How constants are written; they are read as JSON has them too. */
  readonly words: Readonly<Record<(typeof WORDS)[number], string>>;
  /** Members come in the order of {@link byName}. */
  readonly sorted: boolean;
}

/** The order that Jinja's `dictsort` has: case is nothing. */
export function byName(a: string, b: string): number {
  const [x, y] = [a.toLowerCase(), b.toLowerCase()];
  return x < y ? -1 : x > y ? 1 : 0;
}

/** Names that can be read back: up to the first colon, and told from the end of an object. */
export const isBareName = (name: string): boolean => !name.includes(':') && !name.startsWith('}');

/** Constants as JSON has them. */
export const WORDS = ['true', 'false', 'null'] as const;

/** How values of other kinds than strings look: a number as JSON has it, what begins like an object or array, a word. */
export const BARE_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
export const BARE_BRACKETS = { object: '{', array: '[' } as const;
export const BARE_WORDS = { true: 'boolean', false: 'boolean', null: 'null' } as const;

/** What a value behind one of the colons may be, of the kinds that its parameter takes: tells which strings may not be written, and how they are read. */
export const kindsBehind = (
  { colons }: ParameterForm,
  colon: string,
  taken: readonly ArgumentKind[],
): readonly ArgumentKind[] => taken.filter((kind) => colons[kind] === colon);

/** The kinds that a parameter takes, whatever its name. */
export const kindsTaken = (kinds: ParameterKinds, name: string): readonly ArgumentKind[] =>
  Object.hasOwn(kinds, name) ? kinds[name]! : (kinds[OTHER_PARAMETERS] ?? ARGUMENT_KINDS);

/** What Hermes and Qwen models write; others are told it. */
export const OUR_FORM: CallForm = {
  trigger: '<tool_call>',
  begin: '<tool_call>\n{"name":"',
  middle: '","arguments":',
  between: '}\n</tool_call>\n<tool_call>\n{"name":"',
  end: '}\n</tool_call>',
  place: 'behind',
  id: 'letters',
};

/** The name of a tool as a form has it: within the quotes of JSON where the form has those. */
export const nameIn = ({ begin }: CallForm, name: string): string =>
  begin.endsWith('"') ? JSON.stringify(name).slice(1, -1) : name;
