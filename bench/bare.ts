import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';

/**
 * What a check is compared with: Hono routes that parse the same requests and answer the same bytes, and do nothing else.
 * `SAMPLES` holds one answer of the companion to each.
 */
interface Sample {
  status: number;
  headers: Record<string, string>;
  body: string;
}
const samples = JSON.parse(process.env.SAMPLES ?? '{}') as { verify: Sample; auth: Sample };

const app = new Hono();
app.post('/v1/verify', async (c) => {
  await c.req.json();
  return c.body(samples.verify.body, 200, samples.verify.headers);
});
app.get('/v1/auth', (c) => {
  c.req.query('permission');
  c.req.header('x-api-key');
  c.req.header('x-heex-verifier');
  return c.body(samples.auth.body, 200, samples.auth.headers);
});
const server = createServer(getRequestListener(app.fetch)).listen(0, '127.0.0.1', () =>
  console.log(`ready on http://127.0.0.1:${(server.address() as AddressInfo).port}`),
);
process.once('SIGTERM', () => process.exit(0));
