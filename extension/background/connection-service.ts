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
import { hostPattern } from '../messages/origin.ts';
import type { Handlers } from '../messages/receive.ts';
import { challengeOf, randomText } from './pkce.ts';
import type { Approval, Store } from './store.ts';

/** How long a server may take to answer while connecting, in milliseconds. */
export const CONNECT_TIMEOUT_MS = 8000;
export const EXPIRY_ALARM = 'approval-expiry';

export interface ConnectionDeps {
  store: Store;
  client: Client;
  now(): number;
  randomBytes(n: number): Uint8Array;
  /** What the server shall call this browser. */
  label(): Promise<string>;
  /** Reads the lists for the first time. */
  onConnected(): Promise<void>;
}

/** How this browser comes to a session of its own, and how it gives it up. */
export function createConnectionService(deps: ConnectionDeps) {
  const { store, client } = deps;

  const isAllowed = (origin: string) => browser.permissions.contains({ origins: [hostPattern(origin)] });

  /** Gives back every host permission but that of one server: an address that was only tried keeps none. */
  async function keepPermission(origin: string | undefined): Promise<void> {
    const { origins = [] } = await browser.permissions.getAll();
    const others = origins.filter((pattern) => origin === undefined || pattern !== hostPattern(origin));
    if (others.length > 0) await browser.permissions.remove({ origins: others }).catch(() => false);
  }

  /** Asks something that needs no session: a Heex Keys server refuses it in the contract's own words. */
  async function probe(origin: string): Promise<void> {
    try {
      await client.call({ origin }, people.me, { timeoutMs: CONNECT_TIMEOUT_MS });
    } catch (error) {
      if (error instanceof FailureError && error.failure.code === 'unauthorized') return;
      throw error;
    }
  }

  async function openApproval(origin: string): Promise<void> {
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
    await showTab();
  }

  async function showTab(): Promise<void> {
    const approval = await store.read('approval');
    if (!approval) return;
    if (approval.tabId !== null) {
      const found = await browser.tabs.update(approval.tabId, { active: true }).catch(() => undefined);
      if (found) return;
    }
    const tab = await browser.tabs.create({ url: approval.url });
    await store.update('approval', (now) => now && { ...now, tabId: tab.id ?? null });
  }

  async function start(origin: string): Promise<void> {
    if (!(await isAllowed(origin))) {
      await store.write('connection', { status: 'permission_needed', origin });
      throw new FailureError(localFailure('permission_needed'));
    }
    if (await resumeSession(origin)) return;
    await store.write('connection', { status: 'reaching', origin });
    try {
      await probe(origin);
    } catch (error) {
      const failure = error instanceof FailureError ? error.failure : localFailure('internal_error');
      await store.write('connection', { status: 'unreachable', origin, failure });
      throw error;
    }
    await openApproval(origin);
  }

  /** A permission that was taken away and given back finds its session where it was. */
  async function resumeSession(origin: string): Promise<boolean> {
    const account = await store.read('account');
    if (!account || account.token === null || account.origin !== origin) return false;
    await store.write('connection', { status: 'connected', origin, user: account.user });
    await deps.onConnected();
    return true;
  }

  /** What stands when no connection is being made: the session that has ended, or nothing. */
  async function settle(): Promise<void> {
    const account = await store.read('account');
    await keepPermission(account?.origin);
    await store.write(
      'connection',
      account ? { status: 'signed_out', origin: account.origin, user: account.user } : { status: 'disconnected' },
    );
  }

  /** Gives up what is under way; where nothing is, the server itself. */
  async function cancel(): Promise<void> {
    const connection = await store.read('connection');
    if (connection?.status === 'signed_out' || connection?.status === 'permission_needed') return disconnect();
    await store.remove('approval');
    await browser.alarms.clear(EXPIRY_ALARM);
    await settle();
  }

  async function exchange({ origin, verifier }: Approval, code: string): Promise<void> {
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

  async function onTabUrl(url: string): Promise<void> {
    if (!URL.canParse(url)) return;
    const { origin, pathname, hash } = new URL(url);
    if (pathname !== CONNECT_DONE_PATH) return;
    const answer = new URLSearchParams(hash.slice(1));
    let taken: Approval | undefined;
    await store.update('approval', (approval) => {
      if (approval?.origin !== origin || approval.state !== answer.get('state')) return approval;
      taken = approval;
      return undefined;
    });
    if (!taken) return;
    await browser.alarms.clear(EXPIRY_ALARM);
    const code = answer.get('code');
    if (code && deps.now() < taken.expiresAt) return exchange(taken, code);
    await store.write('connection', { status: 'not_approved', origin, reason: code ? 'expired' : 'denied' });
  }

  async function disconnect(): Promise<void> {
    const account = await store.read('account');
    if (account?.token) {
      // The session ends on the server where it can be reached; here it ends in any case.
      await client
        .call({ origin: account.origin, token: account.token }, people.endSession, { params: { sessionId: 'current' } })
        .catch(() => undefined);
    }
    await browser.alarms.clear(EXPIRY_ALARM);
    await store.forget();
    await keepPermission(undefined);
    await store.write('connection', { status: 'disconnected' });
  }

  return {
    handlers: {
      'connection.start': ({ origin }) => start(origin),
      'connection.want': async ({ origin }) => {
        const account = await store.read('account');
        const user = account?.origin === origin ? account.user : undefined;
        await store.write('connection', { status: 'permission_needed', origin, ...(user ? { user } : {}) });
      },
      'connection.reopenTab': showTab,
      'connection.cancel': cancel,
      'connection.disconnect': disconnect,
    } satisfies Partial<Handlers>,

    /** Every address that a tab of an allowed origin goes to; others are not shown to the extension. */
    onTabUrl,

    async onExpiryAlarm(): Promise<void> {
      const approval = await store.read('approval');
      if (!approval) return;
      await store.remove('approval');
      await store.write('connection', { status: 'not_approved', origin: approval.origin, reason: 'expired' });
    },

    /** The person has given or taken away a permission in the browser's own settings. */
    async onPermissionsChanged(): Promise<void> {
      const account = await store.read('account');
      const connection = await store.read('connection');
      if (!account || account.token === null) return;
      const { origin, user } = account;
      const allowed = await isAllowed(origin);
      if (!allowed) await store.write('connection', { status: 'permission_needed', origin, user });
      else if (connection?.status === 'permission_needed') await resumeSession(origin);
    },

    /** After a browser start nothing can still be waiting: its verifier was in memory. */
    async onWorkerStart(): Promise<void> {
      const [connection, approval] = await Promise.all([store.read('connection'), store.read('approval')]);
      if (connection?.status === 'reaching' || (connection?.status === 'waiting' && !approval)) await settle();
    },
  };
}
