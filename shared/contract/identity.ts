import * as z from 'zod/mini';
import { endpoint } from './endpoint.ts';
import { email, listOf, password, personName, timestamp } from './fields.ts';
import { W } from './path.ts';
import { newWorkspace, user } from './people.ts';

const text = (most: number) =>
  z.string().check(z.trim(), z.minLength(1, 'is required'), z.maxLength(most, 'is too long'));
const domain = z.string().check(
  z.trim(),
  z.toLowerCase(),
  z.regex(/^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/, {
    error: 'must be a domain such as example.com',
  }),
);

export const ssoSettings = z.object({
  issuer: z.string(),
  clientId: z.string(),
  /** What the button calls it: "Continue with …". */
  name: z.string(),
  /** People with a verified address at one of these join as members at their first sign-in. */
  domains: z.array(z.string()),
  updatedAt: timestamp,
});
/** `redirectUri` is what the identity provider has to be told. */
export const ssoAnswer = z.object({ sso: z.nullable(ssoSettings), redirectUri: z.string() });
export type SsoAnswer = z.infer<typeof ssoAnswer>;

/** An account at an identity provider that signs this person in. */
export const identity = z.object({
  id: z.string(),
  issuer: z.string(),
  email: z.nullable(z.string()),
  linkedAt: timestamp,
  lastUsedAt: z.nullable(timestamp),
});

export const sso = {
  readSso: endpoint({
    id: 'readSso',
    method: 'GET',
    path: `${W}/sso`,
    summary: 'Single sign-on: where it stands; never the client secret',
    credential: 'session',
    action: 'sso.manage',
    answers: { 200: ssoAnswer },
  }),
  saveSso: endpoint({
    id: 'saveSso',
    method: 'PUT',
    path: `${W}/sso`,
    summary: 'Set up single sign-on (OpenID Connect); without `clientSecret` the stored one is kept',
    credential: 'session',
    action: 'sso.manage',
    body: z.strictObject({
      issuer: z.url({ protocol: /^https?$/, error: 'must be an address such as https://login.example.com' }).check(
        z.maxLength(500, 'is too long'),
        // OpenID Connect Discovery 1.0, section 4.1.
        z.refine((url) => !/[?#]/.test(url), 'must have no query and no fragment'),
      ),
      clientId: text(500),
      clientSecret: z.optional(text(1000)),
      name: z._default(personName, 'single sign-on'),
      domains: z._default(
        z.array(domain).check(
          z.maxLength(50, 'list at most 50 domains'),
          z.refine((list) => new Set(list).size === list.length, 'list every domain once'),
        ),
        [],
      ),
    }),
    answers: { 200: ssoAnswer },
    stepUp: true,
  }),
  removeSso: endpoint({
    id: 'removeSso',
    method: 'DELETE',
    path: `${W}/sso`,
    summary: 'Turn single sign-on off and forget the client secret',
    credential: 'session',
    action: 'sso.manage',
    answers: { 204: undefined },
    stepUp: true,
  }),
  listIdentities: endpoint({
    id: 'listIdentities',
    method: 'GET',
    path: '/v1/identities',
    summary: 'The accounts at identity providers that sign you in',
    credential: 'session',
    answers: { 200: listOf(identity) },
  }),
  removeIdentity: endpoint({
    id: 'removeIdentity',
    method: 'DELETE',
    path: '/v1/identities/:identityId',
    summary: 'Unlink an account at an identity provider',
    credential: 'session',
    answers: { 204: undefined },
    problems: ['not_found', 'conflict'],
    stepUp: true,
  }),
} as const;

const givenToken = z.string().check(z.minLength(1), z.maxLength(200));
const base64url = (most: number) =>
  z.string().check(z.minLength(1), z.maxLength(most), z.regex(/^[A-Za-z0-9_-]+$/, 'must be base64url'));

// What `PublicKeyCredential.toJSON()` gives (WebAuthn Level 3, 5.1). Browsers add members: those are left out, not refused.
const credential = {
  id: base64url(1400),
  rawId: base64url(1400),
  type: z.literal('public-key'),
  authenticatorAttachment: z.optional(z.nullable(z.string().check(z.maxLength(50)))),
  clientExtensionResults: z._default(z.record(z.string(), z.unknown()), {}),
};
export const passkeyCreated = z.object({
  ...credential,
  response: z.object({
    clientDataJSON: base64url(8000),
    attestationObject: base64url(60_000),
    transports: z.optional(z.array(z.string().check(z.maxLength(30))).check(z.maxLength(10))),
  }),
});
export type PasskeyCreated = z.infer<typeof passkeyCreated>;
export const passkeyAsserted = z.object({
  ...credential,
  response: z.object({
    clientDataJSON: base64url(8000),
    authenticatorData: base64url(8000),
    signature: base64url(4000),
    userHandle: z.optional(z.nullable(base64url(200))),
  }),
});
export type PasskeyAsserted = z.infer<typeof passkeyAsserted>;

/** What `PublicKeyCredential.parse…OptionsFromJSON()` takes. */
const browserOptions = z.object({ publicKey: z.record(z.string(), z.unknown()) });

export const passkey = z.object({
  id: z.string(),
  name: z.string(),
  /** Whether it is kept by a service that syncs it between devices. */
  synced: z.boolean(),
  createdAt: timestamp,
  lastUsedAt: z.nullable(timestamp),
});
export type Passkey = z.infer<typeof passkey>;

export const passkeys = {
  listPasskeys: endpoint({
    id: 'listPasskeys',
    method: 'GET',
    path: '/v1/passkeys',
    summary: 'Your passkeys',
    credential: 'session',
    answers: { 200: listOf(passkey) },
  }),
  startPasskey: endpoint({
    id: 'startPasskey',
    method: 'POST',
    path: '/v1/passkeys/options',
    summary: 'What the browser needs to make a passkey (WebAuthn); sets a cookie that `addPasskey` asks for',
    credential: 'session',
    answers: { 200: browserOptions },
    problems: ['conflict'],
    stepUp: true,
  }),
  addPasskey: endpoint({
    id: 'addPasskey',
    method: 'POST',
    path: '/v1/passkeys',
    summary: 'Add the passkey that the browser made',
    credential: 'session',
    body: z.strictObject({ name: personName, credential: passkeyCreated }),
    answers: { 201: passkey },
    problems: ['conflict'],
    stepUp: true,
  }),
  removePasskey: endpoint({
    id: 'removePasskey',
    method: 'DELETE',
    path: '/v1/passkeys/:passkeyId',
    summary: 'Remove a passkey: it signs nobody in any more',
    credential: 'session',
    answers: { 204: undefined },
    problems: ['not_found', 'conflict'],
    stepUp: true,
  }),
  challengePasskey: endpoint({
    id: 'challengePasskey',
    method: 'POST',
    path: '/v1/passkeys/challenge',
    summary: 'What the browser needs to ask for a passkey (WebAuthn); sets a cookie that the next step asks for',
    credential: 'none',
    answers: { 200: browserOptions },
    problems: ['conflict'],
  }),
  signInWithPasskey: endpoint({
    id: 'signInWithPasskey',
    method: 'POST',
    path: '/v1/passkeys/sign-in',
    summary: 'Sign this browser in with a passkey; the session is in a cookie',
    credential: 'none',
    body: z.strictObject({ credential: passkeyAsserted }),
    answers: { 201: z.object({ user }) },
    problems: ['unauthorized', 'forbidden', 'rate_limited'],
    secret: true,
  }),
  startJoinWithPasskey: endpoint({
    id: 'startJoinWithPasskey',
    method: 'POST',
    path: '/v1/passkeys/join/options',
    summary: 'What the browser of an invited person needs to make the passkey that they join with',
    credential: 'none',
    body: z.strictObject({ token: givenToken, name: personName }),
    answers: { 200: browserOptions },
    problems: ['not_found', 'conflict', 'rate_limited'],
  }),
  joinWithPasskey: endpoint({
    id: 'joinWithPasskey',
    method: 'POST',
    path: '/v1/passkeys/join',
    summary: 'Join a workspace as a new person who signs in with that passkey; the session is in a cookie',
    credential: 'none',
    body: z.strictObject({ token: givenToken, name: personName, credential: passkeyCreated }),
    answers: { 201: z.object({ user }) },
    problems: ['unauthorized', 'forbidden', 'not_found', 'conflict', 'rate_limited'],
    secret: true,
  }),
  startSetupWithPasskey: endpoint({
    id: 'startSetupWithPasskey',
    method: 'POST',
    path: '/v1/passkeys/setup/options',
    summary: 'What the browser of the first person needs to make the passkey that they sign in with from then on',
    credential: 'none',
    body: z.strictObject(newWorkspace),
    answers: { 200: browserOptions },
    problems: ['unauthorized', 'conflict', 'rate_limited'],
  }),
  setUpWithPasskey: endpoint({
    id: 'setUpWithPasskey',
    method: 'POST',
    path: '/v1/passkeys/setup',
    summary: 'Make the workspace and its first owner, who signs in with that passkey; the session is in a cookie',
    credential: 'none',
    body: z.strictObject({ ...newWorkspace, credential: passkeyCreated }),
    answers: { 201: z.object({ user }) },
    problems: ['unauthorized', 'forbidden', 'conflict', 'rate_limited'],
    secret: true,
  }),
} as const;

const givenPassword = z.string().check(z.minLength(1), z.maxLength(256));

export const passwords = {
  changePassword: endpoint({
    id: 'changePassword',
    method: 'POST',
    path: '/v1/me/password',
    summary: 'Change your password, with the present one or after a recent sign-in; ends your other sessions',
    credential: 'session',
    body: z.strictObject({ currentPassword: z.optional(givenPassword), newPassword: password }),
    answers: { 200: z.object({ endedSessions: z.number() }) },
    problems: ['bad_request', 'step_up_required', 'rate_limited'],
  }),
  forgotPassword: endpoint({
    id: 'forgotPassword',
    method: 'POST',
    path: '/v1/password/forgot',
    summary: 'Have a reset link mailed; the answer is the same for every address',
    credential: 'none',
    body: z.strictObject({ email }),
    answers: { 202: undefined },
    problems: ['conflict', 'rate_limited'],
  }),
  resetPassword: endpoint({
    id: 'resetPassword',
    method: 'POST',
    path: '/v1/password/reset',
    summary: 'Set a new password with the token of a reset link; ends every session of that person',
    credential: 'none',
    body: z.strictObject({ token: givenToken, newPassword: password }),
    answers: { 204: undefined },
    problems: ['not_found', 'rate_limited'],
  }),
  createResetLink: endpoint({
    id: 'createResetLink',
    method: 'POST',
    path: `${W}/members/:memberId/reset`,
    summary:
      'Have a link mailed to a member with which they set a new password: for one hour, once. Where no mail is sent, the answer has the link. Only owners make one for an admin or an owner',
    credential: 'session',
    action: 'member.edit',
    answers: {
      201: z.union([
        z.object({ mailed: z.literal(true), expiresAt: timestamp }),
        z.object({ link: z.string(), expiresAt: timestamp }),
      ]),
    },
    problems: ['conflict', 'rate_limited'],
    secret: true,
    stepUp: true,
  }),
  confirmSession: endpoint({
    id: 'confirmSession',
    method: 'POST',
    path: '/v1/sessions/:sessionId/confirm',
    summary:
      'Prove again who you are, for a session of yours or `current`: by password, by passkey, or, for another session, by having just signed in here',
    credential: 'session',
    body: z.strictObject({ password: z.optional(givenPassword), passkey: z.optional(passkeyAsserted) }),
    answers: { 200: z.object({ authenticatedAt: timestamp }) },
    problems: ['not_found', 'step_up_required', 'rate_limited'],
  }),
} as const;
