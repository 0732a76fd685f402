/**
 * Runs `devices`. Each provider is tried in a process of its own: a broken driver may end the process that asks it.
 */
import { spawn } from 'node:child_process';
import { DEVICES, type DeviceReport, probeDevice, type RealDevice } from '../runtime/device-probe.js';
import { EXIT, type ExitCode } from './exit.js';

export interface DevicesFlags {
  readonly limits?: boolean;
  readonly json?: boolean;
  readonly only?: RealDevice;
  /** Try the one device here, and print it as JSON: what the child processes do. */
  readonly inProcess?: boolean;
}

const MOST_MS = 120_000;

/** Returns the exit code: ok also where devices are missing. */
export async function devices(flags: DevicesFlags): Promise<ExitCode> {
  const wanted = flags.only === undefined ? DEVICES : [flags.only];
  const found: DeviceReport[] = [];
  for (const device of wanted) {
    const here = device === 'cpu' || flags.inProcess === true;
    found.push(here ? await probeDevice(device, flags.limits) : await probeApart(device, flags.limits === true));
  }
  process.stdout.write(
    flags.json === true ? `${JSON.stringify(found, null, 2)}\n` : table(found, process.stdout.columns),
  );
  return EXIT.ok;
}

function probeApart(device: RealDevice, limits: boolean): Promise<DeviceReport> {
  const flags = ['devices', '--in-process', '--json', '--only', device, ...(limits ? ['--limits'] : [])];
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [...process.execArgv, process.argv[1] ?? '', ...flags], {
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: MOST_MS,
    });
    const missing = (reason: string): void => resolve({ device, usable: false, reason });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    child.on('error', (error) => missing(`the probe did not start: ${error.message}`));
    child.on('close', (code, signal) => {
      const report = readReport(text, device);
      if (report !== undefined) resolve(report);
      else
        missing(`trying it ended the process (${signal ?? `exit code ${code}`}): its driver or libraries are broken`);
    });
  });
}

function readReport(text: string, device: RealDevice): DeviceReport | undefined {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return undefined;
  }
  const first: unknown = Array.isArray(read) ? read[0] : undefined;
  const fits = typeof first === 'object' && first !== null && 'device' in first && first.device === device;
  // Written by this very program a moment ago.
  return fits && 'usable' in first ? (first as DeviceReport) : undefined;
}

/** `width`: columns of the terminal, where there is one; the notes are broken to fit beside the figures. */
function table(found: readonly DeviceReport[], width: number | undefined): string {
  const lines = [
    `${'device'.padEnd(10)}${'1 token'.padStart(9)}${'64 tokens'.padStart(11)}${'call'.padStart(8)}   notes`,
  ];
  for (const report of found) {
    if (!report.usable) {
      lines.push(
        `${report.device.padEnd(10)}${'-'.padStart(9)}${'-'.padStart(11)}${'-'.padStart(8)}   ${beside(report.reason, width)}`,
      );
      continue;
    }
    const { tokenMs, batchMs, callMs } = report.speed;
    const notes = [
      report.paged ? 'paged KV' : 'keys and values pass through the host',
      ...(report.f16 === undefined ? [] : [report.f16 ? 'f16' : 'no f16']),
      ...(report.buffer === undefined ? [] : [`buffers up to ${report.buffer / 2 ** 20} MiB at least`]),
    ];
    const cells = [ms(tokenMs).padStart(9), ms(batchMs).padStart(11), ms(callMs).padStart(8)];
    lines.push(`${report.device.padEnd(10)}${cells.join('')}   ${beside(notes.join(', '), width)}`);
  }
  return `${lines.join('\n')}\n`;
}

/** Columns before the notes. */
const INDENT = 41;

function beside(text: string, width: number | undefined): string {
  if (width === undefined || width - INDENT < 20) return text;
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines[lines.length - 1] as string;
    if (last !== '' && last.length + 1 + word.length > width - INDENT) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines.join(`\n${' '.repeat(INDENT)}`);
}

const ms = (value: number): string => (value < 10 ? value.toFixed(2) : value.toFixed(0));
