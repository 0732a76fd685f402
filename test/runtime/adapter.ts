/** Whether this machine has a WebGPU adapter (a GPU, or a software one: scripts/software-vulkan.sh), and what it can do. */
import { hasHalf, probeDevice } from '../../src/runtime/device-probe.js';

const report = await probeDevice('webgpu');

/** Why tests on a device are skipped; undefined: they run. */
export const missing: string | undefined = report.usable ? undefined : report.reason;
export const half: boolean = report.usable && (await hasHalf());
if (missing !== undefined) process.stderr.write(`tests on a device are skipped: ${missing}\n`);
