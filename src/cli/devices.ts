/** `tokenloom devices`: what this machine can run models on, each with a small measurement. The work is in devices-run.ts. */
import { type Command, Option } from 'commander';
import { withRuntime } from '../runtime/load-fault.js';
import type { DevicesFlags } from './devices-run.js';
import type { Finish } from './generate.js';

/** Adds `devices` to the program. */
export function addDevicesCommand(program: Command, finish: Finish): void {
  program
    .command('devices')
    .description('what this machine can run models on, and how fast it is')
    .option('--limits', 'also look for the largest buffer of a GPU (fills up to 4 GiB of its memory)')
    .option('--json', 'print the findings as JSON')
    .addOption(new Option('--only <device>', 'one device').choices(['cpu', 'webgpu', 'cuda', 'directml', 'coreml']))
    .addOption(new Option('--in-process').hideHelp())
    .addHelpText(
      'after',
      `
Columns: one token and 64 tokens through 19 MB of weights, and a call that does
nothing, in milliseconds. A software adapter (lavapipe, SwiftShader) is an
adapter like any other; the figures tell it. Device 'auto' takes the GPU for
models of 64 MB and more where it is clearly faster at one token, else the CPU.

Examples:
  $ tokenloom devices
  $ tokenloom devices --json | jq '.[] | select(.usable) | .device'`,
    )
    .action(async (flags: DevicesFlags) => {
      // Loaded here: ONNX Runtime is not worth waiting for where only help is asked.
      const { devices } = await withRuntime(() => import('./devices-run.js'));
      finish(await devices(flags));
    });
}
