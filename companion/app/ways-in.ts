import type { Passkey } from '../../shared/contract/identity.ts';
import { notFound } from '../domain/refusal.ts';
import { auditPerson } from './audit.ts';
import type { SessionCaller } from './caller.ts';
import { changeOwn } from './change-own.ts';
import type { Deps } from './deps.ts';
import { keepAWayIn } from './keep-a-way-in.ts';
import { listPasskeys } from './passkeys.ts';
import { listSsoButtons, type SsoButton } from './sso-settings.ts';

/** How somebody can sign in, and what they could add. */
export interface WaysIn {
  password: boolean;
  passkeys: Passkey[];
  identities: Awaited<ReturnType<typeof listIdentities>>['items'];
  /** The providers of this server, with whether this person is linked there. */
  providers: (SsoButton & { linked: boolean })[];
}

export async function waysIn(deps: Deps, caller: SessionCaller): Promise<WaysIn> {
  const [user, passkeys, identities, buttons] = await Promise.all([
    deps.store.read.selectFrom('user').select('password_hash').where('id', '=', caller.user.id).executeTakeFirst(),
    listPasskeys(deps, caller),
    listIdentities(deps, caller),
    listSsoButtons(deps),
  ]);
  return {
    password: Boolean(user?.password_hash),
    passkeys: passkeys.items,
    identities: identities.items,
    providers: buttons.map((b) => ({ ...b, linked: identities.items.some((i) => i.issuer === b.issuer) })),
  };
}

/** The accounts at identity providers that sign one in. */
export async function listIdentities(deps: Deps, caller: SessionCaller) {
  const rows = await deps.store.read
    .selectFrom('identity')
    .selectAll()
    .where('user_id', '=', caller.user.id)
    .orderBy('linked_at')
    .orderBy('id')
    .execute();
  const time = (at: number) => new Date(at).toISOString();
  const items = rows.map((row) => ({
    id: row.id,
    issuer: row.issuer,
    email: row.email,
    linkedAt: time(row.linked_at),
    lastUsedAt: row.last_used_at === null ? null : time(row.last_used_at),
  }));
  return { items, nextCursor: null };
}

/** @throws Refusal not_found, also for somebody else's; conflict for the last way in */
export async function removeIdentity(deps: Deps, caller: SessionCaller, identityId: string): Promise<void> {
  await changeOwn(deps, caller, async ({ tx, now, user }) => {
    const removed = await tx
      .deleteFrom('identity')
      .where('id', '=', identityId)
      .where('user_id', '=', user.id)
      .returning(['email', 'issuer'])
      .executeTakeFirst();
    if (!removed) throw notFound();
    await keepAWayIn(tx, user);
    const target = { type: 'identity', id: identityId, name: removed.email ?? removed.issuer };
    await auditPerson(tx, now, caller, 'identity.unlinked', target, { before: { issuer: removed.issuer } });
  });
}
