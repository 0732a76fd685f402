/**
 * What one schema compilation shares: settings, documents, formulas, key sets, the term store, diagnostics and the step budget.
 * The normaliser, the emptiness solver and the emitter each hold this and their own memo tables.
 */
import { GrammarError, LimitError, UnsupportedSchemaError } from '../../base/errors.js';
import type { Regex } from '../../regular/regex.js';
import { TermStore } from '../../regular/terms.js';
import { createUnicodeCache, parseRegex } from '../regex/index.js';
import type { Formula } from './formula.js';
import { Formulas } from './formula.js';
import { idnHostname, perhapsIdnHostname } from './idn.js';
import { Keys } from './keys.js';
import { Loader, type Location, NeedsScopes } from './load.js';
import type { JsonObject, SchemaDiagnostic, Settings } from './options.js';
import { between, type Matching, type StringSet } from './strings.js';

export { NeedsScopes };

export class Context implements Matching {
  readonly formulas: Formulas;
  readonly keys: Keys;
  readonly loader: Loader;
  readonly diagnostics: SchemaDiagnostic[] = [];
  /** Pointer of the schema being expanded, for limit errors. */
  where = '';
  private store: TermStore | undefined;
  private idn: StringSet | undefined;
  private readonly patterns = new Map<string, Regex>();
  private readonly unicode = createUnicodeCache();
  private steps = 0;
  private readonly said = new Set<string>();
  /** Of misspelled.ts: schemas that were looked at, and what unknown keywords were meant to be. */
  readonly reviewed = new Set<JsonObject>();
  readonly meant = new Map<string, string | undefined>();

  constructor(
    schema: JsonObject | boolean,
    readonly settings: Settings,
    /** Report annotations and ignored keywords too. */
    readonly verbose: boolean,
    trackScopes: boolean,
    stringsOf: (f: Formula) => Regex,
  ) {
    this.formulas = new Formulas(settings.limits.formulas);
    this.keys = new Keys(() => this.terms, stringsOf);
    this.loader = new Loader(schema, settings, trackScopes, (pointer, keyword, message) =>
      this.report(pointer, keyword, 'warning', message),
    );
  }

  get terms(): TermStore {
    this.store ??= new TermStore({ search: this.settings.limits.states });
    return this.store;
  }

  isEmpty(re: Regex): boolean {
    const before = this.store?.size ?? 0;
    try {
      return this.keys.isEmpty(re);
    } catch (e) {
      throw this.placed(e);
    } finally {
      this.steps += ((this.store?.size ?? 0) - before) >> 2;
    }
  }

  matches(re: Regex, text: string): boolean {
    return this.keys.matches(re, text);
  }

  /** Adds the pointer at hand to a limit error that has none. */
  placed(e: unknown): unknown {
    return e instanceof LimitError && e.pointer === undefined
      ? new LimitError(e.what, e.given, e.limit, this.where)
      : e;
  }

  /** Counts work. @throws LimitError */
  tick(n = 1): void {
    this.steps += n;
    if (this.steps > this.settings.limits.steps) {
      throw new LimitError('steps of normalisation', this.steps, this.settings.limits.steps, this.where);
    }
  }

  limit(what: string, given: number, limit: number): void {
    if (given > limit) throw new LimitError(what, given, limit, this.where);
  }

  report(pointer: string, keyword: string, severity: SchemaDiagnostic['severity'], message: string): void {
    const key = `${pointer}\n${keyword}\n${message}`;
    if (this.said.has(key)) return;
    this.said.add(key);
    this.diagnostics.push({ pointer, keyword, severity, message });
  }

  /**
   * A part that cannot be enforced or read. @throws UnsupportedSchemaError unless `unsupported` is 'warn'; then it is reported
   * and the caller leaves it out.
   */
  unsupported(at: Location, keyword: string, reason: string, hint?: string): void {
    this.unsupportedAt(`${at.pointer}/${keyword}`, keyword, reason, hint);
  }

  unsupportedAt(pointer: string, keyword: string, reason: string, hint?: string): void {
    if (this.settings.unsupported === 'error') throw new UnsupportedSchemaError(pointer, keyword, reason, hint);
    this.report(pointer, keyword, 'error', `${reason}; not enforced`);
  }

  /** The strings of format idn-hostname, made on first use. */
  idnHostname(asciiLabel: Regex): StringSet {
    this.idn ??= between(idnHostname(asciiLabel, this.unicode), perhapsIdnHostname());
    return this.idn;
  }

  /** The texts in which an ECMA-262 pattern matches somewhere; undefined where it is left out with a diagnostic. */
  pattern(at: Location, keyword: string, source: string): Regex | undefined {
    let re = this.patterns.get(source);
    if (re === undefined) {
      try {
        re = parseRegex(source, { anchored: false, cache: this.unicode });
      } catch (e) {
        if (!(e instanceof GrammarError)) throw this.placed(e);
        this.unsupported(
          at,
          keyword,
          e.issues[0]?.message ?? 'unreadable pattern',
          `in the pattern ${JSON.stringify(source)}`,
        );
        return undefined;
      }
      this.patterns.set(source, re);
    }
    return re;
  }
}
