import { isIP } from 'node:net';
import {
  generateAuthenticationOptions,
  generateRegistrationOptions,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server';
import type { KnownPasskey, Passkeys } from '../app/identity-ports.ts';

const TIMEOUT_MS = 5 * 60_000;
/** Ed25519, ECDSA on P-256, RSA PKCS #1 v1.5: what authenticators have (COSE algorithm numbers). */
const ALGORITHMS = [-8, -7, -257];
const bytes = (base64url: string) => new Uint8Array(Buffer.from(base64url, 'base64url'));

type Verify = typeof verifyRegistrationResponse | typeof verifyAuthenticationResponse;
// The contract has checked the shape; the library's own type names browser classes.
const given = <V extends Verify>(credential: unknown) => credential as Parameters<V>[0]['response'];

/**
 * Passkeys: discoverable credentials with the person verified (PIN or biometrics), so that one is enough to sign in.
 * @param publicUrl what browsers call this companion: its origin is expected, its host is the relying party
 */
export function createPasskeys(publicUrl: () => string): Passkeys {
  const party = () => {
    const { origin, hostname } = new URL(publicUrl());
    return { expectedOrigin: origin, expectedRPID: hostname };
  };
  return {
    available: () => isIP(new URL(publicUrl()).hostname.replace(/^\[|\]$/g, '')) === 0,
    async creationOptions(user, challenge, known) {
      const options = await generateRegistrationOptions({
        rpName: 'Heex Keys',
        rpID: party().expectedRPID,
        userID: new Uint8Array(Buffer.from(user.id)),
        userName: user.email,
        userDisplayName: user.name,
        challenge: bytes(challenge),
        timeout: TIMEOUT_MS,
        attestationType: 'none',
        supportedAlgorithmIDs: ALGORITHMS,
        excludeCredentials: known.map((p) => ({ id: p.credentialId, transports: [...p.transports] })),
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      });
      return { ...options };
    },
    async requestOptions(challenge) {
      const { expectedRPID: rpID } = party();
      const options = { rpID, challenge: bytes(challenge), timeout: TIMEOUT_MS, userVerification: 'required' as const };
      return { ...(await generateAuthenticationOptions(options)) };
    },
    async verifyCreated(credential, challenge) {
      const response = given<typeof verifyRegistrationResponse>(credential);
      const checks = { ...party(), expectedChallenge: challenge, requireUserVerification: true };
      const result = await verifyRegistrationResponse({ response, ...checks, supportedAlgorithmIDs: ALGORITHMS }).catch(
        () => undefined,
      );
      if (!result?.verified) return undefined;
      const { credential: made, credentialBackedUp: synced } = result.registrationInfo;
      const publicKey = Buffer.from(made.publicKey).toString('base64url');
      return {
        credentialId: made.id,
        publicKey,
        counter: made.counter,
        transports: credential.response.transports ?? [],
        synced,
      };
    },
    async verifyAsserted(credential, challenge, passkey) {
      const response = given<typeof verifyAuthenticationResponse>(credential);
      const checks = { ...party(), expectedChallenge: challenge, requireUserVerification: true };
      const result = await verifyAuthenticationResponse({ response, ...checks, credential: stored(passkey) }).catch(
        () => undefined,
      );
      if (!result?.verified) return undefined;
      return { counter: result.authenticationInfo.newCounter, synced: result.authenticationInfo.credentialBackedUp };
    },
  };
}

const stored = (p: KnownPasskey) => ({ id: p.credentialId, publicKey: bytes(p.publicKey), counter: p.counter });
