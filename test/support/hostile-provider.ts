import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What one sign-in would rightly be answered, to be spoilt by a test. */
export interface Token {
  header: Record<string, unknown>;
  claims: Record<string, unknown>;
  key: KeyObject;
}

export interface HostileProvider {
  issuer: string;
  /** A key that the provider does not publish. */
  foreignKey: KeyObject;
  /** Changes the next ID tokens; without it they are right. */
  spoil(how: (token: Token) => void): void;
  /** Changes the metadata. */
  metadata(changes: Record<string, unknown>): void;
  /** Makes the token endpoint answer something else altogether. */
  tokenAnswer(answer: { status: number; headers?: Record<string, string>; body: string } | undefined): void;
  close(): Promise<void>;
}

const base64url = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const keys = () => generateKeyPairSync('rsa', { modulusLength: 2048 });

function encode({ header, claims, key }: Token): string {
  const signed = `${base64url(header)}.${base64url(claims)}`;
  return `${signed}.${header.alg === 'none' ? '' : sign('sha256', Buffer.from(signed), key).toString('base64url')}`;
}

async function formOf(request: IncomingMessage): Promise<URLSearchParams> {
  let text = '';
  for await (const chunk of request) text += chunk;
  return new URLSearchParams(text);
}

/** A provider that can lie about everything that a client has to check. A code is the nonce and the challenge of its request. */
export async function hostileProvider(): Promise<HostileProvider> {
  const own = keys();
  const foreignKey = keys().privateKey;
  let spoil: (token: Token) => void = () => {};
  let changes: Record<string, unknown> = {};
  let instead: Parameters<HostileProvider['tokenAnswer']>[0];
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', issuer);
    const json = (body: object, status = 200) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (url.pathname === '/.well-known/openid-configuration')
      return json({
        issuer,
        authorization_endpoint: `${issuer}/auth`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/jwks`,
        ...changes,
      });
    if (url.pathname === '/jwks')
      return json({ keys: [{ ...own.publicKey.export({ format: 'jwk' }), kid: 'own', use: 'sig', alg: 'RS256' }] });
    if (url.pathname === '/auth') {
      const q = url.searchParams;
      const back = new URL(q.get('redirect_uri') ?? '');
      back.searchParams.set('code', base64url({ nonce: q.get('nonce'), challenge: q.get('code_challenge') }));
      back.searchParams.set('state', q.get('state') ?? '');
      return response.writeHead(302, { location: back.href }).end();
    }
    if (instead) return response.writeHead(instead.status, instead.headers).end(instead.body);
    const form = await formOf(request);
    const { nonce, challenge } = JSON.parse(Buffer.from(form.get('code') ?? '', 'base64url').toString());
    if (
      createHash('sha256')
        .update(form.get('code_verifier') ?? '')
        .digest('base64url') !== challenge
    )
      return json({ error: 'invalid_grant' }, 400);
    const now = Math.floor(Date.now() / 1000);
    const person = { sub: 'victim', email: 'victim@joins.example', email_verified: true };
    const claims = { iss: issuer, aud: 'heex-keys', iat: now, exp: now + 300, nonce, ...person };
    const token: Token = { header: { alg: 'RS256', kid: 'own' }, claims, key: own.privateKey };
    spoil(token);
    return json({ access_token: 'at', token_type: 'Bearer', id_token: encode(token) });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    issuer,
    foreignKey,
    spoil(how) {
      spoil = how;
    },
    metadata(c) {
      changes = c;
    },
    tokenAnswer(answer) {
      instead = answer;
    },
    close() {
      server.closeAllConnections();
      return new Promise((done) => server.close(() => done()));
    },
  };
}
