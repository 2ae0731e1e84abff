import type { BodyOf } from '../../shared/contract/endpoint.ts';
import type { SsoAnswer, sso } from '../../shared/contract/identity.ts';
import { badField, Refusal } from '../domain/refusal.ts';
import type { Reading, Tx } from '../store/store.ts';
import type { SsoRow } from '../store/tables-identity.ts';
import { audit, by } from './audit.ts';
import { changeAs, type MemberCaller } from './caller.ts';
import type { Deps } from './deps.ts';
import type { OidcProvider } from './identity-ports.ts';
import { keepAWayIn } from './keep-a-way-in.ts';

export const CALLBACK_PATH = '/sso/callback';
const SECRET = 'single sign-on client secret';

/** Where the provider sends people back to. */
export const redirectUri = (deps: Deps): string => deps.config.publicUrl + CALLBACK_PATH;

/** The provider of a workspace, with the secret in clear: for requests to that provider only. */
export function providerOf(deps: Deps, row: SsoRow): OidcProvider {
  const clientSecret = deps.seal.open(SECRET, row.client_secret);
  if (clientSecret === undefined) throw new Refusal('unavailable', 'The client secret has to be entered again.');
  return { issuer: row.issuer, clientId: row.client_id, clientSecret };
}

export const findSso = (db: Reading, workspaceId: string): Promise<SsoRow | undefined> =>
  db.selectFrom('sso').selectAll().where('workspace_id', '=', workspaceId).executeTakeFirst();

export interface SsoButton {
  workspaceId: string;
  name: string;
  issuer: string;
}

/** What a page offers: each configured provider by name. */
export async function listSsoButtons(deps: Deps): Promise<SsoButton[]> {
  const rows = await deps.store.read
    .selectFrom('sso')
    .select(['workspace_id', 'name', 'issuer'])
    .orderBy('workspace_id')
    .execute();
  return rows.map((row) => ({ workspaceId: row.workspace_id, name: row.name, issuer: row.issuer }));
}

const visible = (row: Omit<SsoRow, 'workspace_id' | 'client_secret' | 'updated_at'>) => ({
  issuer: row.issuer,
  clientId: row.client_id,
  name: row.name,
  domains: JSON.parse(row.domains) as string[],
});

function answer(deps: Deps, row: SsoRow | undefined): SsoAnswer {
  const sso = row ? { ...visible(row), updatedAt: new Date(row.updated_at).toISOString() } : null;
  return { sso, redirectUri: redirectUri(deps) };
}

export async function readSso(deps: Deps, caller: MemberCaller): Promise<SsoAnswer> {
  return answer(deps, await findSso(deps.store.read, caller.member.workspaceId));
}

// Only a slash at the end may differ: the provider's own spelling is what is kept.
const sameAddress = (a: string, b: string) => new URL(a).href === new URL(b).href;

/**
 * Sets single sign-on up or changes it, after asking the provider whether it would work.
 * @throws Refusal bad_request naming the field
 */
export async function saveSso(deps: Deps, caller: MemberCaller, input: BodyOf<typeof sso.saveSso>): Promise<SsoAnswer> {
  const { workspaceId } = caller.member;
  // A stored secret is only ever sent to the provider that it was entered for.
  const kept = (before: SsoRow | undefined) =>
    before && sameAddress(before.issuer, input.issuer) && before.client_id === input.clientId ? before : undefined;
  const stored = kept(await findSso(deps.store.read, workspaceId));
  const clientSecret = input.clientSecret ?? (stored && providerOf(deps, stored).clientSecret);
  if (clientSecret === undefined) throw badField('clientSecret', 'is required');
  const issuer = await deps.oidc.check({ issuer: input.issuer, clientId: input.clientId, clientSecret });
  return changeAs(deps, caller, 'sso.manage', async ({ tx, now }) => {
    const before = await findSso(tx, workspaceId);
    const sealed =
      input.clientSecret === undefined ? kept(before)?.client_secret : deps.seal.close(SECRET, clientSecret);
    if (sealed === undefined) throw new Refusal('conflict', 'Somebody else changed this meanwhile. Look again.');
    const fields = {
      issuer,
      client_id: input.clientId,
      client_secret: sealed,
      name: input.name,
      domains: JSON.stringify(input.domains),
      updated_at: now,
    };
    await tx
      .insertInto('sso')
      .values({ workspace_id: workspaceId, ...fields })
      .onConflict((c) => c.column('workspace_id').doUpdateSet(fields))
      .execute();
    if (before && before.issuer !== issuer) await keepOwnWayIn(tx, caller);
    await audit(tx, {
      workspaceId,
      at: now,
      ...by(caller),
      action: 'sso.saved',
      target: { type: 'sso', id: workspaceId, name: issuer },
      ...(before ? { before: visible(before) } : {}),
      after: { ...visible(fields), secretChanged: input.clientSecret !== undefined },
    });
    return answer(deps, { workspace_id: workspaceId, ...fields });
  });
}

/** Others can be made a reset link by the one who changes it. @throws Refusal conflict */
async function keepOwnWayIn(tx: Tx, { user: { id } }: MemberCaller): Promise<void> {
  const user = await tx.selectFrom('user').select(['id', 'password_hash']).where('id', '=', id).executeTakeFirst();
  if (user) await keepAWayIn(tx, user);
}

/**
 * Turns single sign-on off. Links of people stay, for when the same provider is set up again.
 * @throws Refusal conflict where it is the only way in of whoever turns it off
 */
export async function removeSso(deps: Deps, caller: MemberCaller): Promise<void> {
  const { workspaceId } = caller.member;
  await changeAs(deps, caller, 'sso.manage', async ({ tx, now }) => {
    const before = await findSso(tx, workspaceId);
    if (!before) return;
    await tx.deleteFrom('sso').where('workspace_id', '=', workspaceId).execute();
    await keepOwnWayIn(tx, caller);
    await audit(tx, {
      workspaceId,
      at: now,
      ...by(caller),
      action: 'sso.removed',
      target: { type: 'sso', id: workspaceId, name: before.issuer },
      before: visible(before),
    });
  });
}
