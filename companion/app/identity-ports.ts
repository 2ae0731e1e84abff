import type { PasskeyAsserted, PasskeyCreated } from '../../shared/contract/identity.ts';

/** An identity provider, and this companion as its client. */
export interface OidcProvider {
  issuer: string;
  clientId: string;
  clientSecret: string;
}

/** What one sign-in at the provider is recognised by when the person comes back. */
export interface OidcSecrets {
  state: string;
  nonce: string;
  codeVerifier: string;
}

/** Whom the provider says it has signed in. */
export interface OidcPerson {
  issuer: string;
  subject: string;
  email: string | undefined;
  /** Only when the provider says so outright. */
  emailVerified: boolean;
  name: string | undefined;
  /** When they last signed in there, in milliseconds, where the provider says it. */
  authTime: number | undefined;
}

/** OpenID Connect Core 1.0, code flow with PKCE (RFC 7636). */
export interface Oidc {
  /**
   * Reads the provider's metadata and says what would keep a sign-in from working.
   * @returns the issuer exactly as the provider writes it
   * @throws Refusal bad_request on `issuer`
   */
  check(provider: OidcProvider): Promise<string>;
  /**
   * The address at the provider to which the browser goes.
   * @param again whether the person has to sign in there anew, instead of being recognised
   * @throws Refusal unavailable
   */
  begin(provider: OidcProvider, redirectUri: string, secrets: OidcSecrets, again: boolean): Promise<string>;
  /**
   * Exchanges the code that came back and checks everything that the provider signed.
   * @param callback the redirect URI with the parameters that came
   * @throws Refusal unauthorized, unavailable
   */
  finish(provider: OidcProvider, callback: URL, secrets: OidcSecrets, again: boolean): Promise<OidcPerson>;
}

/** A passkey as it is kept. Ids and keys are base64url. */
export interface KnownPasskey {
  credentialId: string;
  publicKey: string;
  counter: number;
  transports: readonly string[];
}

/** WebAuthn Level 3, as the relying party that the public URL names. */
export interface Passkeys {
  /** Browsers know no passkeys for a host that is a bare address. */
  available(): boolean;
  creationOptions(
    user: { id: string; name: string; email: string },
    challenge: string,
    known: readonly KnownPasskey[],
  ): Promise<Record<string, unknown>>;
  requestOptions(challenge: string): Promise<Record<string, unknown>>;
  /** @returns undefined when it is not a valid answer to that challenge, made on this origin with the person verified */
  verifyCreated(
    credential: PasskeyCreated,
    challenge: string,
  ): Promise<(KnownPasskey & { synced: boolean }) | undefined>;
  /** @returns the new counter and whether it is synced, or undefined as above, also when the counter went back */
  verifyAsserted(
    credential: PasskeyAsserted,
    challenge: string,
    passkey: KnownPasskey,
  ): Promise<{ counter: number; synced: boolean } | undefined>;
}
