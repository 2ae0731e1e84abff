import { build } from 'wxt';

await build({ browser: 'chrome' });
await import('./demo/run.ts');
