/**
 * Requests from files: the extraction records of the embedded model's generator (shipped), MaskBench, and a user's own.
 * Every line that cannot be read is an error with its number; nothing is left out silently.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { OptionError } from '../../base/errors.js';
import type { ChatMessage } from '../../runtime/types.js';
import type { BenchRequest, BenchTool } from '../types.js';

/** The same path from src and from dist. */
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const SHIPPED = path.join(ROOT, 'bench/reliability/requests/extraction.jsonl.gz');
/** What the repository has before the shipped file is made. */
const EVALUATION = ['heldout', 'seen'].map((split) => path.join(ROOT, `models/eval/extraction-${split}.jsonl`));

/** Held-out records (domains, names and layouts never trained on) and seen ones, in the order of the file. */
export function extractionRequests(): BenchRequest[] {
  const files = existsSync(SHIPPED) ? [SHIPPED] : EVALUATION.filter((f) => existsSync(f));
  return files.flatMap((file) =>
    readLines(file).map(({ value, at }): BenchRequest => {
      const { id, split, domain, messages, schema, tools, expected } = value;
      const text = (v: unknown): string => (typeof v === 'string' ? v : '');
      return {
        id: `extraction/${text(id) || at}`,
        source: split === 'seen' ? 'extraction-seen' : 'extraction',
        group: text(domain),
        messages: readMessages(messages, file, at),
        ...(Array.isArray(tools) ? { tools: tools as BenchTool[] } : { schema }),
        expected,
      };
    }),
  );
}

/** Schemas of a MaskBench folder (one JSONL file a source), `limit` of each source, spread evenly. */
export function maskBenchRequests(folder: string, limit: number): BenchRequest[] {
  const files = readdirSync(folder)
    .filter((f) => f.endsWith('.jsonl'))
    .sort();
  if (files.length === 0) throw new OptionError('maskbench', 'a folder of .jsonl files', folder);
  return files.flatMap((name) => {
    const lines = readLines(path.join(folder, name));
    const step = Math.max(1, lines.length / limit);
    const out: BenchRequest[] = [];
    for (let at = 0; Math.floor(at) < lines.length; at += step) {
      const { value } = lines[Math.floor(at)]!;
      out.push({
        id: `maskbench/${String(value.id)}`,
        source: 'maskbench',
        group: name.slice(0, -'.jsonl'.length),
        messages: [{ role: 'user', content: 'Write an example.' }],
        schema: value.schema,
      });
    }
    return out;
  });
}

/**
 * A user's JSONL: `{"schema" | "grammar" | "tools", "messages" | "prompt", "expected"?, "id"?, "group"?}`. A schema may be a text; a grammar is
 * GBNF text.
 */
export function ownRequests(file: string): BenchRequest[] {
  const seen = new Set<string>();
  return readLines(file).map(({ value, at }): BenchRequest => {
    const { schema, grammar, tools, messages, prompt, expected, group, root } = value;
    const given = [schema, grammar, tools].filter((v) => v !== undefined).length;
    if (given !== 1)
      throw new OptionError(
        `${file}, line ${at}`,
        "one of 'schema', 'grammar' and 'tools'",
        given === 0 ? 'none' : `${given}`,
      );
    if (grammar !== undefined && typeof grammar !== 'string')
      throw new OptionError(`${file}, line ${at}`, "'grammar' as text", typeof grammar);
    if (tools !== undefined && !Array.isArray(tools))
      throw new OptionError(`${file}, line ${at}`, "'tools' as an array", typeof tools);
    const id = typeof value.id === 'string' ? value.id : `own/${at}`;
    if (seen.has(id)) throw new OptionError(`${file}, line ${at}`, 'different ids', `'${id}' twice`);
    seen.add(id);
    const asked = typeof prompt === 'string' ? [{ role: 'user', content: prompt }] : readMessages(messages, file, at);
    return {
      id,
      source: 'own',
      group:
        typeof group === 'string'
          ? group
          : grammar !== undefined
            ? 'grammar'
            : tools !== undefined
              ? 'tools'
              : 'schema',
      messages: asked,
      ...(schema === undefined ? {} : { schema: typeof schema === 'string' ? parseSchema(schema, file, at) : schema }),
      ...(grammar === undefined ? {} : { grammar }),
      ...(typeof root === 'string' ? { root } : {}),
      ...(tools === undefined ? {} : { tools: tools as BenchTool[] }),
      ...(expected === undefined ? {} : { expected }),
    };
  });
}

interface FileLine {
  readonly value: Readonly<Record<string, unknown>>;
  /** From 1. */
  readonly at: number;
}

function readLines(file: string): FileLine[] {
  const bytes = readFileSync(file);
  const text = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8').replace(/^\uFEFF/, '');
  const out: FileLine[] = [];
  text.split('\n').forEach((line, i) => {
    if (line.trim() === '') return;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (error) {
      throw new OptionError(`${file}, line ${i + 1}`, 'JSON', error instanceof Error ? error.message : 'another');
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new OptionError(`${file}, line ${i + 1}`, 'a JSON object', JSON.stringify(value).slice(0, 60));
    out.push({ value: value as Record<string, unknown>, at: i + 1 });
  });
  if (out.length === 0) throw new OptionError(file, 'at least one request', 'none');
  return out;
}

function readMessages(given: unknown, file: string, at: number): ChatMessage[] {
  const ok =
    Array.isArray(given) &&
    given.length > 0 &&
    given.every((m: unknown) => {
      if (typeof m !== 'object' || m === null) return false;
      const { role, content } = m as Record<string, unknown>;
      return typeof role === 'string' && typeof content === 'string';
    });
  if (!ok)
    throw new OptionError(
      `${file}, line ${at}`,
      "'messages' of the form {role, content}, both text, or 'prompt'",
      JSON.stringify(given)?.slice(0, 60) ?? 'none',
    );
  return given as ChatMessage[];
}

function parseSchema(text: string, file: string, at: number): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new OptionError(`${file}, line ${at}`, "a 'schema' that is JSON", text.slice(0, 60));
  }
}
