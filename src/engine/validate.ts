/**
 * The second opinion: a finished value against its schema, by ajv.
 *
 * What the masks let through fits by construction; a result is validated once more before it is returned, and the benches hold
 * every generated value against this. One ajv per draft, set to the specification where its defaults differ: own properties only,
 * decimal multipleOf, what validate-prepare.ts rewrites, patterns as languages on our own automata (no backtracking; a pattern
 * that is none, such as one with backreferences, runs on the platform's engine). A fresh ajv per schema keeps `$id`s apart (1 ms).
 * Compiled validators are kept for the last schemas, by identity: a schema object must not change while it is in use.
 */
import { Ajv, type ErrorObject, type Options } from 'ajv';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { default as Ajv04 } from 'ajv-draft-04';
import { default as addFormats } from 'ajv-formats';
import { fullFormats } from 'ajv-formats/dist/formats.js';
import { createPatternEngine } from './validate-patterns.js';
import { type Draft, isMultiple, prepareSchema } from './validate-prepare.js';

export interface ValidateOptions {
  /** Draft of schemas without (a known) $schema. Default 2020-12, with older keywords accepted. */
  readonly draft?: Draft;
  /** 'annotate' checks no format. Default 'assert'. */
  readonly formats?: 'assert' | 'annotate';
  /** Schemas that $ref may name, by URI. */
  readonly schemas?: Readonly<Record<string, unknown>>;
  /** 'platform' runs patterns on the platform's backtracking engine. Default 'own'. */
  readonly patterns?: 'own' | 'platform';
}

export interface Validation {
  readonly valid: boolean;
  /** What is wrong, each with the JSON pointer into the value; the first finding of ajv. */
  readonly errors: readonly string[];
  /** Set where ajv cannot compile the schema: nothing was checked, and `valid` is false. */
  readonly uncompilable?: string;
}

interface Check {
  readonly run: (value: unknown) => Validation;
  readonly uncompilable?: string;
}

/**
 * `email` as RFC 5321's Mailbox, which the specification names: quoted local parts, address literals, and domains of one label, all of which
 * ajv-formats refuses.
 */
const MAILBOX =
  /^(?:[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*|"(?:[ !#-[\]-~]|\\[ -~])*")@(?:[a-z0-9](?:-*[a-z0-9])*(?:\.[a-z0-9](?:-*[a-z0-9])*)*|\[(?:\d{1,3}(?:\.\d{1,3}){3}|IPv6:[0-9a-f:.]+)\])$/i;

/** Names that ajv-formats checks and the specification does not define: annotations here, as for the masks. */
const NOT_STANDARD = [
  ...['iso-time', 'iso-date-time', 'url', 'json-pointer-uri-fragment', 'byte', 'int32', 'int64', 'float', 'double'],
  ...['password', 'binary'],
];

/** RFC 3986 lets a path be empty ("mailto:"), which ajv-formats does not. */
const EMPTY_PATH =
  /^[a-z][a-z\d+.-]*:(?:\?(?:[\w\-.~!$&'()*+,;=:@/?]|%[\da-f]{2})*)?(?:#(?:[\w\-.~!$&'()*+,;=:@/?]|%[\da-f]{2})*)?$/i;

/** RFC 6570 with erratum 6937; the pattern of ajv-formats has neither dots in names nor apostrophes. */
const TEMPLATE = (() => {
  const name = String.raw`(?:\w|%[\da-f]{2})(?:\.?(?:\w|%[\da-f]{2}))*`;
  const variable = String.raw`${name}(?::[1-9]\d{0,3}|\*)?`;
  return new RegExp(
    String.raw`^(?:[^\u0000-\u0020"<>%\\^\x60{|}]|%[\da-f]{2}|\{[+#./;?&=,!@|]?${variable}(?:,${variable})*\})*$`,
    'i',
  );
})();

/** ECMA-262 with Unicode semantics, or without flags: what a pattern means to whoever uses it is not known here. */
function isPattern(text: string): boolean {
  for (const flags of ['u', '']) {
    try {
      new RegExp(text, flags);
      return true;
    } catch {
      // The other flags may take it.
    }
  }
  return false;
}

function createAjv(draft: Draft, meta: boolean, options: ValidateOptions): Ajv {
  const settings: Options = {
    strict: false,
    validateSchema: false,
    meta,
    logger: false,
    ownProperties: true,
    unicodeRegExp: true,
    validateFormats: options.formats !== 'annotate',
    ...(options.patterns === 'platform' ? {} : { code: { regExp: createPatternEngine() } }),
  };
  let ajv: Ajv;
  if (draft === '2020-12') ajv = new Ajv2020(settings);
  else if (draft === '2019-09') ajv = new Ajv2019(settings);
  else if (draft === '4') ajv = new Ajv04.default(settings);
  else ajv = new Ajv(settings);
  addFormats.default(ajv);
  for (const name of NOT_STANDARD) delete ajv.formats[name];
  ajv.addFormat('email', MAILBOX);
  ajv.addFormat('regex', isPattern);
  ajv.addFormat('uri-template', TEMPLATE);
  const { uri } = fullFormats;
  ajv.addFormat('uri', (text: string) => EMPTY_PATH.test(text) || (typeof uri === 'function' && uri(text)));
  ajv.removeKeyword('multipleOf');
  ajv.addKeyword({
    keyword: 'multipleOf',
    type: 'number',
    schemaType: 'number',
    validate: (divisor: number, value: number) => isMultiple(value, divisor),
    error: { message: ({ schema }) => `must be multiple of ${String(schema)}` },
  });
  return ajv;
}

const show = (e: ErrorObject): string => {
  const detail = e.keyword === 'additionalProperties' ? ` '${e.params.additionalProperty}'` : '';
  return `${e.instancePath === '' ? 'the value' : e.instancePath} ${e.message ?? e.keyword}${detail}`;
};

function compileCheck(schema: unknown, options: ValidateOptions): Check {
  const refuse = (reason: string): Check => {
    const verdict: Validation = { valid: false, errors: [], uncompilable: reason };
    return { run: () => verdict, uncompilable: reason };
  };
  try {
    const prepared = prepareSchema(schema, options.draft ?? '2020-12');
    const ajv = createAjv(prepared.draft, prepared.meta, options);
    for (const [uri, other] of Object.entries(options.schemas ?? {})) {
      ajv.addSchema(prepareSchema(other, prepared.draft).schema as object, uri);
    }
    const run = ajv.compile(prepared.schema as object);
    return {
      run: (value) => {
        if (run(value) === true) return { valid: true, errors: [] };
        return { valid: false, errors: (run.errors ?? []).slice(0, 10).map(show) };
      },
    };
  } catch (error) {
    // ajv and its code generator throw plain errors (and run out of stack) on what they cannot take.
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

/** Validates values, keeping the compiled validators of the last schemas. Not shared between drafts or option sets. */
export class Validator {
  private readonly kept = new Map<object, Check>();

  /** @param most Schemas kept at once. */
  constructor(
    private readonly options: ValidateOptions = {},
    private readonly most = 32,
  ) {}

  /** Validates one value. Never throws: what ajv cannot compile is said in the verdict. */
  validate(schema: unknown, value: unknown): Validation {
    const check = this.checkOf(schema);
    try {
      return check.run(value);
    } catch (error) {
      // A value nested beyond the stack.
      return { valid: false, errors: [], uncompilable: error instanceof Error ? error.message : String(error) };
    }
  }

  /** Why ajv cannot compile the schema; undefined where it can. */
  whyUncompilable(schema: unknown): string | undefined {
    return this.checkOf(schema).uncompilable;
  }

  private checkOf(schema: unknown): Check {
    if (typeof schema !== 'object' || schema === null) return compileCheck(schema, this.options);
    let check = this.kept.get(schema);
    if (check !== undefined) {
      this.kept.delete(schema);
    } else {
      check = compileCheck(schema, this.options);
      const oldest = this.kept.keys().next();
      if (this.kept.size >= this.most && oldest.done !== true) this.kept.delete(oldest.value);
    }
    this.kept.set(schema, check);
    return check;
  }
}

/** Validates one value against one schema. For many values of one schema make a {@link Validator}. */
export function validateValue(schema: unknown, value: unknown, options: ValidateOptions = {}): Validation {
  return new Validator(options).validate(schema, value);
}
