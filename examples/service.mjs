// A small service that lets in whoever brings a good API key. It asks the companion about each one.
//
//   HEEX_URL=http://127.0.0.1:8787 HEEX_VERIFIER=heexv_… node examples/service.mjs
//
// Any Node.js from 18 on, no dependency.
import { createServer } from 'node:http';

const { HEEX_URL = 'http://127.0.0.1:8787', HEEX_VERIFIER, PORT = '8080' } = process.env;
if (!HEEX_VERIFIER) {
  console.error('Set HEEX_VERIFIER to the secret of a verifier credential (an admin makes one).');
  process.exit(2);
}

/** What the companion says of a key; throws when it can't be asked, and then nobody is let in. */
async function verify(key, request) {
  const response = await fetch(`${HEEX_URL}/v1/verify`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${HEEX_VERIFIER}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({
      key,
      ip: request.socket.remoteAddress,
      userAgent: request.headers['user-agent']?.slice(0, 512),
    }),
    signal: AbortSignal.timeout(2_000),
  });
  if (!response.ok) throw new Error(`the companion answered ${response.status}`);
  return response.json();
}

const STATUS = { ip_not_allowed: 403, insufficient_permissions: 403, customer_not_allowed: 403, rate_limited: 429 };

const server = createServer(async (request, response) => {
  const answer = (status, body) =>
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
  const key = request.headers['x-api-key'];
  if (typeof key !== 'string') return answer(401, { error: 'Send your API key in X-API-Key.' });
  try {
    const { valid, code, requestId, key: identity } = await verify(key, request);
    // Why a key is bad is for its owner, who finds it in the popup under this request id.
    if (!valid) return answer(STATUS[code] ?? 401, { error: 'This key was refused.', requestId });
    return answer(200, { hello: identity.owner.name, key: identity.name });
  } catch (error) {
    console.error(error.message);
    return answer(503, { error: 'Keys can not be checked right now.' });
  }
});
server.listen(Number(PORT), '127.0.0.1', () => console.log(`Listening on http://127.0.0.1:${server.address().port}`));
