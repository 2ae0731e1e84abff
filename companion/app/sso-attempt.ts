import { badField, notFound, Refusal } from '../domain/refusal.ts';
import { authorize, type SessionCaller } from './caller.ts';
import type { Deps } from './deps.ts';
import { findSso, providerOf, redirectUri } from './sso-settings.ts';
import { ownSession, requireRecentSignIn } from './step-up.ts';

export const ATTEMPT_MS = 10 * 60_000;
const ATTEMPT = 'single sign-on attempt';

export const SSO_PURPOSES = ['sign_in', 'accept', 'link', 'confirm'] as const;

/** What a page asks for. */
export interface SsoStart {
  workspaceId: string;
  purpose: (typeof SSO_PURPOSES)[number];
  /** With `accept`. */
  invitationToken?: string | undefined;
  /** With `confirm`: which session; this one when absent. */
  sessionId?: string | undefined;
  /** A path of ours. */
  returnTo: string;
}

/** What the browser carries, sealed, while the person is at the provider: nothing of it is in the database. */
export interface Attempt {
  workspaceId: string;
  purpose: SsoStart['purpose'];
  /** The configuration that it was begun with, so that one begun with another is not finished with it. */
  issuer: string;
  clientId: string;
  state: string;
  nonce: string;
  codeVerifier: string;
  /** The person who links or confirms; undefined while nobody is signed in. */
  userId?: string | undefined;
  /** With `confirm`. */
  sessionId?: string | undefined;
  /** With `accept`. */
  invitationToken?: string | undefined;
  returnTo: string;
  expiresAt: number;
}

/** An attempt that this browser began and that can still be finished, or undefined. */
export function openAttempt(deps: Deps, sealed: string | undefined): Attempt | undefined {
  const text = sealed === undefined ? undefined : deps.seal.open(ATTEMPT, sealed);
  const attempt = text === undefined ? undefined : (JSON.parse(text) as Attempt);
  return attempt && attempt.expiresAt > deps.now() ? attempt : undefined;
}

/**
 * Begins a sign-in at the provider of a workspace.
 * @returns where the browser goes, and what it has to bring back
 * @throws Refusal not_found without single sign-on there; unauthorized and step_up_required for what needs a session
 */
export async function startSso(
  deps: Deps,
  input: SsoStart,
  caller: SessionCaller | undefined,
): Promise<{ url: string; sealed: string }> {
  const row = await findSso(deps.store.read, input.workspaceId);
  if (!row) throw notFound();
  const provider = providerOf(deps, row);
  const whose = await allowPurpose(deps, input, caller);
  const random = () => Buffer.from(deps.randomBytes(32)).toString('base64url');
  const secrets = { state: random(), nonce: random(), codeVerifier: random() };
  const url = await deps.oidc.begin(provider, redirectUri(deps), secrets, input.purpose === 'confirm');
  const attempt: Attempt = {
    workspaceId: row.workspace_id,
    purpose: input.purpose,
    issuer: row.issuer,
    clientId: row.client_id,
    ...secrets,
    ...whose,
    invitationToken: input.purpose === 'accept' ? input.invitationToken : undefined,
    returnTo: input.returnTo,
    expiresAt: deps.now() + ATTEMPT_MS,
  };
  return { url, sealed: deps.seal.close(ATTEMPT, JSON.stringify(attempt)) };
}

async function allowPurpose(
  deps: Deps,
  input: SsoStart,
  caller: SessionCaller | undefined,
): Promise<Pick<Attempt, 'userId' | 'sessionId'>> {
  if (input.purpose === 'accept' && input.invitationToken === undefined)
    throw badField('invitationToken', 'is required');
  if (input.purpose !== 'link' && input.purpose !== 'confirm') return {};
  if (!caller) throw new Refusal('unauthorized');
  if (input.purpose === 'confirm') {
    const session = await ownSession(deps.store.read, caller, input.sessionId ?? 'current');
    return { userId: caller.user.id, sessionId: session.id };
  }
  await authorize(deps.store.read, caller.user.id, input.workspaceId, 'workspace.read');
  requireRecentSignIn(deps, caller);
  return { userId: caller.user.id };
}
