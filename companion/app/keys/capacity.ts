import { capacityProblem, hasApiAccess } from '../../domain/policy.ts';
import { Refusal } from '../../domain/refusal.ts';
import { countKeysUsed } from '../../store/keys.ts';
import type { Change } from '../caller.ts';

/**
 * Makes sure that one more key may live. Counted inside the change, which holds the write lock: however many processes ask
 * at once, the limit is never passed.
 * @throws Refusal upgrade_required, key_limit_reached
 */
export async function needCapacity({ tx, now, member }: Change): Promise<void> {
  const workspace = await tx
    .selectFrom('workspace')
    .select(['plan', 'key_limit as keyLimit'])
    .where('id', '=', member.workspaceId)
    .executeTakeFirstOrThrow();
  const problem = capacityProblem(workspace, await countKeysUsed(tx, member.workspaceId, now));
  if (problem === 'key_limit_reached')
    throw new Refusal(problem, `All ${workspace.keyLimit} keys are in use. Revoke an old one.`);
  if (problem) throw new Refusal(problem);
}

/** Makes sure that the plan has API access at all. @throws Refusal upgrade_required */
export async function needPlan({ tx, member }: Change): Promise<void> {
  const { plan } = await tx
    .selectFrom('workspace')
    .select('plan')
    .where('id', '=', member.workspaceId)
    .executeTakeFirstOrThrow();
  if (!hasApiAccess(plan)) throw new Refusal('upgrade_required');
}

/** The longest that a key of this workspace may live, in days; null is no maximum. */
export async function maxLifetimeDays({ tx, member }: Change): Promise<number | null> {
  const row = await tx
    .selectFrom('workspace')
    .select('max_key_lifetime_days')
    .where('id', '=', member.workspaceId)
    .executeTakeFirstOrThrow();
  return row.max_key_lifetime_days;
}
