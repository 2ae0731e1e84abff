import type { BodyOf, QueryOf } from '../../shared/contract/endpoint.ts';
import type { VerifierCredential, verifiers } from '../../shared/contract/verifiers.ts';
import { makeToken, prefixOf } from '../../shared/key-format.ts';
import { notFound } from '../domain/refusal.ts';
import type { VerifierRow } from '../store/tables.ts';
import { audit, by } from './audit.ts';
import { changeAs, type MemberCaller } from './caller.ts';
import type { Deps } from './deps.ts';
import { type Idempotency, once } from './idempotency.ts';
import { olderThan, pageOf, readCursor } from './paging.ts';

const show = (row: VerifierRow, lastAt: number | undefined): VerifierCredential => ({
  id: row.id,
  name: row.name,
  environment: row.environment,
  prefix: row.prefix,
  createdAt: new Date(row.created_at).toISOString(),
  createdBy: JSON.parse(row.created_by) as VerifierCredential['createdBy'],
  lastUsedAt: lastAt === undefined ? null : new Date(lastAt).toISOString(),
});

/** Verifier credentials, newest first. */
export async function listVerifiers(deps: Deps, caller: MemberCaller, query: QueryOf<typeof verifiers.listVerifiers>) {
  await deps.usage.flush();
  const after = readCursor(query.cursor);
  let rows = deps.store.read.selectFrom('verifier').selectAll().where('workspace_id', '=', caller.member.workspaceId);
  if (after) rows = rows.where(olderThan(after));
  const found = await rows
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(query.limit + 1)
    .execute();
  const uses = await deps.store.activity.read
    .selectFrom('verifier_use')
    .selectAll()
    .where(
      'verifier_id',
      'in',
      found.map((row) => row.id),
    )
    .execute();
  const lastAt = new Map(uses.map((use) => [use.verifier_id, use.last_at]));
  return pageOf(
    found,
    query.limit,
    (row) => ({ at: row.created_at, id: row.id }),
    (row) => show(row, lastAt.get(row.id)),
  );
}

/** Makes the credential of a service that checks keys of one environment. Its secret is in this answer only. */
export async function createVerifier(
  deps: Deps,
  caller: MemberCaller,
  input: BodyOf<typeof verifiers.createVerifier>,
  idempotency?: Idempotency,
) {
  const secret = makeToken('verifier', (n) => deps.randomBytes(n));
  return changeAs(deps, caller, 'verifier.manage', async (change) => {
    const { tx, now, member } = change;
    const made = await once(change, 'createVerifier', idempotency, async () => {
      const id = deps.newId('ver');
      const author = { membershipId: member.id, name: caller.user.name, email: caller.user.email };
      await tx
        .insertInto('verifier')
        .values({
          id,
          workspace_id: member.workspaceId,
          name: input.name,
          environment: input.environment,
          prefix: prefixOf(secret),
          hash: deps.hashSecret(secret),
          created_by: JSON.stringify(author),
          created_at: now,
        })
        .execute();
      await audit(tx, {
        workspaceId: member.workspaceId,
        at: now,
        ...by({ ...caller, member }),
        action: 'verifier.created',
        target: { type: 'verifier', id, name: input.name },
        after: { environment: input.environment, prefix: prefixOf(secret) },
      });
      return id;
    });
    const row = await tx.selectFrom('verifier').selectAll().where('id', '=', made.id).executeTakeFirst();
    if (!row) throw notFound();
    const verifier = show(row, undefined);
    return made.replayed ? { verifier, replayed: true } : { verifier, secret };
  });
}

/** Refuses a verifier from now on. @throws Refusal not_found */
export async function removeVerifier(deps: Deps, caller: MemberCaller, verifierId: string): Promise<void> {
  await changeAs(deps, caller, 'verifier.manage', async ({ tx, now, member }) => {
    const row = await tx
      .deleteFrom('verifier')
      .where('id', '=', verifierId)
      .where('workspace_id', '=', member.workspaceId)
      .returningAll()
      .executeTakeFirst();
    if (!row) throw notFound();
    await audit(tx, {
      workspaceId: member.workspaceId,
      at: now,
      ...by({ ...caller, member }),
      action: 'verifier.removed',
      target: { type: 'verifier', id: row.id, name: row.name },
      before: { environment: row.environment, prefix: row.prefix },
    });
  });
}
