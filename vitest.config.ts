import { defineConfig } from 'vitest/config';

// `fast` runs side by side and needs nothing but Node; the others start processes and browsers, one file after another.
const project = (name: string, folders: string[], setup?: string) => ({
  extends: true as const,
  test: {
    name,
    globalSetup: setup ? [setup] : [],
    include: folders.map((folder) => `test/${folder}/**/*.test.{ts,tsx}`),
    testTimeout: setup ? 90_000 : 20_000,
    hookTimeout: setup ? 120_000 : 20_000,
    fileParallelism: !setup,
  },
});

export default defineConfig({
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  test: {
    // A busy machine may take longer than the second that is the default; what never comes is still told in time.
    expect: { poll: { timeout: 15_000 } },
    reporters: ['default', './test/support/tally.ts'],
    projects: [
      project('fast', ['unit', 'http', 'store', 'extension']),
      project('process', ['fault', 'gateway'], 'test/support/process-setup.ts'),
      project('browser', ['browser'], 'test/support/browser-setup.ts'),
    ],
  },
});
