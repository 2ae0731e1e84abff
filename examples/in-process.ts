// A service that checks keys itself: from memory, which the companion's stream of changes keeps right.
//
//   HEEX_URL=http://127.0.0.1:8787 HEEX_VERIFIER=heexv_… node examples/in-process.ts
//
// Node.js 22.18, 24.11 or newer. It needs the folder `shared` and the package `zod`.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createVerifier } from '../shared/verifier/index.ts';
import { requireKey, type VerifiedRequest } from '../shared/verifier/node.ts';

const { HEEX_URL = 'http://127.0.0.1:8787', HEEX_VERIFIER = '', PORT = '8080' } = process.env;
const verifier = createVerifier({
  url: HEEX_URL,
  secret: HEEX_VERIFIER,
  onFault: (error) => console.error(`The companion's stream: ${error.message}`),
});

// With Express these are handlers as they stand: app.get('/customers', reader, (request, response) => …)
const anyKey = requireKey(verifier);
const reader = requireKey(verifier, { permissions: ['customers:read'] });

const server = createServer((request: VerifiedRequest, response) => {
  const answer = (body: object) =>
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
  if (request.url === '/customers') return void reader(request, response, () => answer({ customers: ['acme'] }));
  return void anyKey(request, response, () => answer({ hello: request.heexKey?.owner.name }));
});
server.listen(Number(PORT), '127.0.0.1', () => {
  console.log(`Listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});

process.once('SIGTERM', () => {
  // First the last requests, then what they were counted as.
  server.close(() => void verifier.close());
});
