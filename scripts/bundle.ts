import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'vite';

/** A program as one file, for machines without a checkout and with any Node from 20 on. @returns where it is */
export async function bundleProgram(entry: string, name: string, folder = 'dist'): Promise<string> {
  await build({
    root: join(import.meta.dirname, '..'),
    configFile: false,
    logLevel: 'warn',
    ssr: { noExternal: true },
    build: {
      ssr: entry,
      outDir: folder,
      emptyOutDir: false,
      target: 'node20',
      rolldownOptions: { output: { entryFileNames: `${name}.mjs` } },
    },
  });
  const file = join(folder, `${name}.mjs`);
  chmodSync(file, 0o755);
  return file;
}
