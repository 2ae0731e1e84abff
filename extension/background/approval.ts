import { browser } from 'wxt/browser';
import { type Client, FailureError } from '../../shared/client/client.ts';
import {
  CONNECT_DONE_PATH,
  CONNECT_LIFETIME_MS,
  CONNECT_PATH,
  type ConnectQuery,
  matchCode,
} from '../../shared/connect.ts';
import { people } from '../../shared/contract/people.ts';
import { localFailure } from '../messages/failure.ts';
import { keepPermission } from './host-permission.ts';
import { challengeOf, randomText } from './pkce.ts';
import type { Approval, Store } from './store.ts';

export const EXPIRY_ALARM = 'approval-expiry';

export interface ApprovalDeps {
  store: Store;
  client: Client;
  now(): number;
  randomBytes(n: number): Uint8Array;
  /** What the server shall call this browser. */
  label(): Promise<string>;
  /** Reads the lists for the first time. */
  onConnected(): Promise<void>;
}

/** Opens the server's page on which the person approves this browser, and waits there for them. */
export async function openApproval(deps: ApprovalDeps, origin: string): Promise<void> {
  const { store } = deps;
  const verifier = randomText(deps.randomBytes);
  const state = randomText(deps.randomBytes);
  const challenge = await challengeOf(verifier);
  const query: ConnectQuery = {
    client: 'extension',
    label: await deps.label(),
    state,
    code_challenge: challenge,
    code_challenge_method: 'S256',
  };
  const url = `${origin}${CONNECT_PATH}?${new URLSearchParams(query)}`;
  const expiresAt = deps.now() + CONNECT_LIFETIME_MS;
  // Written before the tab opens: it may be approved before this function goes on.
  await store.write('approval', { origin, state, verifier, url, tabId: null, expiresAt });
  await store.write('connection', { status: 'waiting', origin, code: matchCode(challenge), expiresAt });
  await browser.alarms.create(EXPIRY_ALARM, { when: expiresAt });
  await showApproval(store);
}

/** Shows that page again where it is open, else opens it again. Without an approval under way it does nothing. */
export async function showApproval(store: Store): Promise<void> {
  const approval = await store.read('approval');
  if (!approval) return;
  if (approval.tabId !== null) {
    const found = await browser.tabs.update(approval.tabId, { active: true }).catch(() => undefined);
    if (found) return;
  }
  const tab = await browser.tabs.create({ url: approval.url });
  await store.update('approval', (now) => now && { ...now, tabId: tab.id ?? null });
}

/** Takes the answer of that page from the address that its tab goes to; any other address is none. */
export async function readApproval(deps: ApprovalDeps, url: string): Promise<void> {
  if (!URL.canParse(url)) return;
  const { origin, pathname, hash } = new URL(url);
  if (pathname !== CONNECT_DONE_PATH) return;
  const answer = new URLSearchParams(hash.slice(1));
  let taken: Approval | undefined;
  await deps.store.update('approval', (approval) => {
    if (approval?.origin !== origin || approval.state !== answer.get('state')) return approval;
    taken = approval;
    return undefined;
  });
  if (!taken) return;
  await browser.alarms.clear(EXPIRY_ALARM);
  const code = answer.get('code');
  if (code && deps.now() < taken.expiresAt) return exchange(deps, taken, code);
  await deps.store.write('connection', { status: 'not_approved', origin, reason: code ? 'expired' : 'denied' });
}

async function exchange(deps: ApprovalDeps, { origin, verifier }: Approval, code: string): Promise<void> {
  const { store, client } = deps;
  try {
    const { session, user } = await client.call({ origin }, people.connectToken, {
      body: { code, codeVerifier: verifier },
    });
    const before = await store.read('account');
    // Somebody else, or another server: nothing of the person before stays.
    if (before && (before.origin !== origin || before.user.id !== user.id)) await store.forget();
    await store.write('account', { origin, user, token: session.token });
    await store.write('connection', { status: 'connected', origin, user });
  } catch (error) {
    const failure = error instanceof FailureError ? error.failure : localFailure('internal_error');
    await store.write('connection', { status: 'not_approved', origin, reason: 'failed', failure });
    return;
  }
  await keepPermission(origin);
  await deps.onConnected();
}

/** Nobody has approved in time. */
export async function expireApproval(store: Store): Promise<void> {
  const approval = await store.read('approval');
  if (!approval) return;
  await store.remove('approval');
  await store.write('connection', { status: 'not_approved', origin: approval.origin, reason: 'expired' });
}
