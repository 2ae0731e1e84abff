import { chmodSync } from 'node:fs';
import { build as bundle } from 'vite';
import { build } from 'wxt';

for (const browser of ['chrome', 'firefox']) await build({ browser });
console.log('Chrome: load dist/extension/chrome-mv3 at chrome://extensions (Developer mode, Load unpacked).');
console.log('Firefox: load dist/extension/firefox-mv3/manifest.json at about:debugging (This Firefox).');

/** One file, for machines without a checkout and with any Node from 20 on. */
async function bundleProgram(entry: string, name: string): Promise<void> {
  await bundle({
    configFile: false,
    logLevel: 'warn',
    ssr: { noExternal: true },
    build: {
      ssr: entry,
      outDir: 'dist',
      emptyOutDir: false,
      target: 'node20',
      rolldownOptions: { output: { entryFileNames: `${name}.mjs` } },
    },
  });
  chmodSync(`dist/${name}.mjs`, 0o755);
}

await bundleProgram('companion/cli/heex.ts', 'heex');
console.log('Command line: dist/heex.mjs');
await bundleProgram('examples/agent/heex-agent.ts', 'heex-agent');
console.log('Agent: dist/heex-agent.mjs');
