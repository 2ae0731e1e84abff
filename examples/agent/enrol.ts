import { createHash, randomUUID } from 'node:crypto';
import { type Credential, signText } from './credential.ts';

/** The companion did not enrol the agent; the message is one line, with what it said. */
export class EnrolmentRefused extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

/**
 * Proves that this agent holds its private key: a DPoP proof (RFC 9449) for one request to one server with one API key.
 * @param at milliseconds since 1970-01-01 UTC
 */
export function makeProof(credential: Credential, apiKey: string, at: number): string {
  const header = { typ: 'dpop+jwt', alg: 'EdDSA', jwk: { kty: 'OKP', crv: 'Ed25519', x: credential.x } };
  const claims = {
    jti: randomUUID(),
    htm: 'POST',
    htu: `${credential.url}/v1/agents`,
    iat: Math.floor(at / 1000),
    ath: createHash('sha256').update(apiKey).digest('base64url'),
  };
  const signed = `${encode(header)}.${encode(claims)}`;
  return `${signed}.${signText(credential, signed)}`;
}

export interface Enrolled {
  id: string;
  name: string;
}

async function request(
  credential: Credential,
  apiKey: string,
  name: string | undefined,
  at: number,
): Promise<Response> {
  const body = {
    ...(name === undefined ? {} : { name }),
    publicKey: { kty: 'OKP', crv: 'Ed25519', x: credential.x },
    proof: makeProof(credential, apiKey, at),
  };
  try {
    return await fetch(`${credential.url}/v1/agents`, {
      method: 'POST',
      redirect: 'error',
      headers: { 'X-API-Key': apiKey, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(15_000),
    });
  } catch (error) {
    const { cause, name: kind } = error as { cause?: { code?: string }; name: string };
    throw new EnrolmentRefused(0, `${credential.url} can't be reached (${cause?.code ?? kind})`);
  }
}

/**
 * Enrols with an API key: the one time that it is used. Safe to repeat: the same key pair is the same agent.
 * @throws EnrolmentRefused with what the companion said
 */
export async function enrol(credential: Credential, apiKey: string, name: string | undefined): Promise<Enrolled> {
  let answer = await request(credential, apiKey, name, Date.now());
  const there = Date.parse(answer.headers.get('date') ?? '');
  // Devices often start with a wrong clock: then the proof is made once more with the server's time.
  if (answer.status === 400 && Math.abs(there - Date.now()) > 60_000)
    answer = await request(credential, apiKey, name, there);
  const body = (await answer.json().catch(() => ({}))) as Partial<Enrolled> & { title?: string; detail?: string };
  if ((answer.status === 201 || answer.status === 200) && body.id && body.name) return { id: body.id, name: body.name };
  throw new EnrolmentRefused(answer.status, body.detail ?? body.title ?? `it answered ${answer.status}`);
}
