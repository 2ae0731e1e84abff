import { computed, type ReadonlySignal, signal } from '@preact/signals';
import { browser } from 'wxt/browser';
import { parseAddress } from '../../shared/client/address.ts';
import { localFailure, type Result } from '../messages/failure.ts';
import { hostPattern } from '../messages/origin.ts';
import type { Connection } from '../messages/published.ts';
import { ask } from '../messages/send.ts';
import { mirrors, stateReady } from './published.ts';
import { openWorkspace } from './route.ts';
import { surface } from './surface.ts';

/** Where the connection to the server stands; `loading` until storage was read. */
export const connection: ReadonlySignal<Connection | { status: 'loading' }> = computed(() =>
  stateReady.value ? (mirrors.connection.value ?? { status: 'disconnected' }) : { status: 'loading' },
);

/** Host (with port) of the server that this is about, or undefined. */
export const serverHost = computed(() =>
  'origin' in connection.value ? new URL(connection.value.origin).host : undefined,
);

const asking = signal(false);
/** The browser shows its permission prompt. */
export const askingPermission: ReadonlySignal<boolean> = asking;

/** The prompt of the browser; true when the person has allowed it, now or before. */
async function askPermission(origins: string[]): Promise<Result<void>> {
  asking.value = true;
  try {
    // Nothing may be awaited before this line: the click would no longer count.
    const granted = await browser.permissions.request({ origins });
    return granted ? { ok: true, value: undefined } : { ok: false, failure: localFailure('permission_needed') };
  } catch (error) {
    return {
      ok: false,
      failure: localFailure('permission_needed', error instanceof Error ? error.message : undefined),
    };
  } finally {
    asking.value = false;
  }
}

/** A prompt would destroy the popup that asks, so the full page is brought up to ask instead. */
async function askInWorkspace(origin: string): Promise<Result<void>> {
  const wanted = await ask('connection.want', { origin });
  if (wanted.ok) await openWorkspace({ screen: 'connect' });
  return wanted;
}

/**
 * Connects to the server at a typed address. Call it straight from a click: the browser asks its permission only then,
 * and only in a full page, so the popup sends the person there when the address has not been allowed yet.
 */
export async function connect(typed: string): Promise<Result<void>> {
  const address = parseAddress(typed);
  if (!address.ok) return { ok: false, failure: localFailure('bad_address', address.message) };
  const { origin } = address;
  const origins = [hostPattern(origin)];
  if (surface.value === 'popup') {
    if (!(await browser.permissions.contains({ origins }))) return askInWorkspace(origin);
  } else {
    const allowed = await askPermission(origins);
    if (!allowed.ok) return allowed;
  }
  return ask('connection.start', { origin });
}

/** Brings the approval page back, or opens it again when it was closed. */
export const reopenApproval = () => ask('connection.reopenTab');
/** Gives up a connection that is not made yet, or an address that is not wanted any more. */
export const cancelConnect = () => ask('connection.cancel');
/** Ends the session on the server, forgets everything here and gives the permission back. */
export const disconnect = () => ask('connection.disconnect');
/** Connects again to the server that has ended the session. Call it from a click. */
export async function reconnect(): Promise<Result<void>> {
  const current = connection.value;
  if (!('origin' in current)) return { ok: false, failure: localFailure('not_connected') };
  return connect(current.origin);
}
