import { decide } from '../../domain/access.ts';
import { notFound, Refusal } from '../../domain/refusal.ts';
import { audit, by } from '../audit.ts';
import { changeAs, type MemberCaller } from '../caller.ts';
import type { Deps } from '../deps.ts';

/**
 * Removes an agent for good: its connection ends before this answers (in another process on the same data a moment
 * later), and its key pair is never accepted again.
 * @throws Refusal not_found, forbidden
 */
export async function removeAgent(deps: Deps, caller: MemberCaller, agentId: string): Promise<undefined> {
  await changeAs(deps, caller, 'agent.remove', async ({ tx, now, member }) => {
    const agent = await tx
      .selectFrom('agent')
      .select(['id', 'name', 'public_key_thumbprint', 'enrolled_membership_id'])
      .where('id', '=', agentId)
      .where('workspace_id', '=', member.workspaceId)
      .where('removed_at', 'is', null)
      .executeTakeFirst();
    const decision = agent && decide(member.role, 'agent.remove', agent.enrolled_membership_id === member.id);
    if (!agent || decision === 'hidden') throw notFound();
    if (decision === 'forbidden') throw new Refusal('forbidden');
    await tx.updateTable('agent').set({ removed_at: now }).where('id', '=', agent.id).execute();
    await audit(tx, {
      workspaceId: member.workspaceId,
      at: now,
      ...by({ ...caller, member }),
      action: 'agent.removed',
      target: { type: 'agent', id: agent.id, name: agent.name },
      before: { thumbprint: agent.public_key_thumbprint },
    });
  });
  deps.agents.end(agentId);
}
