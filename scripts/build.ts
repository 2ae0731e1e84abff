import { build } from 'wxt';
import { bundleProgram } from './bundle.ts';

for (const browser of ['chrome', 'firefox']) await build({ browser });
console.log('Chrome: load dist/extension/chrome-mv3 at chrome://extensions (Developer mode, Load unpacked).');
console.log('Firefox: load dist/extension/firefox-mv3/manifest.json at about:debugging (This Firefox).');
console.log(`Command line: ${await bundleProgram('companion/cli/heex.ts', 'heex')}`);
console.log(`Agent: ${await bundleProgram('examples/agent/heex-agent.ts', 'heex-agent')}`);
