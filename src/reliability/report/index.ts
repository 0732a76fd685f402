/** Writes a run's report: a page, the figures as JSON, and a short summary in Markdown. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Summary } from '../summary.js';
import { readExtras } from './extras.js';
import { markdown } from './markdown.js';
import { page } from './page.js';

/** Returns the files, the page first. */
export function writeReport(folder: string, summary: Summary): string[] {
  const extras = readExtras(folder);
  const files = [
    [path.join(folder, 'report.html'), page(summary, extras)],
    [path.join(folder, 'report.json'), `${JSON.stringify({ ...summary, ...extras }, figures, 1)}\n`],
    [path.join(folder, 'report.md'), markdown(summary, extras)],
  ] as const;
  for (const [file, text] of files) writeFileSync(file, text);
  return files.map(([file]) => file);
}

/** Five figures are more than is known of a time. */
function figures(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value;
}
