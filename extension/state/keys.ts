import { computed, signal } from '@preact/signals';
import * as z from 'zod/mini';
import { isUnsure } from '../../shared/client/client.ts';
import type {
  createKeyBody,
  editKeyBody,
  givenReason,
  Key,
  RequestRow,
  rotateBody,
  UsageDay,
} from '../../shared/contract/keys.ts';
import { type Failure, localFailure, type Result } from '../messages/failure.ts';
import type { AnswerOf, MessageType, Protocol } from '../messages/protocol.ts';
import type { FreshSecret } from '../messages/published.ts';
import { ask } from '../messages/send.ts';
import { persisted } from './persisted.ts';
import { mirrors } from './published.ts';
import { copySecret, holding } from './secret.ts';
import { showFailure, showToast } from './toasts.ts';
import { refresh } from './workspace.ts';

export type CreateKeyBody = z.infer<typeof createKeyBody>;
export type EditKeyBody = z.infer<typeof editKeyBody>;
export type RotateBody = z.infer<typeof rotateBody>;

/** Changes that are shown before the server has confirmed them, by key id. */
const ahead = signal<ReadonlyMap<string, Partial<Key>>>(new Map());
const withAhead = (list: readonly Key[] | null | undefined) =>
  list?.map((key) => (ahead.value.has(key.id) ? { ...key, ...ahead.value.get(key.id) } : key));

/** One's own keys, newest first; undefined when none were ever read. */
export const myKeys = computed(() => withAhead(mirrors.snapshot.value?.keys));
/** Everyone's keys, for admins; undefined for members. */
export const allKeys = computed(() => withAhead(mirrors.snapshot.value?.allKeys));
/** 30 days of use of a key, once known. */
export const usageOf = (keyId: string): UsageDay[] | undefined => mirrors.snapshot.value?.usage[keyId];
export const findKey = (keyId: string): Key | undefined =>
  myKeys.value?.find((key) => key.id === keyId) ?? allKeys.value?.find((key) => key.id === keyId);

function setAhead(keyId: string, change: Partial<Key> | undefined): void {
  const next = new Map(ahead.value);
  if (change) next.set(keyId, change);
  else next.delete(keyId);
  ahead.value = next;
}

/** Puts a key that the server has just answered into the lists of this page; the background does so for the others. */
function adopt(key: Key): void {
  const snapshot = mirrors.snapshot.value;
  const put = (list: Key[]) => list.map((old) => (old.id === key.id ? key : old));
  if (snapshot) {
    mirrors.snapshot.value = {
      ...snapshot,
      keys: put(snapshot.keys),
      allKeys: snapshot.allKeys && put(snapshot.allKeys),
    };
  }
  if (selected.value?.keyId === key.id) selected.value = { ...selected.value, key };
}

type KeyMessage = { [T in MessageType]: AnswerOf<T> extends Key ? T : never }[MessageType];
async function changed<T extends KeyMessage>(type: T, ...payload: Parameters<Protocol[T]>): Promise<Result<Key>> {
  const result: Result<Key> = await ask(type, ...payload);
  if (result.ok) adopt(result.value);
  return result;
}

/** Where the server did not answer, that is said, not that nothing was done; the lists, read anew, show what holds. */
async function certain<T>(sent: Promise<Result<T>>): Promise<Result<T>> {
  const result = await sent;
  if (result.ok || !isUnsure(result.failure)) return result;
  void refresh();
  return { ok: false, failure: localFailure('outcome_unknown', 'Look at the key before you try again.') };
}

async function optimistic(
  key: Key,
  change: Partial<Key>,
  send: () => Promise<Result<Key>>,
  sentence: string,
): Promise<Result<Key>> {
  setAhead(key.id, change);
  const result = await send();
  setAhead(key.id, undefined);
  if (!result.ok) showFailure(sentence, result.failure);
  return result;
}

const attemptSchema = z.nullable(z.object({ of: z.string(), id: z.string() }));
/** The latest create or rotation of unknown outcome: the same once more is a repeat, not a second one. */
const lastAttempt = persisted<z.infer<typeof attemptSchema>>('attempt', attemptSchema, null);

async function sendAndCopy(id: string, send: () => Promise<Result<FreshSecret>>): Promise<Result<FreshSecret>> {
  let result = await send();
  // The worker was stopped in the middle: the one that starts now takes the same attempt up.
  if (!result.ok && result.failure.code === 'internal_error') result = await send();
  if (result.ok || !['outcome_unknown', 'internal_error'].includes(result.failure.code)) lastAttempt.value = null;
  if (!result.ok || result.value.secret === null) return result;
  return { ok: true, value: { ...result.value, copied: await copySecret({ id }, result.value.secret) } };
}

function attempt(of: string, send: (id: string) => Promise<Result<FreshSecret>>): Promise<Result<FreshSecret>> {
  const id = lastAttempt.value?.of === of ? lastAttempt.value.id : crypto.randomUUID();
  lastAttempt.value = { of, id };
  return holding(id, () => sendAndCopy(id, () => send(id)));
}

/** Sends the new key, then copies its secret; `copied` of the fresh secret says whether that worked. Never optimistic. */
export const createKey = (body: CreateKeyBody): Promise<Result<FreshSecret>> =>
  attempt(JSON.stringify(['create', body]), (id) => ask('key.create', { attempt: id, body }));

/** Issues a new secret for the key and copies it. */
export const rotateKey = (keyId: string, body: RotateBody): Promise<Result<FreshSecret>> =>
  attempt(JSON.stringify(['rotate', keyId, body]), (id) => ask('key.rotate', { attempt: id, keyId, body }));

/** Shown at once, taken back with a toast when the server refuses. Field errors are in the result. */
export function editKey(keyId: string, body: EditKeyBody): Promise<Result<Key>> {
  const key = findKey(keyId);
  const send = () => certain(changed('key.edit', { keyId, body }));
  if (!key) return send();
  const { name, description } = body;
  const shown = { ...(name === undefined ? {} : { name }), ...(description === undefined ? {} : { description }) };
  return optimistic(key, shown, send, `${key.name} was not changed`);
}

/** Disables at once, with a toast to undo it. */
export async function disableKey(keyId: string): Promise<Result<Key>> {
  const key = findKey(keyId);
  if (!key) return certain(changed('key.disable', { keyId }));
  const result = await optimistic(
    key,
    { status: 'disabled' },
    () => certain(changed('key.disable', { keyId })),
    `${key.name} was not disabled`,
  );
  if (result.ok) showToast(`${key.name} disabled`, 'ok', () => void enableKey(keyId));
  return result;
}

export async function enableKey(keyId: string): Promise<Result<Key>> {
  const key = findKey(keyId);
  if (!key) return certain(changed('key.enable', { keyId }));
  const result = await optimistic(
    key,
    { status: 'active' },
    () => certain(changed('key.enable', { keyId })),
    `${key.name} was not enabled`,
  );
  if (result.ok) showToast(`${key.name} enabled`);
  return result;
}

/** Final. Never optimistic. */
export const revokeKey = (keyId: string, reason?: z.infer<typeof givenReason>): Promise<Result<Key>> =>
  certain(changed('key.revoke', { keyId, reason }));
/** All of them or none. */
export const revokeKeys = (keyIds: string[]): Promise<Result<Key[]>> => certain(ask('key.revokeMany', { keyIds }));
/** The old secret dies now. */
export const finishRotation = (keyId: string): Promise<Result<Key>> =>
  certain(changed('key.finishRotation', { keyId }));

/** The key whose detail is open; parts are null until they have come. */
export interface SelectedKey {
  keyId: string;
  key: Key | null;
  usage: UsageDay[] | null;
  requests: RequestRow[] | null;
  loading: boolean;
  failure: Failure | null;
}
const selected = signal<SelectedKey | null>(null);
/** What the detail screen shows: from the list at once, then as the server says. */
export const selectedKey = computed(() => {
  const detail = selected.value;
  if (!detail) return null;
  const key = findKey(detail.keyId) ?? detail.key;
  return { ...detail, key, usage: detail.usage ?? usageOf(detail.keyId) ?? null };
});

/** Opens the detail of a key and reads its use and latest requests. */
export async function selectKey(keyId: string): Promise<void> {
  const update = (part: Partial<SelectedKey>) => {
    if (selected.value?.keyId === keyId) selected.value = { ...selected.value, ...part };
  };
  selected.value = { keyId, key: null, usage: null, requests: null, loading: true, failure: null };
  const [key, usage, requests] = await Promise.all([
    changed('key.read', { keyId }),
    ask('key.usage', { keyId }),
    ask('key.requests', { keyId }),
  ]);
  const failed = [key, usage, requests].find((result) => !result.ok);
  update({
    loading: false,
    failure: failed && !failed.ok ? failed.failure : null,
    ...(key.ok ? { key: key.value } : {}),
    ...(usage.ok ? { usage: usage.value } : {}),
    ...(requests.ok ? { requests: requests.value } : {}),
  });
}

export function deselectKey(): void {
  selected.value = null;
}
