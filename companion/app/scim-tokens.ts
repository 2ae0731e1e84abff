import type { ScimSettings, ScimToken } from '../../shared/contract/scim.ts';
import { makeToken, prefixOf } from '../../shared/key-format.ts';
import { notFound, Refusal } from '../domain/refusal.ts';
import type { Reading, Tx } from '../store/store.ts';
import type { ScimTokenRow } from '../store/tables-scim.ts';
import { audit, by } from './audit.ts';
import { type Change, changeAs, type MemberCaller } from './caller.ts';
import type { Deps, Origin } from './deps.ts';
import { hashToken } from './sessions.ts';

/** An identity provider with a valid token: it acts for the whole workspace. */
export interface ScimCaller {
  token: { id: string; name: string };
  workspaceId: string;
  origin: Origin;
}

const showToken = (row: ScimTokenRow): ScimToken => ({
  id: row.id,
  name: row.name,
  prefix: row.prefix,
  createdAt: new Date(row.created_at).toISOString(),
  createdBy: JSON.parse(row.created_by),
  lastUsedAt: row.last_used_at === null ? null : new Date(row.last_used_at).toISOString(),
});

/** What `active: false` does in this workspace. */
export async function readDeactivation(db: Reading, workspaceId: string): Promise<ScimSettings['deactivation']> {
  const row = await db
    .selectFrom('scim_setting')
    .select('deactivation')
    .where('workspace_id', '=', workspaceId)
    .executeTakeFirst();
  return row?.deactivation ?? 'remove';
}

async function countProvisioned(db: Reading, workspaceId: string): Promise<number> {
  const { people } = await db
    .selectFrom('scim_user')
    .innerJoin('membership', (on) =>
      on
        .onRef('membership.user_id', '=', 'scim_user.user_id')
        .onRef('membership.workspace_id', '=', 'scim_user.workspace_id'),
    )
    .where('scim_user.workspace_id', '=', workspaceId)
    .where('scim_user.deactivated_at', 'is', null)
    .select((of) => of.fn.countAll<number>().as('people'))
    .executeTakeFirstOrThrow();
  return people;
}

/** How provisioning is set up; never a secret. */
export async function readScimSettings(
  deps: Deps,
  workspaceId: string,
  db: Reading = deps.store.read,
): Promise<ScimSettings> {
  const tokens = await db
    .selectFrom('scim_token')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .orderBy('created_at')
    .orderBy('id')
    .execute();
  return {
    baseUrl: `${deps.config.publicUrl}/scim/v2`,
    deactivation: await readDeactivation(db, workspaceId),
    tokens: tokens.map(showToken),
    people: await countProvisioned(db, workspaceId),
  };
}

export async function editScimSettings(
  deps: Deps,
  caller: MemberCaller,
  { deactivation }: { deactivation: ScimSettings['deactivation'] },
): Promise<ScimSettings> {
  return changeAs(deps, caller, 'scim.manage', async ({ tx, now, member }) => {
    const { workspaceId } = member;
    const before = await readDeactivation(tx, workspaceId);
    if (before !== deactivation) {
      await tx
        .insertInto('scim_setting')
        .values({ workspace_id: workspaceId, deactivation })
        .onConflict((c) => c.column('workspace_id').doUpdateSet({ deactivation }))
        .execute();
      await audit(tx, {
        workspaceId,
        at: now,
        ...by({ ...caller, member }),
        action: 'scim.changed',
        target: { type: 'workspace', id: workspaceId, name: 'SCIM' },
        before: { deactivation: before },
        after: { deactivation },
      });
    }
    return readScimSettings(deps, workspaceId, tx);
  });
}

const authorOf = ({ user: { name, email } }: MemberCaller, membershipId: string) =>
  JSON.stringify({ membershipId, name, email });

/** Two to change over, and one to spare. */
const MOST_TOKENS = 3;

/** A new token. Its secret is in the answer only. @throws Refusal conflict when there are three already */
export async function createScimToken(deps: Deps, caller: MemberCaller, { name }: { name: string }) {
  const secret = makeToken('scim', (n) => deps.randomBytes(n));
  return changeAs(deps, caller, 'scim.manage', async ({ tx, now, member }) => {
    const { workspaceId } = member;
    const known = await tx.selectFrom('scim_token').select('id').where('workspace_id', '=', workspaceId).execute();
    if (known.length >= MOST_TOKENS)
      throw new Refusal('conflict', `There are ${MOST_TOKENS} tokens already. Remove one that is no longer used.`);
    const row: ScimTokenRow = {
      id: deps.newId('scim'),
      workspace_id: workspaceId,
      name,
      prefix: prefixOf(secret),
      hash: hashToken(secret),
      created_by: authorOf(caller, member.id),
      created_at: now,
      secret_by: null,
      last_used_at: null,
    };
    await tx.insertInto('scim_token').values(row).execute();
    await auditToken({ tx, now, member }, caller, 'scim_token.created', row);
    return { token: showToken(row), secret };
  });
}

/** A new secret for the same token; the old one is refused from now on. @throws Refusal not_found */
export async function rotateScimToken(deps: Deps, caller: MemberCaller, tokenId: string) {
  const secret = makeToken('scim', (n) => deps.randomBytes(n));
  return changeAs(deps, caller, 'scim.manage', async (change) => {
    const row = await findToken(change.tx, change.member.workspaceId, tokenId);
    const secret_by = authorOf(caller, change.member.id);
    const fresh = { prefix: prefixOf(secret), hash: hashToken(secret), secret_by };
    await change.tx.updateTable('scim_token').set(fresh).where('id', '=', row.id).execute();
    await auditToken(change, caller, 'scim_token.rotated', row, { prefix: fresh.prefix });
    return { token: showToken({ ...row, ...fresh }), secret };
  });
}

/** @throws Refusal not_found */
export async function removeScimToken(deps: Deps, caller: MemberCaller, tokenId: string): Promise<void> {
  await changeAs(deps, caller, 'scim.manage', async (change) => {
    const row = await findToken(change.tx, change.member.workspaceId, tokenId);
    await change.tx.deleteFrom('scim_token').where('id', '=', row.id).execute();
    await auditToken(change, caller, 'scim_token.removed', row);
  });
}

async function findToken(tx: Tx, workspaceId: string, tokenId: string): Promise<ScimTokenRow> {
  const row = await tx
    .selectFrom('scim_token')
    .selectAll()
    .where('id', '=', tokenId)
    .where('workspace_id', '=', workspaceId)
    .executeTakeFirst();
  if (!row) throw notFound();
  return row;
}

async function auditToken(
  { tx, now, member }: Change,
  caller: MemberCaller,
  action: string,
  row: ScimTokenRow,
  after?: object,
) {
  await audit(tx, {
    workspaceId: member.workspaceId,
    at: now,
    ...by({ ...caller, member }),
    action,
    target: { type: 'scim_token', id: row.id, name: row.name },
    ...(action === 'scim_token.created' ? {} : { before: { prefix: row.prefix } }),
    ...(action === 'scim_token.created' ? { after: { prefix: row.prefix } } : after ? { after } : {}),
  });
}

const TOUCH_EVERY_MS = 60_000;

/** Who a SCIM token stands for. @throws Refusal unauthorized */
export async function authenticateScim(deps: Deps, token: string, origin: Origin): Promise<ScimCaller> {
  const row = await deps.store.read
    .selectFrom('scim_token')
    .selectAll()
    .where('hash', '=', hashToken(token))
    .executeTakeFirst();
  if (!row) throw new Refusal('unauthorized');
  const now = deps.now();
  if (now - (row.last_used_at ?? 0) >= TOUCH_EVERY_MS)
    await deps.store.transact(async (tx) => {
      await tx.updateTable('scim_token').set({ last_used_at: now }).where('id', '=', row.id).execute();
    });
  return { token: { id: row.id, name: row.name }, workspaceId: row.workspace_id, origin };
}
