import { browser } from 'wxt/browser';
import { FailureError } from '../../shared/client/client.ts';
import { people } from '../../shared/contract/people.ts';
import { localFailure } from '../messages/failure.ts';
import type { Handlers } from '../messages/receive.ts';
import {
  type ApprovalDeps,
  EXPIRY_ALARM,
  expireApproval,
  openApproval,
  readApproval,
  showApproval,
} from './approval.ts';
import { isAllowed, keepPermission } from './host-permission.ts';
import type { Store } from './store.ts';

/** How long a server may take to answer while connecting, in milliseconds. */
const CONNECT_TIMEOUT_MS = 8000;

/** Asks something that needs no session: a Heex Keys server refuses it in the contract's own words. */
async function probe({ client }: ApprovalDeps, origin: string): Promise<void> {
  try {
    await client.call({ origin }, people.me, { timeoutMs: CONNECT_TIMEOUT_MS });
  } catch (error) {
    if (error instanceof FailureError && error.failure.code === 'unauthorized') return;
    throw error;
  }
}

async function start(deps: ApprovalDeps, origin: string): Promise<void> {
  const { store } = deps;
  if (!(await isAllowed(origin))) {
    await store.write('connection', { status: 'permission_needed', origin });
    throw new FailureError(localFailure('permission_needed'));
  }
  if (await resumeSession(deps, origin)) return;
  await store.write('connection', { status: 'reaching', origin });
  try {
    await probe(deps, origin);
  } catch (error) {
    const failure = error instanceof FailureError ? error.failure : localFailure('internal_error');
    await store.write('connection', { status: 'unreachable', origin, failure });
    throw error;
  }
  await openApproval(deps, origin);
}

/** A permission that was taken away and given back finds its session where it was. */
async function resumeSession({ store, onConnected }: ApprovalDeps, origin: string): Promise<boolean> {
  const account = await store.read('account');
  if (!account || account.token === null || account.origin !== origin) return false;
  await store.write('connection', { status: 'connected', origin, user: account.user });
  await onConnected();
  return true;
}

/** What stands when no connection is being made: the session that has ended, or nothing. */
async function settle(store: Store): Promise<void> {
  const account = await store.read('account');
  await keepPermission(account?.origin);
  await store.write(
    'connection',
    account ? { status: 'signed_out', origin: account.origin, user: account.user } : { status: 'disconnected' },
  );
}

/** Gives up what is under way; where nothing is, the server itself. */
async function cancel(deps: ApprovalDeps): Promise<void> {
  const { store } = deps;
  const connection = await store.read('connection');
  if (connection?.status === 'signed_out' || connection?.status === 'permission_needed') return disconnect(deps);
  await store.remove('approval');
  await browser.alarms.clear(EXPIRY_ALARM);
  await settle(store);
}

async function disconnect({ store, client }: ApprovalDeps): Promise<void> {
  const account = await store.read('account');
  await browser.alarms.clear(EXPIRY_ALARM);
  // Here first, whatever becomes of the worker while a server does not answer.
  await store.forget();
  await store.write('connection', { status: 'disconnected' });
  if (account?.token) {
    await client
      .call({ origin: account.origin, token: account.token }, people.endSession, { params: { sessionId: 'current' } })
      .catch(() => undefined);
  }
  // Given back after that last call, unless another connection was begun meanwhile.
  if ((await store.read('connection'))?.status === 'disconnected') await keepPermission(undefined);
}

/** How this browser comes to a session of its own, and how it gives it up. */
export function createConnectionService(deps: ApprovalDeps) {
  const { store } = deps;

  return {
    handlers: {
      'connection.start': ({ origin }) => start(deps, origin),
      'connection.want': async ({ origin }) => {
        const account = await store.read('account');
        const user = account?.origin === origin ? account.user : undefined;
        await store.write('connection', { status: 'permission_needed', origin, ...(user ? { user } : {}) });
      },
      'connection.reopenTab': () => showApproval(store),
      'connection.cancel': () => cancel(deps),
      'connection.disconnect': () => disconnect(deps),
    } satisfies Partial<Handlers>,

    /** Every address that a tab of an allowed origin goes to; others are not shown to the extension. */
    onTabUrl: (url: string) => readApproval(deps, url),

    onExpiryAlarm: () => expireApproval(store),

    /** The person has given or taken away a permission in the browser's own settings. */
    async onPermissionsChanged(): Promise<void> {
      const account = await store.read('account');
      const connection = await store.read('connection');
      if (!account || account.token === null) return;
      const { origin, user } = account;
      const allowed = await isAllowed(origin);
      if (!allowed) await store.write('connection', { status: 'permission_needed', origin, user });
      else if (connection?.status === 'permission_needed') await resumeSession(deps, origin);
    },

    /** After a browser start nothing can still be waiting: its verifier was in memory. */
    async onWorkerStart(): Promise<void> {
      const [connection, approval] = await Promise.all([store.read('connection'), store.read('approval')]);
      if (connection?.status === 'reaching' || (connection?.status === 'waiting' && !approval)) await settle(store);
    },
  };
}
