import * as client from 'openid-client';
import type { Oidc, OidcPerson, OidcProvider, OidcSecrets } from '../app/identity-ports.ts';
import { badField, Refusal } from '../domain/refusal.ts';
import { faultOf, providerFetch, TIMEOUT_SECONDS, usesPlainHttp } from './oidc-fetch.ts';

const SCOPE = 'openid email profile';
/** How long the provider's metadata and keys are used before they are read again, in milliseconds. */
const METADATA_MS = 10 * 60_000;
/** With a demanded sign-in: how old it may be when the person is back, in seconds. */
const AGAIN_SECONDS = 300;
/** Otherwise: so old that it asks for nothing, but makes the provider say when they signed in (OpenID Connect Core 1.0, 2). */
const ANY_SECONDS = 30 * 86_400;

async function discover(provider: OidcProvider): Promise<client.Configuration> {
  const issuer = new URL(provider.issuer);
  const plain = usesPlainHttp(issuer);
  // Chosen once the metadata says what the provider takes.
  let authenticate: client.ClientAuth = client.None();
  const config = await client.discovery(
    issuer,
    provider.clientId,
    { client_secret: provider.clientSecret },
    (as, metadata, body, headers) => authenticate(as, metadata, body, headers),
    {
      timeout: TIMEOUT_SECONDS,
      [client.customFetch]: providerFetch(plain),
      execute: [client.enableNonRepudiationChecks, ...(plain ? [client.allowInsecureRequests] : [])],
    },
  );
  // Basic is what a provider takes that does not say (OpenID Connect Discovery 1.0, 3).
  const methods = config.serverMetadata().token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
  const post = methods.includes('client_secret_post');
  authenticate = post
    ? client.ClientSecretPost(provider.clientSecret)
    : client.ClientSecretBasic(provider.clientSecret);
  return config;
}

/** What is missing in the metadata for a sign-in to work, or undefined. */
function shortcoming(provider: OidcProvider, config: client.Configuration): string | undefined {
  const as = config.serverMetadata();
  if (as.issuer.includes('{')) return 'must name one tenant: this provider answers for every one of them';
  if (new URL(as.issuer).href !== new URL(provider.issuer).href)
    return `the provider calls itself ${as.issuer.slice(0, 200)}: use exactly that`;
  for (const name of ['authorization_endpoint', 'token_endpoint', 'jwks_uri'] as const) {
    const url = as[name];
    if (!url || !URL.canParse(url)) return `the provider names no ${name}`;
    const endpoint = new URL(url);
    if (endpoint.protocol !== 'https:' && !(usesPlainHttp(new URL(provider.issuer)) && usesPlainHttp(endpoint)))
      return `the provider's ${name} is not an https address`;
  }
  if (as.response_types_supported && !as.response_types_supported.includes('code'))
    return 'the provider does not offer the code flow';
  if (as.code_challenge_methods_supported && !as.supportsPKCE('S256'))
    return 'the provider does not offer PKCE with S256';
  return undefined;
}

/**
 * Whether the provider vouches for the address. Entra ID never says `email_verified`, but, where the application asks for it,
 * `xms_edov`: the address is in a domain that its tenant has verified (https://learn.microsoft.com/entra/identity-platform/optional-claims-reference).
 * It writes that as `true` or `"1"`. Who says `email_verified` is taken at that word.
 */
function isVerified(claims: Readonly<Record<string, unknown>>): boolean {
  const { email_verified: verified, xms_edov: domainVerified } = claims;
  return verified === undefined ? [true, 1, '1', 'true'].some((yes) => yes === domainVerified) : verified === true;
}

async function personOf(
  config: client.Configuration,
  tokens: Awaited<ReturnType<typeof client.authorizationCodeGrant>>,
): Promise<OidcPerson> {
  const claims = tokens.claims();
  if (!claims) throw new Refusal('unauthorized', 'The identity provider sent no ID token.');
  // Some providers put e-mail and name only into the answer of their userinfo endpoint.
  const more =
    claims.email === undefined && config.serverMetadata().userinfo_endpoint && tokens.access_token
      ? await client.fetchUserInfo(config, tokens.access_token, claims.sub)
      : claims;
  return {
    issuer: claims.iss,
    subject: claims.sub,
    email: typeof more.email === 'string' ? more.email : undefined,
    emailVerified: isVerified(more),
    name: typeof more.name === 'string' ? more.name : undefined,
    authTime: typeof claims.auth_time === 'number' ? claims.auth_time * 1000 : undefined,
  };
}

/**
 * Single sign-on by OpenID Connect.
 * @param report is told why a sign-in failed: an error code, nothing about the person
 */
export function createOidc(now: () => number, report: (step: string, fault: string) => void): Oidc {
  const known = new Map<string, { config: client.Configuration; until: number }>();
  async function configFor(provider: OidcProvider): Promise<client.Configuration> {
    const name = JSON.stringify([provider.issuer, provider.clientId, provider.clientSecret]);
    const found = known.get(name);
    if (found && found.until > now()) return found.config;
    const config = await discover(provider);
    if (shortcoming(provider, config)) throw new Refusal('unavailable', 'The identity provider changed its settings.');
    if (known.size > 20) known.clear();
    known.set(name, { config, until: now() + METADATA_MS });
    return config;
  }
  async function reported<T>(step: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof Refusal) throw error;
      const fault = faultOf(error);
      report(step, fault.code);
      throw new Refusal(fault.away ? 'unavailable' : 'unauthorized', fault.message);
    }
  }
  return {
    async check(provider) {
      if (provider.issuer.includes('/.well-known/'))
        throw badField('issuer', 'give the issuer itself, without /.well-known/…');
      const issuer = new URL(provider.issuer);
      if (issuer.username || issuer.password) throw badField('issuer', 'must have no user name and no password');
      if (issuer.protocol !== 'https:' && !usesPlainHttp(issuer)) throw badField('issuer', 'must be an https address');
      const config = await discover(provider).catch((error: unknown) => {
        const fault = faultOf(error);
        report('discovery', fault.code);
        throw badField('issuer', fault.discovery);
      });
      const missing = shortcoming(provider, config);
      if (missing) throw badField('issuer', missing);
      return config.serverMetadata().issuer;
    },
    begin: (provider, redirectUri, secrets, again) =>
      reported('start', async () => {
        const config = await configFor(provider);
        return client.buildAuthorizationUrl(config, await parameters(redirectUri, secrets, again)).href;
      }),
    finish: (provider, callback, secrets, again) =>
      reported('callback', async () => {
        const config = await configFor(provider);
        const tokens = await client.authorizationCodeGrant(config, callback, {
          expectedState: secrets.state,
          expectedNonce: secrets.nonce,
          pkceCodeVerifier: secrets.codeVerifier,
          idTokenExpected: true,
          ...(again ? { maxAge: AGAIN_SECONDS } : {}),
        });
        return personOf(config, tokens);
      }),
  };
}

async function parameters(redirectUri: string, secrets: OidcSecrets, again: boolean) {
  return {
    redirect_uri: redirectUri,
    scope: SCOPE,
    state: secrets.state,
    nonce: secrets.nonce,
    code_challenge: await client.calculatePKCECodeChallenge(secrets.codeVerifier),
    code_challenge_method: 'S256',
    max_age: String(again ? AGAIN_SECONDS : ANY_SECONDS),
    ...(again ? { prompt: 'login' } : {}),
  };
}
