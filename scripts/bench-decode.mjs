/**
 * Compiles src/ and bench/decode/ and runs the bench as users run the package: compiled once. On-the-fly compilers keep the names of
 * functions by a call around each, which costs the loop's JavaScript up to 40%.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, rmSync, symlinkSync } from 'node:fs';

const out = 'bench/out/build';
rmSync(out, { recursive: true, force: true });
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.bench.json'], { stdio: 'inherit' });
// The package looks for its models beside its code.
if (!existsSync(`${out}/models`)) symlinkSync('../../../models', `${out}/models`);
const run = spawnSync(process.execPath, [`${out}/bench/decode/main.js`, ...process.argv.slice(2)], {
  stdio: 'inherit',
});
process.exit(run.status ?? 1);
