import { createHash } from 'node:crypto';
import * as z from 'zod/mini';
import { PROOF_WINDOW_SECONDS } from '../../../shared/agent-protocol.ts';
import { weaknessOfKey } from '../../domain/agent.ts';
import { badField } from '../../domain/refusal.ts';
import { signedBy } from './ed25519.ts';

const header = z.looseObject({
  typ: z.literal('dpop+jwt'),
  // `EdDSA` by RFC 8037, `Ed25519` by RFC 9864.
  alg: z.enum(['EdDSA', 'Ed25519']),
  jwk: z.looseObject({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string() }),
});
const claims = z.looseObject({
  jti: z.string().check(z.minLength(1)),
  htm: z.literal('POST'),
  htu: z.url(),
  iat: z.number(),
  exp: z.optional(z.number()),
  ath: z.string(),
});

export interface ProofContext {
  /** `x` of the public key in the body. */
  publicKey: string;
  /** The API key of the request. */
  apiKey: string;
  /** Every origin of this companion. */
  origins: ReadonlySet<string>;
  now: number;
}

const wrong = (message: string) => badField('proof', message);

function part<S extends z.ZodMiniType>(text: string, schema: S, what: string): z.infer<S> {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    throw wrong(`its ${what} is not JSON in base64url`);
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw wrong(`its ${what} is not that of a DPoP proof for this: ${result.error.issues[0]?.path.join('.')}`);
}

function checkClaims(said: z.infer<typeof claims>, context: ProofContext): void {
  const target = new URL(said.htu);
  if (!context.origins.has(target.origin) || target.href !== `${target.origin}/v1/agents`)
    throw wrong('htu has to be the address that this request is sent to: it was made for another server');
  if (said.ath !== createHash('sha256').update(context.apiKey).digest('base64url'))
    throw wrong('ath has to be the SHA-256 of the API key of this request, in base64url');
  if (said.exp !== undefined && said.exp * 1000 <= context.now) throw wrong('exp has passed');
  const off = Math.abs(said.iat - context.now / 1000);
  if (!(off <= PROOF_WINDOW_SECONDS))
    throw wrong(
      `iat is more than ${PROOF_WINDOW_SECONDS} s off; the header Date of this answer says what time it is here`,
    );
}

/**
 * Checks that whoever enrols a public key holds its private key, and that the proof was made for this server, this API key and
 * now (DPoP, RFC 9449, 4.3). A replay within the window needs the same API key and makes nothing new: the same public key is
 * answered with the same agent.
 * @throws Refusal bad_request that says what is wrong
 */
export function checkProof(proof: string, context: ProofContext): void {
  const bytes = Buffer.from(context.publicKey, 'base64url');
  const weakness =
    bytes.toString('base64url') === context.publicKey ? weaknessOfKey(bytes) : 'is not base64url in its canonical form';
  if (weakness) throw badField('publicKey.x', weakness);
  const match = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{86})$/.exec(proof);
  if (!match?.[1] || !match[2] || !match[3])
    throw wrong('must be a JWS in compact form with an Ed25519 signature (RFC 7515)');
  const said = part(match[1], header, 'header');
  // None is understood here (RFC 7515, 4.1.11).
  if ('crit' in said) throw wrong('its header has crit, which asks for what is not known here');
  const { jwk } = said;
  if ('d' in jwk) throw wrong('its header has the private key in it; make a new key pair');
  if (jwk.x !== context.publicKey) throw wrong('it is by another key than publicKey');
  if (!signedBy(context.publicKey, `${match[1]}.${match[2]}`, Buffer.from(match[3], 'base64url')))
    throw wrong('its signature is not that of publicKey');
  checkClaims(part(match[2], claims, 'payload'), context);
}
