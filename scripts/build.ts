import { chmodSync } from 'node:fs';
import { build as bundle } from 'vite';
import { build } from 'wxt';

for (const browser of ['chrome', 'firefox']) await build({ browser });
console.log('Chrome: load dist/extension/chrome-mv3 at chrome://extensions (Developer mode, Load unpacked).');
console.log('Firefox: load dist/extension/firefox-mv3/manifest.json at about:debugging (This Firefox).');

// The command line as one file, for machines without a checkout and with any Node from 20 on.
await bundle({
  configFile: false,
  logLevel: 'warn',
  ssr: { noExternal: true },
  build: {
    ssr: 'companion/cli/heex.ts',
    outDir: 'dist',
    emptyOutDir: false,
    target: 'node20',
    rolldownOptions: { output: { entryFileNames: 'heex.mjs' } },
  },
});
chmodSync('dist/heex.mjs', 0o755);
console.log('Command line: dist/heex.mjs');
