import { createHash, createSign, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';

/** How an answer is made; a test spoils one thing. */
export interface Manner {
  origin?: string;
  rpId?: string;
  /** Without it the person was only there, not recognised. */
  verified?: boolean;
  counter?: number;
  userHandle?: string;
  type?: string;
  signature?: string;
}

/** A passkey in software: what browser and device do together (WebAuthn Level 3), so that every part can be wrong. */
export interface Authenticator {
  id: string;
  create(options: { challenge: string; rp: { id: string }; user: { id: string } }, manner?: Manner): object;
  get(options: { challenge: string; rpId: string }, manner?: Manner): object;
}

/** As much of CBOR (RFC 8949) as a public key and an attestation need. */
function cbor(value: unknown): Buffer {
  const head = (major: number, n: number) =>
    n < 24
      ? Buffer.from([(major << 5) | n])
      : n < 256
        ? Buffer.from([(major << 5) | 24, n])
        : Buffer.from([(major << 5) | 25, n >> 8, n & 0xff]);
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value);
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value]);
  const entries = [...(value as Map<unknown, unknown>)];
  return Buffer.concat([head(5, entries.length), ...entries.flatMap(([k, v]) => [cbor(k), cbor(v)])]);
}

const b64 = (bytes: Buffer | string) => Buffer.from(bytes).toString('base64url');
const sha256 = (data: Buffer | string) => createHash('sha256').update(data).digest();

function cose(key: KeyObject): Buffer {
  const { x = '', y = '' } = key.export({ format: 'jwk' });
  const coordinate = (text: string) => Buffer.from(text, 'base64url');
  return cbor(
    new Map<number, unknown>([
      [1, 2],
      [3, -7],
      [-1, 1],
      [-2, coordinate(x)],
      [-3, coordinate(y)],
    ]),
  );
}

export function authenticator(origin: string): Authenticator {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const rawId = randomBytes(16);
  let counter = 0;
  let userHandle = '';
  const clientData = (type: string, challenge: string, manner: Manner) =>
    Buffer.from(
      JSON.stringify({ type: manner.type ?? type, challenge, origin: manner.origin ?? origin, crossOrigin: false }),
    );
  function authData(rpId: string, manner: Manner, made?: Buffer): Buffer {
    const flags = 0x01 | (manner.verified === false ? 0 : 0x04) | (made ? 0x40 : 0);
    const count = Buffer.alloc(4);
    count.writeUInt32BE(manner.counter ?? ++counter);
    return Buffer.concat([sha256(manner.rpId ?? rpId), Buffer.from([flags]), count, made ?? Buffer.alloc(0)]);
  }
  const answer = (response: object) => ({
    id: b64(rawId),
    rawId: b64(rawId),
    type: 'public-key',
    authenticatorAttachment: 'platform',
    clientExtensionResults: {},
    response,
  });
  return {
    id: b64(rawId),
    create({ challenge, rp, user }, manner = {}) {
      userHandle = user.id;
      const made = Buffer.concat([Buffer.alloc(16), Buffer.from([0, rawId.length]), rawId, cose(publicKey)]);
      const data = authData(rp.id, manner, made);
      const attestation = new Map<string, unknown>([
        ['fmt', 'none'],
        ['attStmt', new Map()],
        ['authData', data],
      ]);
      return answer({
        clientDataJSON: b64(clientData('webauthn.create', challenge, manner)),
        attestationObject: b64(cbor(attestation)),
        transports: ['internal'],
      });
    },
    get({ challenge, rpId }, manner = {}) {
      const [client, data] = [clientData('webauthn.get', challenge, manner), authData(rpId, manner)];
      const signature = createSign('sha256')
        .update(Buffer.concat([data, sha256(client)]))
        .sign(privateKey);
      return answer({
        clientDataJSON: b64(client),
        authenticatorData: b64(data),
        signature: manner.signature ?? b64(signature),
        userHandle: manner.userHandle ?? userHandle,
      });
    },
  };
}
