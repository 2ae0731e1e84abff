import { defineConfig } from 'vitest/config';

// `fast` runs side by side and needs nothing but Node; the others start processes and browsers, one file after another.
const project = (name: string, folders: string[], serial: boolean) => ({
  extends: true as const,
  test: {
    name,
    include: folders.map((folder) => `test/${folder}/**/*.test.{ts,tsx}`),
    testTimeout: serial ? 90_000 : 20_000,
    hookTimeout: serial ? 120_000 : 20_000,
    fileParallelism: !serial,
  },
});

export default defineConfig({
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  test: {
    reporters: ['default', './test/support/tally.ts'],
    projects: [
      project('fast', ['unit', 'http', 'store', 'extension'], false),
      project('process', ['fault', 'gateway'], true),
      {
        ...project('browser', ['browser'], true),
        test: { ...project('browser', ['browser'], true).test, globalSetup: ['test/browser/setup.ts'] },
      },
    ],
  },
});
