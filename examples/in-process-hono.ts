// The same as in-process.ts, with Hono.
//
//   HEEX_URL=http://127.0.0.1:8787 HEEX_VERIFIER=heexv_… node examples/in-process-hono.ts
import { serve } from '@hono/node-server';
import { getConnInfo } from '@hono/node-server/conninfo';
import { Hono } from 'hono';
import { type HonoEnv, requireKey } from '../shared/verifier/hono.ts';
import { createVerifier } from '../shared/verifier/index.ts';

const { HEEX_URL = 'http://127.0.0.1:8787', HEEX_VERIFIER = '', PORT = '8080' } = process.env;
const verifier = createVerifier({
  url: HEEX_URL,
  secret: HEEX_VERIFIER,
  onFault: (error) => console.error(`The companion's stream: ${error.message}`),
});

// Hono does not know where a request came from; without it, keys that have an allowlist are refused.
const address = (c: Parameters<typeof getConnInfo>[0]) => getConnInfo(c).remote.address;

const app = new Hono<HonoEnv>();
app.get('/customers', requireKey(verifier, { address, permissions: ['customers:read'] }), (c) =>
  c.json({ customers: ['acme'] }),
);
app.get('/', requireKey(verifier, { address }), (c) => c.json({ hello: c.get('heexKey').owner.name }));

const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: Number(PORT) }, ({ port }) => {
  console.log(`Listening on http://127.0.0.1:${port}`);
});

process.once('SIGTERM', () => {
  // First the last requests, then what they were counted as.
  server.close(() => void verifier.close());
});
