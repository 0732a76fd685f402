import { defineConfig } from 'vitest/config';

/**
 * Two forks: native addons (ONNX Runtime) do not unload from threads, and the reference machine has two cores. The limits are
 * wide since CI shares its cores; a test that needs more than a minute states its own.
 */
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 10_000,
    passWithNoTests: false,
    allowOnly: false,
  },
});
