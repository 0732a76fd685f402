import { defineConfig } from 'vitest/config';

/** Runs modules in a vm context, as Jest does; started by test/engine/vm-context.test.ts. */
export default defineConfig({
  test: { include: ['*.check.ts'], pool: 'vmForks', maxWorkers: 1, testTimeout: 120_000 },
});
