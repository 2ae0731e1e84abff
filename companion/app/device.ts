import { CODE_LETTERS } from '../../shared/connect.ts';
import type { DeviceError, DeviceRequest, device } from '../../shared/contract/device.ts';
import type { BodyOf } from '../../shared/contract/endpoint.ts';
import { randomBase62 } from '../../shared/key-format.ts';
import { notFound, Refusal } from '../domain/refusal.ts';
import type { Tx } from '../store/store.ts';
import type { DeviceCodeRow } from '../store/tables-device.ts';
import { auditPerson } from './audit.ts';
import type { SessionCaller } from './caller.ts';
import { auditDenial } from './connect.ts';
import type { Deps, Origin } from './deps.ts';
import { hashToken, issueSession, publicUser } from './sessions.ts';

/** A code has to be typed and approved within this time, in milliseconds. */
export const DEVICE_LIFETIME_MS = 10 * 60_000;
const INTERVAL_MS = 5_000;
const USER_CODE_LENGTH = 8;
/** For so long an expired code is told from one that never was. */
export const DEVICE_KEPT_MS = 60 * 60_000;

/** An error of the token endpoint, in OAuth's own words (RFC 8628, 3.5). */
export class DeviceRefusal extends Error {
  readonly error: DeviceError;
  constructor(error: DeviceError, description: string) {
    super(description);
    this.error = error;
  }
}

/** Eight consonants without bias: 34 bits, for ten minutes and a limited number of tries (RFC 8628, 6.1). */
function makeUserCode(randomBytes: (n: number) => Uint8Array): string {
  const most = 256 - (256 % CODE_LETTERS.length);
  let code = '';
  while (code.length < USER_CODE_LENGTH) {
    for (const byte of randomBytes(USER_CODE_LENGTH)) {
      if (byte < most && code.length < USER_CODE_LENGTH) code += CODE_LETTERS.charAt(byte % CODE_LETTERS.length);
    }
  }
  return code;
}

const hashUserCode = (deps: Deps, code: string) => deps.hashSecret(`device user code ${code}`);

/** A device asks for a code. @throws Refusal rate_limited */
export async function beginDevice(deps: Deps, input: BodyOf<typeof device.deviceCode>, origin: Origin) {
  await deps.throttle.attempt('token', `device code ${origin.ip}`, origin.ip);
  const deviceCode = randomBase62((n) => deps.randomBytes(n), 43);
  const userCode = makeUserCode((n) => deps.randomBytes(n));
  await deps.store.transact(async (tx) => {
    const now = deps.now();
    await tx
      .deleteFrom('device_code')
      .where('expires_at', '<=', now - DEVICE_KEPT_MS)
      .execute();
    await tx
      .insertInto('device_code')
      .values({
        device_code_hash: hashToken(deviceCode),
        user_code_hash: hashUserCode(deps, userCode),
        client_id: input.client_id,
        device_name: input.device_name ?? '',
        ip: origin.ip,
        created_at: now,
        expires_at: now + DEVICE_LIFETIME_MS,
        interval_ms: INTERVAL_MS,
        polled_at: null,
        decision: null,
        user_id: null,
        authenticated_at: null,
      })
      .execute();
  });
  return {
    device_code: deviceCode,
    user_code: `${userCode.slice(0, 4)}-${userCode.slice(4)}`,
    // No verification_uri_complete: the code is typed, so that a link alone can't make anybody approve.
    verification_uri: `${deps.config.publicUrl}/device`,
    expires_in: DEVICE_LIFETIME_MS / 1000,
    interval: INTERVAL_MS / 1000,
  };
}

/** A typed code as it is stored: any case, with or without whatever stands between the letters. */
export const plainUserCode = (typed: string): string => typed.toUpperCase().replaceAll(/[^A-Z]/g, '');

async function pendingRow(deps: Deps, db: Tx | Deps['store']['read'], typed: string): Promise<DeviceCodeRow> {
  const row = await db
    .selectFrom('device_code')
    .selectAll()
    .where('user_code_hash', '=', hashUserCode(deps, plainUserCode(typed)))
    .where('decision', 'is', null)
    .executeTakeFirst();
  if (!row || row.expires_at <= deps.now()) throw notFound();
  return row;
}

/**
 * Who asks, for the person who typed the code.
 * @throws Refusal not_found, the same for a code that is wrong, used or expired; rate_limited
 */
export async function readDevice(deps: Deps, caller: SessionCaller, typed: string): Promise<DeviceRequest> {
  // By person, so that changing addresses does not help; a guess has to be one of 25 billion.
  await deps.throttle.attempt('typed_code', `device ${caller.user.id}`, caller.origin.ip);
  const row = await pendingRow(deps, deps.store.read, typed);
  return {
    clientId: row.client_id,
    deviceName: row.device_name,
    ip: row.ip,
    startedAt: new Date(row.created_at).toISOString(),
    expiresAt: new Date(row.expires_at).toISOString(),
  };
}

/** The signed-in person approves or denies, once. @throws Refusal not_found, unauthorized, rate_limited */
export async function decideDevice(
  deps: Deps,
  caller: SessionCaller,
  typed: string,
  decision: 'approved' | 'denied',
): Promise<void> {
  await deps.throttle.attempt('typed_code', `device ${caller.user.id}`, caller.origin.ip);
  await deps.store.transact(async (tx) => {
    const session = await tx
      .selectFrom('session')
      .select('authenticated_at')
      .where('id', '=', caller.session.id)
      .executeTakeFirst();
    if (!session) throw new Refusal('unauthorized', 'The session has ended.');
    const row = await pendingRow(deps, tx, typed);
    const approval = { user_id: caller.user.id, authenticated_at: session.authenticated_at };
    await tx
      .updateTable('device_code')
      .set({ decision, ...(decision === 'approved' ? approval : {}) })
      .where('device_code_hash', '=', row.device_code_hash)
      .execute();
    const asked = { client: 'cli' as const, label: labelOf(row), askedFrom: row.ip };
    if (decision === 'denied') await auditDenial(tx, deps.now(), caller, asked);
  });
}

/** What the session of a device is called. */
const labelOf = (row: DeviceCodeRow): string => row.device_name || row.client_id;

type Polled = { wait: 'authorization_pending' | 'slow_down' } | { refused: DeviceRefusal } | { row: DeviceCodeRow };

/** What a poll finds. Asking too early makes the interval five seconds longer from then on (RFC 8628, 3.5). */
async function poll(tx: Tx, now: number, codeHash: string, clientId: string): Promise<Polled> {
  const row = await tx
    .selectFrom('device_code')
    .selectAll()
    .where('device_code_hash', '=', codeHash)
    .executeTakeFirst();
  const refused = (error: DeviceError, description: string) => ({ refused: new DeviceRefusal(error, description) });
  if (row?.client_id !== clientId) return refused('invalid_grant', 'The code is wrong or was used.');
  if (row.expires_at <= now) return refused('expired_token', 'The code has expired. Begin again.');
  if (row.decision === 'denied') return refused('access_denied', 'The request was denied.');
  if (row.decision === 'approved') return { row };
  const early = row.polled_at !== null && now - row.polled_at < row.interval_ms;
  await tx
    .updateTable('device_code')
    .set({ polled_at: now, interval_ms: row.interval_ms + (early ? INTERVAL_MS : 0) })
    .where('device_code_hash', '=', row.device_code_hash)
    .execute();
  return { wait: early ? 'slow_down' : 'authorization_pending' };
}

/** An approved code becomes a session, once. @throws DeviceRefusal, Refusal rate_limited */
export async function redeemDevice(deps: Deps, input: BodyOf<typeof device.deviceToken>, origin: Origin) {
  const codeHash = hashToken(input.device_code);
  await deps.throttle.attempt('token', codeHash, origin.ip);
  // Refused only after the transaction: what is thrown inside would undo the longer interval.
  const done = await deps.store.transact(async (tx) => {
    const now = deps.now();
    const polled = await poll(tx, now, codeHash, input.client_id);
    if (!('row' in polled)) return polled;
    const { row } = polled;
    await tx.deleteFrom('device_code').where('device_code_hash', '=', row.device_code_hash).execute();
    const user = await tx
      .selectFrom('user')
      .selectAll()
      .where('id', '=', row.user_id ?? '')
      .where('disabled_at', 'is', null)
      .executeTakeFirst();
    if (!user)
      return { refused: new DeviceRefusal('access_denied', 'The person who approved has no account any more.') };
    const label = labelOf(row);
    const session = await issueSession(deps, tx, {
      userId: user.id,
      client: 'cli',
      label,
      origin,
      authenticatedAt: row.authenticated_at ?? now,
    });
    const target = { type: 'user', id: user.id, name: user.email };
    await auditPerson(tx, now, { user, origin, client: 'cli' }, 'session.connected', target, {
      after: { client: 'cli', label },
    });
    return { session, user: publicUser(user), now };
  });
  if ('refused' in done) throw done.refused;
  if ('wait' in done)
    throw new DeviceRefusal(
      done.wait,
      done.wait === 'slow_down' ? 'Ask less often: wait five seconds more.' : 'Not approved yet.',
    );
  return {
    access_token: done.session.token,
    token_type: 'Bearer' as const,
    expires_in: Math.floor((Date.parse(done.session.expiresAt) - done.now) / 1000),
    session: done.session,
    user: done.user,
  };
}
